#!/bin/bash
# SPDX-License-Identifier: MIT
# The package's whole life in a Debian of its own with systemd as process 1 (mmdebstrap, systemd-nspawn): installed
# with its dependencies by apt, started, killed, hung, reloaded, upgraded with running miners, removed, purged; a
# second miner uses a wallet and a script with its virtual environment in a home folder. In the long form: minutes.
# usage: tests/deb_cycle.sh [BUILD]
set -u
cd "$(dirname "$0")/.." || exit 100
. tools/paths.sh
build=${1:-build}
for tool in mmdebstrap systemd-nspawn nsenter; do
    command -v $tool >/dev/null || { echo "SKIP deb-cycle: no $tool (tools/setup.sh --test-full)"; exit 0; }
done
[ "$(id -u)" = 0 ] || { echo "SKIP deb-cycle: needs root"; exit 0; }
debs=("$build"/deb/storyfi_*.deb)
[ -f "${debs[0]}" ] || make -s deb BUILD="$build" >/dev/null || exit 1
debs=("$build"/deb/storyfi_*.deb)

base=$STORYFI_CACHE/test/deb-root.tar
if [ ! -f "$base" ]; then
    mkdir -p "$(dirname "$base")"
    mmdebstrap --variant=minbase --include=systemd,systemd-sysv,dbus,python3-minimal,libpython3-stdlib,procps \
        "$(. /etc/os-release && echo "$VERSION_CODENAME")" "$base.new.tar" >"$base.log" 2>&1 && mv "$base.new.tar" "$base" || {
        tail -3 "$base.log"
        echo "SKIP deb-cycle: no Debian root can be made here (log: $base.log)"
        exit 0
    }
fi
tmp=$(mktemp -d)
in=$tmp/root leader='' nspawn=''
finish() {
    [ -z "$leader" ] || kill -s RTMIN+14 "$leader" 2>/dev/null # systemd: power off at once
    [ -z "$nspawn" ] || wait "$nspawn"
    rm -rf "$tmp"
}
trap finish EXIT
mkdir "$in" && tar -C "$in" -xf "$base" || exit 1
mkdir -p "$in/pkg" && cp "${debs[0]}" "$in/pkg/now.deb" && cp -r tests/data "$in/pkg/data"
dpkg-deb -R "${debs[0]}" "$tmp/before" && sed -i 's/^Version: .*/Version: 0.0.9/' "$tmp/before/DEBIAN/control"
dpkg-deb -Zgzip -z1 -b "$tmp/before" "$in/pkg/before.deb" >/dev/null
chmod -R a+rX "$in/pkg"

systemd-nspawn -D "$in" --boot --register=no --keep-unit --resolv-conf=replace-host --console=pipe </dev/null >"$tmp/console" 2>&1 &
nspawn=$!
for _ in $(seq 600); do
    leader=$(pgrep -P "$nspawn" | head -1)
    [ -n "$leader" ] && nsenter -t "$leader" -m -p -- systemctl is-system-running 2>/dev/null | grep -qE 'running|degraded' && break
    kill -0 "$nspawn" 2>/dev/null || { tail -5 "$tmp/console"; nspawn=; echo "SKIP deb-cycle: systemd-nspawn does not boot here"; exit 0; }
    sleep 0.1
done

code=0
check() { # NAME COMMAND...
    local name=$1
    shift
    if "$@" >"$tmp/out" 2>&1; then echo "PASS deb-cycle: $name"; else printf '%s\nFAIL deb-cycle: %s\n' "$(tail -c 2500 "$tmp/out")" "$name"; code=1; fi
}
inside() {
    nsenter -t "$leader" -m -u -i -n -p -- env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"
}
as() { local user=$1; shift; inside runuser -u "$user" -- "$@"; }
show() { inside systemctl show -P "$2" "storyfi-miner@$1"; }
up() { inside systemctl start "storyfi-miner@$1" || { inside journalctl --no-pager -n 30 -u "storyfi-miner@$1"; return 1; }; }
# until_true SECONDS COMMAND...
until_true() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do [ $SECONDS -lt $end ] || return 1; sleep 0.1; done
}
restarted() { [ "$(show default NRestarts)" -ge "$1" ] && [ "$(show default SubState)" = running ]; }
ask() { # PORT HOTKEY
    inside storyfi query --axon "127.0.0.1:$1" --axon.hotkey "$2" --task blueprint --input x --throwaway >/dev/null
}
pid_changed() { [ "$(show default MainPID)" != "$1" ] && [ "$(show default ActiveState)" = active ]; }
journal_rows() { inside python3 -c 'import sqlite3; print(sqlite3.connect("/var/lib/storyfi/default/journal.db").execute("SELECT count(*) FROM requests").fetchone()[0])'; }
has_rows() { [ "$(journal_rows)" -ge "$1" ]; }
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
log_of() { inside journalctl --no-pager -o cat -u "storyfi-miner@$1"; }
stops_well() { inside systemctl stop "storyfi-miner@$1" && [ "$(show "$1" Result)" = success ]; }

