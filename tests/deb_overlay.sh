#!/bin/bash
# SPDX-License-Identifier: MIT
# Called by deb_test.sh in a mount namespace of its own: dpkg in an overlay over this machine's root.
# usage: tests/deb_overlay.sh TMP ROOT    (TMP/before.deb, TMP/now.deb)
set -u
tmp=$1 root=$2 new=$1/overlay
code=0 miner=
trap '[ -z "$miner" ] || kill "$miner" 2>/dev/null' EXIT
mount --make-rprivate / && mount -t tmpfs tmpfs "$new" && mkdir "$new/upper" "$new/work" "$new/root" &&
    mount -t overlay overlay -o "lowerdir=/,upperdir=$new/upper,workdir=$new/work" "$new/root" 2>/dev/null || {
    echo "SKIP deb: no overlay can be mounted here"
    exit 0
}
in=$new/root
mount --rbind /dev "$in/dev" && mount -t proc proc "$in/proc" && mount -t tmpfs tmpfs "$in/run" || exit 1
mkdir -p "$in/pkg" && cp "$tmp/before.deb" "$tmp/now.deb" "$in/pkg/" && cp -r "$root/tests/data" "$in/pkg/data"

check() { # NAME COMMAND...
    local name=$1
    shift
    if "$@" >"$tmp/out" 2>&1; then echo "PASS deb: $name"; else printf '%s\nFAIL deb: %s\n' "$(tail -c 1500 "$tmp/out")" "$name"; code=1; fi
}
inside() { chroot "$in" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"; }
as_storyfi() { inside setpriv --reuid storyfi --regid storyfi --clear-groups env HOME=/var/lib/storyfi "$@"; }
state() { stat -c '%U %a' "$in$1"; }
installed() { inside dpkg --force-unsafe-io -i "/pkg/$1.deb"; }
owned() { inside stat -c '%U %a' /var/lib/storyfi /var/lib/storyfi/models /var/lib/storyfi/wallets | tr '\n' ' '; }
journal_rows() { inside python3 -c 'import sqlite3; print(sqlite3.connect("/var/lib/storyfi/default/journal.db").execute("SELECT count(*) FROM requests").fetchone()[0])'; }
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
port=$(free_port) admin=$(free_port)
start_miner() {
    (exec chroot "$in" env -i PATH=/usr/bin:/bin HOME=/var/lib/storyfi setpriv --reuid storyfi --regid storyfi --clear-groups \
        /usr/bin/storyfi miner --offline --config /etc/storyfi/default.yaml --axon.ip 127.0.0.1 --axon.port "$port" --admin.port "$admin" \
        >>"$tmp/miner.log" 2>&1) &
    miner=$!
    for _ in $(seq 300); do
        curl -sf "http://127.0.0.1:$admin/ready" >/dev/null && return 0
        kill -0 "$miner" 2>/dev/null || break
        sleep 0.05
    done
    cat "$tmp/miner.log"
    return 1
}
stop_miner() { kill -TERM "$miner"; wait "$miner"; }
# As documented for people: from root's own folder, with root's HOME.
from_roots_home() { inside sh -c 'chmod 700 /root && cd /root && HOME=/root exec setpriv --reuid storyfi --regid storyfi --clear-groups storyfi config print' | grep 'state_dir.*/etc/storyfi'; }
refuses_to_start() { as_storyfi storyfi miner; [ $? = 100 ]; }
ask() {
    inside /usr/bin/storyfi query --axon "127.0.0.1:$port" --axon.hotkey "$hotkey" --task blueprint --input x --throwaway >/dev/null
}
journal_says() { # WANTED COUNT
    for _ in $(seq 100); do [ "$(journal_rows)" = "$1" ] && return 0; sleep 0.05; done
    echo "the journal has $(journal_rows) requests, not $1"
    return 1
}

check "dpkg installs it" installed before
check "its user and folders are there, what is secret is closed" test "$(owned)" = "storyfi 755 storyfi 755 storyfi 700 "
check "its user cannot log in" inside sh -c 'getent passwd storyfi | grep -q nologin'
check "the instance default is what every command finds" test "$(readlink "$in/etc/storyfi/default.yaml")" = generator_config.yaml
check "the configuration has no mistake" as_storyfi storyfi config check
check "its user finds it from root's home folder too" from_roots_home
check "and without a subnet it does not start" refuses_to_start

# A miner with a script, so that no model is needed; the script is the owner's.
cat >>"$in/etc/storyfi/generator_config.yaml" <<'TEXT'
# changed by its owner
offline: true
TEXT
sed -i 's/mode: "local"/mode: "custom"\n  fallback: []\n  custom: {script_path: "\/pkg\/data\/scripts\/stories.py"}/' "$in/etc/storyfi/generator_config.yaml"
chmod -R a+rX "$in/pkg"
inside install -d -o storyfi -g storyfi /var/lib/storyfi/default
hotkey=$(as_storyfi storyfi wallet create --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["hotkey"])')
inside sh -c 'echo model > /var/lib/storyfi/models/kept.gguf'
check "the miner starts as its user" start_miner
check "and answers" ask
check "what it was asked is in its journal" journal_says 1

check "dpkg upgrades it while the miner runs" installed now
check "the miner goes on with the old program" ask
check "it ends well" stop_miner
check "the new program starts" start_miner
check "it answers" ask
check "the upgrade kept the journal" journal_says 3
check "and the owner's configuration" grep -q 'changed by its owner' "$in/etc/storyfi/generator_config.yaml"
check "and the models" test -f "$in/var/lib/storyfi/models/kept.gguf"
stop_miner

inside python3 -c 'import sqlite3; d = sqlite3.connect("/var/lib/storyfi/default/journal.db"); d.execute("PRAGMA user_version = 900"); d.commit()'
sum=$(inside sh -c 'sha256sum < /var/lib/storyfi/default/journal.db')
check "beside a journal of a newer program it starts" start_miner
check "and answers" ask
check "and says why nothing is recorded" grep -i 'newer storyfi' "$tmp/miner.log"
stop_miner
check "the newer journal is as it was" test "$sum" = "$(inside sh -c 'sha256sum < /var/lib/storyfi/default/journal.db')"
said=$(as_storyfi storyfi history 2>&1)
check "history says so too" grep -i newer <<<"$said"

check "dpkg removes it" inside dpkg -r storyfi
check "removing keeps state and configuration" inside test -f /var/lib/storyfi/default/journal.db -a -f /etc/storyfi/generator_config.yaml -a ! -e /usr/bin/storyfi
check "dpkg purges it" inside dpkg -P storyfi
check "purging takes journal, models and configuration" inside test ! -e /var/lib/storyfi/default -a ! -e /var/lib/storyfi/models -a ! -e /etc/storyfi
check "but not the keys" inside test -f /var/lib/storyfi/wallets/default/hotkeys/default
check "installed again it finds them" installed now
check "and purged without keys nothing is left" inside sh -c 'rm -rf /var/lib/storyfi/wallets && dpkg -P storyfi && test ! -e /var/lib/storyfi'
exit $code
