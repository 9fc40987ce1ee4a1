#!/bin/sh
# SPDX-License-Identifier: MIT
# storyfi doctor and generators list: each check made red on purpose.
cd "$(dirname "$0")/../.." || exit 1
export STORYFI_ENGINE="${STORYFI_ENGINE:-$PWD/${BUILD:-build}/storyfi-engine-stub}"
code=0
python3 tests/cases/doctor.py || code=1
python3 tests/cases/doctor_targets.py || code=1
exit $code
