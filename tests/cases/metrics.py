# SPDX-License-Identifier: MIT
"""GET /metrics of a miner on a network (the node double), with a generator that fails, a local one and a fallback:
what is on the page, what prometheus makes of it, and that rules and dashboard name nothing else."""
import contextlib
import json
import os
import pathlib
import re
import shutil
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request

sys.path[:0] = [str(pathlib.Path(__file__).parent.parent), str(pathlib.Path(__file__).parent)]
import harness  # noqa: E402
from harness import ROOT, SCRIPTS, check, run  # noqa: E402
from network import HOST, NETUID, NetMiner, fresh, wait_for  # noqa: E402

ENGINE = os.environ.get("STORYFI_ENGINE", "")
CONTRIB = ROOT / "contrib"
TOKEN = "a-token-for-prometheus"
TMP = pathlib.Path(tempfile.mkdtemp(prefix="storyfi-metrics-"))
WORDS = {"sum", "by", "on", "and", "or", "increase", "rate", "time", "changes", "max", "avg_over_time", "offset",
         "histogram_quantile", "label_values", "count"}


def executable(name, text):
    (TMP / name).write_text(text)
    (TMP / name).chmod(0o755)
    return TMP / name


def configuration():
    (TMP / "stub.gguf").write_text("chat 1\n")
    local = f'  local:\n    model_name: "{TMP / "stub.gguf"}"\n    engine_path: "{ENGINE}"\n'
    has_local = os.access(ENGINE, os.X_OK)
    return has_local, (
        f'generator:\n  mode: "broken"\n  fallback: [{"local, " if has_local else ""}poet]\n'
        f'  custom:\n    - name: "broken"\n      script_path: "{SCRIPTS / "exit3.sh"}"\n'
        f'    - name: "poet"\n      script_path: "{SCRIPTS / "stories.py"}"\n{local if has_local else ""}')


@contextlib.contextmanager
def miner():
    """Registered, announced, with a GPU (nvidia-smi says so), its admin listener asking for a token."""
    has_local, text = configuration()
    executable("nvidia-smi", "#!/bin/sh\necho 'NVIDIA H200, 143771, 140000, 9.0'\n")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                    TMP / "admin.key", "-out", TMP / "admin.pem", "-days", "30", "-subj", "/CN=rig", "-addext",
                    "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    chain, node = fresh()
    m = NetMiner(node.ws, "--admin.tls_certificate", TMP / "admin.pem", "--admin.tls_key", TMP / "admin.key",
                 "--admin.token_env", "SCRAPE", "--generator.chain.breaker_open", "600", "--generator.chain.breaker_open_max", "600",
                 env={"SCRAPE": TOKEN, "PATH": f"{TMP}:{os.environ['PATH']}"})
    m.config.write_text(text)
    chain.register(NETUID, 1, m.key)
    with m:
        m.until("Announced: ")
        m.until("Metagraph: ")
        yield m, has_local
    node.close()


