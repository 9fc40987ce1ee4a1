# SPDX-License-Identifier: MIT
"""Deadlines on slow machines: 1 to 8 requests at once, the miner in a control group with the CPU's whole, half and quarter
time. Every answer must be valid and in time, every other one declined at once. Needs root, and cgroup v1 or v2.

Then the text. An answer that took t seconds wrote its C characters at the speed of this machine with so many beside it, so
C * T / t of them fit before the target T (deadline.target), and it need not have more than its slots are asked for at most,
M. What it is judged by is C / min(C * T / t, M) = max(t / T, C / M), at most 1: it used the time or the room. C counts the
paragraphs (settings, conflicts, backgrounds, motivations, relationships, descriptions, hooks, a chapter's text); names,
titles, list items and choices are as long as they are. M is what the composer asks the default model for when there is time
(compose_*.c; small models get less than the network allows, since they lose the thread); the share of the network's own
maxima (300 of a setting, 3000 of a chapter) stands beside it.
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
TARGET_S = 25.0  # deadline.target
TEXT_SHARE = 0.8
# Characters of a task's paragraphs: what a small model is asked for at most, and what the network takes.
ASKED = {"blueprint": 218 + 135, "characters": 5 * 206 + 15 * 111, "story_arc": 17 * 193 + 3 * 111, "chapters": 1090}
TAKEN = {"blueprint": 300 + 200, "characters": 5 * 300 + 15 * 200, "story_arc": 17 * 300 + 3 * 200, "chapters": 3000}
PARAGRAPHS = {"setting", "core_conflict", "background", "motivation", "description", "content"}
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


def paragraphs(value, all_of=False):
    """Characters of an answer's paragraphs."""
    if isinstance(value, str):
        return len(value) if all_of else 0
    if isinstance(value, list):
        return sum(paragraphs(v, all_of) for v in value)
    if isinstance(value, dict):
        return sum(paragraphs(v, all_of or k in PARAGRAPHS or k in ("relationships", "hooks")) for k, v in value.items())
    return 0


def share(row):
    """Of the text that there was time or room for."""
    return min(1.0, max(row["seconds"] / TARGET_S, row["characters"] / ASKED[row["task"]]))


def ask(m, task, idea, deadline, rows):
    started = time.monotonic()
    r = m.query(task, idea, "--timeout", str(deadline), "--json")
    seconds = time.monotonic() - started
    answer = json.loads(r.stdout) if r.stdout.startswith("{") else {}
    rows.append({"task": task, "seconds": seconds, "code": r.returncode, "valid": bool(answer.get("score", {}).get("valid")),
                 "characters": paragraphs(answer.get("output_data")), "status": answer.get("status"),
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
    lines = ["| CPU time | at once | answered | declined at once | late or invalid | slowest | text of what fits, least | mean | of the network's maxima |",
             "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"]
    results, failed, shares = [], 0, []
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
                fit = [share(r) for r in good] or [0]
                shares += fit if good else []
                taken = statistics.mean(r["characters"] / TAKEN[r["task"]] for r in good) if good else 0
                results.append({"slower": slower, "at_once": n, "rows": rows})
                lines.append(f"| {cpus / slower:g} | {n} | {len(good)} | {len(declined)} | {len(bad)} | {slowest:.1f} s | "
                             f"{min(fit):.0%} | {statistics.mean(fit):.0%} | {taken:.0%} |")
                print(lines[-1], *(f"\n  {r}" for r in bad), flush=True)
        finally:
            m.stop(timeout=80)
            group.close()
    mean = statistics.mean(shares) if shares else 0
    print(f"text: {mean:.0%} of what fits, in the mean of {len(shares)} answers (wanted: {TEXT_SHARE:.0%})")
    report.save("deadlines", {"deadline_s": deadline, "text_share": round(mean, 3), "rounds": results})
    report.section("deadlines", "Deadlines on slow machines", [
        f"The default model, {deadline:g} s from a validator, blueprint, characters, arc and a chapter in turn; the miner and its engine in a "
        f"control group. Text: characters of paragraphs over what the answer's own speed fits into {TARGET_S:g} s, or what the model is asked for "
        "at most if that is less.", "", *lines])
    return 1 if failed or mean < TEXT_SHARE else 0


if __name__ == "__main__":
    sys.exit(main())
