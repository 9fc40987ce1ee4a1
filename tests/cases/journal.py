# SPDX-License-Identifier: MIT
"""What a miner keeps of its requests, and what it says of itself while it can and cannot answer."""
import datetime
import http.client
import http.server
import json
import os
import pathlib
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
import harness  # noqa: E402
from harness import SCRIPTS, Miner, check, run, script_config  # noqa: E402

SANITIZED = os.environ.get("STORYFI_SANITIZED") == "1"
LATEST = 2.5 if SANITIZED else 1  # seconds from an answer to the disk
NAMED = """generator:
  mode: "bad"
  fallback: ["good"]
  custom:
    - name: "bad"
      script_path: "{0}/exit3.sh"
    - name: "good"
      script_path: "{0}/stories.py"
"""


def wait_for(condition, seconds=15):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    return condition()


def rows(path, sql):
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        return db.execute(sql).fetchall()


def answered(log):
    """{request: when it was answered}, from the log."""
    found = re.findall(r'^(\S+) info axon msg="request answered" req=(\d+)', log.read_text(), re.M)
    return {int(n): datetime.datetime.fromisoformat(t.replace("Z", "+00:00")).timestamp() for t, n in found}


def load(m, until):
    def ask():
        while not until.is_set() and m.process.poll() is None:
            m.query()
    threads = [threading.Thread(target=ask) for _ in range(3)]
    for t in threads:
        t.start()
    return threads


def killed_under_load():
    with Miner(script_config("stories.py"), ["--logging.debug"]) as m:
        journal = m.dir / "state" / "journal.db"
        highest = 0
        for turn in (1,) if SANITIZED else (1, 2):
            until = threading.Event()
            threads = load(m, until)

            def due(now):
                return {n for n, t in answered(m.log).items() if n > highest and t < now - LATEST}
            wait_for(lambda: len(due(time.time())) >= 8, 60)
            m.process.send_signal(signal.SIGKILL)
            killed = time.time()
            m.process.wait()
            until.set()
            for t in threads:
                t.join()
            log, old = answered(m.log), due(killed)
            kept = {n for n, in rows(journal, "SELECT id FROM requests")}
            sound = rows(journal, "PRAGMA integrity_check")
            check(f"journal: kill -9 under load leaves it whole ({turn})", sound == [("ok",)], sound)
            check(f"journal: and takes the last second at most ({turn})", len(old) >= 8 and old <= kept,
                  (len(log), sorted(old - kept)))
            new = min(n for n in log if n > highest)
            check(f"journal: numbers go on ({turn})", new > highest and len(kept) > 0, (new, highest))
            highest = max(log)
            h = run("history", "--json", "--limit", 1000, *m.flags)
            check(f"journal: history reads what the killed one left ({turn})",
                  {r["id"] for r in json.loads(h.stdout)} == kept, h.stderr)
            m.start()
        m.query()
        last = max(answered(m.log))
        check("journal: no number is given twice", last > highest, (last, highest))
        check("journal: an orderly end loses nothing", m.stop() == 0 and
              (last,) in rows(journal, "SELECT id FROM requests"))


