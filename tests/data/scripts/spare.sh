#!/bin/sh
# SPDX-License-Identifier: MIT
# The script behind everything else in the fault tests: quick for a blueprint.
here=$(dirname "$0")
request=$(cat)
case $request in
*'"task_type":"blueprint"'* | *'"task_type": "blueprint"'*)
    printf '{"content": '
    cat "$here/../story/blueprint.json"
    printf '}\n'
    ;;
*) printf '%s' "$request" | exec python3 "$here/stories.py" ;;
esac
