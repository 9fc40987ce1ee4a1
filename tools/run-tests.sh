#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs the rings of tests in order, prints the time of each and one closing line that counts.
# usage: tools/run-tests.sh [--full] [asan|tsan|RING…]     without words: all rings in their CI size
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 100
# shellcheck source=tools/paths.sh
. tools/paths.sh
export STORYFI_FULL=0
[ "${1:-}" = --full ] && { STORYFI_FULL=1; shift; }
LOGS=build/test-logs
mkdir -p $LOGS
passed=0 failed=0 skipped=0
export STORYFI=$PWD/build/storyfi

count() { # ring log
    local p f s total bad
    p=$(grep -c '^PASS ' "$2"); f=$(grep -c '^FAIL ' "$2"); s=$(grep -c '^SKIP ' "$2")
    if grep -qE 'tests passed, .* tests failed out of|tests passed, [0-9]+ tests? failed' "$2"; then
        total=$(sed -nE 's/.*tests? failed out of ([0-9]+).*/\1/p' "$2" | tail -1)
        bad=$(sed -nE 's/.*passed, ([0-9]+) tests? failed.*/\1/p' "$2" | tail -1)
        p=$((p + total - bad)); f=$((f + bad))
    fi
    passed=$((passed + p)); failed=$((failed + f)); skipped=$((skipped + s))
    echo "$p passed, $f failed, $s skipped"
}

ring() { # name command…
    local name=$1 start=$SECONDS rc counts before=$failed
    shift
    "$@" >"$LOGS/$name.log" 2>&1
    rc=$?
    count "$name" "$LOGS/$name.log" >"$LOGS/$name.count"
    counts=$(cat "$LOGS/$name.count")
    if [ $rc -ne 0 ] && [ "$failed" -eq "$before" ]; then
        failed=$((failed + 1))
        counts="$counts (exit status $rc)"
    fi
    printf '%-14s %4d s  %s\n' "$name" $((SECONDS - start)) "$counts"
    grep '^SKIP ' "$LOGS/$name.log"
    if [ $rc -ne 0 ]; then
        grep -E '^FAIL |\*\*\*Failed|error:|ERROR' "$LOGS/$name.log" | head -40
        tail -40 "$LOGS/$name.log" | sed 's/^/    /'
    fi
}

configure() { # folder options…
    local dir=$1
    shift
    cmake -S . -B "$dir" -G Ninja -DSTORYFI_WERROR=ON -DSTORYFI_LLAMA_DIR="$LLAMA_DIR" \
        -DSTORYFI_MODEL_DIR="$STORYFI_CACHE/models" "$@" >/dev/null
}

build() { # folder options…
    configure "$@" && ninja -C "$1" all unit_tests && echo "PASS build of $1 ($*)"
}

sanitized() { # folder sanitizers
    build "$1" -DSTORYFI_SANITIZE="$2" -DCMAKE_BUILD_TYPE=Debug || return 1
    export ASAN_OPTIONS=abort_on_error=1:detect_leaks=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
    export TSAN_OPTIONS=halt_on_error=1
    ctest --test-dir "$1" -L unit -j2 --output-on-failure || return 1
    STORYFI=$PWD/$1/storyfi tests/rings/40-cases.sh
}

one() {
    case $1 in
    build) ring build build build ;;
    clang) ring clang build build-clang -DCMAKE_C_COMPILER=clang ;;
    lint) ring lint tools/lint.sh ;;
    unit) ring unit ctest --test-dir build -L unit -j2 --output-on-failure ;;
    fuzz) ring fuzz ctest --test-dir build -L fuzz -j2 --output-on-failure --no-tests=ignore ;;
    asan) ring asan sanitized build-asan "address;undefined" ;;
    tsan) ring tsan sanitized build-tsan thread ;;
    *) ring "$1" "$(ls tests/rings/*-"$1".sh)" ;;
    esac
}

rings="build lint unit fuzz"
for script in tests/rings/*.sh; do
    name=$(basename "$script" .sh)
    rings="$rings ${name#*-}"
done
rings="$rings clang asan tsan"
[ $# -gt 0 ] && rings="$*"
for r in $rings; do one "$r"; done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