def shown():
    with Miner(NAMED.format(SCRIPTS), ["--logging.info"]) as m:
        start = m.log.read_text()
        m.query()
        m.query("chapters", "a town under the sea \x1b[31m")
        c = run("generate", *m.flags, "--task", "blueprint", "--input", "from here", "--mode", "good")
        check("journal: generate beside a running miner", c.returncode == 0, c.stderr)
        wait_for(lambda: len(json.loads(run("history", "--json", *m.flags).stdout)) == 3)
        log = m.log.read_text()
        line = re.findall(r'^\S+ warn axon msg="answered by good after bad failed: .*exit status 3.*" req=(\d+) ', log, re.M)
        check("journal: an answer by a fallback is one line that names both", len(line) == 2, log)
        t = run("trail", line[0], "--answer", *m.flags)
        check("journal: trail shows each generator and why", t.returncode == 0 and "1. bad (custom): failed" in t.stdout
              and "exit status 3" in t.stdout and "2. good (custom): answered" in t.stdout and '"title"' in t.stdout, t.stdout)
        h = run("history", *m.flags)
        check("journal: history is a table, newest first, without colour", h.returncode == 0
              and len(h.stdout.splitlines()) == 4 and "cli" in h.stdout.splitlines()[1] and "\x1b" not in h.stdout, h.stdout)
        only = json.loads(run("history", "--json", "--task", "chapters", "--origin", "validator", "--generator", "good",
                              "--status", "ok", "--since", "2h", *m.flags).stdout)
        check("journal: history filters", [r["task"] for r in only] == ["chapters"], only)
        page = json.loads(run("history", "--json", "--limit", 1, "--before", only[0]["id"], *m.flags).stdout)
        check("journal: history goes back page by page", [r["task"] for r in page] == ["blueprint"], page)
        t = json.loads(run("trail", only[0]["id"], "--json", *m.flags).stdout)
        check("journal: trail as JSON", t["steps"][0]["outcome"] == "failed" and t["status"] == 200
              and t["steps"][1]["attempts"][0]["code"] == "SF_OK", t)
        check("journal: nothing from outside reaches a terminal as it is",
              "\x1b" not in run("trail", only[0]["id"], *m.flags).stdout)
        s = m.status()
        bad, good = s["generators"]
        check("journal: status has the last day's figures", good["last_24h"]["answers"] == 3 and good["p95_seconds"] > 0
              and bad["last_24h"]["failures"] == 2 and "exit status 3" in bad["last_error"], s)
        text = run("status", "--admin.port", m.admin).stdout
        check("journal: status shows them", "last 24 h: 3 answers, 0 failures (100 % good), half within" in text
              and "last error, " in text, text)
        check("journal: start lines", "✅ Generator Mode: custom" in start, start)
        check("journal: the miner ends well", m.stop() == 0)
        check("journal: trail works after its end", run("trail", line[0], *m.flags).returncode == 0)
        check("journal: states of generators are kept",
              ("good", "absent", "ready") in rows(m.dir / "state" / "journal.db",
                                                  "SELECT name, from_state, to_state FROM generator_states"))


def refused():
    empty = pathlib.Path(tempfile.mkdtemp(prefix="storyfi-journal-"))
    flags = ["--state_dir", empty, "--config", empty / "c.yaml"]
    (empty / "c.yaml").write_text(script_config("stories.py"))
    h = run("history", "--json", *flags)
    check("journal: history of nothing is an empty list", h.returncode == 0 and json.loads(h.stdout) == []
          and "nothing was recorded" in h.stderr, h.stderr)
    check("journal: trail of nothing exits 1", run("trail", 1, *flags).returncode == 1)
    for args, text in ((["trail", "x"], "takes the number"), (["history", "--since", "soon"], "90s, 30m"),
                       (["history", "--status", "good"], "takes ok, failed"), (["history", "--task", "poem"], "blueprint"),
                       (["history", "--origin", "nobody"], "validator, playground")):
        r = run(*args, *flags)
        check(f"journal: wrong use exits 100: {' '.join(args)}", r.returncode == 100 and text in r.stderr, r.stderr)
    r = run("generate", *flags, "--task", "blueprint", "--input", "x")
    check("journal: generate records itself", r.returncode == 0 and run("trail", 1, *flags).returncode == 0, r.stderr)
    t = run("trail", 77, *flags)
    check("journal: an unknown request exits 1 with words", t.returncode == 1 and "has no request 77" in t.stderr, t.stderr)
    with sqlite3.connect(empty / "journal.db") as db:
        db.execute("PRAGMA user_version=99")
    for command in (["history"], ["trail", "1"]):
        r = run(*command, *flags)
        check(f"journal: {command[0]} refuses a newer program's journal", r.returncode == 100 and "newer storyfi" in r.stderr,
              r.stderr)
    r = run("generate", *flags, "--task", "blueprint", "--input", "x")
    check("journal: and a request is answered all the same", r.returncode == 0 and "newer storyfi" in r.stderr, r.stderr)


def in_the_way():
    """A file where the journal's folder should be: the miner goes on, says so once, and recovers."""
    m = Miner(script_config("stories.py"))
    folder = m.dir / "journal"
    folder.write_text("in the way")
    m.flags += ["--journal.path", str(folder / "journal.db")]
    with m:
        check("journal: without a place for it the miner answers", m.query().returncode == 0 and m.query().returncode == 0)
        text = run("status", "--admin.port", m.admin).stdout
        check("journal: and says so", "requests are not recorded" in text and "Not a directory" in text, text)
        folder.unlink()
        kept = wait_for(lambda: (folder / "journal.db").exists() and m.status()["journal"]["writing"])
        wait_for(lambda: m.status()["journal"]["waiting"] == 0)
        log = m.log.read_text()
        check("journal: it is written as soon as it can be, nothing lost",
              kept and len(rows(folder / "journal.db", "SELECT id FROM requests")) == 2, log)
        check("journal: the trouble was said once", log.count("requests are not recorded") == 1
              and log.count("the journal is written again") == 1, log)
        check("journal: that miner ends well", m.stop() == 0)


