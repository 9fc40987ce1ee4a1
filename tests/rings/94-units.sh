#!/bin/bash
# SPDX-License-Identifier: MIT
# The systemd unit, and the miner under it.
cd "$(dirname "$0")/../.." && exec python3 tests/cases/units.py
