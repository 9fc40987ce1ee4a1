# SPDX-License-Identifier: MIT
"""storyfi models against a hub on loopback: what is asked, what comes, and everything that goes wrong."""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import pty
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "models"))
from harness import STORYFI, Miner, check, run  # noqa: E402
from hub_double import Hub, gguf  # noqa: E402

TMP = pathlib.Path(tempfile.mkdtemp(prefix="storyfi-models-"))
HUB = Hub()
SMALL = gguf(300_000)
BIG = gguf(70 << 20)  # enough for two ranges side by side


class Store:
    """A folder of models of its own, and commands that use it."""
    count = 0

    def __init__(self, hub=None, more="", env=None):
        Store.count += 1
        self.dir = TMP / f"store{Store.count}"
        self.config = TMP / f"c{Store.count}.yaml"
        self.config.write_text(f'generator:\n  local:\n    models_dir: "{self.dir}"\n    auto_tune: false\n{more}')
        self.env = {**os.environ, "HF_ENDPOINT": (hub or HUB).url, "HF_TOKEN": "", **(env or {})}

    def args(self, *args):
        return ["models", *map(str, args), "--config", self.config]

    def run(self, *args, **kwargs):
        return run(*self.args(*args), env=self.env, **kwargs)

    def pull(self, *args):
        return self.run("pull", *args)

    def start(self, *args):
        return subprocess.Popen([STORYFI, *map(str, self.args(*args))], env=self.env, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)

    def names(self):
        return sorted(p.name for p in self.dir.iterdir()) if self.dir.exists() else []

    def has(self, file, content):
        path = self.dir / file
        return path.exists() and path.read_bytes() == content

    def loadable(self):
        """What a miner would take for a model."""
        return [n for n in self.names() if n.endswith(".gguf")]


def wait_for(what, seconds=20):
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def everyday():
    sha = HUB.put("t/plain-GGUF", "a b-Q4_K_M.gguf", SMALL)
    HUB.put("t/plain-GGUF", "a b-Q8_0.gguf", gguf(1000, seed=2))
    s = Store(env={"HF_TOKEN": "hf_good"})
    r = s.pull("t/plain-GGUF", "--json")
    one = (json.loads(r.stdout) or [{}])[0]
    check("models: pull by owner/repository takes the 4-bit file", r.returncode == 0 and s.has("a b-Q4_K_M.gguf", SMALL)
          and one["state"] == "fetched" and one["sha256"] == sha, r)
    stamp = (s.dir / "a b-Q4_K_M.gguf.verified").read_text().split()
    check("models: the stamp has checksum, size and time", stamp[0] == sha and int(stamp[1]) == len(SMALL), stamp)
    check("models: nothing else is left beside it", s.names() == ["a b-Q4_K_M.gguf", "a b-Q4_K_M.gguf.verified",
                                                                 "pins.json"], s.names())
    hub = HUB.requests("plain-GGUF", "hub")
    storage = HUB.requests("plain-GGUF", "storage")
    check("models: the hub gets the token", all(h.get("Authorization") == "Bearer hf_good" for _, _, h in hub), hub)
    check("models: where it redirects to does not", storage and all("Authorization" not in h for _, _, h in storage),
          storage)
    before = len(HUB.requests("resolve", "hub"))
    r = s.pull("t/plain-GGUF:a b-Q4_K_M.gguf")
    check("models: what is there is not loaded again", r.returncode == 0 and ": there" in r.stdout
          and len(HUB.requests("plain-GGUF/resolve", "hub")) <= before, r)
    r = s.pull("t/plain-GGUF:Q8_0")
    check("models: repository:TYPE takes that type", r.returncode == 0 and "a b-Q8_0.gguf" in s.names(), r)
    listed = json.loads(s.run("list", "--json").stdout)
    check("models: list has the folder", {f["file"]: f["verified"] for f in listed["files"]}
          == {"a b-Q4_K_M.gguf": True, "a b-Q8_0.gguf": True} and len(listed["models"]) > 10, listed["files"])
    r = s.run("show", "a b-Q4_K_M.gguf", "--json")
    check("models: show reads the file's head", json.loads(r.stdout)["layers"] == 4, r)
    r = s.run("verify")
    check("models: verify finds both right", r.returncode == 0 and r.stdout.count("ok ") == 2, r)
    with open(s.dir / "a b-Q4_K_M.gguf", "r+b") as f:
        f.seek(200_000)
        f.write(b"rot")
    r = s.run("verify", "--json")
    check("models: verify finds a changed byte", r.returncode == 1
          and [x["verdict"] for x in json.loads(r.stdout)] == ["broken", "ok"], r)
    r = s.run("remove", "a b-Q4_K_M.gguf")
    check("models: remove takes file and stamp away", r.returncode == 0 and s.loadable() == ["a b-Q8_0.gguf"]
          and "a b-Q4_K_M.gguf.verified" not in s.names(), s.names())
    r = s.run("remove", "../c1.yaml")
    check("models: remove stays in its folder", r.returncode == 100 and s.config.exists(), r)


