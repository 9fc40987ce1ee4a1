# SPDX-License-Identifier: MIT
"""Harm done to the engine child of a miner under test, and to the miner itself."""
import json
import os
import pathlib
import threading
import time

from harness import check


def child_of(pid):
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            rest = stat[stat.rindex(")") + 2:].split()
            if int(rest[1]) == pid and rest[0] != "Z":
                return int(entry.name)
    return 0


def wait_child(miner, not_this=0):
    end = time.monotonic() + 40
    while time.monotonic() < end:
        pid = child_of(miner.process.pid)
        local = miner.status()["generators"][0]
        if pid and pid != not_this and local["state"] == "ready" and not local["breaker_open"]:
            return pid
        time.sleep(0.1)
    return 0


def harmed(miner, sig, name, wanted, limit, after=0.7):
    """A request is `after` seconds in flight when the child is harmed: it is answered, by the script
    behind (wanted 0) or with an error (1), and a new child comes up."""
    before = wait_child(miner)
    if not check(f"fault: {name}: there is a child to harm", before > 0):
        return
    result = []

    def ask():
        started = time.monotonic()
        r = miner.query("story_arc", "A thief who steals memories", "--timeout", "40", "--json")
        result.extend([r.returncode, time.monotonic() - started, r.stderr,
                       json.loads(r.stdout)["model_info"]["mode"] if r.returncode == 0 else None])
    thread = threading.Thread(target=ask)
    thread.start()
    time.sleep(after)
    os.kill(before, sig)
    thread.join()
    check(f"fault: {name}: the request in flight is answered by who is left",
          result[0] == wanted and result[1] < limit and result[3] == ("custom" if wanted == 0 else None), result)
    fresh = wait_child(miner, before)
    check(f"fault: {name}: a new child is ready", fresh not in (0, before), (before, fresh))


def parent_killed(miner):
    child = wait_child(miner)
    miner.process.kill()
    miner.process.wait()
    time.sleep(1)
    gone = not pathlib.Path(f"/proc/{child}").exists() or \
        pathlib.Path(f"/proc/{child}/stat").read_text().split(")")[1].split()[0] == "Z"
    check("fault: parent killed: the child is gone within a second", child > 0 and gone)
