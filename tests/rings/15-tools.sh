#!/bin/bash
# SPDX-License-Identifier: MIT
# The checkers themselves: each rule refuses a sample that breaks it and names the place.
cd "$(dirname "$0")/../.." || exit 100
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
code=0

# refused NAME FILE EXPECTED CHECKER...: stdin is the sample, alone in a tree of its own.
refused() {
    local name=$1 file=$2 expected=$3 out
    shift 3
    rm -rf "$tmp/tree"
    mkdir -p "$tmp/tree/$(dirname "$file")"
    cat >"$tmp/tree/$file"
    if out=$("$@" "$tmp/tree" 2>&1) || ! printf '%s' "$out" | grep -qF "$file:$expected"; then
        printf '%s\nFAIL tools: %s\n' "$out" "$name"
        code=1
    else
        echo "PASS tools: $name"
    fi
}

spdx='/* SPDX-License-Identifier: MIT */'
text() { python3 tools/lint_text.py "$@"; }
lines() { for _ in $(seq "$1"); do echo "$2"; done; }

echo '#include "miner/queue.h"' | refused "an arrow that points up" src/base/x.c '1: src/base must not include "miner/queue.h"' tools/layers.sh
echo '#include "conf/conf.h"' | refused "a generator that reads the configuration" src/generator/x.c 1: tools/layers.sh
echo '#include "engine/engine.h"' | refused "the engine program that reaches into the parent" src/engine/child/x.c 1: tools/layers.sh
echo '#include <curl/curl.h>' | refused "a foreign header outside its home" src/miner/x.c '1: <curl/curl.h> has its only home' tools/layers.sh
echo '# include <zlib.h>' | refused "a foreign header nobody knows" src/base/x.c '1: <zlib.h>: no home' tools/layers.sh
echo '#include "x.h"' | refused "an include without its room" src/base/x.c 1: tools/layers.sh
echo 'int x;' | refused "a file without its licence line" src/base/x.c 1: text
printf '%s\nvoid f(char *a)\n{\n    strcpy(a, "b");\n}\n' "$spdx" | refused "strcpy" src/base/x.c '4: strcpy is banned' text
printf '%s\nint f(void)\n{\n    return getenv("A") != 0;\n}\n' "$spdx" | refused "getenv outside conf/" src/http/x.c '4: getenv' text
printf '%s\nvoid *f(void)\n{\n    return malloc(3);\n}\n' "$spdx" | refused "malloc beside sf_alloc" src/http/x.c '4: malloc' text
printf '%s\n/* TODO: later */\n' "$spdx" | refused "a note without an issue" src/base/x.c 2: text
echo 'node.innerHTML = story;' | refused "a page that takes text for markup" web/x.js '1: innerHTML is banned in a page' text
echo 'fetch("https://example.org/x")' | refused "a page that asks another host" web/x.js '1: https://' text
{ echo "$spdx"; echo 'int f(int a, int b, int c, int d, int e, int g, int h)'; echo '{'; echo '    return a;'; echo '}'; } |
    refused "seven parameters" src/base/x.c '2: f has 7 parameters' text
{ echo "$spdx"; echo 'void f(void)'; echo '{'; lines 120 '    g();'; echo '}'; } | refused "a function of 122 lines" src/base/x.c '2: f has 122' text
{ echo "$spdx"; lines 900 'int x;'; } | refused "a file of 901 lines" src/base/x.c '901: 901 lines' text
printf '%s\n/* strcpy(a, b); */\nconst char *s = "strcpy(a, b)";\n' "$spdx" >"$tmp/tree/src/base/x.c"
if text "$tmp/tree"; then echo "PASS tools: words in comments and strings are no calls"; else echo "FAIL tools: words in comments and strings are no calls"; code=1; fi
tests/cases/gpu_script.sh || code=1
python3 tests/quality_metrics_test.py || code=1
exit $code
