#!/bin/bash
# SPDX-License-Identifier: MIT
# Runs the ctest programs of a label in a build folder and prints one verdict line per test in them
# (cmocka's own lines; a program without such lines counts as one).
# usage: tools/ctest-ring.sh BUILD LABEL [ctest options...]
set -u
build=$1 label=$2
shift 2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
ctest --test-dir "$build" -L "$label" -j"$(nproc)" -V --no-tests=error "$@" >"$log" 2>&1
code=$?
awk -v label="$label" '
    # "test 3" / "    Start 3: name"; then "3: output"; then " 1/9 Test #3: name ....   Passed  0.1 sec"
    /^ *Start +[0-9]+: / { n = $2; sub(":", "", n); name[n] = $3; next }
    /^[0-9]+: \[       OK \] / { n = $1; sub(":", "", n); t = $0; sub(/^.*OK \] /, "", t)
        print "PASS " name[n] ": " t; seen[n]++; next }
    /^[0-9]+: \[  FAILED  \] / && !/test\(s\)/ { n = $1; sub(":", "", n); t = $0; sub(/^.*FAILED  \] /, "", t)
        if (!(n SUBSEP t in bad)) { bad[n, t] = 1; broken[n]++; seen[n]++; fails = fails "FAIL " name[n] ": " t "\n" } next }
    /^[0-9]+: \[  SKIPPED \] / && !/test\(s\)/ { n = $1; sub(":", "", n); t = $0; sub(/^.*SKIPPED \] /, "", t)
        if (!(n SUBSEP t in left)) { left[n, t] = 1; print "SKIP " name[n] ": " t } next }
    /^[0-9]+: / { n = $1; sub(":", "", n); text[n] = text[n] substr($0, length(n) + 3) "\n"; next }
    /Test +#[0-9]+: / { n = $0; sub(/^.*#/, "", n); sub(/:.*/, "", n)
        if (/ Passed /) { if (!seen[n]) print "PASS " label ": " name[n] }
        else { printf "%s", substr(text[n], length(text[n]) - 4000); if (!broken[n]) fails = fails "FAIL " label ": " name[n] "\n" } }
    END { printf "%s", fails }' "$log"
[ $code = 0 ] || grep -q 'Test *#' "$log" || tail -5 "$log"
exit $code
