#!/bin/bash
# SPDX-License-Identifier: MIT
# Takes the README's pictures of the dashboard, of a real miner with the default model, into a folder.
# usage: tools/screenshots.sh [DIR]    (default doc/images; needs `tools/setup.sh --test` and a Chinese font)
cd "$(dirname "$0")/.." || exit 100
. tools/paths.sh
export DEFAULT_MODEL STORYFI=${STORYFI:-$PWD/${BUILD:-build}/storyfi} BT_NO_PARSE_CLI_ARGS=1
[ -f "$DEFAULT_MODEL" ] && [ -x "$SDK_VENV/bin/python" ] || {
    echo "screenshots: the default model or the network's Python client is not there: tools/setup.sh --test" >&2
    exit 100
}
exec "$SDK_VENV/bin/python" tests/browser/screenshots.py "${1:-doc/images}"
