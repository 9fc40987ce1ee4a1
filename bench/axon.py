# SPDX-License-Identifier: MIT
"""Our axon beside the Python SDK's: the same client (tests/load), the same requests, in turn on the same machine.

usage: bench/axon.py [ROUNDS [SECONDS]]      prints a table, writes bench/results/<machine>.json and the section of
doc/benchmarks.md. Both axons answer at once: ours with the example plugin (and its journal), the SDK's with a constant.
"""
import json
import os
import pathlib
import socket
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))
import harness  # noqa: E402
import report  # noqa: E402

LOAD = pathlib.Path(harness.STORYFI).resolve().parent / "storyfi-load"
PYTHON = pathlib.Path(os.environ.get("SDK_VENV", "")) / "bin" / "python"
CONNECTIONS = (64, 16, 4)  # of the SDK's axon the best counts


def resident_mb(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("VmRSS")) / 1024


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Ours(harness.Miner):
    name = "storyfi"

    def __init__(self):
        plugin = LOAD.parent / "plugins" / "storyfi_example.so"
        super().__init__('generator:\n  mode: custom\n  fallback: []\n  custom:\n'
                         f'    plugin: "{plugin}"\naxon:\n  queue_size: 512\n'
                         '  max_requests_per_ip_per_minute: 0\n  max_requests_per_hotkey_per_minute: 0\n')


class Theirs:
    name = "bittensor SDK 10.5.0"

    def __enter__(self):
        env = {**os.environ, "BT_NO_PARSE_CLI_ARGS": "1"}
        self.process = subprocess.Popen([PYTHON, ROOT / "bench" / "sdk_axon.py"], stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True, env=env)
        port, self.hotkey = self.process.stdout.readline().split()
        self.port = int(port)
        end = time.monotonic() + 30
        while time.monotonic() < end:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return self
            except OSError:
                time.sleep(0.05)
        raise RuntimeError("the SDK's axon does not listen")

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def ask(axon, seconds, connections):
    r = subprocess.run([LOAD, "run", "127.0.0.1", str(axon.port), axon.hotkey, str(seconds), "0", "0", str(connections)],
                       capture_output=True, text=True, check=True, timeout=300)
    seen = json.loads(r.stdout)
    bad = {k: v for k, v in seen["good"].items() if k not in ("sent", "200") and v}
    return seen, bad


def measure(kind, seconds):
    with kind() as axon:
        ask(axon, 1, 4)  # warm
        before = cpu_seconds(axon.process.pid)
        rates = {n: ask(axon, seconds, n) for n in CONNECTIONS}
        spent = cpu_seconds(axon.process.pid) - before
        answered = sum(seen["good"].get("200", 0) for seen, _ in rates.values())
        one, _ = ask(axon, seconds, 1)
        return {"cpu_ms": spent * 1e3 / max(answered, 1),
                "rates": {str(n): seen["rate"] for n, (seen, _) in rates.items()},
                "refused": {str(n): bad for n, (_, bad) in rates.items() if bad},
                "latency_ms": one["p50_ms"], "resident_mb": resident_mb(axon.process.pid)}


def middle(runs, pick):
    return statistics.median(pick(r) for r in runs)


def table(runs):
    rows = ["| | " + " | ".join(kind.name for kind in (Ours, Theirs)) + " | times |", "| --- | ---: | ---: | ---: |"]

    def row(label, pick, form, better):
        a, b = (middle(runs[k.name], pick) for k in (Ours, Theirs))
        rows.append(f"| {label} | {form % a} | {form % b} | {better(a, b):.1f} |")
    for n in CONNECTIONS:
        row(f"requests a second, {n} connections", lambda r: r["rates"][str(n)], "%.0f", lambda a, b: a / b)
    row("CPU time of the axon a request (ms)", lambda r: r["cpu_ms"], "%.2f", lambda a, b: b / a)
    row("median latency, one at a time (ms)", lambda r: r["latency_ms"], "%.2f", lambda a, b: b / a)
    row("resident memory after all that (MB)", lambda r: r["resident_mb"], "%.1f", lambda a, b: b / a)
    return rows


def best(runs, kind):
    return max(middle(runs[kind.name], lambda r: r["rates"][str(n)]) for n in CONNECTIONS)


def write_down(runs, rows, ratio):
    where = report.machine()
    report.save("axon", {"load_average": where.pop("load_average"), "runs": runs})
    report.section("axon", "The axon beside the Python SDK's", [
        f"The load generator (`tests/load`) runs on the same CPUs. Both axons verify every signature and answer at once; medians of "
        f"{len(runs[Ours.name])} rounds in turn. Sustained rate: {ratio:.0f} times the SDK's best.", "", *rows])


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 5
    if not PYTHON.exists():
        sys.exit("bench: the Python SDK is not installed (tools/setup.sh --test fetches it from PyPI)")
    runs = {Ours.name: [], Theirs.name: []}
    for i in range(rounds):
        for kind in (Ours, Theirs):
            runs[kind.name].append(measure(kind, seconds))
            print(f"round {i + 1}, {kind.name}: {json.dumps(runs[kind.name][-1])}", flush=True)
    rows = table(runs)
    ratio = best(runs, Ours) / best(runs, Theirs)
    print("\n".join(rows))
    print(f"best sustained rate: {best(runs, Ours):.0f} to {best(runs, Theirs):.0f} a second, {ratio:.1f} times")
    write_down(runs, rows, ratio)


if __name__ == "__main__":
    main()
