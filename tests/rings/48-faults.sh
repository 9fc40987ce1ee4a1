#!/bin/bash
# SPDX-License-Identifier: MIT
# Every provider's format and every fault: a server on loopback that breaks on demand, real miners before it.
cd "$(dirname "$0")/../.." || exit 1
code=0
[ "${STORYFI_SANITIZED:-}" = 1 ] || python3 tests/faults/self_test.py || code=1
for part in faults fault_chain fault_secrets fault_endurance; do
    python3 tests/cases/$part.py || code=1
done
exit $code