def ranges():
    HUB.put("t/big-GGUF", "big-Q4_K_M.gguf", BIG)
    s = Store()
    r = s.pull("t/big-GGUF", "--connections", 2)
    wanted = {h["Range"] for _, _, h in HUB.requests("big-GGUF", "storage")}
    half = len(BIG) // 2
    check("models: a large file comes in ranges side by side", r.returncode == 0 and s.has("big-Q4_K_M.gguf", BIG)
          and wanted == {"bytes=0-0", f"bytes=0-{half - 1}", f"bytes={half}-{len(BIG) - 1}"}, (r, wanted))
    check("models: plain lines tell of progress", "loading big-Q4_K_M.gguf" in r.stderr and "\x1b" not in r.stderr, r)


def no_ranges():
    HUB.put("t/noranges-GGUF", "n-Q4_K_M.gguf", BIG, no_ranges=True)
    s = Store()
    r = s.pull("t/noranges-GGUF")
    check("models: a server without ranges", r.returncode == 0 and s.has("n-Q4_K_M.gguf", BIG), r)
    HUB.put("t/bare-GGUF", "b-Q4_K_M.gguf", SMALL, plain=True, unnamed=True, no_ranges=True)
    r = s.pull("t/bare-GGUF:b-Q4_K_M.gguf")
    check("models: one that names nothing; the checksum is pinned", r.returncode == 0 and s.has("b-Q4_K_M.gguf", SMALL)
          and "remembered" in r.stdout, r)
    HUB.put("t/bare-GGUF", "b-Q4_K_M.gguf", gguf(300_000, seed=9), plain=True, unnamed=True, no_ranges=True)
    s.run("remove", "b-Q4_K_M.gguf")
    r = s.pull("t/bare-GGUF:b-Q4_K_M.gguf")
    check("models: another content under a pinned name is refused", r.returncode != 0 and "wrong checksum" in r.stderr
          and "b-Q4_K_M.gguf" not in s.names(), r)
    r = s.pull("t/bare-GGUF:b-Q4_K_M.gguf", "--any-version")
    check("models: --any-version takes it", r.returncode == 0 and "b-Q4_K_M.gguf" in s.names(), r)


def interrupted():
    HUB.put("t/stop-GGUF", "s-Q4_K_M.gguf", BIG, stops_after=9 << 20)
    s = Store()
    p = s.start("pull", "t/stop-GGUF", "--connections", 1)
    state = s.dir / "s-Q4_K_M.gguf.part.state"
    there = wait_for(lambda: state.exists() and "segment 0 %d 0" % len(BIG) not in state.read_text())
    second = s.pull("t/stop-GGUF")
    check("models: a second download of the same file is kept out", there and second.returncode == 111
          and "another storyfi" in second.stderr, second)
    check("models: half a file has no model's name", s.loadable() == [], s.names())
    listed = json.loads(s.run("list", "--json").stdout)["files"]
    check("models: list shows how far it is", [f["partial"] for f in listed] == [True] and listed[0]["bytes"] > 0,
          listed)
    p.kill()
    p.wait()
    HUB.gate.set()
    before = len(HUB.requests("stop-GGUF", "storage"))
    r = s.pull("t/stop-GGUF", "--connections", 1)
    asked = [h.get("Range") for _, _, h in HUB.requests("stop-GGUF", "storage")[before:]]
    start = max(int(a[6:].split("-")[0]) for a in asked)
    check("models: after SIGKILL it goes on where it was", r.returncode == 0 and s.has("s-Q4_K_M.gguf", BIG) and start > 0,
          (r, asked))


