#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The miner on a network: a node double as the chain, registration, announcement, metagraph, and doctor --network.
cd "$(dirname "$0")/../.." || exit 1
. tools/paths.sh
if [ ! -x "$SDK_VENV/bin/python" ]; then
    exec python3 tests/cases/network.py "$@" # says itself what it leaves out
fi
export BT_NO_PARSE_CLI_ARGS=1
exec "$SDK_VENV/bin/python" tests/cases/network.py "$@"
