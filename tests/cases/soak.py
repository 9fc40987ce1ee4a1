# SPDX-License-Identifier: MIT
"""A miner under mixed load while faults happen at random: usage: soak.py HOURS [SEED].

The default model (without it the stub engine) in front, an API and a service that come and go behind it, a script last;
callers ask for all four tasks all the time. Meanwhile: engines killed, stopped and aborted, providers flapping, the
chain's node gone, the disk of journal and log full, the clock set, everything stopped for a moment, SIGHUP with good and
broken configurations, SIGUSR1 after a rename. At the end no request was left unanswered past its deadline, memory,
descriptors and threads are where they were, and the journal is whole and has every answer. A table is printed. The seed
decides what happens and in which order; what it meets depends on the machine."""
import collections
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "faults"), str(HERE)]
import harness  # noqa: E402
import wire  # noqa: E402
from engine_faults import child_of  # noqa: E402
from fault_endurance import FLAPS, descriptors, resident  # noqa: E402
from fault_server import Target  # noqa: E402
from harness import STORYFI, Miner, check, run  # noqa: E402
from keep import BUILD, ENGINE, SHIFT, Clock, rows  # noqa: E402
from rig import ENV, SPARE, chain, endpoint, record  # noqa: E402

HOURS = float(sys.argv[1]) if len(sys.argv) > 1 else 0.03
SEED = int(sys.argv[2]) if len(sys.argv) > 2 else int(os.environ.get("SOAK_SEED") or random.randrange(1 << 32))
SECONDS = HOURS * 3600
CALLERS, KEYS = 3, 8
TIMEOUTS = (6, 12, 20)
MARGIN = 0.8  # less than deadline.margin: who stands still for longer may miss what is left
LATE = 1.5  # a client's own start and end, on a busy machine; what everything stood still comes on top
# Each of the ten workers may keep a connection to each of two targets, and what it waits on.
MORE_FDS, MORE_THREADS = 32, 8
# Tables of fixed size fill up as requests come (live.c, the journal's pages), and the allocator keeps an arena a thread:
# that ends. A leak goes on: so the second half may add less than the first.
MORE_KIB, MORE_LATE_KIB = 14 << 10, 5 << 10
TMP = pathlib.Path(tempfile.mkdtemp(prefix="storyfi-soak-"))


def threads_of(pid):
    return len(os.listdir(f"/proc/{pid}/task"))


# ---- what there is -------------------------------------------------------------------------------

class Disk:
    """Of the miner's state; a small one of its own where that may be mounted."""

    def __init__(self):
        self.path = TMP / "disk"
        self.path.mkdir()
        self.mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "soak", self.path],
                                      capture_output=True).returncode == 0
        if not self.mounted:
            print("SKIP soak: a full disk: no tmpfs can be mounted here (root can)")

    def fill(self):
        try:
            with open(self.path / "filler", "wb", buffering=0) as f:
                while True:
                    f.write(b"x" * 65536)
        except OSError:
            pass
        try:  # and the last bytes
            with open(self.path / "filler", "ab", buffering=0) as f:
                while True:
                    f.write(b"x" * 512)
        except OSError:
            pass

    def free(self):
        (self.path / "filler").unlink(missing_ok=True)

    def close(self):
        if self.mounted:
            subprocess.run(["umount", "-l", self.path], check=False)


def local_section():
    model = os.environ.get("DEFAULT_MODEL", "")
    if model and pathlib.Path(model).exists() and (BUILD / "storyfi-engine").exists():
        return "default model", f'    model_name: "{model}"\n    stall_timeout: 2\n'
    stub = TMP / "stub.gguf"
    stub.write_text("chat 1\ndecode_us 2000\n")
    return "stub engine", f'    model_name: "{stub}"\n    engine_path: "{ENGINE}"\n    stall_timeout: 2\n'


def configuration(first, second, local, more=""):
    return (f'generator:\n  mode: "local"\n  fallback: ["api", "service", "spare"]\n  local:\n{local}  api:\n{record(first)}'
            f'  custom:\n    - name: "service"\n      endpoint: "{endpoint(second)}"\n      timeout: 2\n'
            f'    - name: "spare"\n      script_path: "{SPARE}"\n' + chain(progress_timeout=2) + more)