def systemd():
    """What a service manager is told, with a generator that is missing at first."""
    with tempfile.TemporaryDirectory() as place, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        path = os.path.join(place, "notify")
        s.bind(path)
        s.setblocking(False)
        told = []

        def read():
            while True:
                try:
                    told.append(s.recv(4096).decode())
                except BlockingIOError:
                    return told
        env = {"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "400000"}
        with Miner(script_config("absent.sh"), env=env) as m:
            wait_for(lambda: any("STATUS=no generator" in t for t in read()))
            check("ready: no, while no generator can answer", m.get(m.admin, "/ready")[0] == 503 and "READY=1" not in read(), told)
            check("ready: systemd is asked for time", any(t.startswith("EXTEND_TIMEOUT_USEC=") for t in read()), told)
            health = json.loads(m.get(m.admin, "/health")[1])
            check("ready: /health names cause and check", health["status"] == "degraded"
                  and "Custom generator failed" in health["reason"] and "is not there" in health["reason"]
                  and "storyfi doctor --mode custom" in health["reason"], health)
            check("ready: so does the start", "❌ No generator available" in m.log.read_text(), m.log.read_text())
            q = m.query()
            check("ready: a validator gets 503", "HTTP 503" in q.stderr, q.stderr)
            m.config.write_text(script_config("stories.py"))
            m.process.send_signal(signal.SIGHUP)
            wait_for(lambda: "READY=1" in read())
            check("ready: told once the generator can answer", read().count("READY=1") == 1
                  and m.get(m.admin, "/ready")[0] == 200, told)
            wait_for(lambda: "STATUS=answering: custom" in read())
            before = read().count("WATCHDOG=1")
            check("ready: signs of life keep coming", wait_for(lambda: read().count("WATCHDOG=1") >= before + 3, 5), told)
            check("ready: the end is told", m.stop() == 0 and "STOPPING=1" in read(), told)
            refusals = rows(m.dir / "state" / "journal.db", "SELECT status, message FROM requests")
            check("ready: the refused request is on record", len(refusals) == 1 and refusals[0][0] == 503, refusals)


def guests():
    """serve's callers are on record as such; it too tells systemd."""
    port, state = Miner.free_port(), pathlib.Path(tempfile.mkdtemp(prefix="storyfi-journal-"))
    (state / "c.yaml").write_text(NAMED.format(SCRIPTS))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s, open(state / "log", "wb") as log:
        s.bind(str(state / "notify"))
        s.settimeout(20)
        serve = subprocess.Popen(
            [harness.STORYFI, "serve", "--port", str(port), "--config", str(state / "c.yaml"), "--state_dir", str(state)],
            stdout=log, stderr=log, env={**os.environ, "NOTIFY_SOCKET": str(state / "notify")})
        try:
            while s.recv(4096) != b"READY=1":
                pass
            c = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
            c.request("POST", "/generate", json.dumps({"task_type": "blueprint", "user_input": "the sea"}),
                      {"Content-Type": "application/json"})
            answer = json.loads(c.getresponse().read())
            c.close()
            serve.terminate()
            check("journal: serve ends well, and says so", serve.wait(30) == 0 and b"STOPPING=1" in iter(lambda: s.recv(4096), b""))
        finally:
            serve.kill()
            serve.wait()
    kept = rows(state / "journal.db", "SELECT origin, generator, status FROM requests")
    check("journal: a caller of serve is on record", "content" in answer and kept == [("serve", "good", 200)], (answer, kept))
    check("journal: his fallback is one line that names both",
          'msg="answered by good after bad failed: ' in (state / "log").read_text(), (state / "log").read_text())


class Provider(http.server.BaseHTTPRequestHandler):
    """An OpenAI-compatible service that writes the same blueprint each time, for 100 and 200 tokens."""
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.reply("application/json", json.dumps({"data": [{"id": "test-model"}]}))

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        text = (harness.ROOT / "tests" / "data" / "story" / "blueprint.json").read_text()
        usage = {"prompt_tokens": 100, "completion_tokens": 200, "total_tokens": 300}
        part = {"index": 0, "finish_reason": "stop", "delta" if asked.get("stream") else "message":
                {"role": "assistant", "content": text}}
        answer = {"id": "x", "model": "test-model", "choices": [part], "usage": usage}
        if asked.get("stream"):
            self.reply("text/event-stream", f"data: {json.dumps(answer)}\n\ndata: [DONE]\n\n")
        else:
            self.reply("application/json", json.dumps(answer))

    def reply(self, kind, text):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        pass


def budgets():
    """What an account may spend is not forgotten when the miner is killed, and its cost is shown."""
    service = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    threading.Thread(target=service.serve_forever, daemon=True).start()
    config = ('generator:\n  mode: "api"\n  fallback: []\n  api:\n    provider: "custom"\n    model: "test-model"\n'
              f'    endpoint: "http://127.0.0.1:{service.server_port}/v1"\n    api_key_env: "TEST_KEY"\n'
              '    limits: {requests_per_hour: 2}\n    price: {input: 1, output: 2}\n')
    with Miner(config, env={"TEST_KEY": "sk-test-0123456789abcdef"}) as m:
        journal = m.dir / "state" / "journal.db"
        first = m.query()
        check("budget: an answer of an api", first.returncode == 0, first.stderr)
        wait_for(lambda: rows(journal, "SELECT sum(requests) FROM attempts") == [(1,)])
        m.process.kill()
        m.process.wait()
        m.start()
        second, third = m.query(), m.query()
        check("budget: the second request is the last one after a restart", second.returncode == 0
              and "HTTP 503" in third.stderr, (second.stderr, third.stderr))
        wait_for(lambda: len(rows(journal, "SELECT id FROM requests")) == 3)
        last = json.loads(run("history", "--json", "--limit", 1, *m.flags).stdout)[0]
        t = run("trail", last["id"], *m.flags)
        check("budget: the trail says why", "passed over" in t.stdout and "budget" in t.stdout, t.stdout)
        t = run("trail", 1, *m.flags).stdout
        check("budget: and what an answer cost", "100 tokens in" in t and "200 out, $0.000500" in t, t)
        health = json.loads(m.get(m.admin, "/health")[1])
        check("budget: /health says it too", m.get(m.admin, "/ready")[0] == 503 and "budget" in health["reason"], health)
        text = run("status", "--admin.port", m.admin).stdout
        check("budget: status shows what was spent", "2 paid requests, 200 tokens in, 400 out, $0.0010" in text
              and "out for" in text, text)
        check("budget: no key is in log or journal", "0123456789" not in m.log.read_text()
              and b"0123456789" not in journal.read_bytes())
        check("budget: that miner ends well", m.stop() == 0)
    service.shutdown()


def breaking():
    """A generator that breaks while the miner runs, and comes back."""
    script = pathlib.Path(tempfile.mkdtemp(prefix="storyfi-journal-")) / "turns.sh"
    script.write_text(f'#!/bin/sh\n[ ! -e "$0.broken" ] || exit 3\nexec "{SCRIPTS}/stories.py"\n')
    script.chmod(0o755)
    broken = pathlib.Path(str(script) + ".broken")
    config = (f'generator:\n  mode: "custom"\n  fallback: []\n  custom:\n    script_path: "{script}"\n'
              '  chain:\n    breaker_failures: 2\n    breaker_open: 1\n    breaker_open_max: 1\n    retry_jitter_min_ms: 1\n    retry_jitter_max_ms: 2\n')
    with Miner(config) as m:
        check("ready: yes, with a generator", m.get(m.admin, "/ready")[0] == 200)
        broken.touch()
        for _ in range(6):
            m.query()
            if m.get(m.admin, "/ready")[0] == 503:
                break
        g = m.status()["generators"][0]
        check("ready: no, when its breaker is open", m.get(m.admin, "/ready")[0] == 503 and g["use"] == "resting" and g["state"] == "ready"
              and g["out_for_seconds"] > 0, g)
        broken.unlink()
        check("ready: it comes back by itself", wait_for(lambda: m.query().returncode == 0))
        check("ready: and is ready again", wait_for(lambda: m.get(m.admin, "/ready")[0] == 200))
        def states():
            return [s for s, in rows(m.dir / "state" / "journal.db", "SELECT to_state FROM generator_states ORDER BY id")]
        wait_for(lambda: len(states()) > 2 and states()[-1] == "ready")
        seen = states()
        check("ready: what happened to the generator is on record", seen[0] == "ready" and "resting" in seen
              and seen[-1] == "ready", seen)
        check("ready: the miner ends well", m.stop() == 0)


def main():
    for part in (killed_under_load, shown, refused, in_the_way, systemd, guests, budgets, breaking):
        try:
            part()
        except Exception as error:  # a part that breaks must not hide the others
            check(f"journal: {part.__name__} runs to its end", False, repr(error))
    return 1 if harness.failed else 0


if __name__ == "__main__":
    sys.exit(main())
