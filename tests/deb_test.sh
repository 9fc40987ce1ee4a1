#!/bin/bash
# SPDX-License-Identifier: MIT
# Builds the Debian package and looks at it; then installs, upgrades, removes and purges it in a copy of this
# machine (an overlay that is thrown away; needs root), with a miner that runs meanwhile.
# usage: tests/deb_test.sh [BUILD]
set -u
cd "$(dirname "$0")/.." || exit 100
root=$PWD build=${1:-build}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
code=0
check() { # NAME COMMAND...
    local name=$1 out
    shift
    if out=$("$@" 2>&1); then echo "PASS deb: $name"; else printf '%s\nFAIL deb: %s\n' "${out: -1500}" "$name"; code=1; fi
}
has() { local f; for f in "$@"; do grep -qx "\./$f" "$tmp/contents" || { echo "missing: $f"; return 1; }; done; }
depends() { local d; for d in "$@"; do dpkg-deb -f "$deb" Depends | grep -q "\b$d\b" || { echo "not among the dependencies: $d"; return 1; }; done; }
no_lintian() {
    local said
    said=$(lintian --allow-root --fail-on error "$deb" 2>&1) || { echo "$said"; return 1; }
}
plain_modes() { # nothing that others may write to, nothing with more rights than its caller
    ! dpkg-deb -c "$deb" | grep -E '^.{8}w|^...s|^......s|^-.{4}w' | grep -v '^l'
}
runs() {
    local where=$tmp/unpacked
    dpkg-deb -x "$deb" "$where" && "$where/usr/bin/storyfi" version | grep "^storyfi $version " || return 1
    [ ! -e "$where/usr/bin/storyfi-engine" ] || ! ldd "$where/usr/bin/storyfi-engine" | grep 'not found'
}
same_again() { # from the same files the same package
    cpack -G DEB -B "$tmp/again" --config "$build/CPackConfig.cmake" >/dev/null && dpkg-deb -x "$tmp/again"/*.deb "$tmp/second" &&
        diff -r "$tmp/unpacked" "$tmp/second"
}

command -v dpkg-deb >/dev/null && command -v dpkg-shlibdeps >/dev/null || { echo "SKIP deb: dpkg-dev is not installed"; exit 0; }
check "make deb" make -s deb BUILD="$build"
debs=("$build"/deb/storyfi_*.deb)
deb=${debs[0]}
[ -f "$deb" ] || exit 1
version=$(dpkg-deb -f "$deb" Version)
dpkg-deb --fsys-tarfile "$deb" | tar -t >"$tmp/contents"
if command -v lintian >/dev/null; then
    check "lintian has no error" no_lintian >"$tmp/lintian" & # seconds: beside the rest
else
    echo "SKIP deb: lintian is not installed (tools/setup.sh --test)"
fi
lintian_verdict() {
    wait
    [ ! -f "$tmp/lintian" ] || cat "$tmp/lintian"
    ! grep -q ^FAIL "$tmp/lintian" 2>/dev/null || code=1
}
check "programs, unit, configuration, papers" has usr/bin/storyfi 'usr/lib/systemd/system/storyfi-miner@.service' \
    etc/storyfi/generator_config.yaml usr/share/doc/storyfi/copyright usr/share/doc/storyfi/changelog.gz \
    usr/share/man/man1/storyfi.1.gz usr/share/man/man1/storyfi-miner.1.gz usr/share/man/man5/generator_config.yaml.5.gz \
    usr/share/bash-completion/completions/storyfi usr/share/zsh/vendor-completions/_storyfi \
    usr/share/fish/vendor_completions.d/storyfi.fish usr/include/storyfi/generator.h
check "no model is in it, and it stays small" test "$(grep -c '\.gguf$' "$tmp/contents")$(($(stat -c %s "$deb") > 60000000))" = 00
check "the dependencies are those of the libraries" depends adduser ca-certificates libc6 libcurl4 libjansson4 libmicrohttpd12 \
    libsodium23 libsqlite3-0 libssl3 libwebsockets17 libyaml-0-2
check "the configuration is a conffile" test "$(dpkg-deb -I "$deb" conffiles)" = /etc/storyfi/generator_config.yaml
check "nobody else may write to what it holds" plain_modes
check "what it holds runs" runs
[ "${STORYFI_FULL:-0}" != 1 ] || check "the same files make the same package" same_again

if [ "$(id -u)" != 0 ] || ! unshare -m true 2>/dev/null; then
    echo "SKIP deb: installing it in a copy of this machine needs root"
    lintian_verdict
    exit $code
fi
# The version before, for the upgrade: the same files under a lower number.
dpkg-deb -R "$deb" "$tmp/before" && sed -i 's/^Version: .*/Version: 0.0.9/' "$tmp/before/DEBIAN/control"
dpkg-deb -Zgzip -z1 -b "$tmp/before" "$tmp/before.deb" >/dev/null
cp "$deb" "$tmp/now.deb"
mkdir "$tmp/overlay"
unshare -m tests/deb_overlay.sh "$tmp" "$root" || code=1
lintian_verdict
exit $code
