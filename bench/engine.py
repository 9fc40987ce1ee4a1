# SPDX-License-Identifier: MIT
"""What the engine saves and costs, with the default model: a repeated context, requests side by side, raw decoding beside
llama-batched-bench, the time to be ready. usage: bench/engine.py [ROUNDS]"""
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
import report  # noqa: E402
from stories import MODEL, PEERS, TASKS, Ours, resident_mb  # noqa: E402

BUILD = pathlib.Path(os.environ["STORYFI"]).resolve().parent
LIBRARIES = pathlib.Path(os.environ["LLAMA_DIR"]) / "lib"
THREADS = str(os.cpu_count())
WIDTHS = (1, 8, 16)
TOKENS = 64
IDEAS = ("A clockmaker in a drowned city", "Two sisters steal a map", "The last train to the north", "A garden under glass",
         "A thief of memories", "The tide brings back a ship", "A cartographer of dreams", "The bell that nobody rings")


def contexts(ours):
    story = {}
    for task in TASKS[:3]:
        story[task] = ours.write(task, story, None, 0)["output"]
    return story


def for_task(story, task):
    return {k: v for k, v in story.items() if TASKS.index(k) < TASKS.index(task)}


def repeated(ours, story):
    """The share of prompt tokens that come from the cache when a request's context was there before. What is left are the
    questions of the answer's own texts, and lines of the story that the answer itself brings (names drawn anew)."""
    shares = {}
    for task in TASKS:
        ours.write(task, for_task(story, task), None, 0)
        usage = ours.write(task, for_task(story, task), None, 0)["usage"]
        shares[task] = usage["cached_tokens"] / max(usage["prompt_tokens"], 1)
        print(f"{task} again: {shares[task]:.1%} of {usage['prompt_tokens']} prompt tokens cached", flush=True)
    return shares


def together(ours, jobs):
    started = time.monotonic()
    threads = [threading.Thread(target=ours.write, args=(task, story, None, 0, idea)) for task, story, idea in jobs]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return time.monotonic() - started


def one_by_one(ours, jobs):
    started = time.monotonic()
    for task, story, idea in jobs:
        ours.write(task, story, None, 0, idea)
    return time.monotonic() - started


def side_by_side(ours, story, rounds):
    """How much sooner eight are done together; every round, and each of its halves, has ideas of its own."""
    out = {}
    for name in ("eight blueprints", "eight mixed"):
        ratios = []
        for i in range(rounds):
            def jobs(half):
                ideas = [f"{idea}, story {2 * i + half}" for idea in IDEAS]
                kinds = ["blueprint"] * 8 if name == "eight blueprints" else TASKS * 2
                return [(task, for_task(story, task), idea) for task, idea in zip(kinds, ideas)]
            alone, beside = one_by_one(ours, jobs(0)), together(ours, jobs(1))
            ratios.append(alone / beside)
            print(f"{name}: {alone:.1f} s one by one, {beside:.1f} s together, {ratios[-1]:.2f} times", flush=True)
        out[name] = statistics.median(ratios)
    return out


def decode_ours(width):
    r = subprocess.run([BUILD / "storyfi-decode", MODEL, LIBRARIES, str(width), str(TOKENS)], capture_output=True, text=True, check=True)
    return json.loads(r.stdout)


def decode_theirs(width):
    r = subprocess.run([PEERS / "llama-batched-bench", "-m", MODEL, "-c", "4096", "-npp", "300", "-ntg", str(TOKENS), "-npl", str(width),
                        "-kvu", "-pps", "-t", THREADS, "--output-format", "jsonl"], capture_output=True, text=True, check=True)
    return json.loads(next(line for line in r.stdout.splitlines() if line.startswith("{")))["speed_tg"]


def decoding(rounds):
    """Medians of interleaved runs at the same batch."""
    out = {}
    for width in WIDTHS:
        ours, theirs, loads = [], [], []
        for _ in range(rounds):
            one = decode_ours(width)
            ours.append(one["tokens_per_second"])
            loads.append(one["load_s"])
            theirs.append(decode_theirs(width))
        out[width] = {"ours": statistics.median(ours), "theirs": statistics.median(theirs), "load_s": statistics.median(loads)}
        print(f"decoding x{width}: {out[width]['ours']:.0f} to {out[width]['theirs']:.0f} tokens/s", flush=True)
    return out


def ready_seconds(rounds):
    times = []
    for _ in range(rounds):
        started = time.monotonic()
        ours = Ours()
        times.append(time.monotonic() - started)
        ours.process.terminate()
        ours.process.wait()
    return statistics.median(times)


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    ours = Ours()
    try:
        story = contexts(ours)
        shares = repeated(ours, story)
        ratios = side_by_side(ours, story, rounds)
        parent = resident_mb(ours.process.pid)
    finally:
        ours.process.terminate()
        ours.process.wait()
    decode = decoding(max(rounds, 3) * 3)
    ready = ready_seconds(rounds)
    load = decode[1]["load_s"]
    lines = ["| what | measured |", "| --- | --- |"]
    lines += [f"| {task} again: prompt tokens from the cache | {share:.1%} |" for task, share in shares.items()]
    lines += [f"| {name} together, against one by one | {ratio:.2f} times sooner |" for name, ratio in ratios.items()]
    lines += [f"| raw decoding ×{w}, tokens/s, against llama-batched-bench | {d['ours']:.0f} to {d['theirs']:.0f} ({d['ours'] / d['theirs']:.2f}) |"
              for w, d in decode.items()]
    lines += [f"| `storyfi serve` is ready after (model load alone) | {ready:.2f} s ({load:.2f} s) |",
              f"| the parent process, resident | {parent:.1f} MB |"]
    print("\n".join(lines))
    report.save("engine", {"cached": shares, "together": ratios, "decode": decode, "ready_s": ready, "load_s": load, "parent_mb": parent})
    report.section("engine", "The engine", [f"Medians; decoding of {max(rounds, 3) * 3} interleaved runs, {TOKENS} tokens a text behind a "
                                            "shared prompt of 300.", "", *lines])


if __name__ == "__main__":
    main()