def stopped_by_hand():
    hub = Hub()
    hub.put("t/int-GGUF", "i-Q4_K_M.gguf", SMALL, stops_after=100_000)
    s = Store(hub)
    p = s.start("pull", "t/int-GGUF")
    part = s.dir / "i-Q4_K_M.gguf.part"
    wait_for(lambda: part.exists() and part.read_bytes()[99_000:99_010].strip(b"\0"))
    p.send_signal(signal.SIGINT)
    _, err = p.communicate(timeout=20)
    check("models: Ctrl-C ends it and keeps what came", p.returncode == 111 and s.loadable() == []
          and "i-Q4_K_M.gguf.part.state" in s.names(), (p.returncode, err, s.names()))
    hub.put("t/int-GGUF", "i-Q4_K_M.gguf", gguf(310_000, seed=5))
    r = s.pull("t/int-GGUF")
    check("models: what changed meanwhile on the hub is loaded from the start", r.returncode == 0
          and s.has("i-Q4_K_M.gguf", gguf(310_000, seed=5)), r)
    hub.close()


def broken_connections():
    HUB.put("t/cut-GGUF", "c-Q4_K_M.gguf", SMALL, cuts_after=160_000)
    s = Store()
    r = s.pull("t/cut-GGUF")
    asked = [h.get("Range") for _, _, h in HUB.requests("cut-GGUF", "storage")]
    check("models: a connection that breaks is taken up again", r.returncode == 0 and s.has("c-Q4_K_M.gguf", SMALL)
          and any(a.startswith("bytes=160000-") for a in asked), (r, asked))
    HUB.put("t/expires-GGUF", "e-Q4_K_M.gguf", SMALL, expires=True)
    r = s.pull("t/expires-GGUF")
    check("models: an address that expired is asked for again", r.returncode == 0 and s.has("e-Q4_K_M.gguf", SMALL), r)


def wrong_answers():
    HUB.put("t/416-GGUF", "r-Q4_K_M.gguf", SMALL, answers_416=1)
    s = Store()
    r = s.pull("t/416-GGUF")
    check("models: 416 starts over", r.returncode == 0 and s.has("r-Q4_K_M.gguf", SMALL), r)
    HUB.put("t/shift-GGUF", "w-Q4_K_M.gguf", SMALL, wrong_range=True)
    r = s.pull("t/shift-GGUF", "--attempts", 1)
    check("models: another range than asked for is not written", r.returncode == 111 and "another range" in r.stderr
          and "w-Q4_K_M.gguf" not in s.names(), r)
    HUB.put("t/loop-GGUF", "l-Q4_K_M.gguf", SMALL, loop=True)
    r = s.pull("t/loop-GGUF", "--attempts", 1)
    check("models: redirects in circles end", r.returncode == 111 and "circles" in r.stderr, r)
    HUB.put("t/page-GGUF", "p-Q4_K_M.gguf", b"<html>Please log in</html>" * 50)
    r = s.pull("t/page-GGUF")
    check("models: a page instead of a model is deleted", r.returncode == 111 and "no model" in r.stderr
          and not [n for n in s.names() if n.startswith("p-")], (r, s.names()))
    HUB.put("t/short-GGUF", "k-Q4_K_M.gguf", gguf(5000, cut=100))
    r = s.pull("t/short-GGUF")
    check("models: a model that is cut off on the hub is deleted", r.returncode == 111 and "cut off" in r.stderr
          and "k-Q4_K_M.gguf" not in s.names(), r)


def checksums():
    HUB.put("t/spoiled-GGUF", "x-Q4_K_M.gguf", SMALL, spoils=True)
    s = Store()
    r = s.pull("t/spoiled-GGUF")
    check("models: a wrong checksum is named and what came deleted", r.returncode == 111 and "wrong checksum" in r.stderr
          and s.names() == [], (r, s.names()))
    HUB.put("t/lies-GGUF", "y-Q4_K_M.gguf", SMALL, says_sha256="0" * 64)
    r = s.pull("t/lies-GGUF")
    check("models: list and redirect that disagree load nothing", r.returncode == 111 and "another version" in r.stderr
          and not HUB.requests("lies-GGUF", "storage")[1:] and s.loadable() == [], r)


