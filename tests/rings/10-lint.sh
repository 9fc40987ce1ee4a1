#!/bin/bash
# SPDX-License-Identifier: MIT
# Rules of the house over the sources. The static analyser takes a second a file: it is part of
# `make lint` and of the long form.
cd "$(dirname "$0")/../.." || exit 100
[ "${STORYFI_FULL:-0}" = 1 ] || exec tools/lint.sh --quick
exec tools/lint.sh