def make_miner(disk, clock, text):
    """On the network where the SDK is there to double a node with, else offline."""
    flags = ["--state_dir", disk.path / "state", "--logging.file", disk.path / "log", "--logging.max_size", "256KiB",
             "--logging.keep", "2", "--journal.max_size", "8MiB"]
    env = {**ENV, "OPENAI_API_KEY": wire.OpenAI().key, **clock.env()}
    try:
        from network import NETUID, NetMiner, fresh
    except ImportError:
        print("SKIP soak: the chain: the network's Python SDK is not there (make setup)")
        m = Miner(text, flags, env=env, wait=60)
        m.host, m.node = "127.0.0.1", None
        return m
    chain_, m_node = fresh()
    m = NetMiner(m_node.ws, *flags, "--blacklist.allow_non_registered", env=env)
    m.config.write_text(text)
    m.wait = 60
    chain_.register(NETUID, 1, m.key)
    m.host, m.node = "127.0.0.2", m_node
    return m


# ---- the load ------------------------------------------------------------------------------------

class Load:
    def __init__(self, m, clock, still):
        self.m, self.clock, self.still = m, clock, still
        self.lock, self.stop, self.number = threading.Lock(), threading.Event(), 0
        self.results = []  # (number, task, outcome, by, seconds, late)
        self.wallets = [["--wallet.path", str(TMP / "callers"), "--wallet.name", f"c{k}", "--wallet.hotkey", "default"]
                        for k in range(KEYS)]
        for flags in self.wallets:
            run("wallet", "create", "--json", *flags)
        self.threads = [threading.Thread(target=self.caller, args=(k,)) for k in range(CALLERS)]

    def caller(self, k):
        mine = random.Random(SEED * 31 + k)
        while not self.stop.is_set():
            self.ask(mine.choice(("blueprint", "characters", "story_arc", "chapters")), mine.choice(TIMEOUTS))
            self.stop.wait(mine.uniform(0, 0.6))

    def ask(self, task, timeout):
        with self.lock:
            self.number += 1
            number = self.number
        began = time.monotonic()
        try:
            r = subprocess.run(
                [STORYFI, "query", "--axon", f"{self.m.host}:{self.m.port}", "--axon.hotkey", self.m.hotkey, "--task", task,
                 "--input", f"soak {number} 关于大海的故事" if number % 2 else f"soak {number} of the sea", "--timeout", str(timeout),
                 "--json", *self.wallets[number % KEYS]], capture_output=True, text=True, timeout=timeout + 30,
                env={**os.environ, **self.clock.env()})
            outcome, by = self.read(r)
        except subprocess.TimeoutExpired:
            outcome, by = "no answer", None
        ended = time.monotonic()
        stood = self.still.within(began, ended)
        if outcome == "no answer" and stood > MARGIN:
            outcome = "stood still"
        late = ended - began - timeout - LATE - stood
        with self.lock:
            self.results.append((number, task, outcome, by, ended - began, late))

    @staticmethod
    def read(r):
        if r.returncode == 0:
            info = json.loads(r.stdout)["model_info"]
            return "200", info.get("mode") if info.get("name") is None else f'{info["mode"]}/{info["name"]}'
        for word in ("HTTP 401", "HTTP 408", "HTTP 429", "HTTP 503"):
            if word in r.stderr:
                return word[5:], None
        return "no answer" if r.returncode == 111 else f"other: {r.stderr.strip()[-120:]}", None


class Still:
    """When everything stood still, by our own hand."""

    def __init__(self):
        self.spans = []

    def within(self, began, ended):
        return sum(max(0, min(ended, b) - max(began, a)) for a, b in list(self.spans))


# ---- the faults ----------------------------------------------------------------------------------