def refusals():
    HUB.put("t/gated-GGUF", "g-Q4_K_M.gguf", SMALL, gated=True)
    s = Store()
    r = s.pull("t/gated-GGUF:g-Q4_K_M.gguf")
    check("models: a gated model without a token: the steps", r.returncode == 100 and "HF_TOKEN=hf_" in r.stderr
          and "accept its terms" in r.stderr, r)
    no = Store(env={"HF_TOKEN": "hf_other"})
    r = no.pull("t/gated-GGUF")
    check("models: with a token that may not: other steps", r.returncode == 100 and "403" in r.stderr
          and "accept its terms" in r.stderr and "hf_other" not in r.stderr, r)
    yes = Store(env={"HF_TOKEN": "hf_good"})
    r = yes.pull("t/gated-GGUF")
    check("models: with one that may it comes", r.returncode == 0 and yes.has("g-Q4_K_M.gguf", SMALL), r)
    r = s.pull("t/plain404-GGUF:none-Q4_K_M.gguf")
    check("models: 404 says to check the name", r.returncode == 100 and "check the name" in r.stderr, r)
    HUB.put("t/weights", "model.safetensors", b"x")
    r = s.pull("t/weights")
    check("models: a repository without GGUF: what to do", r.returncode == 100 and "no GGUF" in r.stderr
          and "storyfi models import t/weights" in r.stderr, r)
    HUB.put("t/types-GGUF", "q-Q2_K.gguf", SMALL)
    HUB.put("t/types-GGUF", "q-Q3_K_M.gguf", SMALL)
    r = s.pull("t/types-GGUF")
    check("models: a type that is not there: those that are", r.returncode == 100 and "Q2_K" in r.stderr
          and "Q3_K_M" in r.stderr, r)
    r = s.pull("mixtrel")
    check("models: a name that is none", r.returncode == 100 and "did you mean mixtral" in r.stderr, r)
    for bad in ("t/x-GGUF:../../etc/passwd.gguf", "t/x-GGUF:.hidden.gguf", "t/x-GGUF:sub/..gguf"):
        r = s.pull(bad)
        check(f"models: no file outside of the folder: {bad}", r.returncode == 100, r)
    s.env["STORYFI_CACHE"] = str(TMP / "no-setup")
    r = s.pull("default")
    check("models: the default model's way", r.returncode == 100 and "make setup" in r.stderr, r)
    s.env["STORYFI_CACHE"] = str(TMP / "wrong-setup")
    spoiled = TMP / "wrong-setup" / "models" / "SmolLM2-135M-Instruct.Q4_1.gguf"
    spoiled.parent.mkdir(parents=True)
    spoiled.write_bytes(SMALL)
    r = s.pull("default")
    check("models: when it is here, it is checked", r.returncode == 111 and "another content" in r.stderr, r)
    for args, why in ((("show", "mixtral", "--gpus", "24GB"), "--gpus is for models recommend"),
                      (("list", "--any-version"), "--any-version is for models pull"),
                      (("recommend", "mixtral"), "takes no name"), (("recommend", "--quant", "Q9"), "no size is known")):
        r = s.run(*args)
        check(f"models: {' '.join(args)} is refused", r.returncode == 100 and why in r.stderr, r)


def limits():
    HUB.put("t/rate-GGUF", "f-Q4_K_M.gguf", SMALL, rate_limited=1)
    s = Store()
    r = s.pull("t/rate-GGUF:f-Q4_K_M.gguf")
    check("models: 429 waits as long as asked", r.returncode == 0 and s.has("f-Q4_K_M.gguf", SMALL)
          and "waiting" in r.stderr, r)
    HUB.put("t/rate2-GGUF", "f2-Q4_K_M.gguf", SMALL, rate_limited=99)
    r = s.pull("t/rate2-GGUF:f2-Q4_K_M.gguf", "--attempts", 1)
    check("models: 429 for ever is temporary", r.returncode == 111 and "429" in r.stderr, r)


