# SPDX-License-Identifier: MIT
"""Runs the miner, asks it everything, prints a table, writes out/story.json and out/story.html."""
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
STORYFI = str(ROOT / "build" / "storyfi")
IDEA = "A lighthouse keeper who hears the sea speak"
OUT = ROOT / "out"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_ready(miner, admin, log):
    end = time.monotonic() + 60
    while time.monotonic() < end and miner.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{admin}/ready", timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    sys.exit("demo: the miner does not get ready:\n" + log.read_text())


def characters_of(value):
    if isinstance(value, str):
        return len(value)
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return sum(characters_of(v) for v in parts)


class Asking:
    def __init__(self, axon, hotkey, wallet, folder):
        self.axon, self.hotkey, self.wallet, self.folder = axon, hotkey, wallet, folder
        self.story = {"user_input": IDEA}
        self.rows = []

    def ask(self, task, label, ids=None):
        context = self.folder / "context.json"
        context.write_text(json.dumps({**self.story, "chapter_ids": ids}, ensure_ascii=False))
        done = subprocess.run([STORYFI, "query", "--axon", self.axon, "--axon.hotkey", self.hotkey, "--task",
                               task, "--input", IDEA, "--context", str(context), "--json", *self.wallet],
                              capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"demo: {label} was not answered well:\n{done.stderr}{done.stdout[:2000]}")
        answer = json.loads(done.stdout)
        score, seconds = answer["score"], answer["seconds"]
        written = characters_of(answer["output_data"])
        rate = (answer["model_info"].get("parameters") or {}).get("tokens_per_second") or 0
        print(f"{label:<12} {seconds:7.1f} {written:10d} {written / seconds:8.0f} {rate:9.0f} "
              f"{score['technical']:7.1f}/30 {score['structure']:7.1f}/40  {answer['model_info']['name']}", flush=True)
        return answer["output_data"]

    def whole_book(self):
        print(f"{'task':<12} {'seconds':>7} {'characters':>10} {'chars/s':>8} {'tokens/s':>9} {'technical':>10} "
              f"{'structure':>10}  model", flush=True)
        for task in ("blueprint", "characters", "story_arc"):
            self.story[task] = self.ask(task, task)
        chapters = []
        for n in range(1, 13):
            chapters += self.ask("chapters", f"chapter {n}", [n])["chapters"]
        self.story["chapters"] = chapters


def main():
    started = time.monotonic()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="storyfi-demo-"))
    log = folder / "miner.log"
    wallet = ["--wallet.path", str(folder / "wallets"), "--wallet.name", "demo", "--wallet.hotkey", "default"]
    made = json.loads(subprocess.run([STORYFI, "wallet", "create", "--json", *wallet], check=True,
                                     capture_output=True, text=True).stdout)
    port, admin = free_port(), free_port()
    (folder / "generator_config.yaml").write_text("generator:\n  mode: \"local\"\n  fallback: []\n")
    with open(log, "wb") as out:
        miner = subprocess.Popen([STORYFI, "miner", "--offline", "--config", str(folder / "generator_config.yaml"),
                                  *wallet, "--axon.ip", "127.0.0.1", "--axon.port", str(port), "--admin.port",
                                  str(admin), "--state_dir", str(folder / "state")], stdout=out, stderr=out)
    try:
        wait_ready(miner, admin, log)
        print(log.read_text().strip())
        asking = Asking(f"127.0.0.1:{port}", made["hotkey"], wallet, folder)
        asking.whole_book()
    finally:
        miner.terminate()
        code = miner.wait(70)
    OUT.mkdir(exist_ok=True)
    (folder / "story.json").write_text(json.dumps(asking.story, ensure_ascii=False, indent=1))
    subprocess.run([STORYFI, "story", "--from", str(folder / "story.json"), "--out", str(OUT)], check=True,
                   stderr=subprocess.DEVNULL)
    print(f"the miner ended with {code}; wrote {OUT.relative_to(ROOT)}/story.json and story.html in "
          f"{time.monotonic() - started:.0f} s: open out/story.html in a browser")
    return code


if __name__ == "__main__":
    os.environ.pop("STORYFI_CONFIG", None)
    sys.exit(main())
