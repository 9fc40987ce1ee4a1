#!/bin/bash
# SPDX-License-Identifier: MIT
# The journal of a real miner: killed under load, read while it runs and after, with a full folder in
# its way; readiness and what systemd is told.
cd "$(dirname "$0")/../.." || exit 1
exec python3 tests/cases/journal.py
