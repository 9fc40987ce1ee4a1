#!/bin/sh
# SPDX-License-Identifier: MIT
# Who may look: token, login, cookie, limits, Host and Origin, headers, TLS; the axon's port has none of it.
cd "$(dirname "$0")/../.." || exit 1
code=0
python3 tests/cases/admin.py || code=1
python3 tests/browser/login_check.py || code=1
exit $code