check "apt installs it, with what it depends on, in a bare Debian" inside sh -c 'apt-get -q update && apt-get install -y --no-install-recommends /pkg/before.deb'
check "the program starts there" inside storyfi version
if [ -x "$in/usr/bin/storyfi-engine" ]; then
    check "so does its engine: no library is missing" inside sh -c '! ldd /usr/bin/storyfi-engine | grep "not found"'
fi
check "before a subnet is set the service fails for good, and says why" bash -c '
    '"$(declare -f inside show log_of)"'; leader='"$leader"'
    ! inside systemctl start storyfi-miner@default; [ "$(show default ExecMainStatus)" = 100 ] && [ "$(show default NRestarts)" = 0 ] && log_of default | grep netuid'

port=$(free_port) admin=$(free_port)
cat >"$in/etc/storyfi/generator_config.yaml" <<TEXT
# changed by its owner
offline: true
state_dir: "/var/lib/storyfi/default"
wallet: {path: "/var/lib/storyfi/wallets"}
axon: {ip: "127.0.0.1", port: $port}
admin: {port: $admin}
logging: {info: true}
generator: {mode: "custom", fallback: [], custom: {script_path: "/pkg/data/scripts/stories.py"}}
TEXT
(umask 077 && echo 'OPENAI_API_KEY=sk-of-the-test' >"$in/etc/storyfi/default.env")
hotkey=$(as storyfi storyfi wallet create --json 2>/dev/null | python3 -c 'import json, sys; print(json.load(sys.stdin)["hotkey"])')
check "systemctl start returns once it can answer" up default
check "it says so in its status" grep answering <<<"$(show default StatusText)"
check "it answers" ask "$port" "$hotkey"
pid=$(show default MainPID)
check "it runs as its own user, without privileges" inside sh -c "grep -q '^Uid:.*$(inside id -u storyfi)' /proc/$pid/status && grep -q '^CapBnd:.0*$' /proc/$pid/status && grep -q '^NoNewPrivs:.1' /proc/$pid/status && grep -q '^Seccomp:.2' /proc/$pid/status"
check "keys come from its .env file, which only root reads" inside sh -c "tr '\\0' '\\n' </proc/$pid/environ | grep -qx OPENAI_API_KEY=sk-of-the-test && test \$(stat -c '%U %a' /etc/storyfi/default.env | tr -d ' ') = root600"
check "storyfi status asks it" inside storyfi status
check "systemctl reload loads the configuration again" bash -c '
    '"$(declare -f inside log_of)"'; leader='"$leader"'
    inside systemctl reload storyfi-miner@default && for i in $(seq 100); do log_of default | grep -iE "configuration (is )?(loaded|taken|again|unchanged|in force)|reload" && exit 0; sleep 0.1; done; log_of default; exit 1'
inside kill -9 "$pid"
check "killed, it is started again" until_true 20 restarted 1
check "and answers" until_true 10 ask "$port" "$hotkey"
mkdir -p "$in/run" && inside sh -c 'mkdir -p /run/systemd/system/storyfi-miner@default.service.d && printf "[Service]\nWatchdogSec=2\nTimeoutAbortSec=2\n" >/run/systemd/system/storyfi-miner@default.service.d/test.conf && systemctl daemon-reload && systemctl restart storyfi-miner@default'
pid=$(show default MainPID)
inside kill -STOP "$pid"
check "hung, it is started again by the watchdog" until_true 30 restarted 1
check "and the log says so" grep -i 'watchdog' <<<"$(log_of default)"
check "and answers then" until_true 10 ask "$port" "$hotkey"
inside sh -c 'rm -r /run/systemd/system/storyfi-miner@default.service.d && systemctl daemon-reload'

