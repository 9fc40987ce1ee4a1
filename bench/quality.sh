#!/bin/bash
# SPDX-License-Identifier: MIT
# The quality of the texts, of waves, of the sequential composer and of a free-form call; see quality.py.
cd "$(dirname "$0")/.." || exit 1
. tools/paths.sh
[[ " $* " == *" --models "* || " $* " == *" --from "* ]] || tools/peers.sh llama || exit
export DEFAULT_MODEL TEST_MODEL LLAMA_PEERS LLAMA_DIR TRANSFORMERS_VENV STORYFI=${STORYFI:-$PWD/${BUILD:-build}/storyfi}
ninja -C "${BUILD:-build}" storyfi storyfi-engine >/dev/null || exit 1
exec python3 bench/quality.py "$@"
