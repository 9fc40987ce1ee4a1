#!/bin/bash
# SPDX-License-Identifier: MIT
# Our axon beside the Python SDK's; see axon.py.
cd "$(dirname "$0")/.." || exit 1
. tools/paths.sh
export SDK_VENV STORYFI=${STORYFI:-$PWD/${BUILD:-build}/storyfi}
ninja -C "${BUILD:-build}" storyfi storyfi-load storyfi_example >/dev/null || exit 1
exec python3 bench/axon.py "$@"
