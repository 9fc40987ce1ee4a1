# SPDX-License-Identifier: MIT
"""What keeps a miner running for months: its log, reloads, full disks, clocks that jump, machines that sleep, addresses
that change; and what its owner does beside it: exporting, saving and restoring, watching."""
import csv
import fcntl
import json
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import socket
import sqlite3
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent.parent), str(pathlib.Path(__file__).resolve().parent)]
import harness  # noqa: E402
from engine_faults import child_of, wait_child  # noqa: E402
from harness import SCRIPTS, STORYFI, Miner, check, run, script_config  # noqa: E402
from journal import wait_for  # noqa: E402

TMP = pathlib.Path(tempfile.mkdtemp(prefix="storyfi-keep-"))
BUILD = pathlib.Path(STORYFI).resolve().parent
SHIFT = BUILD / "clock_shift.so"
ENGINE = BUILD / "storyfi-engine-stub"
SANITIZED = os.environ.get("STORYFI_SANITIZED") == "1"
PLUGIN = BUILD / "plugins" / "storyfi_example.so"


def quick_config(more=""):
    """A generator that answers at once, and takes no process for it."""
    return f'generator:\n  mode: "custom"\n  fallback: []\n  custom:\n    plugin: "{PLUGIN}"\n{more}'


def rows(path, sql):
    """Closed at once: a restore wants the journal for itself."""
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return db.execute(sql).fetchall()
    finally:
        db.close()


def lines(path, word):
    return [line for line in path.read_text(errors="replace").splitlines() if word in line]


# ---- the log -------------------------------------------------------------------------------------

def repeated():
    """Twelve refusals are five lines and a count."""
    m = Miner(script_config("absent.sh"))
    m.log.touch()
    st = m.log.stat()
    m.env = {"JOURNAL_STREAM": f"{st.st_dev}:{st.st_ino}"}
    m.flags += ["--logging.file", m.dir / "deep" / "miner.log"]
    m.flags = list(map(str, m.flags))
    with m:
        for _ in range(12):
            m.query()
        check("log: the same event is written five times a minute", len(lines(m.log, "request refused with 503")) == 5,
              m.log.read_text())
        check("log: that miner ends well", m.stop() == 0)
    last = lines(m.log, "request refused with 503")
    check("log: and counted", len(last) == 6 and "left_out=7" in last[-1], last)
    events = [line for line in m.log.read_text().splitlines() if "msg=" in line]
    check("log: each line has its priority where the journal reads", events and all(
        re.match(r"<[3467]>\d{4}-", line) for line in events) and all(line.startswith("<4>") for line in last), events)
    recorded = (m.dir / "deep" / "miner.log").read_text().splitlines()
    check("log: the file has the same lines without, and the status lines", [line for line in recorded if "503" in line]
          == [line[3:] for line in last] and any("✅ Axon" in line for line in recorded), recorded)
    check("log: without the journal there are no priorities", all(
        not line.startswith("<") for line in plain_start().splitlines()))


def plain_start():
    with Miner(script_config("absent.sh"), env={"JOURNAL_STREAM": "1:1"}) as m:
        m.query()
        return m.log.read_text()


def rotated():
    log = TMP / "rotated" / "miner.log"
    with Miner(quick_config(), ["--logging.debug", "--logging.file", log, "--logging.max_size", "8KiB", "--logging.keep", 2]) as m:
        log.rename(log.with_name("aside"))
        m.process.send_signal(signal.SIGUSR1)
        wait_for(log.exists)
        m.query()
        check("log: SIGUSR1 opens the file anew", wait_for(lambda: lines(log, "request answered")), log)
        while not log.with_name("miner.log.2").exists():
            m.query()
        for _ in range(12):
            m.query()
        names = sorted(p.name for p in log.parent.iterdir())
        sizes = [p.stat().st_size for p in log.parent.glob("miner.log*")]
        check("log: a file that nobody rotates is renamed at its limit, and so many are kept",
              names == ["aside", "miner.log", "miner.log.1", "miner.log.2"] and max(sizes) <= 8192, (names, sizes))
        check("log: a SIGUSR1 while it ends is no second signal", m.stop() == 0)
    rotate = shutil.which("logrotate")
    if rotate:
        r = subprocess.run([rotate, "-d", harness.ROOT / "contrib" / "logrotate" / "storyfi"], capture_output=True, text=True)
        check("log: logrotate takes our file", r.returncode == 0 and "error" not in r.stderr.lower(), r.stderr)
    r = run("miner", "--offline", "--logging.file", "/proc/none/x.log", *m.wallet)
    check("log: a file that cannot be made exits 100", r.returncode == 100 and "logging.file" in r.stderr, r.stderr)


