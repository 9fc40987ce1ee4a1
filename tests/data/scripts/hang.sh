#!/bin/sh
# Never answers.
cat >/dev/null
sleep 600
