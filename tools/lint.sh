#!/bin/bash
# SPDX-License-Identifier: MIT
# All checks of the sources that run nothing of ours: layers, text rules, format, clang-tidy,
# cppcheck. A tool that is not installed is skipped with a line.
# usage: tools/lint.sh [--quick] [FILE.c...]    (--quick: clang-tidy without the static analyser)
set -u
cd "$(dirname "$0")/.." || exit 100
. tools/paths.sh
BUILD=${BUILD:-build}
code=0 tidy_checks=()
[ "${1:-}" != --quick ] || { tidy_checks=(--checks=-clang-analyzer-*); shift; }
if [ $# -gt 0 ]; then sources=$(printf '%s\n' "$@"); else sources=$(find src fuzz -name '*.c' ! -name '*_test.c' | sort); fi
texts=$(find src fuzz tests include -name '*.[ch]' 2>/dev/null | sort)

# verdict NAME COMMAND...: runs it, shows what it says, prints the verdict.
verdict() {
    local name=$1 out
    shift
    if out=$("$@" 2>&1); then
        echo "PASS lint: $name"
    else
        printf '%s\n' "$out" | head -80
        echo "FAIL lint: $name"
        code=1
    fi
}

format() { printf '%s\n' "$texts" | xargs -r -P "$(nproc)" -n 20 clang-format --dry-run -Werror; }

# Findings only, each once: a header's come again with every file that includes it.
tidy() {
    printf '%s\n' "$sources" | xargs -r -P "$(nproc)" -n 4 clang-tidy -p build-lint --quiet "${tidy_checks[@]}" >build-lint/tidy.log 2>&1 && return
    grep -hE ': (error|warning): ' build-lint/tidy.log | sed "s,^$PWD/,,; s/,-warnings-as-errors//" | sort -u
    return 1
}

cpp_check() {
    printf '%s\n' "$sources" | grep '^src/' | cppcheck --quiet --std=c11 --language=c --inline-suppr \
        --enable=warning,portability --suppress=missingIncludeSystem --suppress=normalCheckLevelMaxBranches \
        --error-exitcode=1 -j "$(nproc)" -D_GNU_SOURCE -Isrc -Iinclude --cppcheck-build-dir=build-lint/cppcheck --file-list=-
}

verdict "arrows between rooms, homes of foreign headers" tools/layers.sh
verdict "banned calls, sizes, notes, licence lines, names" python3 tools/lint_text.py .
if command -v clang-format >/dev/null; then verdict "clang-format" format; else echo "SKIP lint clang-format: not installed"; fi

mkdir -p build-lint/cppcheck
if command -v clang-tidy >/dev/null && command -v clang >/dev/null; then
    cmake -S . -B build-lint -G Ninja -DCMAKE_C_COMPILER=clang -DCCACHE= -DSTORYFI_LLAMA_DIR="$LLAMA_DIR" >build-lint/configure.log 2>&1 ||
        { tail -5 build-lint/configure.log; echo "FAIL lint: configure"; exit 1; }
    verdict "clang-tidy" tidy
else
    echo "SKIP lint clang-tidy: not installed"
fi
if command -v cppcheck >/dev/null; then verdict "cppcheck" cpp_check; else echo "SKIP lint cppcheck: not installed"; fi
exit $code
