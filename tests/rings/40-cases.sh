#!/bin/sh
# SPDX-License-Identifier: MIT
# The real program from outside, with scripts as generators.
cd "$(dirname "$0")/../.." || exit 1
exec python3 tests/cases/black_box.py
