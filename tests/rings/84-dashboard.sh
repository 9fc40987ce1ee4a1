#!/bin/bash
# SPDX-License-Identifier: MIT
# The dashboard of a real miner in real headless Chromium; what each check looks at side by side, since most of
# it is waiting for a browser.
cd "$(dirname "$0")/../.." || exit 1
export STORYFI_ENGINE=${STORYFI_ENGINE:-$PWD/${BUILD:-build}/storyfi-engine-stub}
if [ ! -x "$STORYFI_ENGINE" ]; then
    echo "SKIP dashboard: no headers of llama.cpp for the engine's stub (make setup fetches them)"
    exit 0
fi
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
code=0
declare -A running
for check in dashboard play; do
    [ -f tests/browser/${check}_check.py ] || continue
    python3 tests/browser/${check}_check.py >"$logs/$check" 2>&1 &
    running[$check]=$!
done
for check in "${!running[@]}"; do
    wait "${running[$check]}" || code=1
    cat "$logs/$check"
done
exit $code
