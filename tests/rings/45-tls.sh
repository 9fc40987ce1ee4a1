#!/bin/bash
# SPDX-License-Identifier: MIT
# Generators behind TLS, with certificates made on the spot, and in HTTP/2.
cd "$(dirname "$0")/../.." || exit 1
exec python3 tests/cases/tls.py
