#!/bin/bash
# SPDX-License-Identifier: MIT
# Judges an NVIDIA GPU on a machine without a network. Here, where the build is:
#     bench/gpu.sh pack FILE.tar.gz        programs, their libraries, llama.cpp's source, the default model (120 MB)
# there, again and again until it says "done" (each call does what fits into STEP_SECONDS, 540 by default, and goes on
# where the last one ended):
#     tar -xzf FILE.tar.gz && storyfi-gpu/gpu.sh run [FOLDER]
# It builds llama.cpp for this GPU alone, checks its operations against the CPU's results, measures whole answers of the
# default model and of random weights in known shapes, and prints a table. Needs there: nvidia-smi, nvcc, cmake, a C++
# compiler, python3. CPU=1 does the same without a GPU, to try the script.
# exit: 0 done, 1 a check failed, 75 more to do: call it again, 100 usage, 111 something is missing
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
say() { printf 'gpu: %s\n' "$*"; }
stop() { code=$1; shift; say "$*" >&2; exit "$code"; }

# ---- here ----------------------------------------------------------------------------------------

pack() {
    cd "$here/.." || exit 100
    . tools/paths.sh
    local out=$1 work build=${BUILD:-build} archives=("$STORYFI_CACHE"/archives/node-llama-cpp-*.tgz)
    [ -f "${archives[0]}" ] && [ -f "$DEFAULT_MODEL" ] || stop 111 "no source or model in the set-up cache: make setup"
    [ -x "$build/storyfi-engine" ] || stop 111 "nothing is built in $build: make"
    work=$(mktemp -d) || exit 111
    mkdir -p "$work/storyfi-gpu/bin" "$work/storyfi-gpu/system" "$work/storyfi-gpu/models"
    cp bench/gpu.sh "$work/storyfi-gpu/"
    cp "$build/storyfi" "$build/storyfi-engine" "$work/storyfi-gpu/bin/"
    cp "$DEFAULT_MODEL" "$work/storyfi-gpu/models/"
    tar -xzf "${archives[0]}" -C "$work" package/llama/gitRelease.bundle
    mv "$work/package/llama/gitRelease.bundle" "$work/storyfi-gpu/llama.bundle"
    # What the programs need beside the C library, and is not llama.cpp's.
    ldd "$build/storyfi" "$build/storyfi-engine" | awk '$2 == "=>" && $3 ~ /^\// { print $3 }' | sort -u |
        grep -v -e '/libc\.so' -e '/ld-linux' -e '/libm\.so' -e '/libpthread' -e '/libdl\.' -e '/libllama' -e '/libggml' |
        xargs -I FILE cp FILE "$work/storyfi-gpu/system/"
    echo "$LLAMA_TAG_COMMIT" >"$work/storyfi-gpu/commit"
    tar -czf "$out" -C "$work" storyfi-gpu
    rm -rf "$work"
    say "$out: $(du -h "$out" | cut -f1)"
}

# ---- there ---------------------------------------------------------------------------------------

is_done() { [ -f "$folder/done.$1" ]; }
note_done() { touch "$folder/done.$1"; }
left() { echo $((until - $(date +%s))); }

# Runs a command for as long as there is time; when that is over, ends the whole script with "call again".
timed() {
    local seconds code
    seconds=$(left)
    [ "$seconds" -gt 5 ] || stop 75 "more to do: call it again"
    timeout "$seconds" "$@"
    code=$?
    [ $code != 124 ] || stop 75 "more to do: call it again"
    return $code
}

step_tools() {
    local t
    for t in cmake c++ git python3; do command -v $t >/dev/null || stop 111 "no $t here"; done
    command -v ninja >/dev/null && generator=Ninja || generator="Unix Makefiles"
    [ "${CPU:-0}" = 1 ] && return
    command -v nvidia-smi >/dev/null || stop 111 "no nvidia-smi: is the driver installed? (CPU=1 tries the script without a GPU)"
    command -v nvcc >/dev/null || PATH=/usr/local/cuda/bin:$PATH
    command -v nvcc >/dev/null || stop 111 "no nvcc: install the CUDA toolkit"
    arch=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader | head -1 | tr -d .)
    say "$(nvidia-smi --query-gpu=name,memory.total,driver_version --format=csv,noheader | head -1), compute capability $arch"
}

