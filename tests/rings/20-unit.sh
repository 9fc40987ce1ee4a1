#!/bin/bash
# SPDX-License-Identifier: MIT
# Builds with gcc's (or the default compiler's) warnings as errors, then every x_test.c.
cd "$(dirname "$0")/../.." || exit 100
tools/build-variant.sh "${BUILD:-build}" "all unit_tests fuzz_replays" || exit 1
exec tools/ctest-ring.sh "${BUILD:-build}" unit