def reloaded():
    text = quick_config("axon:\n  queue_size: 10\n")
    with Miner(text) as m:
        m.config.write_text(quick_config(
            'axon:\n  queue_size: 20\n  max_workers: 3\n  max_requests_per_ip_per_minute: 7\nlogging:\n  debug: true\n'
            'journal:\n  keep_days: 9\ndeadline:\n  absent: 11\nadmin:\n  port: 1234\n'))
        m.process.send_signal(signal.SIGHUP)
        said = wait_for(lambda: lines(m.log, "configuration loaded again")) and m.log.read_text()
        restart = "".join(lines(m.log, "settings changed that need a restart"))
        check("reload: what needs a restart is named, all of it in one line", "axon.queue_size" in restart
              and "axon.max_workers" in restart and "deadline" not in restart and "keep_days" not in restart, said)
        m.query()
        check("reload: the log's level is taken over at once", wait_for(lambda: lines(m.log, " debug ")), m.log.read_text())
        m.config.write_text(quick_config("deadline:\n  absent: 10\n  target: 24\n"))
        m.process.send_signal(signal.SIGHUP)
        wait_for(lambda: len(lines(m.log, "configuration loaded again")) == 2)
        m.config.write_text("generator: [broken\n")
        m.process.send_signal(signal.SIGHUP)
        check("reload: a broken configuration is refused, with its line", wait_for(
            lambda: lines(m.log, "new configuration refused, the old one stays")), m.log.read_text())
        check("reload: and the old one answers", m.query().returncode == 0 and m.stop() == 0)


# ---- disks ---------------------------------------------------------------------------------------

def full_disk():
    """Journal, log, state and metagraph on one disk of two megabytes, which fills up."""
    disk = TMP / "disk"
    disk.mkdir()
    r = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "keep", disk], capture_output=True, text=True)
    if r.returncode != 0:
        print("SKIP disk: no tmpfs can be mounted here (root can):", r.stderr.strip())
        return
    try:
        on_a_full_disk(disk)
    finally:
        subprocess.run(["umount", "-l", disk], check=False)


def on_a_full_disk(disk):
    m, node, text = network_miner(disk)
    filler = disk / "filler"
    with m:
        asked = 0

        def answered(n=3):
            nonlocal asked
            codes = [m.answers() for _ in range(n)]
            asked += n
            return all(codes)
        check("disk: answers before", answered())
        if node:
            wait_for(lambda: list((disk / "state").glob("metagraph-*")))
        with open(filler, "wb", buffering=0) as f:
            try:
                while True:
                    f.write(b"x" * 4096)
            except OSError:
                pass
        refused = wait_for(lambda: answered(1) and not m.status()["journal"]["writing"], 30)
        check("disk: full: it answers on and on, and says that nothing is recorded", refused and answered(5), text())
        if node:
            check("disk: full: the metagraph cannot be kept, which is said", wait_for(
                lambda: "metagraph cannot be kept" in text()), text())
            syncs = node.calls.count("state_call")
            wait_for(lambda: node.calls.count("state_call") >= syncs + 3)
        check("disk: full: the log cannot be written, which is said on stderr", wait_for(
            lambda: answered(1) and "the log's file cannot be written" in text()), text())
        m.process.send_signal(signal.SIGHUP)
        check("disk: full: a reload does not stop it", answered(2), text())
        check("disk: full: each trouble was said once", text().count("requests are not recorded") == 1
              and text().count("the log's file cannot be written") == 1
              and text().count("metagraph cannot be kept") == (1 if node else 0), text())
        r = run("backup", disk / "saved", *m.flags)
        check("disk: full: a backup fails as a whole", r.returncode == 111 and not list(disk.glob("saved*")), r.stderr)
        filler.unlink()
        back = wait_for(lambda: m.status()["journal"]["writing"] and m.status()["journal"]["waiting"] == 0, 20)
        check("disk: with space again the journal goes on, and has every request", back and wait_for(
            lambda: rows(disk / "state" / "journal.db", "SELECT count(*) FROM requests WHERE status = 200")) == [(asked,)]
              and rows(disk / "state" / "journal.db", "PRAGMA integrity_check") == [("ok",)],
              (asked, rows(disk / "state" / "journal.db", "SELECT count(*) FROM requests WHERE status = 200"), text()))
        answered(1)
        check("disk: and so does the log", wait_for(lambda: "the log's file is written again" in (disk / "log").read_text()),
              text())
        if node:
            check("disk: and the metagraph is kept", wait_for(lambda: "the metagraph is kept again" in text()), text())
        check("disk: the miner ends well", m.stop() == 0)
    if node:
        node.close()


