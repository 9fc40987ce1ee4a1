#!/bin/bash
# SPDX-License-Identifier: MIT
# AddressSanitizer and UBSan (clang where it is installed: this is also the build that keeps clang
# free of warnings) over unit tests, corpora and what is seen from outside, this with the stub of libllama.
cd "$(dirname "$0")/../.." || exit 100
compiler=()
command -v clang >/dev/null && compiler=(-DCMAKE_C_COMPILER=clang)
[ ${#compiler[@]} != 0 ] || echo "SKIP clang: not installed; the sanitizers run under the default compiler"
export ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
tools/build-variant.sh build-asan "all unit_tests fuzz_replays" -DSTORYFI_SANITIZE="address;undefined" "${compiler[@]}" || exit 1
code=0
tools/ctest-ring.sh build-asan "unit|fuzz" --timeout 300 || code=1
rings=(42-engine-stub 40-cases 48-faults 76-network 44-http-fuzz 45-models 45-tls 46-custom 47-journal 49-doctor 54-admin-api)
[ "${STORYFI_FULL:-0}" != 1 ] || rings+=(78-load) # the short form has it under ThreadSanitizer
. tools/black-box-rings.sh build-asan "${rings[@]}" || code=1
# The long form: the real library and the default model under the same checks.
if [ "${STORYFI_FULL:-0}" = 1 ]; then
    . tools/paths.sh
    STORYFI=$PWD/build-asan/storyfi STORYFI_FULL=0 STORYFI_SANITIZED=1 tests/rings/60-model.sh || code=1
fi
exit $code
