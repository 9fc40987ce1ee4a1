#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The network's own Python client and axon (PyPI's bittensor, pinned) against ours.
cd "$(dirname "$0")/../.." || exit 1
. tools/paths.sh
if [ ! -x "$SDK_VENV/bin/python" ]; then
    echo "SKIP sdk: the Python SDK is not installed (tools/setup.sh --test fetches it from PyPI)"
    exit 0
fi
export BT_NO_PARSE_CLI_ARGS=1
exec "$SDK_VENV/bin/python" tests/sdk/drive_miner.py