def page(m):
    request = urllib.request.Request(f"https://127.0.0.1:{m.admin}/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    with urllib.request.urlopen(request, timeout=20, context=ssl.create_default_context(cafile=TMP / "admin.pem")) as r:
        return r.read().decode()


def value(text, series):
    found = re.search(rf"^{re.escape(series)} (\S+)$", text, re.M)
    return float(found.group(1)) if found else None


def ask(m):
    # broken fails three times, rests, and is passed over from then on
    for n in range(5):
        check(f"metrics: request {n} is answered", m.answers(), m.text()[-300:])
    run("query", "--axon", f"{HOST}:{m.port}", "--axon.hotkey", m.hotkey, "--task", "blueprint", "--input", "x", "--throwaway")


def content(m, has_local):
    answerer = 'generator="local",kind="local"' if has_local else 'generator="poet",kind="custom"'
    multiplier = "1.5" if has_local else "1.0"
    before = page(m)
    check("metrics: what is to be counted stands there at 0",
          value(before, f'storyfi_answers_total{{{answerer},multiplier="{multiplier}"}}') == 0 and
          value(before, 'storyfi_deadline_total{met="no"}') == 0, before[-300:])
    ask(m)
    text = wait_for(lambda: (t := page(m)) and value(t, 'storyfi_deadline_total{met="yes"}') == 5 and "storyfi_gpu_memory" in t and t)
    if not check("metrics: five requests later", bool(text), page(m)[-300:]):
        return ""
    wanted = {f'storyfi_answers_total{{{answerer},multiplier="{multiplier}"}}': 5,
              f"storyfi_fallback_answers_total{{{answerer}}}": 5,
              'storyfi_generator_attempts_total{generator="broken",kind="custom",result="ok"}': 0,
              'storyfi_generator_breaker_open{generator="broken",kind="custom"}': 1,
              'storyfi_generator_ready{generator="broken",kind="custom"}': 0,
              'storyfi_answer_seconds_count{task="blueprint"}': 5,
              "storyfi_verify_seconds_count": 5, "storyfi_queue_wait_seconds_count": 5,
              'storyfi_refused_total{gate="registered"}': 1,
              'storyfi_requests_total{task="",status="403",standing="unverified"}': 1,
              'storyfi_requests_total{task="blueprint",status="200",standing="registered"}': 5,
              "storyfi_registered": 1, "storyfi_announced": 1, "storyfi_ready": 1, "storyfi_offline": 0,
              "storyfi_stake_tao": 2000, "storyfi_position": 1, "storyfi_miners": 1,
              'storyfi_gpu_memory_bytes{gpu="0",name="NVIDIA H200"}': 143771 << 20}
    got = {s: value(text, s) for s in wanted}
    check("metrics: the page counts what happened", got == wanted, {s: (got[s], wanted[s]) for s in wanted if got[s] != wanted[s]})
    near = {"storyfi_admin_certificate_end_timestamp_seconds": (time.time() + 29 * 86400, time.time() + 31 * 86400),
            "storyfi_chain_lag_seconds": (0, 20), "storyfi_metagraph_age_seconds": (0, 20), "process_open_fds": (5, 500),
            "process_resident_memory_bytes": (1 << 20, 1 << 30), "process_threads": (5, 200)}
    off = {s: value(text, s) for s, (low, high) in near.items() if not low <= (value(text, s) or -1) <= high}
    check("metrics: times, memory and descriptors are likely", not off, off)
    failed = sum(float(v) for v in re.findall(r'^storyfi_generator_attempts_total\{generator="broken".* (\d+)$', text, re.M))
    check("metrics: who failed was asked three times, then passed over", failed == 3 and
          value(text, 'storyfi_generator_skipped_total{generator="broken",kind="custom"}') == 3, (failed, [x for x in text.splitlines() if "skipped" in x]))
    secrets = [s for s in (TOKEN, str(SCRIPTS), str(TMP)) if s in text]
    check("metrics: no secret and no path", not secrets, secrets)
    return text


def names_of(expression):
    bare = re.sub(r'"[^"]*"|\{[^}]*\}|\[[^]]*\]|\b(by|on|group_left)\s*\([^)]*\)', " ", expression)
    return {w for w in re.findall(r"[a-z_][a-z0-9_]*", bare) if w not in WORDS and not re.fullmatch(r"[0-9e]+|[dhms]", w)}


def named(text, has_local):
    """Every metric that rules and dashboard ask for is on the page."""
    there = set(re.findall(r"^([a-z_0-9]+)[ {]", text, re.M)) | {"up"}
    if not has_local:
        there |= {"storyfi_engine_memory_bytes", "storyfi_tokens_per_second_bucket"}
    rules = (CONTRIB / "prometheus/alerts.yml").read_text()
    expressions = re.findall(r"expr: (?:\|\n((?: {10}.*\n)+)|(.*))", rules)
    used = set().union(*(names_of("".join(e)) for e in expressions))
    check("metrics: the rules name nothing that is not on the page", len(expressions) > 20 and used and not used - there, used - there)
    dashboard = json.loads((CONTRIB / "grafana/storyfi.json").read_text())
    queries = [t["expr"] for p in dashboard["panels"] for t in p.get("targets", [])]
    used = set().union(*map(names_of, queries))
    check("metrics: nor does the dashboard", len(queries) > 50 and not used - there, used - there)
    every = {re.sub(r"_(bucket|sum|count)$", "", n) for n in there} - {"up"}
    shown = {re.sub(r"_(bucket|sum|count)$", "", n) for n in used}
    unseen = {n for n in every - shown if n.startswith("storyfi_")}
    shown_by_rules = {"storyfi_chain_reached", "storyfi_announced", "storyfi_immune", "storyfi_memory_bytes", "storyfi_disk_bytes",
                      "storyfi_journal_writing", "storyfi_serving", "storyfi_offline",
                      "storyfi_admin_certificate_end_timestamp_seconds", "storyfi_metagraph_last_sync_timestamp_seconds"}
    check("metrics: the dashboard shows what is there", not unseen - shown_by_rules, unseen - shown_by_rules)
    ids = [p["id"] for p in dashboard["panels"]]
    check("metrics: its panels have ids of their own", len(ids) == len(set(ids)))
    alerts = re.findall(r"alert: (\w+)", rules)
    books = re.findall(r"runbook: doc/guide/alerts\.md#(\w+)", rules)
    check("metrics: every alert has its place in the guide", [a.lower() for a in alerts] == books, (alerts, books))


def tools(text):
    r = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, timeout=60)
    check("metrics: promtool finds nothing on the page", r.returncode == 0 and not r.stderr.strip(), r.stderr)
    r = subprocess.run(["promtool", "check", "config", CONTRIB / "prometheus/prometheus.yml"], capture_output=True, text=True,
                       timeout=60)
    check("metrics: nor in the configuration and the rules", r.returncode == 0 and "SUCCESS" in r.stdout, r.stdout + r.stderr)
    tested = set(re.findall(r'alertname="(\w+)"', (ROOT / "tests/data/prometheus/alerts_test.yml").read_text()))
    alerts = set(re.findall(r"alert: (\w+)", (CONTRIB / "prometheus/alerts.yml").read_text()))
    check("metrics: every rule has a test", tested == alerts, tested ^ alerts)


