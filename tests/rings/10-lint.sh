#!/bin/bash
# SPDX-License-Identifier: MIT
# Rules of the house over the sources.
cd "$(dirname "$0")/../.." && exec tools/lint.sh
