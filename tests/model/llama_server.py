# SPDX-License-Identifier: MIT
"""A real OpenAI-compatible server with a real (tiny) model as the first generator, a script behind it: what we send is
taken, what it streams is read, and whoever answers, the answer is valid. usage: llama_server.py PROGRAM MODEL.gguf"""
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import urllib.request

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent.parent), str(pathlib.Path(__file__).resolve().parent.parent / "faults")]
import harness  # noqa: E402
from harness import Miner, check  # noqa: E402
from rig import SPARE, Rig, chain  # noqa: E402

KEY = "sk-llama-server-0123456789abcdef"


def await_ready(port, process):
    end = time.monotonic() + 120
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2) as r:
                if r.status == 200:
                    return True
        except OSError:
            time.sleep(0.1)
    return False


def text(port):
    """A model this small may not find an end: its answers are cut short."""
    return (f'generator:\n  mode: "api"\n  fallback: ["custom"]\n  api:\n    provider: "openai"\n'
            f'    endpoint: "http://127.0.0.1:{port}/v1"\n    model: "tiny"\n    max_tokens: 60\n'
            f'  custom:\n    script_path: "{SPARE}"\n' +
            chain(progress_timeout=45, min_tokens_per_second=0, breaker_failures=50, breaker_open=0.3))


class Bare:
    """Stands for the target of a Rig: the server is another program."""
    class wire:
        name, key = "openai", KEY

    @staticmethod
    def paid():
        return []


def written(port):
    """Tokens that the server wrote so far, by its own count."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}/metrics", headers={"Authorization": f"Bearer {KEY}"})
    with urllib.request.urlopen(request, timeout=10) as r:
        return float(re.search(r"^llamacpp:tokens_predicted_total ([0-9.e+]+)", r.read().decode(), re.M)[1])


# What may be said of a tiny model's answer; nothing of the wire, the key or the request is among it.
FAIR = ("token limit", "not valid", "no JSON", "no object", "not an object", "cut or malformed")


def drive(port):
    before = written(port)
    with Rig(Bare, text(port)) as rig:
        for task in ("blueprint", "characters"):
            a = rig.ask(task, "a keeper of bees in the mountains", 60)
            hop = rig.hop()
            check(f"llama-server: {task} is answered, and validly", a.ok and a.value["score"]["valid"], a)
            check(f"llama-server: {task}: what it wrote was read to its end", a.mode == "api" or
                  any(words in hop["last_error"] for words in FAIR), hop)
        check("llama-server: the request was taken as it is, schema and all", "HTTP" not in hop["last_error"] and hop["usage"]["requests"] <= 6,
              hop)
        check("llama-server: tokens are counted as the server counts them", written(port) - before == hop["usage"]["generated_tokens"],
              (written(port) - before, hop["usage"]))
        check("llama-server: the miner ends well", rig.stop() == 0)


def main():
    program, model = sys.argv[1:3]
    port = Miner.free_port()
    log = pathlib.Path(tempfile.mkdtemp(prefix="storyfi-llama-")) / "log"
    with open(log, "wb") as out:
        server = subprocess.Popen([program, "-m", model, "--alias", "tiny", "--host", "127.0.0.1", "--port", str(port), "-c", "8192",
                                   "-np", "2", "--api-key", KEY, "-t", "1", "--metrics"], stdout=out, stderr=out)
    try:
        if check("llama-server: it starts", await_ready(port, server), log.read_text(errors="replace")[-400:]):
            drive(port)
    finally:
        server.terminate()
        server.wait(20)
    return 1 if harness.failed else 0


if __name__ == "__main__":
    sys.exit(main())
