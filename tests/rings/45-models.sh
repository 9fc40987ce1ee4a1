#!/bin/sh
# SPDX-License-Identifier: MIT
# storyfi models: the catalogue, and downloads from a hub on loopback with every fault.
cd "$(dirname "$0")/../.." && exec python3 tests/cases/models.py
