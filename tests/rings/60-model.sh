#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The default model of the set-up behind a real miner, and faults of its engine.
cd "$(dirname "$0")/../.." || exit 1
. tools/paths.sh
if [ ! -f "$DEFAULT_MODEL" ] || [ ! -x "$(dirname "${STORYFI:-build/storyfi}")/storyfi-engine" ]; then
    echo "SKIP model: the default model or the llama libraries are not there (make setup fetches them)"
    exit 0
fi
export DEFAULT_MODEL
exec python3 tests/model/default_model.py
