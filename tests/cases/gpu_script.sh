#!/bin/bash
# SPDX-License-Identifier: MIT
# bench/gpu.sh with programs that are made up: what it packs, what it says is missing, that it goes on where it ended.
cd "$(dirname "$0")/../.." || exit 100
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0

# expect NAME CODE WORDS COMMAND...: its exit code, and words that its output has.
expect() {
    local name=$1 code=$2 words=$3 out got
    shift 3
    out=$("$@" 2>&1)
    got=$?
    if [ $got = "$code" ] && [[ $out == *"$words"* ]]; then
        echo "PASS gpu.sh: $name"
    else
        printf '%s\nexit %s instead of %s\nFAIL gpu.sh: %s\n' "$out" $got "$code" "$name"
        failed=1
    fi
}

# program PATH: a script of stdin's lines.
program() {
    { echo '#!/bin/bash'; cat; } >"$1"
    chmod +x "$1"
}

bash -n bench/gpu.sh || failed=1
expect "without a command it says how it is used" 100 "gpu.sh run [FOLDER]" bench/gpu.sh
expect "pack wants a file" 100 "usage: bench/gpu.sh pack" bench/gpu.sh pack

# ---- what is packed
. tools/paths.sh
mkdir -p "$tmp/cache/archives" "$tmp/cache/models" "$tmp/package/llama" "$tmp/build" "$tmp/tools" "$tmp/all"
echo bundle >"$tmp/package/llama/gitRelease.bundle"
tar -czf "$tmp/cache/archives/node-llama-cpp-0.tgz" -C "$tmp" package
expect "pack without a model says what to do" 111 "make setup" env STORYFI_CACHE="$tmp/cache" BUILD="$tmp/build" bench/gpu.sh pack "$tmp/p.tgz"
echo weights >"$tmp/cache/models/$MODEL_FILE"
expect "pack without a build says what to do" 111 "nothing is built" env STORYFI_CACHE="$tmp/cache" BUILD="$tmp/build" bench/gpu.sh pack "$tmp/p.tgz"
program "$tmp/build/storyfi" <<<'echo "{\"rounds\":1,\"tasks\":[{\"task\":\"blueprint\",\"answered\":${ANSWERED:-1},\"seconds\":2.5,\"characters_per_second\":164,\"tokens_per_second\":90,\"in_target\":1,\"failure\":\"x\"}]}"'
program "$tmp/build/storyfi-decode" <<<'case $4 in cpu) echo "[{\"1\": -0.5, \"2\": -1.5}]" ;; *) echo "[{\"1\": -0.5, \"2\": -${SECOND:-1.6}}]" ;; esac'
cp "$tmp/build/storyfi" "$tmp/build/storyfi-engine"
expect "pack makes a file" 0 "p.tgz" env STORYFI_CACHE="$tmp/cache" BUILD="$tmp/build" bench/gpu.sh pack "$tmp/p.tgz"
for f in gpu.sh commit llama.bundle bin/storyfi bin/storyfi-engine bin/storyfi-decode "models/$MODEL_FILE"; do
    tar -tzf "$tmp/p.tgz" | grep -qxF "storyfi-gpu/$f" || { echo "FAIL gpu.sh: $f is not packed"; failed=1; }
done

# ---- elsewhere
mkdir "$tmp/there"
tar -xzf "$tmp/p.tgz" -C "$tmp/there"
script=$tmp/there/storyfi-gpu/gpu.sh
for t in bash env dirname mkdir date cat rm mv touch ln nproc timeout grep tail tr head chmod; do ln -s "$(command -v $t)" "$tmp/tools/$t"; done
ln -s "$(python3 -c 'import sys; print(sys.executable)')" "$tmp/tools/python3"
expect "a missing tool is named" 111 "no cmake here" env PATH="$tmp/tools" CPU=1 "$script" run "$tmp/work"
program "$tmp/tools/cmake" <<'E2'
[ "$1" = --build ] || exit 0
mkdir -p "$2/bin"
printf '#!/bin/bash\necho "  3/3 tests passed"; exit ${TESTS_RC:-0}\n' >"$2/bin/test-backend-ops"
printf '#!/bin/bash\necho "{\\"pl\\": 8, \\"speed_tg\\": 123.4}"\n' >"$2/bin/llama-batched-bench"
chmod +x "$2"/bin/*
E2
program "$tmp/tools/git" <<<"case \$* in *clone*) mkdir \"\${@: -1}\" ;; *) echo \${HEAD_IS:-$LLAMA_TAG_COMMIT} ;; esac"
program "$tmp/tools/c++" <<<'exit 0'
there() { env PATH="$tmp/tools" "$@" "$script" run "$tmp/work"; }
expect "without a driver it names CPU=1" 111 "no nvidia-smi: is the driver installed? (CPU=1" there A=1
expect "another source is refused" 111 "not the pinned one" there CPU=1 HEAD_IS=0
expect "time that is over means: call it again" 75 "more to do: call it again" there CPU=1 STEP_SECONDS=3
expect "an operation that differs is a failed check" 1 "RMS_NORM differs" there CPU=1 TESTS_RC=1
expect "so are next words that differ" 1 "next words differ" there CPU=1 SECOND=2.5
expect "and a default model that does not answer" 1 "does not answer: \"failure\":\"x" there CPU=1 ANSWERED=0
expect "the next call goes on and prints the table" 0 "llama-batched-bench x8: 123 tokens/s" there CPU=1 SHAPES=one
rm "$tmp/tools/cmake"
program "$tmp/tools/cmake" <<<'exit 1'
expect "what is done is not done again" 0 "one              blueprint         2.5       164        90      1/1" there CPU=1
program "$tmp/tools/nvidia-smi" <<<'case $* in *compute_cap*) echo 9.0 ;; *) echo "Some card, 24000 MiB, 580" ;; esac'
expect "a GPU without nvcc is refused" 111 "no nvcc" there A=1
program "$tmp/tools/nvcc" <<<'exit 0'
expect "a card and its compute capability are shown" 0 "Some card, 24000 MiB, 580, compute capability 90" there A=1
exit $failed
