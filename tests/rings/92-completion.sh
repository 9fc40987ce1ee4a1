#!/bin/bash
# SPDX-License-Identifier: MIT
# Completion in real bash, zsh and fish.
cd "$(dirname "$0")/../.." && exec python3 tests/cases/completion.py
