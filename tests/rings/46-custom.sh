#!/bin/bash
# SPDX-License-Identifier: MIT
# Custom generators (script, endpoint, plugin), serve, remote local, and commands that use a running miner.
cd "$(dirname "$0")/../.." || exit 1
. tools/paths.sh
export FLASK_VENV BUILD=${BUILD:-build}
export STORYFI_ENGINE=${STORYFI_ENGINE:-$PWD/$BUILD/storyfi-engine-stub}
python3 tests/cases/custom.py && python3 tests/cases/serve.py
