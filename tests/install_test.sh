#!/bin/bash
# SPDX-License-Identifier: MIT
# Installs into a temporary folder, moves it, and runs what was installed without the set-up cache.
# usage: tests/install_test.sh [BUILD]
set -u
cd "$(dirname "$0")/.." || exit 100
build=${1:-build}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
code=0
check() { # NAME COMMAND...
    local name=$1 out
    shift
    if out=$("$@" 2>&1); then echo "PASS install: $name"; else printf '%s\nFAIL install: %s\n' "${out: -1500}" "$name"; code=1; fi
}
has() { local f; for f in "$@"; do [ -e "$tmp/moved/$f" ] || { echo "missing: $f"; return 1; }; done; }
alone() { (cd "$tmp" && env -i PATH=/usr/bin:/bin HOME="$tmp/home" "$@"); }
man_names_commands() {
    local c all
    all=$("$tmp/moved/bin/storyfi" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p')
    [ -n "$all" ] || return 1
    for c in $all; do
        grep -qx "\.B $c" "$tmp/moved/share/man/man1/storyfi.1" || { echo "storyfi.1 has no '$c'"; return 1; }
    done
}
libraries() {
    ! ldd "$tmp/moved/bin/storyfi-engine" | grep 'not found' &&
        ldd "$tmp/moved/bin/storyfi-engine" | grep 'libllama' | grep -q "$tmp/moved/"
}
write_story() {
    alone "$tmp/moved/bin/storyfi" generate --task blueprint --input "A lighthouse keeper finds a map" --mode local --deadline 60 |
        python3 -c 'import json, sys; assert json.load(sys.stdin)["title"]'
}
relative() { readelf -d "$tmp/moved/bin/storyfi-engine" | grep -q 'ORIGIN/../lib/storyfi' && ! readelf -d "$tmp/moved/bin/storyfi-engine" | grep -E 'R(UN)?PATH' | grep -q '[[:[]/'; }

check "make install PREFIX= DESTDIR=" make -s install BUILD="$build" PREFIX=/opt/storyfi DESTDIR="$tmp/stage"
mv "$tmp/stage/opt/storyfi" "$tmp/moved" && mkdir "$tmp/home"
check "programs, examples, papers" has bin/storyfi share/doc/storyfi/LICENSE share/doc/storyfi/README.md \
    share/storyfi/config/generator_config.yaml.example share/man/man1/storyfi.1 include/storyfi/generator.h
check "the program runs from where it was moved to" alone "$tmp/moved/bin/storyfi" version
check "the manual page names every command" man_names_commands
if [ -x "$build/storyfi-engine" ]; then
    check "the engine program lies beside it, its libraries in lib/storyfi" has bin/storyfi-engine lib/storyfi
    check "the engine program finds its libraries there" libraries
    check "it looks for them relative to its own place only" relative
else
    echo "SKIP install: the engine program: no llama.cpp libraries (make setup)"
fi
if [ -e "$tmp/moved/share/storyfi/models" ] && [ -x "$build/storyfi-engine" ]; then
    check "the default model writes a blueprint from there" write_story
else
    echo "SKIP install: the default model: not fetched (make setup)"
fi
exit $code
