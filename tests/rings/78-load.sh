#!/bin/bash
# SPDX-License-Identifier: MIT
# The axon's door under load, good and hostile (tests/load). STORYFI_FULL=1: the whole numbers.
cd "$(dirname "$0")/../.." || exit 1
ninja -C "${BUILD:-build}" storyfi-load storyfi_example >/dev/null || exit 1
exec python3 tests/cases/load.py
