#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A miner under load and random faults: 0.03 h, 0.2 h in the long form. usage: 88-soak.sh [HOURS [SEED]]
cd "$(dirname "$0")/../.." || exit 1
. tools/paths.sh
hours=0.03
[ "${STORYFI_FULL:-0}" != 1 ] || hours=0.2
ninja -C "${BUILD:-build}" clock_shift storyfi_example >/dev/null || exit 1
export BT_NO_PARSE_CLI_ARGS=1 DEFAULT_MODEL
python=$SDK_VENV/bin/python
[ -x "$python" ] || python=python3 # says itself what it leaves out
exec "$python" tests/cases/soak.py "${1:-$hours}" ${2:+"$2"}
