#!/bin/bash
# SPDX-License-Identifier: MIT
# Builds for 64-bit ARM with Debian's cross compiler, in build-arm64, over a root folder with arm64's
# libraries in the set-up cache (made here by mmdebstrap the first time: a minute and a network).
# usage: tools/arm64.sh [--test [CTEST OPTIONS...]]
#   --test   runs its unit tests and corpora too, under qemu: prints a verdict line for each
# exit: 0 ready, 100 something is for you to install (printed), 1 it does not build or a test failed
set -u
cd "$(dirname "$0")/.." || exit 100
. tools/paths.sh
export SYSROOT=$STORYFI_CACHE/test/arm64-root

for tool in aarch64-linux-gnu-gcc qemu-aarch64-static mmdebstrap cmake ninja; do
    command -v $tool >/dev/null || { echo "arm64: no $tool (tools/setup.sh --test-full installs it)" >&2; exit 100; }
done

make_root() {
    local packages=libc6-dev,libcmocka-dev
    # The build's own libraries, from the one list of them.
    packages=$packages,$(sed -n '/^BUILD_PACKAGES=/,/"$/p' tools/setup.sh | grep -o 'lib[a-z0-9.-]*-dev' | paste -sd,)
    rm -rf "$SYSROOT.new"
    mkdir -p "$(dirname "$SYSROOT")"
    mmdebstrap --arch=arm64 --variant=extract --include="$packages" "$(. /etc/os-release && echo "$VERSION_CODENAME")" "$SYSROOT.new" \
        >"$SYSROOT.log" 2>&1 || { tail -5 "$SYSROOT.log" >&2; echo "arm64: the libraries cannot be fetched (log: $SYSROOT.log)" >&2; exit 111; }
    rm -rf "$SYSROOT"
    mv "$SYSROOT.new" "$SYSROOT"
}
[ -d "$SYSROOT" ] || make_root

# pkg-config must not look at this machine's libraries.
export PKG_CONFIG_LIBDIR=$SYSROOT/usr/lib/aarch64-linux-gnu/pkgconfig:$SYSROOT/usr/share/pkgconfig
export PKG_CONFIG_SYSROOT_DIR=$SYSROOT QEMU_LD_PREFIX=$SYSROOT
# llama.cpp's headers alone: the engine program over the stub.
mkdir -p build-arm64/llama
[ ! -d "$LLAMA_DIR/include" ] || ln -sfn "$LLAMA_DIR/include" build-arm64/llama/include

verdict=$(LLAMA_DIR=$PWD/build-arm64/llama tools/build-variant.sh build-arm64 "all unit_tests fuzz_replays" \
    -DCMAKE_TOOLCHAIN_FILE="$PWD/cmake/arm64.cmake") || { echo "$verdict"; exit 1; }
echo "${verdict/()/(aarch64-linux-gnu-gcc)}"
[ "${1:-}" = --test ] || exit 0

# Programs that tests start are for arm64 too: the kernel is told of qemu, in a namespace of our own so
# that this machine stays as it is.
# shellcheck disable=SC2016
exec unshare -Urm bash -c '
    if mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc 2>/dev/null; then
        printf "%s" ":arm64:M::\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00:\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff:$(command -v qemu-aarch64-static):OF" \
            >/proc/sys/fs/binfmt_misc/register
    else
        echo "SKIP arm64: programs that tests start themselves: no binfmt_misc in a namespace here"
    fi
    exec tools/ctest-ring.sh build-arm64 "unit|fuzz" "$@"' arm64 "${@:2}"