def network_miner(disk):
    """On the network where the SDK is there to double a node with, else offline."""
    flags = ["--state_dir", disk / "state", "--logging.file", disk / "log", "--logging.debug"]
    try:
        from network import NETUID, NetMiner, fresh
    except ImportError:
        print("SKIP disk: the metagraph's part: the network's Python SDK is not there (make setup)")
        m = Miner(script_config("stories.py"), flags)
        m.answers = lambda: m.query().returncode == 0
        return m, None, lambda: m.log.read_text()
    chain, node = fresh()
    m = NetMiner(node.ws, *flags)
    m.config.write_text(quick_config())
    chain.register(NETUID, 1, m.key)
    return m, node, m.text


# ---- time ----------------------------------------------------------------------------------------

class Clock:
    def __init__(self):
        self.path = TMP / f"clock-{id(self)}"
        self.set(0)

    def set(self, wall=0, slept=0):
        data = struct.pack("=qq", int(wall * 1e9), int(slept * 1e9))
        fd = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        os.pwrite(fd, data, 0)  # in place: it is mapped
        os.close(fd)

    def env(self):
        return {"LD_PRELOAD": str(SHIFT), "STORYFI_CLOCK_SHIFT": str(self.path)}


def clocks():
    if SANITIZED or not SHIFT.exists():
        print("SKIP clocks: the shifted clock goes before a sanitizer's library" if SANITIZED else "SKIP clocks: no clock_shift.so")
        return
    clock = Clock()
    with Miner(quick_config(), env=clock.env()) as m:
        def asks(env=None):
            return run("query", "--axon", f"127.0.0.1:{m.port}", "--axon.hotkey", m.hotkey, "--task", "blueprint", "--input",
                       "the sea", "--throwaway", env={**os.environ, **(env or clock.env())}).returncode == 0
        check("clocks: an answer before", asks())
        jumps = 0
        for name, wall, slept in (("an hour ahead", 3600, 0), ("two hours back from there", -3600, 0),
                                  ("right again", 0, 0), ("a machine that slept for ten hours", 0, 36000)):
            clock.set(wall, slept)
            check(f"clocks: {name}: a caller of the same time is answered at once", asks(), m.log.read_text())
            jumps += slept == 0
            wait_for(lambda: m.log.read_text().count('msg="the clock was set"') >= jumps)  # seen before the next one
        said = wait_for(lambda: "the machine was suspended" in m.log.read_text() and m.log.read_text())
        check("clocks: each jump is in the log", said and said.count('msg="the clock was set"') >= 3
              and re.search(r'the machine was suspended" seconds=3600[0-2]', said), m.log.read_text())
        clock.set(40 * 86400, 36000)
        asks()
        time_line = wait_for(lambda: m.status()["journal"]["waiting"] == 0 and rows(
            m.dir / "state" / "journal.db", "SELECT count(*) FROM requests"))
        check("clocks: forty days ahead throw nothing away", time_line == [(6,)], time_line)
        check("clocks: a caller whose clock is right is told why not", not asks(os.environ) and m.stop() == 0)
    clock.set(3600, 0)  # it starts an hour ahead, then NTP comes
    with Miner(quick_config(), env=clock.env()) as m:
        clock.set(0)
        check("clocks: a start with a clock that was ahead locks nobody out", m.query().returncode == 0, m.log.read_text())


