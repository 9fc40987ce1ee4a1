#!/bin/bash
# SPDX-License-Identifier: MIT
# Configures and builds one build folder with warnings as errors; prints one verdict line.
# usage: tools/build-variant.sh FOLDER "TARGETS" [cmake options...]
set -u
cd "$(dirname "$0")/.." || exit 100
. tools/paths.sh
folder=$1 targets=$2
shift 2
mkdir -p "$folder"
cmake -S . -B "$folder" -G Ninja -DSTORYFI_WERROR=ON -DSTORYFI_LLAMA_DIR="$LLAMA_DIR" \
    -DSTORYFI_MODEL_DIR="$STORYFI_CACHE/models" -DSTORYFI_WEB_DIR="$WEB_DIR" "$@" >"$folder/build.log" 2>&1 &&
    ninja -C "$folder" $targets >>"$folder/build.log" 2>&1 || {
    grep -E -A8 'error|FAILED' "$folder/build.log" | head -60
    echo "FAIL build: $folder ($*)"
    exit 1
}
echo "PASS build: $folder, no warning ($(sed -n 's/^CMAKE_C_COMPILER:[A-Z]*=//p' "$folder/CMakeCache.txt"))"
