# SPDX-License-Identifier: MIT
"""Deadlines on slow machines: 1 to 8 requests at once, the miner in a control group with the CPU's whole, half and quarter
time. Every answer must be valid and in time, every other one declined at once. Needs root, and cgroup v1 or v2.
usage: bench/deadlines.py [DEADLINE_SECONDS]"""
import json
import os
import pathlib
import statistics
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "bench")]
import harness  # noqa: E402
import report  # noqa: E402

PERIOD = 100000
IDEAS = ("a lighthouse", "a clockmaker", "a thief of memories", "the last train", "a garden under glass", "two sisters", "a map", "the tide")
TASKS = ("blueprint", "characters", "story_arc", "chapters")
AT_ONCE_S = 1.5  # what a refusal may take, its own command's start included


class Group:
    """A control group with so many CPUs' time."""

    def __init__(self, cpus):
        quota = int(cpus * PERIOD)
        v1, v2 = pathlib.Path("/sys/fs/cgroup/cpu"), pathlib.Path("/sys/fs/cgroup")
        self.folder = (v1 if (v1 / "cpu.cfs_quota_us").exists() else v2) / f"storyfi-bench-{os.getpid()}"
        self.folder.mkdir()
        if (self.folder / "cpu.cfs_quota_us").exists():
            (self.folder / "cpu.cfs_quota_us").write_text(str(quota))
        else:
            (self.folder / "cpu.max").write_text(f"{quota} {PERIOD}")

    def take(self, pid):
        (self.folder / "cgroup.procs").write_text(str(pid))

    def close(self):
        for _ in range(100):
            try:
                self.folder.rmdir()
                return
            except OSError:
                time.sleep(0.05)


def start(group):
    """A miner whose every process is in the group."""
    m = harness.Miner("generator:\n  mode: local\n  fallback: []\n", wait=120)
    real = subprocess.Popen

    def popen(command, **kwargs):
        return real(["sh", "-c", f'echo $$ >{group.folder}/cgroup.procs; exec "$@"', "sh", *command], **kwargs)
    subprocess.Popen = popen
    try:
        m.__enter__()
    finally:
        subprocess.Popen = real
    end = time.monotonic() + 180
    while time.monotonic() < end and not m.status()["ready"]:
        time.sleep(0.1)
    return m


def ask(m, task, idea, deadline, rows):
    started = time.monotonic()
    r = m.query(task, idea, "--timeout", str(deadline), "--json")
    seconds = time.monotonic() - started
    answer = json.loads(r.stdout) if r.stdout.startswith("{") else {}
    rows.append({"task": task, "seconds": seconds, "code": r.returncode, "valid": bool(answer.get("score", {}).get("valid")),
                 "characters": len(json.dumps(answer.get("output_data") or "", ensure_ascii=False)), "status": answer.get("status"),
                 "error": r.stderr.strip()[-200:]})


def one_round(m, n, deadline):
    rows = []
    threads = [threading.Thread(target=ask, args=(m, TASKS[i % 4], IDEAS[i], deadline, rows)) for i in range(n)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return rows


def judge(rows, deadline):
    good = [r for r in rows if r["code"] == 0 and r["valid"] and r["seconds"] <= deadline]
    declined = [r for r in rows if r["code"] != 0 and (r["status"] == 503 or "503" in r["error"]) and r["seconds"] <= AT_ONCE_S]
    bad = [r for r in rows if r not in good and r not in declined]
    return good, declined, bad


def main():
    deadline = float(sys.argv[1]) if len(sys.argv) > 1 else 60
    cpus = os.cpu_count()
    lines = ["| CPU time | at once | answered | declined at once | late or invalid | slowest | text, characters |", "| ---: | ---: | ---: | ---: | ---: | ---: | ---: |"]
    results, failed = [], 0
    for slower in (1, 2, 4):
        group = Group(cpus / slower)
        m = start(group)
        try:
            m.query("blueprint", "warm", "--timeout", "60")
            for n in (1, 2, 4, 8):
                rows = one_round(m, n, deadline)
                good, declined, bad = judge(rows, deadline)
                failed += len(bad)
                slowest = max((r["seconds"] for r in good), default=0)
                text = statistics.mean(r["characters"] for r in good) if good else 0
                results.append({"slower": slower, "at_once": n, "rows": rows})
                lines.append(f"| {cpus / slower:g} | {n} | {len(good)} | {len(declined)} | {len(bad)} | {slowest:.1f} s | {text:.0f} |")
                print(lines[-1], *(f"\n  {r}" for r in bad), flush=True)
        finally:
            m.stop(timeout=80)
            group.close()
    report.save("deadlines", {"deadline_s": deadline, "rounds": results})
    report.section("deadlines", "Deadlines on slow machines", [
        f"The default model, {deadline:g} s from a validator, blueprint, characters, arc and a chapter in turn; the miner and its engine in a "
        "control group.", "", *lines])
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