def stopped():
    """The miner and its engine stand still for longer than a stall may last, and go on."""
    if not ENGINE.exists():
        print("SKIP stopped: no stub engine")
        return
    model = TMP / "stopped.gguf"
    model.write_text("chat 1\ndecode_us 8000\n")
    config = (f'generator:\n  mode: "local"\n  fallback: ["custom"]\n  local:\n    model_name: "{model}"\n'
              f'    engine_path: "{ENGINE}"\n    stall_timeout: 1\n  custom:\n    script_path: "{SCRIPTS / "stories.py"}"\n')
    with Miner(config) as m:
        results = []
        threads = [threading.Thread(target=lambda: results.append(m.query("characters", "the sea", "--timeout", "30")))
                   for _ in range(3)]
        for t in threads:
            t.start()
        wait_for(lambda: m.status()["queue"]["in_flight"] == 3)
        child = child_of(m.process.pid)
        for pid in (child, m.process.pid):
            os.kill(pid, signal.SIGSTOP)
        time.sleep(6)
        for pid in (child, m.process.pid):
            os.kill(pid, signal.SIGCONT)
        for t in threads:
            t.join()
        check("stopped: six seconds of standstill: who was waiting is answered", [r.returncode for r in results] == [0, 0, 0],
              [r.stderr for r in results])
        check("stopped: and it is in the log", wait_for(lambda: lines(m.log, "the program was stopped for a while")), m.log.read_text())
        local = wait_for(lambda: m.query("blueprint", "the sea", "--timeout", "20", "--json").stdout.count('"mode": "local"')
                         or '"local"' in m.query("blueprint", "x", "--timeout", "20", "--json").stdout, 20)
        check("stopped: the engine answers again", local and m.status()["generators"][0]["use"] == "ready", m.status()["generators"])
        model.write_text("chat 1\nabort_at 12\n")  # as the CUDA library does when the driver is reset
        before = wait_child(m)
        os.kill(before, signal.SIGKILL)
        wait_child(m, before)
        codes = [m.query("characters", "the sea", "--timeout", "20").returncode for _ in range(3)]
        check("driver: an engine that aborts in each request costs none", codes == [0, 0, 0], m.log.read_text()[-900:])
        model.write_text("chat 1\n")
        check("driver: after it the engine answers again", wait_for(
            lambda: '"local"' in m.query("blueprint", "x", "--timeout", "20", "--json").stdout, 30), m.status()["generators"])
        check("driver: the miner ends well", m.stop() == 0)


# ---- addresses -----------------------------------------------------------------------------------

def moved():
    """The machine's address changes, in a network of its own (this file runs again, inside)."""
    inside = subprocess.run(["unshare", "-n", sys.executable, __file__, "inside"], capture_output=True, text=True, timeout=110)
    sys.stdout.write(inside.stdout)
    if "SKIP" in inside.stdout or "PASS" in inside.stdout or "FAIL" in inside.stdout:
        harness.failed += inside.stdout.count("FAIL ")
    elif "Operation not permitted" in inside.stderr:
        print("SKIP moved: no network namespace can be made here (root can)")
    else:
        check("moved: runs to its end", False, inside.stderr[-390:])


def ip(line):
    subprocess.run(["ip", *line.split()], check=True)


