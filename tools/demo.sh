#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The demonstration: a miner on loopback with a throw-away wallet is asked all four tasks as a validator
# would, each on what came before, and the answers become a book.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=tools/paths.sh
. tools/paths.sh
exec python3 tools/demo.py "$@"
