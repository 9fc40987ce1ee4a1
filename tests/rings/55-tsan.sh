#!/bin/bash
# SPDX-License-Identifier: MIT
# ThreadSanitizer over what has threads, with the stub of libllama; the other black-box rings in the
# long form.
cd "$(dirname "$0")/../.." || exit 100
export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1
tools/build-variant.sh build-tsan "all unit_tests" -DSTORYFI_SANITIZE=thread || exit 1
code=0
tools/ctest-ring.sh build-tsan unit --timeout 300 || code=1
rings=(42-engine-stub 40-cases 48-faults 54-admin-api 78-load)
[ "${STORYFI_FULL:-0}" != 1 ] || rings+=(76-network 44-http-fuzz 45-models 45-tls 46-custom 47-journal 49-doctor)
. tools/black-box-rings.sh build-tsan "${rings[@]}" || code=1
# The long form: the real library and the default model. The library is not instrumented: what
# happens inside it is not looked at.
if [ "${STORYFI_FULL:-0}" = 1 ]; then
    TSAN_OPTIONS="$TSAN_OPTIONS ignore_noninstrumented_modules=1"
    STORYFI=$PWD/build-tsan/storyfi STORYFI_FULL=0 STORYFI_SANITIZED=1 tests/rings/60-model.sh || code=1
fi
exit $code
