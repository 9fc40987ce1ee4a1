# SPDX-License-Identifier: MIT
# Sourced by the sanitizer rings: runs the rings numbered 30-49, 76 and 78, against the programs of another
# build folder, with the engine over the stub library, two at a time: they wait more than they
# work. Returns 1 when one failed.
# usage: . tools/black-box-rings.sh FOLDER
# shellcheck shell=bash
black_box_one() {
    local log
    log=$(mktemp)
    "$1" >"$log" 2>&1 || echo "black box: $1 ended with $?" >>"$log"
    cat "$log"
    ! grep -q '^black box: \|^FAIL ' "$log"
    local code=$?
    rm -f "$log"
    return $code
}
export -f black_box_one
BUILD=$1 STORYFI=$PWD/$1/storyfi STORYFI_ENGINE=$PWD/$1/storyfi-engine-stub STORYFI_SANITIZED=1 \
    xargs -P 2 -I RING bash -c 'black_box_one RING' \
    < <(find tests/rings \( -name '[34][0-9]-*.sh' -o -name '7[68]-*.sh' \) -executable | sort)
