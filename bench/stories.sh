#!/bin/bash
# SPDX-License-Identifier: MIT
# Whole answers beside llama-server and Transformers; see stories.py.
cd "$(dirname "$0")/.." || exit 1
. tools/paths.sh
tools/peers.sh llama transformers || exit
export DEFAULT_MODEL TUNED_MODEL LLAMA_PEERS TRANSFORMERS_VENV STORYFI=${STORYFI:-$PWD/${BUILD:-build}/storyfi}
ninja -C "${BUILD:-build}" storyfi storyfi-engine >/dev/null || exit 1
tools/tune.sh
exec python3 bench/stories.py "$@"
