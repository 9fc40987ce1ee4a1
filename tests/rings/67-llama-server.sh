#!/bin/bash
# SPDX-License-Identifier: MIT
# llama-server, built once from the pinned source into the set-up cache, as an OpenAI-compatible
# server that nobody here wrote. In the long form of the tests only.
cd "$(dirname "$0")/../.." || exit 1
. tools/paths.sh
if [ "${STORYFI_FULL:-0}" != 1 ]; then
    echo "SKIP llama-server: building it takes minutes; make test-full does"
    exit 0
fi
if [ ! -f "$DEFAULT_MODEL" ]; then
    echo "SKIP llama-server: no model in the set-up cache (make setup fetches it)"
    exit 0
fi
if ! why=$(tools/peers.sh llama 2>&1); then
    echo "FAIL llama-server: ${why##*$'\n'}"
    exit 1
fi
exec python3 tests/model/llama_server.py "$LLAMA_PEERS/llama-server" "$DEFAULT_MODEL"
