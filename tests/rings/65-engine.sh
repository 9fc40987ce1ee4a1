#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The engine with real models: the default one, and one that writes Chinese; in the long form also
# random weights in the shapes of large ones.
cd "$(dirname "$0")/../.." || exit 1
. tools/paths.sh
if [ ! -x build/storyfi-engine ]; then
    echo "SKIP engine: storyfi-engine is not built (no llama libraries: tools/setup.sh fetches them)"
    exit 0
fi
code=0
python3 tests/model/engine_models.py "${MODEL:-$DEFAULT_MODEL}" "${GEMMA:-$TEST_MODEL}" "$LLAMA_DIR/lib" || code=1
[ "${STORYFI_FULL:-0}" != 1 ] || python3 tests/model/synthetic.py || code=1
exit $code
