#!/bin/sh
# SPDX-License-Identifier: MIT
# /metrics, scraped by Debian's prometheus; the rules and the dashboard of contrib/ name nothing that is not there.
cd "$(dirname "$0")/../.." || exit 1
export STORYFI_ENGINE="${STORYFI_ENGINE:-$PWD/${BUILD:-build}/storyfi-engine-stub}"
exec python3 tests/cases/metrics.py "$@"
