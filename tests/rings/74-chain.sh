#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# storyfi chain against a node double that checks transactions as the runtime would, and the network's own
# Python tools over what we sent.
cd "$(dirname "$0")/../.." || exit 1
. tools/paths.sh
if [ ! -x "$SDK_VENV/bin/python" ]; then
    exec python3 tests/chain/drive_chain.py "$@" # says itself what it leaves out
fi
export BT_NO_PARSE_CLI_ARGS=1
exec "$SDK_VENV/bin/python" tests/chain/drive_chain.py "$@"