def rules():
    r = subprocess.run(["promtool", "test", "rules", ROOT / "tests/data/prometheus/alerts_test.yml"], capture_output=True, text=True,
                       timeout=120, env={**os.environ, "TMPDIR": str(TMP)})
    check("metrics: the rules' own tests pass", r.returncode == 0, r.stdout + r.stderr)


class Prometheus:
    """The shipped configuration, with this miner's address, a token, and a scrape each second."""

    def __init__(self, m):
        text = (CONTRIB / "prometheus/prometheus.yml").read_text()
        text = text.replace("127.0.0.1:8099", f"127.0.0.1:{m.admin}").replace("15s", "1s")
        text = text.replace("    # authorization:\n    #   credentials_file: /etc/prometheus/storyfi.token",
                            f"    authorization:\n      credentials_file: {TMP / 'token'}")
        text = text.replace("    # scheme: https\n    # tls_config:\n    #   ca_file: /etc/storyfi/admin.pem",
                            f"    scheme: https\n    tls_config:\n      ca_file: {TMP / 'admin.pem'}")
        (TMP / "token").write_text(TOKEN)
        (TMP / "prometheus.yml").write_text(text)
        shutil.copy(CONTRIB / "prometheus/alerts.yml", TMP)
        self.port = m.free_port()
        self.log = open(TMP / "prometheus.log", "w")
        self.process = subprocess.Popen(["prometheus", f"--config.file={TMP / 'prometheus.yml'}", f"--storage.tsdb.path={TMP / 'tsdb'}",
                                         f"--web.listen-address=127.0.0.1:{self.port}"], stdout=self.log, stderr=self.log)

    def query(self, expression):
        url = f"http://127.0.0.1:{self.port}/api/v1/query?" + urllib.parse.urlencode({"query": expression})
        with contextlib.suppress(OSError, ValueError):
            with urllib.request.urlopen(url, timeout=10) as r:
                return [float(x["value"][1]) for x in json.load(r)["data"]["result"]]
        return []

    def close(self):
        self.process.terminate()
        self.process.wait(30)
        self.log.close()


def scraped(p):
    wanted = {'up{job="storyfi"}': [1.0], "storyfi_registered": [1.0], 'storyfi_deadline_total{met="yes"}': [5.0],
              "sum(storyfi_answers_total)": [5.0], 'storyfi_requests_total{standing="registered"}': [5.0],
              'histogram_quantile(0.5, storyfi_queue_wait_seconds_bucket) < bool 1': [1.0]}
    got = wait_for(lambda: (g := {q: p.query(q) for q in wanted}) == wanted and g)
    check("metrics: prometheus has scraped it, over TLS, with the token", bool(got), {q: p.query(q) for q in wanted})
    firing = 'ALERTS{alertname="StoryfiBreakerOpen", generator="broken"}'
    check("metrics: its rules see the broken generator", wait_for(lambda: p.query(firing) == [1.0]), p.query("ALERTS"))


def main():
    if shutil.which("prometheus") is None or shutil.which("promtool") is None:
        print("SKIP metrics: no prometheus (tools/setup.sh --test installs it)")
        return
    own_tests = threading.Thread(target=rules)
    own_tests.start()
    with miner() as (m, has_local):
        p = Prometheus(m)
        try:
            text = content(m, has_local)
            named(text, has_local)
            tools(text)
            scraped(p)
        finally:
            p.close()
    own_tests.join()


main()
sys.stdout.flush()
os._exit(1 if harness.failed else 0)
