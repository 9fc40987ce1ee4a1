#!/bin/bash
# SPDX-License-Identifier: MIT
# llama-server, built once from the pinned source into the set-up cache, as an OpenAI-compatible
# server that nobody here wrote. In the long form of the tests only.
cd "$(dirname "$0")/../.." || exit 1
. tools/paths.sh
if [ "${STORYFI_FULL:-0}" != 1 ]; then
    echo "SKIP llama-server: building it takes minutes; make test-full does"
    exit 0
fi
archives=("$STORYFI_CACHE"/archives/node-llama-cpp-*.tgz)
if [ ! -f "$DEFAULT_MODEL" ] || [ ! -f "${archives[0]}" ]; then
    echo "SKIP llama-server: no model or no source in the set-up cache (make setup fetches them)"
    exit 0
fi

# build FOLDER: from the bundle in the archive, at the pinned commit; one static program.
build() {
    local work
    work=$(mktemp -d) || return 1
    tar -xzf "${archives[0]}" -C "$work" package/llama/gitRelease.bundle &&
        git -c advice.detachedHead=false clone -q "$work/package/llama/gitRelease.bundle" "$work/tree" &&
        [ "$(git -C "$work/tree" rev-parse HEAD)" = "$LLAMA_TAG_COMMIT" ] &&
        cmake -S "$work/tree" -B "$work/build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=OFF \
            -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_APP=OFF -DLLAMA_OPENSSL=OFF \
            -DLLAMA_BUILD_UI=OFF -DLLAMA_USE_PREBUILT_UI=OFF >"$1.log" 2>&1 &&
        ninja -C "$work/build" llama-server >>"$1.log" 2>&1 &&
        mkdir -p "$1" && cp "$work/build/bin/llama-server" "$1/"
    local code=$?
    rm -rf "$work"
    return $code
}

folder=$STORYFI_CACHE/test/llama-server-${LLAMA_TAG_COMMIT:0:12}
mkdir -p "$STORYFI_CACHE/test"
if [ ! -x "$folder/llama-server" ] && ! build "$folder"; then
    echo "FAIL llama-server: it does not build: $(tail -3 "$folder.log")"
    exit 1
fi
exec python3 tests/model/llama_server.py "$folder/llama-server" "$DEFAULT_MODEL"
