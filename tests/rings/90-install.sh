#!/bin/bash
# SPDX-License-Identifier: MIT
cd "$(dirname "$0")/../.." && exec tests/install_test.sh "${BUILD:-build}"