# alice's home, as it is on a machine that mined with the Python original: closed to everybody else.
port2=$(free_port) admin2=$(free_port)
inside useradd -m -s /bin/bash alice && inside chmod 0700 /home/alice
hotkey2=$(as alice storyfi wallet create --json --wallet.path /home/alice/.bittensor/wallets 2>/dev/null | python3 -c 'import json, sys; print(json.load(sys.stdin)["hotkey"])')
as alice python3 -m venv --without-pip --symlinks /home/alice/venv
cat >"$in/home/alice/generate.py" <<'TEXT'
#!/home/alice/venv/bin/python
import json, os, sys
assert sys.prefix == "/home/alice/venv", sys.prefix
tried = {}
for path in ("/home/alice/written", "/etc/written", "/pkg/written", "/tmp/written", "/var/lib/storyfi/home/written"):
    try:
        open(path, "w").close()
        tried[path] = "written"
    except OSError as e:
        tried[path] = type(e).__name__
json.dump(tried, open("/var/lib/storyfi/home/tried.json", "w"))
json.load(sys.stdin)
print(json.dumps({"content": json.load(open("/pkg/data/story/blueprint.json"))}))
TEXT
chmod 755 "$in/home/alice/generate.py"
inside chown alice /home/alice/generate.py
cat >"$in/etc/storyfi/home.yaml" <<TEXT
offline: true
axon: {ip: "127.0.0.1", port: $port2}
admin: {port: $admin2}
generator: {mode: "custom", fallback: [], custom: {script_path: "/home/alice/generate.py"}}
TEXT
mkdir -p "$in/etc/systemd/system/storyfi-miner@home.service.d"
sed 's/^#\(User\|Group\)=alice/\1=alice/' contrib/systemd/storyfi-miner.conf.example >"$in/etc/systemd/system/storyfi-miner@home.service.d/override.conf"
inside systemctl daemon-reload
check "a second miner starts as the owner of a home folder (documented drop-in)" up home
check "a wallet and a script with its virtual environment in that folder answer" ask "$port2" "$hotkey2"
check "the script writes to its own /tmp and the state folder alone" test "$(inside cat /var/lib/storyfi/home/tried.json)" = \
    '{"/home/alice/written": "OSError", "/etc/written": "OSError", "/pkg/written": "OSError", "/tmp/written": "written", "/var/lib/storyfi/home/written": "written"}'
inside cat /var/lib/storyfi/home/tried.json >"$tmp/tried" 2>&1
check "nothing of it is in the real /tmp" inside test ! -e /tmp/written

pid=$(show default MainPID)
check "the miners' requests are in the journal" until_true 10 has_rows 2
before=$(journal_rows)
check "apt upgrades it while both miners run" inside apt-get install -y --no-install-recommends /pkg/now.deb
check "they were started again with the new program" pid_changed "$pid"
check "and answer" until_true 10 ask "$port" "$hotkey"
check "the one of the home folder too" until_true 10 ask "$port2" "$hotkey2"
check "the journal was kept" until_true 10 has_rows $((before + 1))
check "the owner's configuration was kept" grep -q 'changed by its owner' "$in/etc/storyfi/generator_config.yaml"
check "systemctl stop ends it well" stops_well home

inside systemctl enable --now storyfi-miner@default >/dev/null 2>&1
check "removing stops the miner that runs" bash -c '
    '"$(declare -f inside)"'; leader='"$leader"'
    inside apt-get remove -y storyfi && ! inside pgrep -x storyfi'
check "and keeps journal, models, configuration" inside test -f /var/lib/storyfi/default/journal.db -a -d /var/lib/storyfi/models -a -f /etc/storyfi/generator_config.yaml
check "purging takes them" inside sh -c 'apt-get purge -y storyfi && test ! -e /var/lib/storyfi/default -a ! -e /etc/storyfi/generator_config.yaml'
check "but not the keys, nor what the owner made" inside test -f /var/lib/storyfi/wallets/default/hotkeys/default -a -f /etc/storyfi/home.yaml
exit $code
