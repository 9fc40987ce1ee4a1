#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What keeps a miner running: log, reload, full disk, clocks, standstill, addresses; export, backup, restore, watch.
cd "$(dirname "$0")/../.." || exit 1
. tools/paths.sh
ninja -C "${BUILD:-build}" clock_shift storyfi_example >/dev/null || exit 1
export BT_NO_PARSE_CLI_ARGS=1
python=$SDK_VENV/bin/python
[ -x "$python" ] || python=python3 # says itself what it leaves out
exec "$python" tests/cases/keep.py "$@"
