# SPDX-License-Identifier: MIT
# Sourced by the sanitizer rings: runs black-box rings against the programs of another build folder,
# with the engine over the stub library, two at a time: they wait more than they work. Returns 1
# when one failed.
# usage: . tools/black-box-rings.sh FOLDER RING...    (RING: as in tests/rings, "40-cases")
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
black_box() {
    local folder=$1
    shift
    printf 'tests/rings/%s.sh\n' "$@" | BUILD=$folder STORYFI=$PWD/$folder/storyfi STORYFI_ENGINE=$PWD/$folder/storyfi-engine-stub \
        STORYFI_SANITIZED=1 xargs -P 2 -I RING bash -c 'black_box_one RING'
}
black_box "$@"
