#!/bin/bash
# SPDX-License-Identifier: MIT
# Fuzzes each target of fuzz/ with libFuzzer under ASan and UBSan for FUZZ_SECONDS (default 20).
# What it learns stays in build-fuzz/corpus; an input that breaks something is kept in
# build-fuzz/found and named: put it into fuzz/corpus/<target>/ with the fix.
# usage: tools/fuzz.sh [TARGET...]
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/paths.sh
export FUZZ_SECONDS=${FUZZ_SECONDS:-20}
command -v clang >/dev/null || { echo "fuzz: needs clang with its run-time (Debian: clang libclang-rt-14-dev)" >&2; exit 100; }
cmake -S . -B build-fuzz -G Ninja -DCMAKE_C_COMPILER=clang -DSTORYFI_FUZZ=ON \
    -DSTORYFI_SANITIZE="address;undefined" -DSTORYFI_LLAMA_DIR="$LLAMA_DIR" >/dev/null
ninja -C build-fuzz fuzzers >build-fuzz/build.log || { cat build-fuzz/build.log; exit 1; }
[ $# -gt 0 ] || set -- $(cd fuzz && ls ./*_fuzz.c | sed 's,^\./,,; s,_fuzz\.c$,,')

fuzz_one() {
    local t=$1 log=build-fuzz/$1.log max
    max=$(sed -n 's/^max_len *= *//p' "fuzz/$t.options" 2>/dev/null || true)
    mkdir -p "build-fuzz/corpus/$t" build-fuzz/found
    set -- -max_total_time="$FUZZ_SECONDS" -max_len="${max:-4096}" -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 \
        -artifact_prefix="build-fuzz/found/$t-"
    [ ! -f "fuzz/$t.dict" ] || set -- "$@" -dict="fuzz/$t.dict"
    if "build-fuzz/${t}_fuzz" "$@" "build-fuzz/corpus/$t" "fuzz/corpus/$t" >"$log" 2>&1; then
        echo "PASS fuzz $t: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs"
    else
        grep -E 'ERROR|SUMMARY|BUG at|runtime error|Test unit written' "$log" | head -5
        echo "FAIL fuzz $t (log: $log)"
        return 1
    fi
}
export -f fuzz_one
printf '%s\n' "$@" | xargs -P "$(nproc)" -I{} bash -c 'fuzz_one {}'
