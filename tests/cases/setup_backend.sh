#!/bin/bash
# SPDX-License-Identifier: MIT
# Which GPU libraries the set-up takes, on machines that are made up: tools/setup.sh --backend.
cd "$(dirname "$0")/../.." || exit 100
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
code=0
mkdir -p "$tmp/none" "$tmp/bin" "$tmp/amd/class/drm/card0/device"
touch "$tmp/amd/class/drm/card0/device/mem_info_vram_total"

# card DRIVER COMPUTE...: an nvidia-smi that says so, of as many GPUs; without arguments there is none.
card() {
    local driver=$1 compute lines=
    rm -f "$tmp/bin/nvidia-smi"
    [ $# != 0 ] || return 0
    shift
    for compute in "$@"; do lines="$lines$driver, $compute\\n"; done
    printf '#!/bin/sh\n[ "$1" = -L ] && echo "GPU 0: a card" || printf "%s"\n' "$lines" >"$tmp/bin/nvidia-smi"
    chmod +x "$tmp/bin/nvidia-smi"
}

# tool NAME SCRIPT: a program of that name.
tool() {
    printf '#!/bin/sh\n%s\n' "$2" >"$tmp/bin/$1"
    chmod +x "$tmp/bin/$1"
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
tool uname 'echo x86_64' # what follows is the same on every machine that runs the tests
tool nvcc 'exit 0'
for compute in 7.5 8.9 12.0; do
    card 580.95.05 $compute
    says "an NVIDIA GPU of $compute with a new driver" 0 '^cuda: '
done
says "which the owner does not want" 0 '^cpu: ' BACKEND=cpu
says "or wants by Vulkan" 0 '^vulkan: as asked' BACKEND=vulkan
card 590.10 9.0
says "a driver newer than needed" 0 '^cuda: '
for driver in 470.256.02 535.54 570.10; do
    card $driver 8.9
    says "driver $driver gets Vulkan, the reason said" 0 "^vulkan: .*driver is of version ${driver%%.*}.*LLAMA=source BACKEND=cuda"
done
says "asked for all the same: what to do" 100 'needs 580.*BACKEND=vulkan.*LLAMA=source with the CUDA 11 or 12' BACKEND=cuda
says "built for it" 0 '^cuda: as asked .*-DGGML_CUDA=ON *\)' LLAMA=source BACKEND=cuda
for compute in 5.2 6.1 7.0; do
    card 580.95.05 $compute
    says "a GPU of $compute gets Vulkan" 0 "^vulkan: .*compute capability $compute, CUDA 13 needs 7.5"
done
says "and its own architecture when built" 0 'CMAKE_CUDA_ARCHITECTURES=61\)' LLAMA=source BACKEND=cuda CUDA_ARCH=61
says "built for Vulkan" 0 'GGML_VULKAN=ON' LLAMA=source BACKEND=vulkan
says "built without a word: for the CPU" 0 '^cpu: LLAMA=source builds GPU libraries only as BACKEND says' LLAMA=source
card 580.95.05 6.1 8.9
says "of two GPUs the newer one counts" 0 '^cuda: '
card "N/A" "N/A"
says "a driver that tells nothing" 0 '^vulkan: .*tells no driver'
tool nvidia-smi 'echo "NVIDIA-SMI has failed because it could not communicate with the NVIDIA driver."; exit 9'
says "a driver that is not loaded" 0 '^(cpu|vulkan): '
says "asked for all the same" 100 'BACKEND=cuda: nvidia-smi tells no driver' BACKEND=cuda
tool uname 'echo aarch64'
card 580.95.05 9.0
says "another processor has no prebuilt GPU libraries" 0 '^cpu: .*aarch64.*LLAMA=source BACKEND=cuda'
says "nor by Vulkan" 100 'LLAMA=source BACKEND=vulkan builds them' BACKEND=vulkan
exit $code
