#!/bin/bash
# SPDX-License-Identifier: MIT
# Runs the rings of tests in order: every executable tests/rings/NN-name.sh, which prints lines
# "PASS name", "FAIL name" or "SKIP name: why" and exits non-zero when it failed. Those that mostly
# wait run two at a time. Prints each failure, the time of each ring, and at the very end "N passed,
# N failed, N skipped".
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

# Runs one: its output into LOGS/NAME.log, "EXIT-CODE SECONDS" into LOGS/NAME.end.
run_ring() {
    local name start code
    name=$(basename "$1" .sh) start=$(date +%s%N)
    "$1" </dev/null >"$logs/$name.log" 2>&1
    code=$?
    echo "$code $(awk "BEGIN { print ($(date +%s%N) - $start) / 1e9 }")" >"$logs/$name.end"
}
export -f run_ring
export logs

report_ring() {
    local name log code seconds n_failed
    name=$(basename "$1" .sh) log=$logs/$(basename "$1" .sh).log
    read -r code seconds <"$logs/$name.end"
    n_failed=$(count FAIL "$log")
    printf -- '---- %s\n' "$name"
    if [ "$code" != 0 ] && [ "$n_failed" = 0 ]; then
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
        "$(count SKIP "$log")" "$seconds")")
    echo "${times[-1]}"
}

# Those that keep both processors busy, or measure.
is_alone() {
    case $1 in
    */10-* | */20-* | */25-* | */30-* | */48-* | */50-* | */55-* | */6[057]-* | */78-* | */84-* | */88-* | */91-*) return 0 ;;
    esac
    return 1
}

# Runs what has gathered in `group`, two at a time, and reports in their order.
flush() {
    local ring
    [ ${#group[@]} -gt 0 ] || return 0
    printf '%s\n' "${group[@]}" | xargs -P 2 -I RING bash -c 'run_ring RING'
    for ring in "${group[@]}"; do report_ring "$ring"; done
    group=()
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
group=()
for ring in tests/rings/*.sh; do
    { [ -x "$ring" ] && chosen "$ring" "$@"; } || continue
    if is_alone "$ring"; then
        flush
        group=("$ring")
        flush
    else
        group+=("$ring")
    fi
done
flush
echo "---- logs in $logs"
printf '%s\n' "${times[@]}"
echo "all rings: $((SECONDS - start)) s"
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ] && [ $passed != 0 ]
