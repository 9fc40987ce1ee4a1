#!/bin/bash
# SPDX-License-Identifier: MIT
# Judges an NVIDIA GPU on a machine without a network. Here, where the build is:
#     bench/gpu.sh pack FILE.tar.gz        programs, their libraries, llama.cpp's source, the default model (120 MB)
# there, again and again until it says "done" (each call does what fits into STEP_SECONDS, 540 by default, and goes on
# where the last one ended):
#     tar -xzf FILE.tar.gz && storyfi-gpu/gpu.sh run [FOLDER]
# It builds llama.cpp for this GPU alone, checks its operations and the default model's next words against the CPU's
# results, measures whole answers of the default model and of random weights in known shapes, and prints a table. Needs
# there: nvidia-smi, nvcc, cmake, a C++ compiler, git, python3, a C library as new as here. CPU=1 does the same without a
# GPU, to try the script. SHAPES, ROUNDS, LAYERS: what is measured; JOBS: how many compilers run.
# exit: 0 done, 1 a check failed, 75 more to do: call it again, 100 usage, 111 something is missing
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
exec 3>&1 4>&2 # for people, where a command's own go into a file
say() { printf 'gpu: %s\n' "$*" >&3; }
stop() { code=$1; shift; printf 'gpu: %s\n' "$*" >&4; exit "$code"; }

# ---- here ----------------------------------------------------------------------------------------

pack() {
    cd "$here/.." || exit 100
    . tools/paths.sh
    local out=$1 work build=${BUILD:-build} archives=("$STORYFI_CACHE"/archives/node-llama-cpp-*.tgz)
    [ -f "${archives[0]}" ] && [ -f "$DEFAULT_MODEL" ] || stop 111 "no source or model in the set-up cache: make setup"
    if [ -f "$build/build.ninja" ]; then
        ninja -C "$build" storyfi storyfi-engine storyfi-decode >/dev/null || stop 111 "the build in $build fails"
    fi
    [ -x "$build/storyfi-decode" ] || stop 111 "nothing is built in $build: make"
    work=$(mktemp -d) || exit 111
    mkdir -p "$work/storyfi-gpu/bin" "$work/storyfi-gpu/system" "$work/storyfi-gpu/models"
    cp bench/gpu.sh "$work/storyfi-gpu/"
    cp "$build/storyfi" "$build/storyfi-engine" "$build/storyfi-decode" "$work/storyfi-gpu/bin/"
    cp "$DEFAULT_MODEL" "$work/storyfi-gpu/models/"
    tar -xzf "${archives[0]}" -C "$work" package/llama/gitRelease.bundle
    mv "$work/package/llama/gitRelease.bundle" "$work/storyfi-gpu/llama.bundle"
    # What the programs need beside the C library and the compiler's, and is not llama.cpp's.
    ldd "$build/storyfi" "$build/storyfi-engine" 2>/dev/null | awk '$2 == "=>" && $3 ~ /^\// { print $3 }' | sort -u |
        grep -v -e '/libc\.so' -e '/ld-linux' -e '/libm\.so' -e '/libpthread' -e '/libdl\.' -e '/libllama' -e '/libggml' \
            -e '/libstdc' -e '/libgcc_s' |
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
    timeout "$seconds" "$@" 3>&- 4>&-
    code=$?
    [ $code != 124 ] || cut_off "$seconds"
    return $code
}

# A measurement that had a whole step for itself and did not end in it never will.
cut_off() {
    if [ -n "${measured:-}" ] && [ "$1" -ge $((step_seconds * 9 / 10)) ]; then
        echo "{\"rounds\": 0, \"tasks\": [], \"cut_s\": $1}" >"$measured"
    fi
    stop 75 "more to do: call it again"
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
    [ -d "$folder/tree" ] || {
        rm -rf "$folder/tree.new"
        git -c advice.detachedHead=false clone -q "$here/llama.bundle" "$folder/tree.new" || exit 111
        mv "$folder/tree.new" "$folder/tree"
    }
    [ "$(git -C "$folder/tree" rev-parse HEAD)" = "$(cat "$here/commit")" ] || stop 111 "the source is not the pinned one"
    [ "${CPU:-0}" = 1 ] || cuda=(-DGGML_CUDA=ON "-DCMAKE_CUDA_ARCHITECTURES=$arch")
    timed cmake -S "$folder/tree" -B "$folder/build" -G "$generator" -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=ON \
        "${cuda[@]}" -DLLAMA_BUILD_TESTS=ON -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_APP=OFF -DLLAMA_OPENSSL=OFF \
        -DLLAMA_BUILD_UI=OFF -DLLAMA_USE_PREBUILT_UI=OFF >"$folder/configure.log" 2>&1 || stop 111 "cmake: $(tail -3 "$folder/configure.log")"
}

# Begun targets are kept when a step ends. The programs ask for the libraries by the names that the prebuilt ones have.
step_build() {
    timed cmake --build "$folder/build" -j "${JOBS:-$(nproc)}" --target llama llama-batched-bench test-backend-ops >>"$folder/build.log" 2>&1 ||
        stop 111 "the build fails: $(tail -5 "$folder/build.log")"
    ln -sf libllama.so "$folder/build/bin/libllama.v0.5.0.so"
    ln -sf libggml.so "$folder/build/bin/libggml.v0.5.0.so"
}

