#!/bin/bash
# SPDX-License-Identifier: MIT
# Recorded and damaged requests through the miner's own socket.
cd "$(dirname "$0")/../.." || exit 1
exec python3 tests/cases/http_fuzz.py
