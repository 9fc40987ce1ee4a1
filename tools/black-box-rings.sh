# SPDX-License-Identifier: MIT
# Sourced by the sanitizer rings: runs the rings numbered 30-49 against the programs of another
# build folder, with the engine over the stub library. Returns 1 when one failed.
# usage: . tools/black-box-rings.sh FOLDER
# shellcheck shell=bash
black_box_code=0
for black_box in tests/rings/[34][0-9]-*.sh; do
    [ -x "$black_box" ] || continue
    BUILD=$1 STORYFI=$PWD/$1/storyfi STORYFI_ENGINE=$PWD/$1/storyfi-engine-stub STORYFI_SANITIZED=1 "$black_box" ||
        black_box_code=1
done
[ $black_box_code = 0 ]
