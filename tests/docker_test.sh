#!/bin/bash
# SPDX-License-Identifier: MIT
# Builds packaging/docker/Dockerfile and asks a miner in it for a story: by docker where its daemon answers, else by
# buildah without a daemon over a Debian made here (mmdebstrap), since no registry of images may be reachable.
set -u
cd "$(dirname "$0")/.." || exit 100
. tools/paths.sh
storyfi=${STORYFI:-$PWD/build/storyfi}
tmp=$(mktemp -d)
pid='' container='' code=0
check() { # NAME COMMAND...
    local name=$1
    shift
    if "$@" >"$tmp/out" 2>&1; then echo "PASS docker: $name"; else printf '%s\nFAIL docker: %s\n' "$(tail -c 2500 "$tmp/out")" "$name"; code=1; fi
}
until_true() { # SECONDS COMMAND...
    local end=$((SECONDS + $1))
    shift
    until "$@"; do [ $SECONDS -lt $end ] || return 1; sleep 0.2; done
}
fails() { ! "$@"; }
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
port=$(free_port) admin=$(free_port)
settings=(--offline --axon.ip 127.0.0.1 --axon.port "$port" --admin.port "$admin")

if docker info >/dev/null 2>&1; then
    build() { docker build -q -f packaging/docker/Dockerfile -t storyfi-test . && docker run -d --init --network host --name "storyfi-test-$$" --entrypoint sleep storyfi-test infinity; }
    inside() { docker exec "storyfi-test-$$" "$@"; }
    inspect() { docker inspect -f "$1" storyfi-test; }
    clean() { docker rm -f "storyfi-test-$$" >/dev/null 2>&1; }
elif [ "$(id -u)" = 0 ] && command -v buildah >/dev/null && [ -f "$STORYFI_CACHE/test/deb-root.tar" ]; then
    export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot
    # With this machine's own certificates: the registries may be behind a proxy that has them.
    base() {
        local c m bundle=/etc/ssl/certs/ca-certificates.crt
        c=$(buildah from scratch) && m=$(buildah mount "$c") && tar -C "$m" -xf "$STORYFI_CACHE/test/deb-root.tar" &&
            mkdir -p "$m/usr/local/share" && cp -r /usr/local/share/ca-certificates "$m/usr/local/share/" &&
            buildah config --env NODE_EXTRA_CA_CERTS=$bundle --env PIP_CERT=$bundle "$c" >/dev/null &&
            buildah umount "$c" && buildah commit -q --rm "$c" localhost/storyfi-test-base
    }
    build() {
        base && buildah bud --network host --pull-never --format docker --build-arg BASE=localhost/storyfi-test-base \
            -f packaging/docker/Dockerfile -t localhost/storyfi-test . && buildah from --name "storyfi-test-$$" --pull-never localhost/storyfi-test
    }
    inside() { buildah run --network host "storyfi-test-$$" -- "$@"; }
    inspect() { buildah inspect --type image --format "${1//.Config/.Docker.Config}" localhost/storyfi-test; }
    clean() { buildah rm "storyfi-test-$$"; buildah rmi localhost/storyfi-test localhost/storyfi-test-base; } >/dev/null 2>&1
else
    echo "SKIP docker: no daemon answers, and buildah with the Debian of tests/deb_cycle.sh is not there (tools/setup.sh --test-full)"
    exit 0
fi
finish() {
    [ -z "$pid" ] || kill -- "-$pid" 2>/dev/null
    clean
    rm -rf "$tmp"
}
trap finish EXIT

check "the image is built" build
[ $code = 0 ] || exit 1
check "the program in it runs" inside storyfi version
check "it is not root that runs it" test "$(inspect '{{.Config.User}}')" = 10092:10092
check "nothing that only the build needs is in it" inside sh -c '! command -v gcc && ! command -v npm && test ! -e /src -a ! -e /cache'
check "without a miner the health check fails" fails inside storyfi status --admin.port "$admin"
hotkey=$(inside storyfi wallet create --json 2>/dev/null | python3 -c 'import json, sys; print(json.load(sys.stdin)["hotkey"])')
set -m # a process group of its own, ended as a whole
inside storyfi miner "${settings[@]}" >"$tmp/log" 2>&1 &
pid=$!
set +m
check "its miner is ready, as the health check sees it, with the model that is in it" until_true 120 inside storyfi status --admin.port "$admin"
check "and writes a blueprint for somebody outside" "$storyfi" query --axon "127.0.0.1:$port" --axon.hotkey "$hotkey" --task blueprint --input "the sea" --throwaway
check "the health check is that command" grep -q 'storyfi status' <<<"$(inspect '{{.Config.Healthcheck.Test}}')"
exit $code
