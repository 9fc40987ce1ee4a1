#!/bin/bash
# SPDX-License-Identifier: MIT
# Custom generators (script, endpoint, plugin), serve, remote local, and commands that use a running miner.
cd "$(dirname "$0")/../.." || exit 1
. tools/paths.sh
export FLASK_VENV BUILD=${BUILD:-build}
export STORYFI_ENGINE=${STORYFI_ENGINE:-$PWD/$BUILD/storyfi-engine-stub}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
python3 tests/cases/serve.py >"$log" 2>&1 &
code=0
python3 tests/cases/custom.py || code=1
wait $! || code=1
cat "$log"
exit $code
