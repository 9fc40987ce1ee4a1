#!/bin/bash
# SPDX-License-Identifier: MIT
# ThreadSanitizer over what has threads, with the stub of libllama.
cd "$(dirname "$0")/../.." || exit 100
export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1
tools/build-variant.sh build-tsan "all unit_tests" -DSTORYFI_SANITIZE=thread || exit 1
code=0
tools/ctest-ring.sh build-tsan unit --timeout 300 || code=1
. tools/black-box-rings.sh build-tsan || code=1
exit $code