step_configure() {
    local cuda=()
    [ -d "$folder/tree" ] || git -c advice.detachedHead=false clone -q "$here/llama.bundle" "$folder/tree" || exit 111
    [ "$(git -C "$folder/tree" rev-parse HEAD)" = "$(cat "$here/commit")" ] || stop 111 "the source is not the pinned one"
    [ "${CPU:-0}" = 1 ] || cuda=(-DGGML_CUDA=ON "-DCMAKE_CUDA_ARCHITECTURES=$arch")
    timed cmake -S "$folder/tree" -B "$folder/build" -G "$generator" -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=ON \
        "${cuda[@]}" -DLLAMA_BUILD_TESTS=ON -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_APP=OFF -DLLAMA_OPENSSL=OFF \
        -DLLAMA_BUILD_UI=OFF -DLLAMA_USE_PREBUILT_UI=OFF >"$folder/configure.log" 2>&1 || stop 111 "cmake: $(tail -3 "$folder/configure.log")"
}

step_build() {
    timed cmake --build "$folder/build" -j "$(nproc)" --target llama llama-batched-bench test-backend-ops >"$folder/build.log" 2>&1 ||
        stop 111 "the build fails: $(tail -5 "$folder/build.log")"
}

# The operations that stories use, each on the GPU and on the CPU, compared.
step_check() {
    [ "${CPU:-0}" = 1 ] && { say "no GPU to compare with the CPU"; return; }
    local op
    for op in MUL_MAT FLASH_ATTN_EXT ROPE RMS_NORM SOFT_MAX SET_ROWS; do
        is_done "check-$op" && continue
        timed "$folder/build/bin/test-backend-ops" test -o $op >"$folder/check-$op.log" 2>&1 ||
            stop 1 "$op differs from the CPU's result: $folder/check-$op.log"
        note_done "check-$op"
    done
    say "the GPU computes what the CPU computes"
}

storyfi() {
    LD_LIBRARY_PATH=$folder/build/bin:$here/system timed "$here/bin/storyfi" "$@" --generator.local.lib_dir "$folder/build/bin" \
        --generator.local.engine_path "$here/bin/storyfi-engine" --generator.local.models_dir "$here/models"
}

# One line of JSON per model into results/.
step_measure() {
    local shape out
    mkdir -p "$folder/results"
    for shape in default ${SHAPES:-llama-3.1-8b qwen2.5-7b mixtral-8x7b llama-3.1-70b}; do
        out=$folder/results/$shape.json
        [ -s "$out" ] && continue
        say "measuring $shape"
        if [ "$shape" = default ]; then
            storyfi bench --json --rounds "${ROUNDS:-3}" >"$out.new" 2>"$out.log"
        else
            storyfi bench --json --rounds "${ROUNDS:-3}" --synthetic "$shape" ${LAYERS:+--layers "$LAYERS"} >"$out.new" 2>"$out.log"
        fi
        [ -s "$out.new" ] || stop 111 "$shape: $(tail -2 "$out.log")"
        mv "$out.new" "$out"
    done
}

step_decode() {
    local out=$folder/results/decode.jsonl
    [ -s "$out" ] && return
    LD_LIBRARY_PATH=$folder/build/bin timed "$folder/build/bin/llama-batched-bench" -m "$here"/models/*.gguf -c 16384 -npp 300 -ntg 64 \
        -npl 1,8,16,32 -kvu -pps -ngl 99 --output-format jsonl 2>"$out.log" | grep '^{' >"$out.new"
    mv "$out.new" "$out"
}

table() {
    python3 - "$folder/results" <<'PY'
import json, pathlib, sys
print(f"{'model':<16} {'task':<12} {'seconds':>8} {'chars/s':>9} {'tokens/s':>9} {'in 25 s':>8}")
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.json")):
    data = json.loads(path.read_text())
    for t in data["tasks"]:
        print(f"{path.stem:<16} {t['task']:<12} {t['seconds']:8.1f} {t['characters_per_second']:9.0f} {t['tokens_per_second']:9.0f} "
              f"{t['in_target']:>6}/{data['rounds']}" + (f"  {t['failure'][:80]}" if not t["answered"] else ""))
decode = pathlib.Path(sys.argv[1]) / "decode.jsonl"
for line in decode.read_text().splitlines() if decode.exists() else []:
    d = json.loads(line)
    print(f"llama-batched-bench x{d['pl']}: {d['speed_tg']:.0f} tokens/s")
PY
}

run() {
    folder=${1:-$here/work}
    mkdir -p "$folder"
    folder=$(cd "$folder" && pwd)
    until=$(($(date +%s) + ${STEP_SECONDS:-540}))
    local step
    step_tools
    for step in configure build check measure decode; do
        is_done $step && continue
        say "$step"
        step_$step
        note_done $step
    done
    table
    say "done"
}

case ${1:-} in
pack) [ $# = 2 ] || stop 100 "usage: bench/gpu.sh pack FILE.tar.gz"; pack "$(realpath -m "$2")" ;;
run) run "${2:-}" ;;
*) sed -n '3,14s/^# \{0,1\}//p' "$0"; exit 100 ;;
esac