class AddressService:
    """Tells each caller the address that it comes from."""

    def __init__(self, host):
        self.socket = socket.create_server((host, 80))
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            c, peer = self.socket.accept()
            c.recv(4096)
            c.sendall(b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n" + peer[0].encode())
            c.close()


def inside():
    try:
        from network import NETUID, NetMiner, axon_on, fresh
    except ImportError:
        print("SKIP moved: the network's Python SDK is not there (make setup)")
        return
    first, second, services = "203.0.114.7", "203.0.115.8", ("198.52.100.1", "198.52.100.2")
    for line in ("link set lo up", f"addr add {first}/32 dev lo", *(f"addr add {s}/32 dev lo" for s in services)):
        ip(line)

    def come_from(address):
        for s in services:
            ip(f"route replace local {s} dev lo table local src {address}")
    come_from(first)
    for s in services:
        AddressService(s)
    chain, node = fresh()
    m = NetMiner(node.ws, "--axon.external_ip_services", ",".join(f"http://{s}/" for s in services),
                 "--axon.external_ip_interval", "1", external=None)
    m.config.write_text(quick_config())
    m.flags[m.flags.index("--axon.ip") + 1] = "0.0.0.0"
    chain.register(NETUID, 1, m.key)

    def reached(address):
        return run("query", "--axon", f"{address}:{m.port}", "--axon.hotkey", m.hotkey, "--task", "blueprint", "--input", "x",
                   *m.wallet).returncode == 0
    with m:
        check("moved: the first address is announced", wait_for(lambda: axon_on(chain, m.key) == (first, m.port)), m.text())
        check("moved: and answers", reached(first), m.text())
        ip(f"addr add {second}/32 dev lo")
        come_from(second)
        ip(f"addr del {first}/32 dev lo")
        check("moved: the new address is announced by itself", wait_for(lambda: axon_on(chain, m.key) == (second, m.port)), m.text())
        check("moved: and answers, the old one does not", reached(second) and not reached(first), m.text())
        check("moved: which the log tells", "the address has changed" in m.text(), m.text())
        ip(f"addr del {second}/32 dev lo")  # no network at all for a while
        for s in services:
            ip(f"addr del {s}/32 dev lo")
        check("moved: without a network the miner says so and stays", wait_for(
            lambda: any("address" in p for p in m.network()["problems"])) and m.process.poll() is None, m.network())
        ip(f"addr add {first}/32 dev lo")
        for s in services:
            ip(f"addr add {s}/32 dev lo")
        come_from(first)
        check("moved: and comes back under the address that it gets", wait_for(
            lambda: axon_on(chain, m.key) == (first, m.port), 30) and reached(first) and m.stop() == 0, m.text())
    node.close()


# ---- exporting, saving, restoring ----------------------------------------------------------------

def exported():
    with Miner(quick_config()) as m:
        for text in ("the sea", "=HYPERLINK(\"http://x\")", "two\nlines, and \"quotes\"", "关于大海"):
            m.query("blueprint", text)
        wait_for(lambda: rows(m.dir / "state" / "journal.db", "SELECT count(*) FROM requests") == [(4,)])
        r = run("history", "export", "--format", "jsonl", *m.flags)
        whole = [json.loads(line) for line in r.stdout.splitlines()]
        check("export: jsonl has all that is known, oldest first", r.returncode == 0 and len(whole) == 4 and
              [w["id"] for w in whole] == sorted(w["id"] for w in whole) and whole[0]["user_input"] == "the sea"
              and whole[0]["answer"]["output"]["title"] and whole[0]["steps"][0]["outcome"] == "answered", r.stderr)
        out = TMP / "export.csv"
        r = run("history", "export", "--format", "csv", "--out", out, "--since", "1h", *m.flags)
        with open(out, newline="") as f:
            table = list(csv.DictReader(f))
        check("export: csv reads back, formulas disarmed", r.returncode == 0 and [t["user_input"] for t in table] ==
              ["the sea", "'=HYPERLINK(\"http://x\")", "two\nlines, and \"quotes\"", "关于大海"], table)
        r = run("history", "export", "--format", "csv", "--out", out, *m.flags)
        check("export: a file that is there is not written over", r.returncode == 100 and len(list(TMP.glob("export*"))) == 1, r.stderr)
        for args in (["--format", "xml"], [], ["--format", "csv", "--limit", 3]):
            r = run("history", "export", *args, *m.flags)
            check(f"export: wrong use exits 100: {' '.join(map(str, args))}", r.returncode == 100 and r.stderr, r.stderr)
        check("export: its options do nothing silently elsewhere", run("history", "--format", "csv", *m.flags).returncode == 100)
        with open("/dev/full", "w") as full:
            code = subprocess.run([STORYFI, "history", "export", "--format", "jsonl", *m.flags], stdout=full,
                                  stderr=subprocess.DEVNULL).returncode
        check("export: a full disk exits 111", code == 111, code)
        check("export: its help names it", "export" in run("history", "--help").stdout)
        saved(m)


def saved(m):
    """A backup while the miner is asked; restored on this machine and on an empty one."""
    (m.dir / "state" / "metagraph-92.scale").write_text("graph")
    (m.dir / ".env").write_text("KEY=1\n")
    stop = threading.Event()

    def ask():
        while not stop.is_set():
            m.query()
    asking = threading.Thread(target=ask)
    asking.start()
    saves = [run("backup", TMP / f"saved-{k}", *m.flags) for k in range(3)]
    stop.set()
    asking.join()
    check("backup: works while the miner writes", [s.returncode for s in saves] == [0, 0, 0] and all(
        rows(TMP / f"saved-{k}" / "journal.db", "PRAGMA integrity_check") == [("ok",)] for k in range(3)), saves[0].stderr)
    check("backup: without secrets, which it says", "not in it" in saves[0].stdout
          and not [p for p in (TMP / "saved-0").rglob("*") if "hotkeys" in str(p) or p.name == "env"], saves[0].stdout)
    r = run("backup", TMP / "saved-0", *m.flags)
    check("backup: a folder that is there exits 100", r.returncode == 100 and "already" in r.stderr, r.stderr)
    r = run("backup", TMP / "with-keys", "--wallet", "--env", *m.flags)
    check("backup: with the keys when asked, which it says", r.returncode == 0 and "key files" in r.stdout and
          (TMP / "with-keys" / "wallet" / "hotkeys" / "default").exists(), r.stdout)
    r = run("restore", TMP / "saved-0", *m.flags)
    check("restore: refused while the miner runs, which is named", r.returncode == 100 and str(m.process.pid) in r.stderr, r.stderr)
    m.query()
    check("restore: that miner ends well", m.stop() == 0)
    journal = m.dir / "state" / "journal.db"
    before = rows(journal, "SELECT count(*) FROM requests")[0][0]
    reader = sqlite3.connect(journal)
    reader.execute("SELECT count(*) FROM requests").fetchall()
    m.config.write_text(m.config.read_text() + "# changed since\n")
    r = run("restore", TMP / "saved-0", *m.flags)
    check("restore: refused while another program has the journal open", r.returncode == 111 and "open" in r.stderr, r.stderr)
    reader.close()
    r = run("restore", TMP / "saved-0", *m.flags)
    aside = list(m.dir.rglob("*.before-restore-*"))
    check("restore: puts it back and keeps what was there", r.returncode == 0 and {p.name.split(".before")[0] for p in aside} ==
          {"journal.db", "generator_config.yaml", "metagraph-92.scale"} and "# changed" not in m.config.read_text(), (r.stderr, aside))
    kept = next(p for p in aside if p.name.startswith("journal"))
    check("restore: journals are those", rows(kept, "SELECT count(*) FROM requests") == [(before,)]
          and rows(journal, "SELECT count(*) FROM requests")[0][0] < before, r.stdout)
    m.start()
    check("restore: a miner goes on from there", m.query().returncode == 0 and m.stop() == 0)
    home = TMP / "empty"
    home.mkdir()
    env = {k: v for k, v in os.environ.items() if not k.startswith("STORYFI_STATE")}
    env.update(HOME=str(home), XDG_STATE_HOME=str(home / "state"))
    m.config.unlink()
    r = run("restore", TMP / "with-keys", "--wallet.path", home / "wallets", cwd=home, env=env)
    check("restore: on an empty machine the saved configuration says where things go", r.returncode == 0
          and m.config.exists() and (home / "state" / "storyfi" / "journal.db").exists()
          and (home / "wallets" / "default" / "hotkeys" / "default").exists(), (r.stdout, r.stderr))
    (TMP / "saved-1" / "journal.db").write_bytes(b"x" * 100)
    aside = list(m.dir.rglob("*.before-restore-*"))
    r = run("restore", TMP / "saved-1", *m.flags)
    check("restore: a damaged backup exits 100 and touches nothing", r.returncode == 100 and "checksum" in r.stderr
          and len(list(m.dir.rglob("*.before-restore-*"))) == len(aside), r.stderr)
    check("restore: what is no backup exits 100", run("restore", TMP, *m.flags).returncode == 100)
    for name in ("backup", "restore"):
        check(f"{name}: has its help", "DIR" in run(name, "--help").stdout and run(name).returncode == 100)


# ---- watching ------------------------------------------------------------------------------------

class Terminal:
    """storyfi status --watch on a terminal of its own."""

    def __init__(self, m, size=(30, 110), env=None):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            env = {**os.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8", **(env or {})}
            os.execve(STORYFI, [STORYFI, "status", "--watch", *m.flags, "--admin.port", str(m.admin)], env)
        self.resize(*size)
        self.raw = b""

    def resize(self, rows_, columns):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows_, columns, 0, 0))

    def read(self, seconds=0.1):
        while select.select([self.fd], [], [], seconds)[0]:
            try:
                data = os.read(self.fd, 65536)
            except OSError:
                return False
            if not data:
                return False
            self.raw += data
        return True

    def until(self, word, seconds=15):
        end = time.monotonic() + seconds
        while time.monotonic() < end and word.encode() not in self.raw:
            if not self.read():
                break
        return word.encode() in self.raw

    def end(self, seconds=10):
        end, code = time.monotonic() + seconds, None
        while time.monotonic() < end and code is None:
            self.read(0.05)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            code = os.waitstatus_to_exitcode(status) if pid else None
        if code is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.fd)
        return code

    def restored(self):
        return b"\x1b[?1049l" in self.raw and self.raw.rfind(b"\x1b[?25l") < max(
            self.raw.rfind(b"\x1b[?25h"), self.raw.rfind(b"\x1b[?12l\x1b[?25h"), self.raw.rfind(b"\x1b[34h\x1b[?25h"))


