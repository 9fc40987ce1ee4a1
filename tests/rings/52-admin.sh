#!/bin/sh
# SPDX-License-Identifier: MIT
# Who may look: token, login, cookie, limits, Host and Origin, headers, TLS; the axon's port has none of it.
cd "$(dirname "$0")/../.." || exit 1
exec python3 tests/cases/admin.py "$@"
