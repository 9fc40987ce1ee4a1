#!/bin/bash
# SPDX-License-Identifier: MIT
# Runs the rings of tests in order: every executable tests/rings/NN-name.sh, which prints lines
# "PASS name", "FAIL name" or "SKIP name: why" and exits non-zero when it failed. Prints each
# failure, the time of each ring, and at the very end "N passed, N failed, N skipped".
# usage: tools/run-tests.sh [--full] [RING...]    (RING: a name without its number)
set -u
cd "$(dirname "$0")/.." || exit 100
. tools/paths.sh
export STORYFI_ROOT STORYFI_CACHE LLAMA_DIR DEFAULT_MODEL TEST_MODEL SDK_VENV
export BUILD=${BUILD:-build} STORYFI_FULL=0
[ "${1:-}" != --full ] || { STORYFI_FULL=1; shift; }
export STORYFI=${STORYFI:-$PWD/$BUILD/storyfi}

logs=${TEST_LOGS:-$BUILD/test-logs}
mkdir -p "$logs"
passed=0 failed=0 skipped=0 times=()

# Lines of a log that begin with a word of verdict.
count() { grep -c "^$1 " "$2" || true; }

run_ring() {
    local script=$1 name log start code n_failed
    name=$(basename "$script" .sh) log=$logs/$name.log start=$(date +%s%N)
    printf -- '---- %s\n' "$name"
    "$script" </dev/null >"$log" 2>&1
    code=$?
    n_failed=$(count FAIL "$log")
    if [ $code != 0 ] && [ "$n_failed" = 0 ]; then
        echo "FAIL $name: ended with $code" >>"$log"
        n_failed=1
        tail -25 "$log"
    elif [ "$n_failed" != 0 ]; then
        grep -B12 '^FAIL ' "$log" | grep -v '^PASS ' | tail -80
    elif [ "$(count PASS "$log")$(count SKIP "$log")" = 00 ]; then
        echo "FAIL $name: ran no test" | tee -a "$log"
        n_failed=1
    fi
    grep '^SKIP ' "$log"
    passed=$((passed + $(count PASS "$log"))) failed=$((failed + n_failed)) skipped=$((skipped + $(count SKIP "$log")))
    times+=("$(printf '%-14s %4d passed %3d failed %3d skipped %7.1f s' "${name#*-}" "$(count PASS "$log")" "$n_failed" \
        "$(count SKIP "$log")" "$(awk "BEGIN { print ($(date +%s%N) - $start) / 1e9 }")")")
    echo "${times[-1]}"
}

chosen() {
    local name ring=$1
    shift
    [ $# -gt 0 ] || return 0
    name=$(basename "$ring" .sh)
    case " $* " in *" ${name#*-} "* | *" $name "*) return 0 ;; esac
    return 1
}

start=$SECONDS
for ring in tests/rings/*.sh; do
    if [ -x "$ring" ] && chosen "$ring" "$@"; then
        run_ring "$ring"
    fi
done
echo "---- logs in $logs"
printf '%s\n' "${times[@]}"
echo "all rings: $((SECONDS - start)) s"
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ] && [ $passed != 0 ]
