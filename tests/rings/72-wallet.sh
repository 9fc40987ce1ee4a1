#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# storyfi wallet from outside, and its files both ways with the Python package bittensor-wallet.
cd "$(dirname "$0")/../.." || exit 1
. tools/paths.sh
export BT_NO_PARSE_CLI_ARGS=1
if [ ! -x "$SDK_VENV/bin/python" ]; then
    echo "SKIP wallet with the Python package: it is not installed (tools/setup.sh --test fetches it from PyPI)"
    exec python3 tests/sdk/drive_wallet.py
fi
exec "$SDK_VENV/bin/python" tests/sdk/drive_wallet.py
