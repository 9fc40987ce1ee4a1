#!/bin/bash
# SPDX-License-Identifier: MIT
# The engine's own figures, beside llama-batched-bench; see engine.py.
cd "$(dirname "$0")/.." || exit 1
. tools/paths.sh
tools/peers.sh llama || exit
export DEFAULT_MODEL LLAMA_PEERS LLAMA_DIR TRANSFORMERS_VENV STORYFI=${STORYFI:-$PWD/${BUILD:-build}/storyfi}
ninja -C "${BUILD:-build}" storyfi storyfi-engine storyfi-decode >/dev/null || exit 1
tools/tune.sh
exec python3 bench/engine.py "$@"
