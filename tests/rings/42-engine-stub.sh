#!/bin/bash
# SPDX-License-Identifier: MIT
# Miner and engine child together, over the stub of libllama: no model, every fault at will.
cd "$(dirname "$0")/../.." || exit 1
export STORYFI_ENGINE=${STORYFI_ENGINE:-$PWD/${BUILD:-build}/storyfi-engine-stub}
if [ ! -x "$STORYFI_ENGINE" ]; then
    echo "SKIP engine-stub: no headers of llama.cpp (make setup fetches them)"
    exit 0
fi
exec python3 tests/cases/engine_stub.py
