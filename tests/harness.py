# SPDX-License-Identifier: MIT
"""What the black-box tests share: a throw-away wallet, a miner on free loopback ports, PASS and FAIL."""
import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
STORYFI = os.environ.get("STORYFI", str(ROOT / "build" / "storyfi"))
SCRIPTS = ROOT / "tests" / "data" / "scripts"
# What commands record goes to a folder of this run's, not to the tester's own journal.
os.environ.setdefault("STORYFI_STATE_DIR", tempfile.mkdtemp(prefix="storyfi-state-"))
# A miner pulls a model that is not here: never from the real hub in tests.
os.environ.setdefault("HF_ENDPOINT", "http://127.0.0.1:9")
failed = 0
one_at_a_time = threading.Lock()


def check(name, ok, detail=""):
    global failed
    with one_at_a_time:  # also of a test that asks from several threads
        failed += not ok
        sys.stdout.write(f"{'PASS' if ok else 'FAIL'} {name}{'' if ok else ': ' + str(detail)[:400]}\n")
        sys.stdout.flush()
    return ok


def run(*args, **kwargs):
    return subprocess.run([STORYFI, *map(str, args)], capture_output=True, text=True, timeout=120, **kwargs)


class Miner:
    """storyfi miner --offline with a configuration; use as a context manager."""

    def __init__(self, config, flags=(), wait=30, env=None):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="storyfi-test-"))
        self.config = self.dir / "generator_config.yaml"
        self.config.write_text(config)
        self.wallet = ["--wallet.path", str(self.dir / "wallets"), "--wallet.name", "test",
                       "--wallet.hotkey", "default"]
        made = json.loads(run("wallet", "create", "--json", *self.wallet).stdout)
        self.hotkey = made["hotkey"]
        self.flags = ["--offline", "--config", str(self.config), *self.wallet, "--axon.ip", "127.0.0.1",
                      "--state_dir", str(self.dir / "state"), *map(str, flags)]
        self.log = self.dir / "log"
        self.env = env
        self.wait = wait

    def __enter__(self):
        self.admin = self.free_port()
        self.port = self.free_port()
        self.start()
        return self

    @staticmethod
    def free_port():
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            return s.getsockname()[1]

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [STORYFI, "miner", *self.flags, "--axon.port", str(self.port), "--admin.port",
                 str(self.admin)], stdout=log, stderr=log, cwd=self.dir,
                env={**os.environ, **(self.env or {})})
        end = time.monotonic() + self.wait
        while time.monotonic() < end and self.process.poll() is None:
            try:
                if self.get(self.port, "/health")[0] == 200:
                    return
            except OSError:
                pass
            time.sleep(0.05)
        raise RuntimeError("the miner does not answer:\n" + self.log.read_text())

    @staticmethod
    def get(port, path, headers=None):
        c = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        try:
            c.request("GET", path, headers=headers or {})
            r = c.getresponse()
            return r.status, r.read()
        finally:
            c.close()

    def status(self):
        return json.loads(self.get(self.admin, "/status")[1])

    def stop(self, sig=signal.SIGTERM, timeout=30):
        self.process.send_signal(sig)
        return self.process.wait(timeout)

    def query(self, task="blueprint", text="the sea", *more):
        return run("query", "--axon", f"127.0.0.1:{self.port}", "--axon.hotkey", self.hotkey, "--task",
                   task, "--input", text, "--throwaway", *more)

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def script_config(name, more=""):
    return (f'generator:\n  mode: "custom"\n  fallback: []\n  custom:\n    script_path: "{SCRIPTS / name}"\n{more}')
