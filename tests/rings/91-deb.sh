#!/bin/bash
# SPDX-License-Identifier: MIT
# The Debian package. STORYFI_FULL=1: also its whole life under a real systemd, in a root of its own.
cd "$(dirname "$0")/../.." || exit 100
code=0
tests/deb_test.sh "${BUILD:-build}" || code=1
[ "${STORYFI_FULL:-0}" != 1 ] || tests/deb_cycle.sh "${BUILD:-build}" || code=1
exit $code
