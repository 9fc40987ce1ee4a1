#!/bin/bash
# SPDX-License-Identifier: MIT
# storyfi models: the catalogue, and downloads from a hub on loopback with every fault; then what the engine is told
# of the plan, over the stub of libllama.
cd "$(dirname "$0")/../.." || exit 1
tests/cases/setup_backend.sh || exit 1
python3 tests/cases/models.py || exit 1
export STORYFI_ENGINE=${STORYFI_ENGINE:-$PWD/${BUILD:-build}/storyfi-engine-stub}
if [ ! -x "$STORYFI_ENGINE" ]; then
    echo "SKIP models with an engine: no headers of llama.cpp (make setup fetches them)"
    exit 0
fi
exec python3 tests/cases/models_engine.py
