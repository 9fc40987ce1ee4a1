#!/bin/sh
cat >/dev/null
echo "this is no JSON"