def disk():
    HUB.put("t/huge-GGUF", "h-Q4_K_M.gguf", SMALL, claims_bytes=1 << 49, unnamed=True)
    s = Store()
    r = s.pull("t/huge-GGUF:h-Q4_K_M.gguf")
    check("models: too little room is seen before anything is loaded", r.returncode == 111
          and "not enough room" in r.stderr and "models_dir" in r.stderr and s.names() == [], (r, s.names()))
    HUB.put("t/limit-GGUF", "l-Q4_K_M.gguf", SMALL)
    r = s.pull("t/limit-GGUF", "--generator.local.models_max_size", 1000)
    check("models: the folder's own limit is kept, with its remedy", r.returncode == 111 and "models_max_size" in r.stderr
          and "storyfi models remove" in r.stderr and s.names() == [], (r, s.names()))
    r = s.pull("t/limit-GGUF", "--generator.local.models_max_size", "1GB")
    check("models: within it all is well", r.returncode == 0 and s.has("l-Q4_K_M.gguf", SMALL), r)
    HUB.put("t/huge2-GGUF", "h2-Q4_K_M.gguf", SMALL, says_bytes=1 << 49)
    r = s.pull("t/huge2-GGUF")
    check("models: also from the list alone", r.returncode == 111 and "not enough room" in r.stderr
          and not HUB.requests("huge2-GGUF/resolve"), r)


def mirrors():
    down = f"http://127.0.0.1:{Miner.free_port()}"
    HUB.put("t/mirror-GGUF", "m-Q4_K_M.gguf", SMALL)
    s = Store(more=f'    hub_mirrors: ["{HUB.url}"]\n', env={"HF_ENDPOINT": down, "HF_TOKEN": "hf_secret"})
    r = s.pull("t/mirror-GGUF", "--attempts", 1)
    asked = HUB.requests("mirror-GGUF")
    check("models: a mirror steps in", r.returncode == 0 and s.has("m-Q4_K_M.gguf", SMALL), r)
    check("models: and gets no token", asked and all("Authorization" not in h for _, _, h in asked), asked)
    s = Store(more=f'    hub_endpoint: "{HUB.url}/"\n', env={"HF_ENDPOINT": down})
    r = s.pull("t/mirror-GGUF")
    check("models: hub_endpoint is asked before HF_ENDPOINT", r.returncode == 0, r)
    s = Store(env={"HF_ENDPOINT": down})
    r = s.pull("t/mirror-GGUF", "--attempts", 1)
    check("models: nobody answers", r.returncode == 111 and "connect" in r.stderr, r)


def split():
    parts = [gguf(5000 + i, seed=i, split=(i, 3)) for i in range(3)]
    names = [f"d-Q4_K_M-0000{i + 1}-of-00003.gguf" for i in range(3)]
    for n, c in zip(names, parts):
        HUB.put("t/split-GGUF", "d-Q4_K_M/" + n, c)
    s = Store()
    r = s.pull("t/split-GGUF")
    order = [p for _, p, h in HUB.requests("split-GGUF/resolve", "hub")]
    check("models: a model in parts comes whole", r.returncode == 0 and all(s.has(n, c) for n, c in zip(names, parts)), r)
    check("models: its first part comes last: by it a model is found", order and names[0] in order[-1]
          and names[2] in order[0], order)
    r = run("doctor", "--json", "--mode", "local", "--config", s.config, "--generator.local.model_name", "d",
            "--state_dir", TMP / "state", "--axon.port", 0, "--admin.port", 0, env=s.env)
    check("models: model_name finds it by its first part", names[0] in r.stdout, r.stdout[:600])
    r = s.run("remove", names[1])
    check("models: remove takes all parts", r.returncode == 0 and s.loadable() == [], s.names())


