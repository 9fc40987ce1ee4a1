#!/bin/bash
# SPDX-License-Identifier: MIT
# The dashboard of a real miner in real headless Chromium.
cd "$(dirname "$0")/../.." || exit 1
export STORYFI_ENGINE=${STORYFI_ENGINE:-$PWD/${BUILD:-build}/storyfi-engine-stub}
code=0
for check in tests/browser/dashboard_check.py tests/browser/play_check.py; do
    [ ! -f $check ] || python3 $check || code=1
done
exit $code
