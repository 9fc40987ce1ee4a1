#!/bin/bash
# SPDX-License-Identifier: MIT
# Replays the fuzz corpora, their cuts and bit flips.
cd "$(dirname "$0")/../.." && exec tools/ctest-ring.sh "${BUILD:-build}" fuzz
