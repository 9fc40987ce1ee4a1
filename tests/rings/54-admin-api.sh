#!/bin/bash
# SPDX-License-Identifier: MIT
# The dashboard's questions and live events, asked as a page asks them: a script's miner, and slots by the wave over
# the stub of libllama where that is built.
cd "$(dirname "$0")/../.." || exit 1
export STORYFI_ENGINE=${STORYFI_ENGINE:-$PWD/${BUILD:-build}/storyfi-engine-stub}
exec python3 tests/cases/admin_api.py
