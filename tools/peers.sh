#!/bin/bash
# SPDX-License-Identifier: MIT
# Builds or installs, into the set-up cache, the programs that ours is compared with. What is there
# is skipped. usage: tools/peers.sh llama|transformers...
#   llama         llama-server and llama-batched-bench at the pinned commit (7 minutes on two cores)
#   transformers  a virtual environment with PyTorch and Hugging Face Transformers (3 GB)
# exit: 0 there, 100 usage or `make setup` has not run, 111 it failed (the log is named)
set -u
cd "$(dirname "$0")/.." || exit 100
. tools/paths.sh

stop() { printf 'peers: %s\n' "$2" >&2; exit "$1"; }

# From the bundle in the archive that set-up has verified; static programs.
build_llama() {
    local archives=("$STORYFI_CACHE"/archives/node-llama-cpp-*.tgz) work log=$LLAMA_PEERS.log
    [ -x "$LLAMA_PEERS/llama-server" ] && [ -x "$LLAMA_PEERS/llama-batched-bench" ] && return
    [ -f "${archives[0]}" ] || stop 100 "no llama.cpp source in the set-up cache: make setup fetches it"
    echo "peers: building llama-server and llama-batched-bench (minutes; log: $log)" >&2
    work=$(mktemp -d) || stop 111 "no room for temporary files"
    tar -xzf "${archives[0]}" -C "$work" package/llama/gitRelease.bundle &&
        git -c advice.detachedHead=false clone -q "$work/package/llama/gitRelease.bundle" "$work/tree" &&
        [ "$(git -C "$work/tree" rev-parse HEAD)" = "$LLAMA_TAG_COMMIT" ] &&
        cmake -S "$work/tree" -B "$work/build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=OFF \
            -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_APP=OFF -DLLAMA_OPENSSL=OFF \
            -DLLAMA_BUILD_UI=OFF -DLLAMA_USE_PREBUILT_UI=OFF >"$log" 2>&1 &&
        ninja -C "$work/build" llama-server llama-batched-bench >>"$log" 2>&1 &&
        mkdir -p "$LLAMA_PEERS" && cp "$work"/build/bin/llama-server "$work"/build/bin/llama-batched-bench "$LLAMA_PEERS/"
    local code=$?
    rm -rf "$work"
    [ $code = 0 ] || stop 111 "llama.cpp does not build: $(tail -3 "$log")"
}

install_transformers() {
    local log=$TRANSFORMERS_VENV.log
    [ -x "$TRANSFORMERS_VENV/bin/python" ] && [ -f "$TRANSFORMERS_VENV/whole" ] && return
    echo "peers: installing PyTorch and Transformers (3 GB; log: $log)" >&2
    rm -rf "$TRANSFORMERS_VENV"
    # shellcheck disable=SC2086
    { python3 -m venv "$TRANSFORMERS_VENV" && "$TRANSFORMERS_VENV/bin/python" -m pip -q install $TRANSFORMERS_PACKAGES; } >"$log" 2>&1 ||
        stop 111 "pip could not install $TRANSFORMERS_PACKAGES: $(tail -2 "$log")"
    touch "$TRANSFORMERS_VENV/whole"
}

[ $# -gt 0 ] || { sed -n '3,8s/^# \{0,1\}//p' "$0"; exit 100; }
mkdir -p "$STORYFI_CACHE/test"
for what; do
    case $what in
    llama) build_llama ;;
    transformers) install_transformers ;;
    *) stop 100 "unknown: $what" ;;
    esac
done
