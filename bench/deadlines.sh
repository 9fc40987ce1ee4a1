#!/bin/bash
# SPDX-License-Identifier: MIT
# Deadlines under a CPU quota; see deadlines.py.
cd "$(dirname "$0")/.." || exit 1
export STORYFI=${STORYFI:-$PWD/${BUILD:-build}/storyfi}
ninja -C "${BUILD:-build}" storyfi storyfi-engine >/dev/null || exit 1
tools/tune.sh
exec python3 bench/deadlines.py "$@"
