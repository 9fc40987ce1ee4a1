#!/bin/bash
# SPDX-License-Identifier: MIT
# The manual pages that the program writes: complete, and clean for mandoc and man.
cd "$(dirname "$0")/../.." || exit 100
storyfi=${STORYFI:-$PWD/${BUILD:-build}/storyfi}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
code=0
verdict() { # NAME OUTPUT: none is fine
    if [ -z "$2" ]; then echo "PASS man: $1"; else printf '%s\nFAIL man: %s\n' "$(printf '%s' "$2" | head -20)" "$1"; code=1; fi
}

"$storyfi" man --write "$tmp" || { echo "FAIL man: the pages are written"; exit 1; }
pages=("$tmp"/man1/*.1 "$tmp"/man5/*.5)
commands=$("$storyfi" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p')

missing=
for c in $commands; do
    [ -s "$tmp/man1/storyfi-$c.1" ] || missing="$missing storyfi-$c.1"
    for option in $("$storyfi" "$c" --help | sed -n 's/^  \(--[^ ]*\).*/\1/p'); do
        grep -qF -- "${option//-/\\-}" "$tmp/man1/storyfi-$c.1" || missing="$missing $c:$option"
    done
done
verdict "a page for every command, with each of its options" "$missing"
verdict "a page that is listed is one that is written" "$(comm -3 <("$storyfi" man --list | sort) <(cd "$tmp" && find . -name '*.[15]' -printf '%f\n' | sort))"

missing=
for key in $("$storyfi" config print --config /dev/null --json | python3 -c 'import json, sys; [print(o["key"].split(".")[-1]) for o in json.load(sys.stdin)["options"]]' | sort -u); do
    grep -qE -- "^\\\\fB([a-z]*\.)?$key\\\\fR" "$tmp/man5/generator_config.yaml.5" || missing="$missing $key"
done
verdict "every key of the configuration is in generator_config.yaml(5)" "$missing"
verdict "a page that nobody knows is refused" "$("$storyfi" man nonsense 2>&1 >/dev/null | grep -v 'no page nonsense')"

if command -v mandoc >/dev/null; then
    verdict "mandoc -Tlint -Wwarning: ${#pages[@]} pages" "$(mandoc -Tlint -Wwarning "${pages[@]}" 2>&1)"
else
    echo "SKIP man: mandoc is not installed (tools/setup.sh --test)"
fi
if command -v man >/dev/null && command -v groff >/dev/null; then
    verdict "man -l: ${#pages[@]} pages" "$(LC_ALL=C.UTF-8 MANWIDTH=80 man --warnings=w -P cat -l "${pages[@]}" 2>&1 >"$tmp/shown")"
    verdict "man shows what a page says" "$(tr -s ' \n' ' ' <"$tmp/shown" | grep -q 'SIGHUP loads the configuration again' || echo "no text of storyfi-miner(1)")"
else
    echo "SKIP man: man is not installed (tools/setup.sh --test)"
fi
exit $code
