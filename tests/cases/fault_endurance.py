# SPDX-License-Identifier: MIT
"""Many requests through a chain whose members come and go: all are answered, memory and descriptors stay flat.
Five hundred requests; ten thousand with STORYFI_FULL=1."""
import os
import pathlib
import sys
import threading
import time

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent.parent), str(pathlib.Path(__file__).resolve().parent.parent / "faults")]
import harness  # noqa: E402
import wire  # noqa: E402
from fault_server import Target  # noqa: E402
from harness import check, run  # noqa: E402
from rig import SPARE, Answer, Rig, chain, endpoint, record, side_by_side  # noqa: E402

FULL = os.environ.get("STORYFI_FULL") == "1"
KEPT = 24  # each of ten workers may keep a connection to each of two targets, and what it waits on
SHORT = os.environ.get("STORYFI_SANITIZED") == "1"
N = 10000 if FULL else 120 if SHORT else 500
FLAPS = (("heal", ""), ("always", "503"), ("refuse", ""), ("heal", ""), ("always", "cut"), ("always", "429"), ("heal", ""),
         ("always", "half"), ("always", "hang headers"), ("heal", ""), ("always", "malformed"), ("always", "reset"))


def resident(pid):
    return int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") // 1024


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def flap(targets, stop):
    """Each target has another fault every quarter of a second, none the same at one time."""
    k = 0
    while not stop.wait(0.25):
        for n, target in enumerate(targets):
            how, step = FLAPS[(k + 5 * n) % len(FLAPS)]
            target.heal()
            if how == "refuse":
                target.refuse()
            elif how == "always":
                target.always = step
        k += 1


def keys(rig):
    """Sixteen callers: the miner remembers each one that it ever saw for a while."""
    made = [["--wallet.path", str(rig.dir / "callers"), "--wallet.name", f"caller{k}", "--wallet.hotkey", "default"] for k in range(16)]
    for flags in made:
        run("wallet", "create", "--json", *flags)
    return made


def many(rig, n, callers):
    """Asks n times, eight at once; what was not answered and who answered."""
    lock, left, bad, by = threading.Lock(), [n], [], {}

    def worker():
        while True:
            with lock:
                if left[0] == 0:
                    return
                left[0] -= 1
                number = left[0]
            r = run("query", "--axon", f"127.0.0.1:{rig.port}", "--axon.hotkey", rig.hotkey, "--task", "blueprint", "--input",
                    f"story {number}", "--timeout", 20, "--json", *callers[number % len(callers)])
            a = Answer(r, 0, 0)
            with lock:
                by[a.info.get("name")] = by.get(a.info.get("name"), 0) + 1
                if not a.ok:
                    bad.append(a)
    side_by_side([worker] * 8)
    return bad, by


def main():
    first, second = Target(wire.OpenAI()).start(), Target(wire.Service()).start()
    text = (f'generator:\n  mode: "api"\n  fallback: ["service", "spare"]\n  api:\n{record(first)}  custom:\n'
            f'    - name: "service"\n      endpoint: "{endpoint(second)}"\n      timeout: 1\n'
            f'    - name: "spare"\n      script_path: "{SPARE}"\n')
    with Rig(first, text + chain(progress_timeout=0.5)) as rig:
        stop = threading.Event()
        flapping = threading.Thread(target=flap, args=([first, second], stop))
        flapping.start()
        callers = keys(rig)
        many(rig, 100, callers)
        pid = rig.process.pid
        before = resident(pid), descriptors(pid)
        began = time.monotonic()
        bad, by = many(rig, N, callers)
        took = time.monotonic() - began
        stop.set()
        flapping.join()
        first.heal()
        second.heal()
        rig.until(lambda: descriptors(pid) <= before[1] + KEPT, 3)
        after = resident(pid), descriptors(pid)
        check(f"faults: {N} requests through a flapping chain are all answered", not bad, bad[:3])
        if not SHORT:  # the short form may fall into one flap whole
            check("faults: by all three of it", len(by) == 3, by)
        if not SHORT:  # a sanitizer keeps what is freed
            check("faults: and memory is flat", after[0] - before[0] < 8192, f"{before[0]} KiB before, {after[0]} KiB after")
        check("faults: and so are descriptors", after[1] <= before[1] + KEPT, f"{before[1]} before, {after[1]} after")
        print(f"{N} requests in {took:.1f} s, {before} to {after} (KiB, descriptors), {by}")
        check("faults: and it ends well", rig.stop() == 0)
    return 1 if harness.failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except RuntimeError as error:
        check("faults: endurance runs to its end", False, repr(error))
        sys.exit(1)
