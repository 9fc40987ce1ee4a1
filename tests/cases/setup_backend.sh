#!/bin/bash
# SPDX-License-Identifier: MIT
# Which GPU libraries the set-up takes, on machines that are made up: tools/setup.sh --backend.
cd "$(dirname "$0")/../.." || exit 100
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
code=0
mkdir -p "$tmp/none" "$tmp/bin" "$tmp/amd/class/drm/card0/device"
touch "$tmp/amd/class/drm/card0/device/mem_info_vram_total"

# card DRIVER COMPUTE: an nvidia-smi that says so; without arguments there is none.
card() {
    rm -f "$tmp/bin/nvidia-smi"
    [ $# = 0 ] || {
        printf '#!/bin/sh\n[ "$1" = -L ] && echo "GPU 0: a card" || echo "%s, %s"\n' "$1" "$2" >"$tmp/bin/nvidia-smi"
        chmod +x "$tmp/bin/nvidia-smi"
    }
}

# says NAME EXPECTED-CODE WORDS [VARIABLE=VALUE...]
says() {
    local name=$1 want=$2 words=$3 out got
    shift 3
    out=$(env PATH="$tmp/bin:/usr/bin:/bin" SYSFS="$tmp/none" "$@" tools/setup.sh --backend 2>&1)
    got=$?
    if [ $got = "$want" ] && printf '%s' "$out" | grep -qE "$words"; then
        echo "PASS setup: $name"
    else
        echo "FAIL setup: $name: $got, $out"
        code=1
    fi
}

card
says "no GPU" 0 '^cpu: '
says "cuda without a driver is refused, the reason said" 100 'no NVIDIA driver.*BACKEND=vulkan' BACKEND=cuda
says "another GPU" 0 '^vulkan: ' SYSFS="$tmp/amd"
says "a word that is none" 100 'takes auto, cpu, cuda or vulkan' BACKEND=gpu
says "source without a compiler for CUDA" 100 'no nvcc' LLAMA=source BACKEND=cuda CUDACXX=no-such-nvcc
if [ "$(uname -m)" = x86_64 ]; then
    card 580.95.05 8.9
    says "an NVIDIA GPU with a new driver" 0 '^cuda: '
    says "which the owner does not want" 0 '^cpu: ' BACKEND=cpu
    card 535.54 8.9
    says "an older driver gets Vulkan, the reason said" 0 '^vulkan: .*driver is of version 535.*LLAMA=source'
    says "asked for all the same: what to do" 100 'needs 580.*LLAMA=source' BACKEND=cuda
    card 580.95.05 6.1
    says "an older GPU gets Vulkan" 0 '^vulkan: .*compute capability 6.1'
    card "N/A" "N/A"
    says "a driver that tells nothing" 0 '^vulkan: '
fi
exit $code
