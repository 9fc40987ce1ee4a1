#!/bin/bash
# SPDX-License-Identifier: MIT
# Before the demonstration and the benches: the default model in the layout that this CPU reads fastest, as
# `storyfi models pull` makes it of others. Half a minute, once: what is there is skipped. Without it everything works
# with the file as it came, so that nothing that goes wrong here is an error.
set -u
cd "$(dirname "$0")/.." || exit 100
. tools/paths.sh
export STORYFI_CACHE
storyfi=${STORYFI:-$PWD/${BUILD:-build}/storyfi}
[ -f "$DEFAULT_MODEL" ] && [ -x "$(dirname "$storyfi")/storyfi-engine" ] || exit 0
config=$(mktemp --suffix=.yaml) || exit 0
trap 'rm -f "$config"' EXIT
echo 'generator: {mode: "local", fallback: []}' >"$config"
"$storyfi" models tune default --if-missing --config "$config" || echo "not tuned: the file is used as it came"
