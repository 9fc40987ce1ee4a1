#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The house rules a machine can check: layers, banned calls, sizes, left-overs, formatting.
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 100
bad=0
verdict() { # name findings
    if [ -n "$2" ]; then
        echo "FAIL lint: $1"
        printf '%s\n' "$2" | head -20
        bad=1
    else
        echo "PASS lint: $1"
    fi
}
sources=$(git ls-files 'src/*.c' 'src/*.h' 'include/*.h' 'fuzz/*.c' 'tests/*.c' 'tests/*.h' 'examples/*.c')
no_tests=$(printf '%s\n' $sources | grep -vE '_test\.c$|^tests/|^fuzz/')
tools/layers.sh || bad=1
verdict "no unbounded or shell calls" "$(grep -nE '\b(strcpy|strcat|sprintf|vsprintf|strncpy|strtok|gets|atoi|atol|atof|sscanf|alloca|system|popen)\(' $sources)"
verdict "strto* only inside base/" "$(grep -nE '\bstrto(l|ul|ll|ull|d|f|ld)\(' $(printf '%s\n' $no_tests | grep -v '^src/base/'))"
verdict "getenv only in conf/" "$(grep -nE '\bgetenv\(' $(printf '%s\n' $no_tests | grep -v '^src/conf/'))"
verdict "files within 800 lines" "$(wc -l $no_tests | awk '$1 > 800 && $2 != "total"')"
verdict "no left-overs" "$(grep -nE '\b(TODO|FIXME|XXX|HACK)\b' $sources)"
verdict "licence line in every file" "$(for f in $sources; do head -2 "$f" | grep -q SPDX-License-Identifier || echo "$f"; done)"
verdict "file names unique" "$(printf '%s\n' $sources | xargs -n1 basename | sort | uniq -d)"
verdict "functions within 100 lines" "$(awk 'FNR == 1 { start = 0 } /^[a-z].*\)$/ { head = $0 } /^\{/ { start = FNR } /^\}/ { if (start && FNR - start > 100) print FILENAME ": " head ": " FNR - start " lines"; start = 0 }' $(printf '%s\n' $sources | grep '\.c$'))"
if command -v clang-format >/dev/null; then
    verdict "formatted" "$(clang-format --dry-run $sources 2>&1 | grep -E 'warning' | cut -d: -f1 | sort | uniq -c)"
else
    echo "SKIP lint: clang-format is not installed"
fi
if command -v cppcheck >/dev/null; then
    verdict "cppcheck finds nothing" "$(cppcheck --quiet --std=c11 --enable=warning,portability --inline-suppr -j2 \
        --suppress=missingIncludeSystem --suppress=unknownMacro -I src -D_GNU_SOURCE -DSTORYFI_VERSION='"x"' $(printf '%s\n' $no_tests | grep '\.c$') 2>&1 | grep -E 'error|warning|portability')"
else
    echo "SKIP lint: cppcheck is not installed"
fi
exit $bad