class Faults:
    def __init__(self, m, disk, clock, targets, texts, still):
        self.m, self.disk, self.clock, self.targets, self.still = m, disk, clock, targets, still
        self.good, self.broken = texts
        self.random = random.Random(SEED)
        self.done = collections.Counter()
        self.kinds = [self.child_killed, self.child_stopped, self.child_aborted, self.provider, self.provider, self.provider,
                      self.reload, self.broken_reload, self.log_moved, self.standstill]
        self.kinds += [self.disk_full] if disk.mounted else []
        self.kinds += [self.chain_gone] if m.node else []
        self.kinds += [self.clock_set, self.slept] if SHIFT.exists() else []

    def run(self, until):
        queue = []
        while time.monotonic() < until:
            if not queue:  # each of them, in an order of its own
                queue = self.random.sample(self.kinds, len(self.kinds))
            fault = queue.pop()
            self.done[fault.__name__.replace("_", " ")] += 1
            fault()
            time.sleep(min(self.random.uniform(0.3, 2), max(0, until - time.monotonic())))
        self.heal()

    def heal(self):
        self.disk.free()
        self.clock.set(0)
        for t in self.targets:
            t.heal()
        if self.m.node:
            self.m.node.down = False
        self.m.config.write_text(self.good)

    def to_child(self, sig):
        pid = child_of(self.m.process.pid)
        if pid:
            try:
                os.kill(pid, sig)
            except ProcessLookupError:
                pass

    def child_killed(self):
        self.to_child(signal.SIGKILL)

    def child_stopped(self):
        self.to_child(signal.SIGSTOP)

    def child_aborted(self):
        self.to_child(signal.SIGABRT)

    def provider(self):
        target, (how, step) = self.random.choice(self.targets), self.random.choice(FLAPS)
        target.heal()
        if how == "refuse":
            target.refuse()
        elif how == "always":
            target.always = step

    def reload(self):
        self.m.config.write_text(self.good + f"deadline:\n  absent: {self.random.randrange(5, 20)}\n")
        self.m.process.send_signal(signal.SIGHUP)

    def broken_reload(self):
        self.m.config.write_text(self.broken)
        self.m.process.send_signal(signal.SIGHUP)

    def log_moved(self):
        try:
            (self.disk.path / "log").rename(self.disk.path / "log.moved")
        except OSError:
            pass
        self.m.process.send_signal(signal.SIGUSR1)

    def disk_full(self):
        self.disk.fill()
        time.sleep(self.random.uniform(1, 4))
        self.disk.free()

    def chain_gone(self):
        self.m.node.down = not self.m.node.down

    def clock_set(self):
        self.clock.set(self.random.choice((0, 3, -3, 3600, -3600, 86400 * 40)))

    def slept(self):
        self.clock.set(0, self.random.choice((30, 7200)))

    def standstill(self):
        pids = [p for p in (child_of(self.m.process.pid), self.m.process.pid) if p]
        began = time.monotonic()
        for sig in (signal.SIGSTOP, signal.SIGCONT):
            for pid in pids:
                try:
                    os.kill(pid, sig)
                except ProcessLookupError:
                    pass
            if sig == signal.SIGSTOP:
                time.sleep(self.random.uniform(0.5, 2))
        self.still.spans.append((began, time.monotonic()))


# ---- all of it -----------------------------------------------------------------------------------

class Gauges:
    """Memory, descriptors and threads of the miner, each second."""

    def __init__(self, pid):
        self.pid, self.seen, self.over = pid, [], threading.Event()
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()

    def look(self):
        return resident(self.pid), descriptors(self.pid), threads_of(self.pid)

    def watch(self):
        while not self.over.wait(1):
            try:
                self.seen.append(self.look())
            except OSError:
                return

    def middle(self):
        """What was resident around the middle of the run."""
        n = len(self.seen)
        return statistics.median(r[0] for r in self.seen[int(n * 0.45):int(n * 0.55) + 1])

    def close(self):
        self.over.set()
        self.thread.join()


def is_flat(kib, before, middle):
    return kib - before < MORE_KIB and kib - middle < MORE_LATE_KIB


def quiet(m, gauges, before):
    """After the last request: until it is as it was, or not."""
    middle = gauges.middle()
    end = time.monotonic() + 30
    while time.monotonic() < end:
        now = gauges.look()
        queue = m.status()["queue"]
        if queue["depth"] + queue["in_flight"] == 0 and is_flat(now[0], before[0], middle) and now[1] <= before[1] + MORE_FDS and now[2] <= before[2] + MORE_THREADS \
                and m.status()["journal"]["writing"] and m.status()["journal"]["waiting"] == 0:
            break
        time.sleep(0.2)
    return gauges.look(), middle


def table(engine, load, faults, gauges, before, after, recorded):
    times = sorted(r[4] for r in load.results if r[2] == "200")
    print(f"\nsoak of {HOURS} h, seed {SEED}, {engine}, on {socket.gethostname()} with {os.cpu_count()} cores")
    print(f"  {'requests':<22}{len(load.results)}")
    for name, key in (("by outcome", 2), ("by task", 1), ("answered by", 3)):
        counted = collections.Counter(r[key] for r in load.results if r[key])
        print(f"  {name:<22}" + ", ".join(f"{k} {n}" for k, n in counted.most_common()))
    if times:
        print(f"  {'seconds to an answer':<22}half {statistics.median(times):.2f}, 95 % {times[int(len(times) * 0.95)]:.2f}, "
              f"last {times[-1]:.2f}")
    print(f"  {'faults':<22}{sum(faults.done.values())}: " + ", ".join(f"{k} {n}" for k, n in sorted(faults.done.items())))
    for name, k in (("resident, KiB", 0), ("descriptors", 1), ("threads", 2)):
        column = [s[k] for s in gauges.seen] or [before[k]]
        print(f"  {name:<22}{before[k]} before, {min(column)} to {max(column)} during, {after[k]} after")
    print(f"  {'on record':<22}{recorded}", flush=True)