def watched():
    config = (f'generator:\n  mode: "bad"\n  fallback: ["good"]\n  custom:\n    - name: "bad"\n      script_path: "{SCRIPTS}/exit3.sh"\n'
              f'    - name: "good"\n      plugin: "{PLUGIN}"\n')
    with Miner(config) as m:
        m.query("blueprint", "x")
        wait_for(lambda: rows(m.dir / "state" / "journal.db", "SELECT count(*) FROM requests") == [(1,)])
        t = Terminal(m)
        shown = all(t.until(word) for word in ("earning", "generators", "queue", "last requests", "blueprint", "good", "ready"))
        check("watch: the screen shows earning, queue, generators and the last requests", shown, t.raw)
        check("watch: in colour", b"\x1b[32m" in t.raw, t.raw)
        before = len(t.raw)
        t.resize(12, 60)
        t.until("generators")
        t.read(0.5)
        check("watch: a new size is drawn anew", len(t.raw) > before + 200 and b"earning" in t.raw[before:], t.raw[before:])
        m.query("chapters", "y")
        t.resize(30, 110)
        check("watch: what happens is seen", t.until("chapters"), t.raw[-2000:])
        os.write(t.fd, b"q")
        check("watch: q ends it, and the terminal is put back", t.end() == 0 and t.restored(), t.raw[-300:])
        for name, how in (("Ctrl-C", lambda t: os.write(t.fd, b"\x03")), ("SIGTERM", lambda t: os.kill(t.pid, signal.SIGTERM))):
            t = Terminal(m, env={"NO_COLOR": "1"})
            t.until("last requests")
            how(t)
            check(f"watch: {name} ends it, and the terminal is put back", t.end() == 0 and t.restored(), t.raw[-300:])
        check("watch: without colour under NO_COLOR", not re.search(rb"\x1b\[3[0-7]m", t.raw), t.raw)
        t = Terminal(m, env={"TERM": "dumb-and-unknown"})
        check("watch: a terminal that cannot do it gets lines", t.until("last hour") and b"\x1b" not in t.raw, t.raw)
        os.kill(t.pid, signal.SIGTERM)
        t.end()
        p = subprocess.Popen([STORYFI, "status", "--watch", *m.flags, "--admin.port", str(m.admin)], stdout=subprocess.PIPE, text=True)
        line = p.stdout.readline()
        check("watch: without a terminal it is plain lines", re.match(r"\d{4}-.*Z ready; earning nothing", line)
              and "good ready" in line and "\x1b" not in line, line)
        m.stop()
        line = p.stdout.readline()
        check("watch: an end of the miner is told", "no miner answers" in line, line)
        p.terminate()
        check("watch: and SIGTERM ends the lines with 0", p.wait(10) == 0)
        p.stdout.close()
    check("watch: beside --json it exits 100", run("status", "--watch", "--json").returncode == 100)


# ---- all of it -----------------------------------------------------------------------------------

TESTS = [repeated, rotated, reloaded, full_disk, clocks, stopped, moved, exported, watched]


def guarded(test):
    try:
        test()
    except Exception as error:  # a test that breaks off is a test that failed
        import traceback
        check(f"keep: {test.__name__} runs to its end", False, "".join(traceback.format_exception(error))[-390:])


def main():
    if sys.argv[1:] == ["inside"]:
        guarded(inside)
        return
    chosen = [t for t in TESTS if len(sys.argv) < 2 or t.__name__ in sys.argv[1:]]
    threads = [threading.Thread(target=guarded, args=(t,)) for t in chosen]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    shutil.rmtree(TMP, ignore_errors=True)


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(1 if harness.failed else 0)
