#!/bin/bash
# SPDX-License-Identifier: MIT
# Cross-built for 64-bit ARM, its unit tests under qemu. In the long form only: it takes minutes.
cd "$(dirname "$0")/../.." || exit 100
if [ "${STORYFI_FULL:-0}" != 1 ]; then
    echo "SKIP arm64: building it and running it under qemu takes minutes; make test-full does"
    exit 0
fi
tools/arm64.sh --test
code=$?
[ $code != 100 ] && [ $code != 111 ] || { echo "SKIP arm64: compiler, qemu or libraries are not there (tools/setup.sh --test-full)"; exit 0; }
exit $code