def judge(load, faults, before, middle, after, journal):
    # Who heard nothing, or late, on a machine that is busier than ten miners: the miner's own record says when it answered.
    in_time = {int(text.split()[1]) for text, took, deadline in rows(
        journal, "SELECT user_input, took_ms, deadline_ms FROM requests WHERE user_input LIKE 'soak %'") if took <= deadline + 700}
    bad = [r for r in load.results if r[2].startswith("other") or ((r[2] == "no answer" or r[5] > 0) and r[0] not in in_time)]
    deaf = sum(r[2] == "no answer" for r in load.results)
    answered = {r[0] for r in load.results if r[2] == "200"}
    check(f"soak: none of {len(load.results)} requests was left unanswered past its deadline", not bad, bad[:5])
    check("soak: and hardly a caller heard nothing in time", deaf <= 1 + 0.02 * len(load.results), deaf)
    check("soak: three of four were answered with a story, all that notwithstanding", len(answered) >= 0.75 * len(load.results),
          collections.Counter(r[2] for r in load.results))
    check("soak: each kind of fault happened", len(faults.done) == len({k.__name__ for k in faults.kinds}), faults.done)
    check("soak: memory is flat", is_flat(after[0], before[0], middle), (before, middle, after))
    check("soak: descriptors are", after[1] <= before[1] + MORE_FDS, (before, after))
    check("soak: threads are", after[2] <= before[2] + MORE_THREADS, (before, after))
    check("soak: the journal is whole", rows(journal, "PRAGMA integrity_check") == [("ok",)])
    kept = [int(text.split()[1]) for text, in rows(journal, "SELECT user_input FROM requests WHERE status = 200 AND "
                                                            "user_input LIKE 'soak %'")]
    oldest = min(kept, default=1) if rows(journal, "SELECT min(id) FROM requests")[0][0] > 1 else 1
    lost = {n for n in answered if n >= oldest} - set(kept)
    check("soak: and has every answer", not lost and len(kept) == len(set(kept)), sorted(lost)[:20])
    return len(kept)


def soak(disk, clock):
    first, second = Target(wire.OpenAI()).start(), Target(wire.Service()).start()
    engine, local = local_section()
    good, still = configuration(first, second, local), Still()
    m = make_miner(disk, clock, good)
    with m:
        load = Load(m, clock, still)
        for t in load.threads:
            t.start()
        faults = Faults(m, disk, clock, (first, second), (good, good + "axon: [broken\n"), still)
        warm = min(15.0, SECONDS / 6)
        end = time.monotonic() + SECONDS
        time.sleep(warm / 2)
        faults.reload()  # its second engine and all that belongs to the warm state
        time.sleep(warm / 2)
        gauges = Gauges(m.process.pid)
        before = gauges.look()
        try:
            faults.run(end)
        finally:
            faults.heal()
            load.stop.set()
            for t in load.threads:
                t.join()
        check("soak: the miner that was started still runs", m.process.poll() is None, m.log.read_text()[-900:])
        m.process.send_signal(signal.SIGHUP)
        after, middle = quiet(m, gauges, before)
        gauges.close()
        left = m.status()["queue"]
        check("soak: nothing is left in flight", left["depth"] + left["in_flight"] == 0, left)
        answers = m.query("blueprint", "after all that", "--timeout", "30") if m.host == "127.0.0.1" else None
        check("soak: it answers after all that", answers.returncode == 0 if answers else m.answers(), m.log.read_text()[-900:])
        check("soak: and ends well", m.stop(timeout=70) == 0)
        journal = disk.path / "state" / "journal.db"
        recorded = judge(load, faults, before, middle, after, journal)
        why = rows(journal, "SELECT count(*), hop, outcome, substr(reason, 1, 60) FROM steps WHERE outcome <> 'answered' "
                            "GROUP BY 2, 3, 4 ORDER BY 1 DESC LIMIT 8")
    table(engine, load, faults, gauges, before, after, recorded)
    for n, hop, outcome, reason in why:
        print(f"  {n:6} times {hop} {outcome}: {reason}")
    print(flush=True)
    if m.node:
        m.node.close()


def main():
    print(f"soak: {HOURS} h, seed {SEED}", flush=True)
    disk, clock = Disk(), Clock()
    try:
        soak(disk, clock)
    except Exception as error:  # what breaks off has failed
        import traceback
        check("soak: runs to its end", False, "".join(traceback.format_exception(error))[-390:])
    finally:
        disk.close()
        shutil.rmtree(TMP, ignore_errors=True)


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(1 if harness.failed else 0)
