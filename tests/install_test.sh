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
commands() { "$tmp/moved/bin/storyfi" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p'; }
man_pages() {
    local c all
    all=$(commands)
    [ -n "$all" ] && has share/man/man5/generator_config.yaml.5 || return 1
    for c in $all; do
        grep -qx ".BR storyfi\\\\-$c (1),\?" "$tmp/moved/share/man/man1/storyfi.1" || { echo "storyfi.1 has no '$c'"; return 1; }
        has "share/man/man1/storyfi-$c.1" || return 1
    done
}
unit_names_place() { grep -qx 'ExecStart=/opt/storyfi/bin/storyfi miner --config /etc/storyfi/%i.yaml' "$tmp/moved/lib/systemd/system/storyfi-miner@.service"; }
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
    share/storyfi/config/generator_config.yaml.example include/storyfi/generator.h
check "the program runs from where it was moved to" alone "$tmp/moved/bin/storyfi" version
check "a manual page for every command, and one that names them all" man_pages
check "completions for three shells" has share/bash-completion/completions/storyfi share/zsh/site-functions/_storyfi share/fish/vendor_completions.d/storyfi.fish
check "systemd's unit starts the program where it was installed" unit_names_place
check "what a service needs beside it" has lib/sysusers.d/storyfi.conf share/storyfi/contrib/systemd/storyfi-miner.conf.example
check "nothing of the package alone" test ! -e "$tmp/moved/share/zsh/vendor-completions"
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
