#!/bin/bash
# SPDX-License-Identifier: MIT
# On a machine without llama libraries or any model the program builds, and `mode: custom` answers.
cd "$(dirname "$0")/../.." || exit 100
[ "${STORYFI_SANITIZED:-}" != 1 ] || { echo "SKIP no-llama: once is enough"; exit 0; }
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
LLAMA_DIR=$scratch/none STORYFI_CACHE=$scratch/cache tools/build-variant.sh build-nollama all || exit 1
[ ! -e build-nollama/storyfi-engine ] || { echo "FAIL no-llama: an engine was built from nothing"; exit 1; }
export STORYFI_CACHE=$scratch/cache STORYFI=$PWD/build-nollama/storyfi
exec python3 tests/cases/no_llama.py
