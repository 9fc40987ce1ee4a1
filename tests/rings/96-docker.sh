#!/bin/bash
# SPDX-License-Identifier: MIT
# The Dockerfiles. STORYFI_FULL=1: the CPU one is built and run where a container engine or buildah works.
cd "$(dirname "$0")/../.." || exit 100
. tools/paths.sh
code=0
if [ -x "$HADOLINT_VENV/bin/hadolint" ]; then
    for file in packaging/docker/Dockerfile packaging/docker/cuda.Dockerfile; do
        if said=$("$HADOLINT_VENV/bin/hadolint" "$file" 2>&1); then echo "PASS docker: hadolint finds nothing in $file"; else printf '%s\nFAIL docker: hadolint: %s\n' "$said" "$file"; code=1; fi
    done
else
    echo "SKIP docker: hadolint is not installed (tools/setup.sh --test)"
fi
# What .dockerignore lets through is what the build asks for.
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
git ls-files -z 2>/dev/null | grep -zE "^($(sed -n 's/^!//p' .dockerignore | sed 's/\./\\./g' | paste -sd'|'))(/|$)" | xargs -0 cp --parents -t "$tmp"
if said=$(cmake -S "$tmp" -B "$tmp/build" -G Ninja -DSTORYFI_LLAMA_DIR="$LLAMA_DIR" 2>&1 && ninja -C "$tmp/build" -n all 2>&1); then
    echo "PASS docker: what .dockerignore lets through can be built"
else
    printf '%s\nFAIL docker: what .dockerignore lets through cannot be built\n' "${said: -1500}"
    code=1
fi
if [ "${STORYFI_FULL:-0}" = 1 ]; then
    tests/docker_test.sh || code=1
else
    echo "SKIP docker: building the image takes minutes; make test-full does"
fi
exit $code