# The operations that stories use, in the types and sizes that they use, each on the GPU and on the CPU, compared; without
# a GPU the quick ones, the CPU's fast code against its plain one.
step_check() {
    local op only checks=("MUL_MAT type_a=(q4_1|q8_0|q4_K|q6_K|f16)" "FLASH_ATTN_EXT hsk=(64|128),.*type_K=f16" "ROPE ." "RMS_NORM ."
        "SOFT_MAX ." "SET_ROWS .")
    only=()
    [ "${CPU:-0}" != 1 ] || { checks=("RMS_NORM ." "SOFT_MAX ." "SET_ROWS ."); only=(-b CPU); }
    for op in "${checks[@]}"; do
        is_done "check-${op%% *}" && continue
        timed "$folder/build/bin/test-backend-ops" test -o "${op%% *}" -p "${op#* }" "${only[@]}" >"$folder/check-${op%% *}.log" 2>&1 ||
            stop 1 "${op%% *} differs from the CPU's result: $folder/check-${op%% *}.log"
        grep -q ' tests passed' "$folder/check-${op%% *}.log" || stop 1 "${op%% *} was not tested: $folder/check-${op%% *}.log"
        note_done "check-${op%% *}"
    done
    same_words
    say "the GPU computes what the CPU computes"
}

# What the default model says next behind fixed prompts: log-probabilities of the ten likeliest words on the CPU must be
# the GPU's too, up to what rounding of 4-bit weights makes.
same_words() {
    local device
    for device in cpu "$([ "${CPU:-0}" = 1 ] && echo auto || echo cuda)"; do
        LD_LIBRARY_PATH=$folder/build/bin:$here/system timed "$here/bin/storyfi-decode" "$model" "$folder/build/bin" next $device \
            >"$folder/next.$device.json" 2>"$folder/next.log" || stop 1 "the default model does not run on $device: $(tail -2 "$folder/next.log")"
    done
    python3 - "$folder/next.cpu.json" "$folder/next.$device.json" <<'PY' || stop 1 "the default model's next words differ from the CPU's: $folder/next.*.json"
import json, pathlib, sys
cpu, gpu = (json.loads(pathlib.Path(p).read_text()) for p in sys.argv[1:])
worst = max(abs(v - b.get(k, -99)) for a, b in zip(cpu, gpu) for k, v in list(a.items())[:10])
print(f"gpu: next words of {len(cpu)} prompts: log-probabilities differ by {worst:.3f} at most")
sys.exit(worst > 0.3 or len(cpu) != len(gpu) or not cpu)
PY
}

storyfi() {
    LD_LIBRARY_PATH=$folder/build/bin:$here/system timed "$here/bin/storyfi" "$@" --generator.local.lib_dir "$folder/build/bin" \
        --generator.local.engine_path "$here/bin/storyfi-engine" --generator.local.models_dir "$here/models"
}

# One file of JSON per model into results/. A shape that this card cannot hold says so in the table.
step_measure() {
    local shape how
    mkdir -p "$folder/results"
    for shape in default ${SHAPES-llama-3.1-8b qwen2.5-7b mixtral-8x7b llama-3.1-70b}; do
        measured=$folder/results/$shape.json
        [ -s "$measured" ] && continue
        say "measuring $shape"
        how=(--rounds "${ROUNDS:-3}")
        [ "$shape" = default ] || how+=(--synthetic "$shape" ${LAYERS:+--layers "$LAYERS"})
        storyfi bench --json "${how[@]}" >"$measured.new" 2>"$measured.log"
        [ -s "$measured.new" ] || stop 111 "$shape: $(tail -2 "$measured.log")"
        mv "$measured.new" "$measured"
        [ "$shape" != default ] || grep -q '"answered":[1-9]' "$measured" ||
            { mv "$measured" "$measured.failed"; stop 1 "the default model does not answer: $(grep -o '"failure":"[^"]*' "$measured.failed" | tail -1)"; }
    done
    measured=
}

step_decode() {
    local out=$folder/results/decode.jsonl
    [ -s "$out" ] && return
    measured=$out
    LD_LIBRARY_PATH=$folder/build/bin timed "$folder/build/bin/llama-batched-bench" -m "$model" -c 16384 -npp 300 -ntg 64 \
        -npl "${WIDTHS:-1,8,16,32}" -kvu -pps -ngl 99 --output-format jsonl >"$out.new" 2>"$out.log" ||
        stop 111 "llama-batched-bench: $(tail -2 "$out.log")"
    grep '^{' "$out.new" >"$out"
}

table() {
    python3 - "$folder/results" <<'PY'
import json, pathlib, sys
print(f"{'model':<16} {'task':<12} {'seconds':>8} {'chars/s':>9} {'tokens/s':>9} {'in 25 s':>8}")
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.json")):
    data = json.loads(path.read_text())
    if "cut_s" in data:
        print(f"{path.stem:<16} not done in a step of {data['cut_s']} s: more STEP_SECONDS, fewer ROUNDS")
    for t in data["tasks"]:
        print(f"{path.stem:<16} {t['task']:<12} {t['seconds']:8.1f} {t['characters_per_second']:9.0f} {t['tokens_per_second']:9.0f} "
              f"{t['in_target']:>6}/{data['rounds']}" + (f"  {t['failure'][:80]}" if not t["answered"] else ""))
decode = pathlib.Path(sys.argv[1]) / "decode.jsonl"
for line in decode.read_text().splitlines() if decode.exists() else []:
    d = json.loads(line)
    print("llama-batched-bench: not done in a step" if "cut_s" in d else f"llama-batched-bench x{d['pl']}: {d['speed_tg']:.0f} tokens/s")
PY
}

run() {
    folder=${1:-$here/work}
    mkdir -p "$folder"
    folder=$(cd "$folder" && pwd)
    model=$(echo "$here"/models/*.gguf)
    step_seconds=${STEP_SECONDS:-540}
    until=$(($(date +%s) + step_seconds))
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
*) sed -n '3,13s/^# \{0,1\}//p' "$0"; exit 100 ;;
esac
