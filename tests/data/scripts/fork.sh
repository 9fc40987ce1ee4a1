#!/bin/sh
# Leaves a grandchild behind that would outlive it.
cat >/dev/null
sleep 600 &
echo $! > "${TMPDIR:-/tmp}/storyfi-grandchild"
wait