def catalogue():
    text = ("models:\n  - names: [Own/Model, own]\n    repo: t/own-GGUF\n    files:\n"
            "      - {quant: Q4_K_M, file: own-Q4_K_M.gguf, bytes: %d, sha256: %s}\n    layers: 4\n    quality: 999\n"
            "    parameters: 0.001\n")
    sha = HUB.put("t/own-GGUF", "own-Q4_K_M.gguf", SMALL)
    path = TMP / "own.yaml"
    path.write_text(text % (len(SMALL), sha))
    s = Store(more=f'    catalogue: "{path}"\n')
    r = s.pull("auto")
    check("models: a catalogue of one's own; auto takes its best", r.returncode == 0 and s.has("own-Q4_K_M.gguf", SMALL)
          and "as in the catalogue" in r.stdout, r)
    path.write_text(text % (len(SMALL), "1" * 64))
    s = Store(more=f'    catalogue: "{path}"\n')
    r = s.pull("own")
    check("models: the catalogue's checksum counts", r.returncode == 111 and "another version" in r.stderr
          and s.loadable() == [], r)
    for name, wrong, why in (("not YAML", "models: [", "line "), ("a file name with a path", text.replace(
            "file: own", "file: ../own") % (1, sha), "files"), ("an unknown key", text % (1, sha) + "    lyers: 3\n",
                                                               "lyers"), ("an alias", "a: &x 1\nmodels: *x\n", "aliases")):
        path.write_text(wrong)
        r = s.run("list")
        check(f"models: a catalogue with {name} is named and skipped", r.returncode == 0 and str(path) in r.stderr
              and why in r.stderr and "llama-3.1-8b" in r.stdout, r)


def looking():
    s = Store(env={"PATH": "/nonexistent"})
    rows = json.loads(s.run("recommend", "--json", "--gpus", "24GB").stdout)
    best = [x for x in rows if x["best"]]
    check("models: recommend names one best, that fits", len(best) == 1 and best[0]["quick"]
          and best[0]["needs_bytes"] < 24 << 30, best)
    small = {x["name"]: x for x in rows}["meta-llama/Llama-3.1-70B-Instruct"]
    check("models: what does not fit on the card says so", small["verdict"] in ("no", "partly, slow", "CPU, slow"), small)
    r = s.run("recommend", "--gpus", "none")
    check("models: recommend without a GPU", r.returncode == 0 and "* " in r.stdout and "memory:" in r.stdout, r)
    r = s.run("recommend", "--gpus", "much")
    check("models: --gpus that are none", r.returncode == 100 and "24GB,24GB" in r.stderr, r)
    fake = TMP / "bin"
    fake.mkdir(exist_ok=True)
    (fake / "nvidia-smi").write_text("#!/bin/sh\necho 'NVIDIA GeForce RTX 4090, 24564, 24080, 8.9'\n")
    (fake / "nvidia-smi").chmod(0o755)
    s = Store(env={"PATH": f"{fake}:/usr/bin:/bin"})
    r = s.run("recommend")
    check("models: nvidia-smi is asked", "NVIDIA GeForce RTX 4090: 25 GB free" in r.stdout, r)
    (fake / "nvidia-smi").write_text("#!/bin/sh\necho 'Failed to initialize NVML: Driver/library version mismatch'\nexit 18\n")
    r = s.run("recommend")
    check("models: what nvidia-smi says when it fails is shown", "version mismatch" in r.stdout, r)
    r = s.run("show", "llama-3.1-8b")
    check("models: show has the original's row and the plan", "6 GB of GPU memory" in r.stdout and "4.9 GB" in r.stdout, r)


def terminal():
    HUB.put("t/tty-GGUF", "t-Q4_K_M.gguf", BIG)
    s = Store()
    main, side = pty.openpty()
    p = subprocess.Popen([STORYFI, *map(str, s.args("pull", "t/tty-GGUF", "--connections", 1))], env=s.env,
                         stdout=subprocess.DEVNULL, stderr=side)
    os.close(side)
    shown = b""
    while True:
        try:
            piece = os.read(main, 65536)
        except OSError:
            break
        if not piece:
            break
        shown += piece
    p.wait()
    os.close(main)
    check("models: a bar on a terminal", p.returncode == 0 and b"[" in shown and b"% " not in shown.replace(b" %", b"")
          and b"\r\x1b[K" in shown and b"MB of" in shown, shown[-300:])


