#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The engine with real models: the default one, and one that writes Chinese.
cd "$(dirname "$0")/../.." || exit 1
. tools/paths.sh
if [ ! -x build/storyfi-engine ]; then
    echo "SKIP engine: storyfi-engine is not built (no llama libraries: tools/setup.sh fetches them)"
    exit 0
fi
exec python3 tests/model/engine_models.py "${MODEL:-$DEFAULT_MODEL}" "${GEMMA:-$TEST_MODEL}" "$LLAMA_DIR/lib"