def encrypted():
    pem, key = TMP / "hub.pem", TMP / "hub.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-keyout", key, "-out", pem, "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
                    "-days", "2"], check=True, capture_output=True)
    hub = Hub((pem, key))
    hub.put("t/tls-GGUF", "e-Q4_K_M.gguf", BIG)
    s = Store(hub, env={"HF_TOKEN": "hf_good"})
    r = s.pull("t/tls-GGUF", "--attempts", 1)
    check("models: a hub that nobody vouches for hears nothing", r.returncode == 111 and "certificate" in r.stderr
          and not hub.seen, r)
    s = Store(hub, env={"HF_TOKEN": "hf_good", "SSL_CERT_FILE": str(pem)})
    r = s.pull("t/tls-GGUF", "--connections", 2)
    check("models: over TLS, in ranges", r.returncode == 0 and s.has("e-Q4_K_M.gguf", BIG)
          and len(hub.requests("tls-GGUF", "storage")) == 3, r)
    hub.close()
    down = Hub((pem, key), plain_storage=True)
    down.put("t/down-GGUF", "d-Q4_K_M.gguf", SMALL)
    s = Store(down, env={"SSL_CERT_FILE": str(pem)})
    r = s.pull("t/down-GGUF", "--attempts", 1)
    check("models: a redirect from https to http is not followed", r.returncode == 111 and "https to http" in r.stderr
          and not down.requests("down-GGUF", "storage"), r)
    down.close()


def hub_cache():
    s = Store(env={"HF_HOME": str(TMP / "hf")})
    snapshot = TMP / "hf" / "hub" / "models--bartowski--Qwen2.5-7B-Instruct-GGUF" / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    (snapshot / "Qwen2.5-7B-Instruct-Q4_K_M.gguf").write_bytes(SMALL)
    listed = json.loads(s.run("list", "--json").stdout)["models"]
    state = {m["name"]: m["state"] for m in listed}
    check("models: a GGUF in HF_HOME counts as here", state["Qwen/Qwen2.5-7B-Instruct"] == "here"
          and state["Qwen/Qwen2.5-14B-Instruct"] == "-", state)

    def keep(repo, file, content):
        folder = TMP / "hf" / "hub" / ("models--" + repo.replace("/", "--")) / "snapshots" / "abc"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes(content)
        return folder / file
    HUB.put("t/kept-GGUF", "kept-Q4_K_M.gguf", SMALL)
    there = keep("t/kept-GGUF", "kept-Q4_K_M.gguf", SMALL)
    r = s.pull("t/kept-GGUF")
    check("models: what HF_HOME has is checked and not loaded again", r.returncode == 0 and f"{there}: there" in r.stdout
          and not HUB.requests("kept-GGUF", "storage") and s.names() == [], (r, s.names()))
    HUB.put("t/stale-GGUF", "stale-Q4_K_M.gguf", SMALL)
    keep("t/stale-GGUF", "stale-Q4_K_M.gguf", gguf(300_000, seed=8))
    r = s.pull("t/stale-GGUF")
    check("models: unless it is another file", r.returncode == 0 and s.has("stale-Q4_K_M.gguf", SMALL), r)
    parts = [keep("t/parts-GGUF", f"parts-Q4_K_M-0000{i + 1}-of-00002.gguf", gguf(5000 + i, seed=i, split=(i, 2)))
             for i in range(2)]
    for repo, first in (("t/kept-GGUF", there), ("t/parts-GGUF", parts[0])):
        r = run("doctor", "--json", "--mode", "local", "--config", s.config, "--generator.local.model_name", repo,
                "--state_dir", TMP / "state-hf", "--axon.port", 0, "--admin.port", 0, env=s.env)
        check(f"models: model_name {repo} is found there", str(first) in r.stdout, r.stdout[:600])


if __name__ == "__main__":
    cases = [everyday, ranges, no_ranges, interrupted, stopped_by_hand, broken_connections, wrong_answers, checksums,
             refusals, limits, disk, mirrors, split, catalogue, looking, terminal, encrypted, hub_cache]
    chosen = [c for c in cases if c.__name__ in sys.argv[1:]] or cases
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for case, done in [(c, pool.submit(c)) for c in chosen]:
            try:
                done.result()
            except Exception as e:  # noqa: BLE001 - a case that breaks is a failure, not the end
                check(f"models: {case.__name__}", False, repr(e))
    import harness
    sys.exit(1 if harness.failed else 0)
