# SPDX-License-Identifier: MIT
"""What the engine is told of the plan, and what becomes of a model that does not fit: with the engine over the
stub of libllama, whose devices and memory are made up."""
import http.client
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

sys.path[:0] = [str(pathlib.Path(__file__).parent.parent / sub) for sub in ("", "models", "chain")]
import harness  # noqa: E402
from harness import SCRIPTS, Miner, check, run  # noqa: E402
from hub_double import Hub, gguf  # noqa: E402
from node_double import Chain, Node  # noqa: E402

ENGINE = os.environ["STORYFI_ENGINE"]
TMP = pathlib.Path(tempfile.mkdtemp(prefix="storyfi-plan-"))
SCRIPT = f'  custom:\n    script_path: "{SCRIPTS / "stories.py"}"\n'
GPU_LIBS = TMP / "gpu-libs"


def model(name, lines="chat 1\n", **kwargs):
    path = TMP / f"{name}.gguf"
    path.write_bytes(gguf(stub=lines, **kwargs))
    return path


def config(path, more="", fallback="[]"):
    return (f'generator:\n  mode: "local"\n  fallback: {fallback}\n  local:\n    model_name: "{path}"\n'
            f'    engine_path: "{ENGINE}"\n{more}')


def machine(gpus):
    """Environment with so many GPUs of these sizes (MiB), for the planner and for the stub."""
    folder = TMP / f"machine{len(gpus)}"
    folder.mkdir(exist_ok=True)
    GPU_LIBS.mkdir(exist_ok=True)
    (GPU_LIBS / "libggml-cuda.so").touch()
    smi = folder / "nvidia-smi"
    lines = "\\n".join(f"Card {i}, {mib}, {mib - 100}, 8.9" for i, mib in enumerate(gpus))
    smi.write_text(f'#!/bin/sh\nprintf "{lines}\\n"\n')
    smi.chmod(0o755)
    return {"PATH": f"{folder}:{os.environ['PATH']}", "STUB_LLAMA_GPUS": str(len(gpus))}


def wait_for(what, seconds=20):
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def generator(m, name="local"):
    return next(g for g in m.status()["generators"] if g["name"] == name)


def plans():
    with Miner(config(model("cpu"))) as m:
        plan, health = m.status()["plan"], json.loads(m.get(m.admin, "/health")[1])
        log = m.log.read_text()
        check("plan: on the CPU, what the engine takes by itself", plan["device"] == "cpu" and plan["context"] == 12288
              and plan["sequences"] == 160 and plan["kv"] == "f16" and plan["state"] == "ready", plan)
        check("plan: printed before the model is loaded, and in /health", "✅ Plan: cpu" in log
              and log.index("✅ Plan") < log.index("✅ Generator Mode") and health["plan"] == plan, log)
    with Miner(config(model("owner"), "    context: 5000\n    sequences: 20\n    use_flash_attention: false\n")) as m:
        plan = m.status()["plan"]
        check("plan: the owner's numbers stay", (plan["context"], plan["sequences"]) == (5000, 20), plan)
        check("plan: and flash attention, which the owner forbids, off", plan["flash_attention"] is False, plan)
    for word, lines, on, warned in (("true", "", True, 0), ("true", "no_flash 1\n", False, 1), ("auto", "no_flash 1\n", False, 0)):
        with Miner(config(model("flash", "chat 1\n" + lines), f"    use_flash_attention: {word}\n")) as m:
            plan, log = m.status()["plan"], m.log.read_text()
            check(f"plan: flash attention {word}{', not supported' if lines else ''}", plan["flash_attention"] is on
                  and log.count("no flash attention") == warned, (plan, log))
    libs = f'    lib_dir: "{GPU_LIBS}"\n'
    with Miner(config(model("gpu"), libs), env=machine([8000])) as m:
        plan = m.status()["plan"]
        check("plan: on the GPU that is there", plan["device"] == "cuda:0" and plan["gpu_layers"] == -1
              and plan["context"] == 16384, plan)
    with Miner(config(model("copies"), libs), env=machine([8000, 6000])) as m:
        plan = m.status()["plan"]
        there = wait_for(lambda: all(c["state"] == "ready" for c in m.status()["plan"]["copies"]))
        check("plan: two GPUs, a child on each", there and [c["device"] for c in plan["copies"]] == ["cuda:0", "cuda:1"],
              plan)
        codes = [m.query("blueprint", f"the sea {i}", "--timeout", "20").returncode for i in range(4)]
        check("plan: which both answer", codes == [0] * 4, codes)
    with Miner(config(model("second", "chat 1\ngpu 2\n"), libs + '    device: "cuda:1"\n'), env=machine([8000, 6000])) as m:
        check("plan: the GPU that the owner names, and no other", m.status()["plan"]["state"] == "ready"
              and m.status()["plan"]["device"] == "cuda:1", m.status()["plan"])
    with Miner(config(model("split", "chat 1\nsplit_0 2\nsplit_1 1\nsplit_2 1\n", n_bytes=1 << 20), libs + '    max_memory: "450MB"\n    context: 200000\n'),
               env=machine([8000, 6000, 1000])) as m:
        plan = m.status()["plan"]
        check("plan: what one GPU does not hold is split by layers", plan["device"] == "auto" and len(plan["copies"]) == 1
              and plan["state"] == "ready" and "split" in plan["text"], plan)  # loads as its file says, else not at all


def too_large():
    lines = "chat 1\nroom_mib 3\n"
    with Miner(config(model("room", lines))) as m:
        plan = m.status()["plan"]
        check("memory: what is refused is tried smaller until it loads", plan["state"] == "ready" and plan["kv"] == "q8_0"
              and plan["context"] == 6144 and plan["smaller_by"] == 3 and "no context" in plan["smaller_because"], plan)
        check("memory: and answers", m.query("characters", "the sea", "--timeout", "20").returncode == 0)
        check("memory: which the log says", m.log.read_text().count("a smaller plan is tried") == 3, m.log.read_text())
    for n, how in ((1, "by the library, as without memory on a GPU"), (2, "by the kernel")):
        with Miner(config(model(f"dies{n}", lines + f"dies {n}\n"))) as m:
            plan = m.status()["plan"]
            check(f"memory: a child that is ended {how} too", plan["state"] == "ready" and plan["context"] == 6144
                  and ("out of memory", "killed by signal 9")[n - 1] in plan["smaller_because"], plan)
    with Miner(config(model("never", "chat 1\nroom_mib 1\n"), SCRIPT, '["custom"]')) as m:
        r = m.query("blueprint", "the sea", "--timeout", "20", "--json")
        check("memory: too large for every plan: the next generator", r.returncode == 0
              and json.loads(r.stdout)["model_info"]["mode"] == "custom", r)
        g = generator(m)
        check("memory: with the reason, and no loop of starts", g["state"] == "down" and "no context of" in g["reason"]
              and "starting again in 300" in g["reason"], g)
        tried = m.log.read_text().count("a smaller plan is tried")
        check("memory: each plan was tried once", tried == 4, tried)
    with Miner(config(model("huge"), '    max_memory: "1MB"\n' + SCRIPT, '["custom"]')) as m:
        g = generator(m)
        check("memory: what cannot fit is not tried; the true bytes are said", g["state"] == "down"
              and "needs" in g["reason"] and "recommend" in g["reason"], g)


def not_loaded():
    """What does not load for another reason than memory keeps its plan, says its reason, and is no loop."""
    broken, wrong = model("segv", "chat 1\ncrash 11\n"), model("wrong", "nonsense\n")
    for path, reason, starts in ((broken, "signal 11", 3), (wrong, "was not loaded: it is damaged", 1)):
        with Miner(config(path, SCRIPT, '["custom"]')) as m:
            there = wait_for(lambda: "again in 300" in generator(m)["reason"])
            g, log = generator(m), m.log.read_text()
            check(f"loading: {path.stem}: the reason, the plan as it was, then a long pause", there and g["state"] == "down"
                  and reason in g["reason"] and m.status()["plan"]["smaller_by"] == 0
                  and "smaller plan" not in log and log.count("engine child lost") == starts, (g, log))
            check(f"loading: {path.stem}: the chain answers", json.loads(m.query("blueprint", "the sea", "--timeout", "20",
                  "--json").stdout)["model_info"]["mode"] == "custom")
            path.write_bytes(gguf(stub="chat 1\n"))
            check(f"loading: {path.stem}: another file in its place is tried at once", wait_for(
                lambda: generator(m)["state"] == "ready", 5), generator(m))
    helper = TMP / "helper"
    subprocess.run(["cc", "-x", "c", "-", "-o", helper], input=b"int main(void) { return 127; }", check=True)
    with Miner(config(model("nosymbol"), SCRIPT, '["custom"]').replace(ENGINE, str(helper))) as m:
        there = wait_for(lambda: "exit status 127" in generator(m)["reason"])
        check("loading: a helper whose libraries are missing: said, with the remedy", there
              and "make setup" in generator(m)["reason"] and "smaller plan" not in m.log.read_text(), generator(m))


def no_gpu():
    with Miner(config(model("nogpu"), '    device: "cuda"\n' + SCRIPT, '["custom"]')) as m:
        r = m.query("blueprint", "the sea", "--timeout", "20", "--json")
        g = generator(m)
        check("device cuda without a GPU: the next generator, with the reason", r.returncode == 0
              and json.loads(r.stdout)["model_info"]["mode"] == "custom" and "no such GPU" in g["reason"], (r, g))
    env = machine([8000])
    with Miner(config(model("nolib"), SCRIPT, '["custom"]'), env=env) as m:
        log, plan = m.log.read_text(), m.status()["plan"]
        check("a GPU without its library: the CPU, and what to do", plan["device"] == "cpu"
              and "make setup BACKEND=cuda" in log, (plan, log))
    env["STUB_LLAMA_GPUS"] = "0"
    with Miner(config(model("notseen"), f'    lib_dir: "{GPU_LIBS}"\n'), env=env) as m:
        plan = m.status()["plan"]
        check("a GPU that the library does not see: the CPU", plan["state"] == "ready" and plan["device"] == "cpu"
              and "no GPU for device" in plan["smaller_because"], plan)


def post(m, path, body=None):
    c = http.client.HTTPConnection("127.0.0.1", m.admin, timeout=20)
    c.request("POST", path, json.dumps(body or {}), {"Content-Type": "application/json"})
    r = c.getresponse()
    status, text = r.status, r.read()
    c.close()
    return status, json.loads(text)["message"]


def listed(m):
    return json.loads(m.get(m.admin, "/api/models")[1])


def background():
    """A missing model comes while a script answers."""
    hub = Hub()
    hub.put("t/late-GGUF", "late-Q4_K_M.gguf", gguf(300_000, stub="chat 1\n"), stops_after=100_000)
    store = TMP / "store-late"
    text = config("t/late-GGUF", f'    models_dir: "{store}"\n' + SCRIPT, '["custom"]')
    with Miner(text, env={"HF_ENDPOINT": hub.url}) as m:
        under_way = wait_for(lambda: m.status()["download"]["done"] > 0)
        d = m.status()["download"]
        check("pull: a missing model is downloaded at the start, /status says how far", under_way
              and d["state"] == "working" and d["file"] == "late-Q4_K_M.gguf" and d["total"] > 300_000
              and json.loads(m.get(m.admin, "/health")[1])["download"]["name"] == "t/late-GGUF", d)
        r = m.query("blueprint", "the sea", "--timeout", "20", "--json")
        check("pull: meanwhile the chain answers", r.returncode == 0
              and json.loads(r.stdout)["model_info"]["mode"] == "custom", r)
        code, text = post(m, "/api/models/pull", {"name": "t/other-GGUF"})
        check("pull: one download at a time", code == 409 and "under way" in text, (code, text))
        hub.gate.set()
        check("pull: when it is verified the miner switches to it", wait_for(lambda: generator(m)["state"] == "ready", 10)
              and json.loads(m.query("blueprint", "the sea", "--timeout", "20", "--json").stdout)["model_info"]["mode"]
              == "local", m.status())
        check("pull: and says so", m.status()["download"]["state"] == "done" and m.status()["plan"]["kv"] == "f16")
        ours = [x["file"] for x in listed(m)["models"] if x["file"].startswith("late")]
        check("page: lists a file that no catalogue has", ours == ["late-Q4_K_M.gguf"], ours)
        code, text = post(m, "/api/models/pull", {"name": "t/none-GGUF"})
        wait_for(lambda: m.status()["download"]["state"] == "failed")
        d = m.status()["download"]
        check("pull: one that fails: cause and remedy", code == 202 and d["text"].startswith("Model download failed: ")
              and "not there, private, or gated" in d["text"] and "HF_TOKEN" in d["text"], d)
        check("pull: a wrong body is refused", post(m, "/api/models/pull", {})[0] == 400
              and post(m, "/api/models/pull/cancel")[0] == 409)
        hub.gate.clear()
        hub.put("t/long-GGUF", "long-Q4_K_M.gguf", gguf(300_000), stops_after=100_000)
        post(m, "/api/models/pull", {"name": "t/long-GGUF", "quantization": "Q4_K_M"})
        wait_for(lambda: m.status()["download"]["done"] > 0)
        code, _ = post(m, "/api/models/pull/cancel")
        check("pull: canceled", code == 202 and wait_for(lambda: m.status()["download"]["state"] == "canceled"),
              m.status()["download"])
    off = config("t/late-GGUF", f'    models_dir: "{TMP / "store-off"}"\n    auto_download: false\n' + SCRIPT, '["custom"]')
    before = len(hub.seen)
    with Miner(off, env={"HF_ENDPOINT": hub.url}) as m:
        check("pull: auto_download: false asks nobody", m.status()["download"] is None and len(hub.seen) == before
              and "storyfi models pull" in generator(m)["reason"], m.status())
    hub.close()


def switching():
    one, two = model("one"), model("two", "chat 1\nload_ms 600\n")
    bad = TMP / "bad.gguf"
    bad.write_bytes(bytes(range(256)))
    with Miner(config(one)) as m:
        code, text = post(m, "/api/models/use", {"name": "no-such-model"})
        check("use: a model that is not here", code == 404 and "pull" in text, (code, text))
        bad_bodies = [post(m, "/api/models/use", body)[0] for body in ({"name": 3}, [], {"name": "x" * 5000})]
        check("use: what is no order", bad_bodies == [400, 400, 400] and m.status()["model_change"] is None
              and post(m, "/api/models/use", {"name": "x" * 300})[0] == 404, bad_bodies)
        process = subprocess.Popen([harness.STORYFI, "models", "use", str(two), "--config", str(m.config), "--admin.port",
                                    str(m.admin)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        codes, busy = [], wait_for(lambda: (m.status()["model_change"] or {}).get("state") == "loading", 5)
        code, text = post(m, "/api/models/use", {"name": str(one)})
        check("use: one change at a time", busy and code == 409 and "being loaded" in text, (busy, code, text))
        while process.poll() is None:
            codes.append(m.query("blueprint", "the sea", "--timeout", "10").returncode)
        out, err = process.communicate()
        check("use: the other model takes over, no request is lost", process.returncode == 0 and set(codes) == {0}
              and m.status()["plan"]["model"] == "two.gguf", (process.returncode, codes, out, err))
        check("use: and how to keep it is said", f'model_name: "{two}"' in out, out)
        r = run("models", "use", bad, "--config", m.config, "--admin.port", m.admin)
        check("use: one that does not load: the old one stays, the reason is said", r.returncode == 111
              and "the old model stays" in r.stderr and m.status()["plan"]["model"] == "two.gguf"
              and m.query("blueprint", "the sea", "--timeout", "10").returncode == 0, r)
        r = run("models", "use", "no-such", "--config", m.config, "--admin.port", m.admin)
        check("use: a name that is none", r.returncode == 100 and "pull" in r.stderr, r)
        m.config.write_text(config(one))
        m.process.send_signal(signal.SIGHUP)
        check("use: SIGHUP goes back to what the configuration says",
              wait_for(lambda: m.status()["plan"]["model"] == "one.gguf"))
    r = run("models", "use", two, "--config", m.config, "--admin.port", m.admin)
    check("use: without a miner, what to write", r.returncode == 0 and "no miner runs" in r.stdout
          and f'model_name: "{two}"' in r.stdout, r)


def reloading():
    """SIGHUP to a configuration whose model is not here: the old one answers until it is, or for good."""
    hub = Hub()
    hub.put("t/next-GGUF", "next-Q4_K_M.gguf", gguf(300_000, stub="chat 1\n"), stops_after=100_000)
    store, one = f'    models_dir: "{TMP / "store-next"}"\n', model("one")

    def asked(m):
        r = m.query("blueprint", "the sea", "--timeout", "20", "--json")
        return json.loads(r.stdout)["model_info"]["name"] if r.returncode == 0 else r.stderr

    def hup(m, text):
        m.config.write_text(text)
        m.process.send_signal(signal.SIGHUP)

    def shown(m):
        return [x for x in m.get(m.admin, "/metrics")[1].decode().splitlines()
                if x.startswith("storyfi_engine_memory_bytes")]
    with Miner(config(one, store + SCRIPT, '["custom"]'), env={"HF_ENDPOINT": hub.url}) as m:
        hup(m, config("t/next-GGUF", store + "    auto_download: false\n" + SCRIPT, '["custom"]'))
        refused = wait_for(lambda: "new configuration refused" in m.log.read_text())
        check("reload: auto_download false and no model: refused with the remedy, the old model answers", refused
              and "storyfi models pull t/next-GGUF" in m.log.read_text() and asked(m) == "one.gguf"
              and not hub.requests("next-GGUF"), m.log.read_text())
        hup(m, config(TMP / "nowhere.gguf", store + SCRIPT, '["custom"]'))
        refused = wait_for(lambda: m.log.read_text().count("new configuration refused") == 2)
        check("reload: a path without a file too", refused and asked(m) == "one.gguf", m.log.read_text())
        hup(m, config("t/none-GGUF", store + SCRIPT, '["custom"]'))
        refused = wait_for(lambda: m.log.read_text().count("new configuration refused") == 3)
        check("reload: a model that the hub does not have: refused when that is known", refused
              and "Model download failed" in m.log.read_text() and asked(m) == "one.gguf", m.log.read_text())
        hup(m, config("t/next-GGUF", store + SCRIPT, '["custom"]'))
        under_way = wait_for(lambda: (m.status()["download"] or {}).get("done", 0) > 0)
        check("reload: a missing model is downloaded, the old one goes on", under_way and asked(m) == "one.gguf"
              and m.status()["plan"]["model"] == "one.gguf" and m.status()["download"]["name"] == "t/next-GGUF", m.status())
        hup(m, config(one, store + SCRIPT, '["custom"]'))
        over = wait_for(lambda: m.status()["download"]["state"] == "canceled")
        check("reload: back to the old one ends the download", over and asked(m) == "one.gguf", m.status()["download"])
        hup(m, config("t/next-GGUF", store + SCRIPT, '["custom"]'))
        wait_for(lambda: m.status()["download"]["state"] == "working" and m.status()["download"]["done"] > 0)
        codes = []
        hub.gate.set()
        done = wait_for(lambda: codes.append(asked(m)) or codes[-1] != "one.gguf", 10)
        check("reload: when it is verified it takes over, no request is lost or given to another", done
              and set(codes) == {"one.gguf", "t/next-GGUF"}, codes)
        check("reload: memory is that of the new model", wait_for(lambda: [x.split("} ")[1] != "0" for x in shown(m)]
              == [True, False]) and 'model="next-Q4_K_M.gguf"' in shown(m)[0], shown(m))
    hub.gate.clear()
    hub.put("t/late2-GGUF", "late2-Q4_K_M.gguf", gguf(300_000, stub="chat 1\n"), stops_after=100_000)
    with Miner(config("t/no-model", store + "    auto_download: false\n"), env={"HF_ENDPOINT": hub.url}) as m:
        hup(m, config("t/late2-GGUF", store))
        under_way = wait_for(lambda: (m.status()["download"] or {}).get("done", 0) > 0)
        hub.gate.set()
        check("reload: where nobody answers the model comes all the same", under_way
              and wait_for(lambda: asked(m) == "t/late2-GGUF", 10), m.log.read_text())
    hub.gate.clear()
    hub.put("t/late3-GGUF", "late3-Q4_K_M.gguf", gguf(300_000, stub="chat 1\n"), stops_after=100_000)
    with Miner(config("t/no-model", store + "    auto_download: false\n"), env={"HF_ENDPOINT": hub.url}) as m:
        hup(m, config("t/late3-GGUF", store + SCRIPT, '["custom"]'))
        taken = wait_for(lambda: "✅ Generator Mode: custom" in m.log.read_text())
        under_way = wait_for(lambda: (m.status()["download"] or {}).get("done", 0) > 0)
        hub.gate.set()
        check("reload: who can answer takes over at once, the model follows", taken and under_way
              and wait_for(lambda: asked(m) == "t/late3-GGUF", 10), m.log.read_text())
    hub.close()


def speeds():
    """What recommend says of tokens a second: measured where a model ran, estimated from that for others."""
    store, state = TMP / "store-speeds", TMP / "state-speeds"
    store.mkdir()
    (store / "SmolLM2-135M-Instruct.Q4_1.gguf").write_bytes(gguf(1_000_000, stub="chat 1\n"))
    file = TMP / "speeds.yaml"
    file.write_text(config("default", f'    models_dir: "{store}"\n').replace("generator:", f'state_dir: "{state}"\ngenerator:'))

    def told(*args):
        rows = json.loads(run("models", "recommend", "--json", "--config", file, *args).stdout)
        return {x["name"]: (x["tokens_per_second_is"], x["tokens_per_second"]) for x in rows}
    names = "HuggingFaceTB/SmolLM2-135M-Instruct", "meta-llama/Llama-3.1-8B-Instruct"
    none = told()
    check("speed: nothing is made up before a model ran", all(v == ("unknown", None) for v in none.values()), none)
    r = run("generate", "--task", "blueprint", "--input", "the sea", "--alone", "--config", file)
    got = told()
    small, large = got[names[0]], got[names[1]]
    check("speed: of the model that ran it is measured", r.returncode == 0 and small[0] == "measured" and small[1] > 0, (r, got))
    check("speed: of another it is estimated by the bytes", large[0] == "estimated"
          and 0.9 < large[1] * 4920739232 / 1_000_000 / small[1] < 1.1, got)
    check("speed: but not for cards that are not there", told("--gpus", "24GB")[names[1]][0] == "unknown")
    text = run("models", "recommend", "--config", file).stdout
    check("speed: the table says which is which", "TOKENS/S" in text and "with ~ estimated" in text
          and "Measured here:\n  SmolLM2-135M-Instruct.Q4_1.gguf:" in text, text)


def on_chain():
    """Mining with the default model is said to be what it is."""
    chain = Chain()
    chain.add_subnet(92, 0)
    node = Node(chain)
    store = TMP / "store-default"
    store.mkdir()
    (store / "SmolLM2-135M-Instruct.Q4_1.gguf").write_bytes(gguf(stub="chat 1\n"))
    m = Miner(config("default", f'    models_dir: "{store}"\n'))
    with m:
        check("default model: nothing to say offline", "earns little" not in m.log.read_text())
    m.flags = [f for f in m.flags if f != "--offline"] + ["--netuid", "92", "--subtensor.chain_endpoint", node.ws,
                                                         "--axon.external_ip", "127.0.0.2"]
    with m:
        check("default model: a standing warning on-chain, with the remedy", wait_for(
            lambda: "storyfi models recommend" in m.log.read_text()), m.log.read_text())


def shelf(name, more=""):
    """A folder of models, a configuration, and commands that use both."""
    store, file = TMP / name, TMP / f"{name}.yaml"
    store.mkdir(exist_ok=True)
    file.write_text(config("t/walk-GGUF", f'    models_dir: "{store}"\n    quantization: "Q4_1"\n{more}') + "admin:\n  port: 0\n")
    return store, lambda *args, **kwargs: run("models", *args, "--config", file, **kwargs), file


def names(store):
    return sorted(p.name for p in store.iterdir())


TUNED = ["walk-Q4_1.gguf", "walk-Q4_1.tuned.gguf", "walk-Q4_1.tuned.gguf.verified", "walk-Q4_1.tuned.json"]
AS_IT_CAME = ["pins.json", "walk-Q4_1.gguf", "walk-Q4_1.gguf.verified"]


def tuning():
    store, call, file = shelf("tuning")
    original = store / TUNED[0]

    def tune(lines, *args):
        original.write_bytes(gguf(stub=lines))
        return call("tune", *args, "--json")

    def taken():
        return "tuned.gguf" in run("doctor", "--mode", "local", "--json", "--config", file, "--state_dir", TMP / "st").stdout
    r = call("tune", "walk-no")
    check("tune: a model that is not here", r.returncode == 100, r)
    r = tune("chat 1\nwork_us 1000\n", "--rounds", 1)
    rows = json.loads(r.stdout or "[]")
    check("tune: the one that is faster is kept", r.returncode == 0 and [x["type"] for x in rows if x["kept"]] == ["Q8_0"]
          and [x["rounds"] for x in rows] == [1] * 5 and names(store) == TUNED, (r, names(store)))
    check("tune: the answers' texts are counted, and how many were unfit", all(x["slots"] > 20 and x["mended"] >= 0
                                                                              for x in rows), rows)
    check("tune: and taken for the model", taken())
    os.utime(original)
    os.utime(store / TUNED[1], (1, 1))
    check("tune: not when it is older than the model", not taken())
    r = tune("chat 1\nwork_us 1000\n", "--quick")
    rows = json.loads(r.stdout or "[]")
    rounds = [x["rounds"] for x in rows]
    check("tune: quick: half of them are dropped after a round", r.returncode == 0 and len(rows) == 5
          and [x["type"] for x in rows if x["kept"]] == ["Q8_0"] and rounds[0] == rounds[1] == max(rounds)
          and sorted(rounds)[:2] == [1, 1], rows)
    r = call("remove", TUNED[1])
    check("tune: removed, the model is the file as it came", r.returncode == 0 and not taken()
          and names(store) == [TUNED[0], TUNED[3]], (r, names(store)))
    r = call("tune", "--quick", "--if-missing")
    check("tune: nobody makes it again by itself", r.returncode == 0 and "the file was removed" in r.stdout
          and names(store) == [TUNED[0], TUNED[3]], r)
    r = tune("chat 1\nwork_us 1000\nabort_at 40\n", "--rounds", 1)
    check("tune: a model that does not answer: the cause, nothing is left", r.returncode == 111 and "tune:" in r.stderr
          and names(store) == [TUNED[0], TUNED[3]], (r, names(store)))
    r = call("remove", TUNED[0])
    check("tune: with the model goes what was made of it", r.returncode == 0 and names(store) == [], names(store))


def tuned_when_pulled():
    hub = Hub()
    hub.put("t/walk-GGUF", TUNED[0], gguf(stub="chat 1\nwork_us 1000\n"))
    env = {**os.environ, "HF_ENDPOINT": hub.url}
    store, call, file = shelf("pulled")
    r = call("pull", "t/walk-GGUF", env=env)
    check("pull: tunes where the model runs on the CPU, after saying what it takes", r.returncode == 0
          and "tuned: Q8_0, " in r.stdout and "tuning: looks for" in r.stderr and "about 30 s" in r.stderr
          and names(store) == sorted({*TUNED, *AS_IT_CAME}), (r, names(store)))
    r = call("verify")
    check("pull: verify knows the tuned file's checksum too", r.returncode == 0 and r.stdout.count("ok ") == 2, r)
    r = call("pull", "t/walk-GGUF", "--json", env=env)
    check("pull: once", r.returncode == 0 and json.loads(r.stdout)[0]["tuning"] == {"not": "tuned already"}, r)
    before = len(hub.seen)
    for what, args, more, why in (
            ("--no-tune", ["--no-tune"], "", ""), ("auto_tune: false", [], "    auto_tune: false\n", "auto_tune is false"),
            ("no engine", ["--generator.local.engine_path", TMP / "none"], "", "no storyfi-engine here"),
            ("a limit of the folder", [], "    models_max_size: 2KB\n", "models_max_size leaves"),
            ("on a GPU", ["--generator.local.lib_dir", GPU_LIBS], "", "runs on a GPU")):
        store, call, _ = shelf("pulled-" + what.replace(" ", "-").replace(":", ""), more)
        r = call("pull", "t/walk-GGUF", *args, env={**env, **(machine([8000]) if "GPU" in what else {})})
        check(f"pull: not tuned: {what}", r.returncode == 0 and (why in r.stdout if why else "tuned" not in r.stdout)
              and names(store) == AS_IT_CAME, (r, names(store)))
    check("pull: of each the hub was asked", len(hub.seen) > before)
    hub.put("t/walk-GGUF", "walk-Q4_1.gguf", gguf(stub="chat 1\nstall_at 30\n"))
    store, call, file = shelf("interrupted")
    p = subprocess.Popen([harness.STORYFI, "models", "pull", "t/walk-GGUF", "--config", file], env=env, text=True,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    under_way = wait_for(lambda: len(list(store.glob("*.trying"))) == 4)
    r = call("tune")
    check("tune: one at a time in a folder", r.returncode != 0 and "another storyfi is tuning" in r.stderr, r)
    p.send_signal(signal.SIGINT)
    out, err = p.communicate(timeout=20)
    check("pull: Ctrl-C while it tunes keeps the file as it came", under_way and p.returncode == 0
          and "canceled" in out and names(store) == AS_IT_CAME,
          (out, err, names(store)))
    hub.put("t/walk-GGUF", "walk-Q4_1.gguf", gguf(stub="chat 1\n"))
    store, call, file = shelf("served", SCRIPT)
    file.write_text(file.read_text().replace("fallback: []", 'fallback: ["custom"]').replace("admin:\n  port: 0\n", ""))
    with Miner(file.read_text(), env={"HF_ENDPOINT": hub.url}) as m:
        wait_for(lambda: m.status()["download"]["state"] == "done")
        check("pull: not by the miner, which says the command once", m.log.read_text().count("storyfi models tune t/walk-GGUF")
              == 1 and not list(store.glob("*tuned*")), m.log.read_text())
        r = run("models", "tune", "--quick", "--if-missing", "--config", file, "--admin.port", m.admin)
        check("tune: not by itself while a miner runs", r.returncode == 0 and "a miner runs here" in r.stdout, r)
    hub.close()


def real():
    """With real models and the real engine: the long form."""
    cache = pathlib.Path(os.environ.get("STORYFI_CACHE", pathlib.Path.home() / ".cache/storyfi"))
    engine = pathlib.Path(harness.STORYFI).parent / "storyfi-engine"
    small = next((cache / "models").glob("SmolLM2*.Q4_1.gguf"), None)
    other = next((cache / "test").glob("gemma-3*.gguf"), None)
    if not engine.exists() or not small or not other:
        print("SKIP models: real engine and models are not here (make setup --test)")
        return
    def text(path):
        return config(path).replace(ENGINE, str(engine))
    with Miner(text(small), wait=60) as m:
        process = subprocess.Popen([harness.STORYFI, "models", "use", str(other), "--config", str(m.config),
                                    "--admin.port", str(m.admin)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        codes = []
        while process.poll() is None:
            codes.append(m.query("blueprint", "the sea", "--timeout", "55").returncode)
        out, err = process.communicate()
        codes.append(m.query("blueprint", "the sea", "--timeout", "55").returncode)
        check("real: from one model to the other without a lost request", process.returncode == 0 and set(codes) == {0}
              and m.status()["plan"]["model"] == "google/gemma-3-270m", (codes, out, err, m.status()["plan"]))
    limited = TMP / "limited.yaml"
    limited.write_text(text(small))
    r = subprocess.run(["sh", "-c", 'ulimit -v 500000; exec "$@"', "sh", harness.STORYFI, "generate", "--alone", "--task",
                        "blueprint", "--input", "the sea", "--config", limited], capture_output=True, text=True)
    check("real: a limit on memory is met by a smaller plan", r.returncode == 0 and "a smaller plan is tried" in r.stderr, r)
    store = TMP / "requantized"
    file = TMP / "real.yaml"
    file.write_text(text("default") + f'    models_dir: "{store}"\n')
    r = run("models", "import", small, "--quant", "Q4_0", "--config", file)
    made = next(store.glob("*Q4_0.gguf"), None)
    check("real: quantized by the engine", r.returncode == 0 and made is not None and made.stat().st_size < 95_000_000, r)
    with Miner(text(made), wait=60) as m:
        check("real: and it writes", m.query("blueprint", "the sea", "--timeout", "55").returncode == 0)


def real_converter():
    """llama.cpp's own, where make setup CONVERT=1 has brought it."""
    convert = pathlib.Path(os.environ.get("STORYFI_CACHE", pathlib.Path.home() / ".cache/storyfi")) / "convert"
    engine = pathlib.Path(harness.STORYFI).parent / "storyfi-engine"
    if not (convert / ".complete").exists() or not engine.exists():
        print("SKIP models: the real converter is not here (make setup CONVERT=1)")
        return
    maker = pathlib.Path(__file__).parent.parent / "models" / "tiny_weights.py"
    subprocess.run([convert / "venv/bin/python", maker, TMP / "Tiny-1M"], check=True)
    store, file = TMP / "converted", TMP / "converted.yaml"
    file.write_text(f'generator:\n  local:\n    models_dir: "{store}"\n')
    r = run("models", "import", TMP / "Tiny-1M", "--config", file)
    check("real: weights are converted and quantized", r.returncode == 0 and (store / "Tiny-1M-Q4_K_M.gguf").exists(), r)
    r = run("doctor", "--mode", "local", "--config", file, "--generator.local.model_name", "Tiny-1M", "--state_dir", TMP / "st2")
    check("real: and the engine loads them", "model loaded in" in r.stdout, r.stdout)


def page():
    with Miner(config("default")) as m:
        got = listed(m)
        byname = {x["name"]: x for x in got["models"]}
        llama = byname["meta-llama/Llama-3.1-8B-Instruct"]
        check("page: the catalogue as JSON", llama["languages"] and llama["file_bytes"] > 4e9
              and "llama-3.1-8b" in llama["aliases"] and not llama["in_use"] and isinstance(llama["fits"], bool), llama)
        check("page: devices and room on the disk", got["devices"][-1]["name"] == "memory" and got["disk_free_bytes"] > 0,
              got["devices"])


CONVERTER = """import pathlib, shutil, sys
args = sys.argv[1:]
source, out = args[0], args[args.index("--outfile") + 1]
pathlib.Path(__file__).with_suffix(".args").write_text("\\n".join(args))
if "fails" in source:
    sys.exit("Model MyForCausalLM is not supported")
shutil.copy(pathlib.Path(__file__).with_suffix(".gguf"), out)
"""


def importing():
    converter, store = TMP / "convert.py", TMP / "imported"
    converter.write_text(CONVERTER)
    converter.with_suffix(".gguf").write_bytes(gguf(200_000, stub="chat 1\n"))
    weights = TMP / "Novelist-9B"
    weights.mkdir()
    file = TMP / "import.yaml"
    file.write_text(config("Novelist-9B", f'    models_dir: "{store}"\n'))
    env = {**os.environ, "STORYFI_CACHE": str(TMP / "empty-cache"), "HF_HOME": str(TMP / "hf"), "HF_TOKEN": "hf_good"}

    def call(*args, tools=("--python", sys.executable, "--converter", converter)):
        return run("models", "import", *args, *tools, "--config", file, env=env)
    r = call(weights)
    check("import: a folder without config.json", r.returncode == 100 and "config.json" in r.stderr, r)
    (weights / "config.json").write_text("{}")
    r = call(weights, tools=())
    check("import: without a converter: how to get one", r.returncode == 100 and "make setup CONVERT=1" in r.stderr
          and "--converter" in r.stderr, r)
    r = call(weights, "--json")
    got = json.loads(r.stdout or "{}")
    made = store / "Novelist-9B-Q4_K_M.gguf"
    check("import: converted, quantized, verified, in its place", r.returncode == 0 and got["file"] == str(made)
          and sorted(p.name for p in store.iterdir()) == [made.name, made.name + ".verified"], (r, list(store.iterdir())))
    r = run("models", "verify", "--config", file, env=env)
    check("import: verify knows its checksum", r.returncode == 0 and r.stdout.startswith("ok "), r)
    r = run("generate", "--task", "blueprint", "--input", "the sea", "--config", file, "--alone", env=env)
    check("import: model_name finds it, and it writes", r.returncode == 0, r)
    r = call(weights)
    check("import: what is there is not made again", r.returncode == 100 and "is there already" in r.stderr, r)
    r = call(weights, "--quant", "none")
    args = converter.with_suffix(".args").read_text().split("\n")
    check("import: in 16 bits", r.returncode == 0 and (store / "Novelist-9B-F16.gguf").exists()
          and args[0] == str(weights) and args[-2:] == ["--outtype", "f16"], (r, args))
    r = call("mylab/Far-1B")
    args = converter.with_suffix(".args").read_text().split("\n")
    check("import: a name that is not here is read from the hub by the converter", r.returncode == 0
          and args[0] == "mylab/Far-1B" and "--remote" in args, (r, args))
    kept = TMP / "hf/hub/models--mylab--Near-1B/snapshots/abc"
    kept.mkdir(parents=True)
    (kept / "config.json").write_text("{}")
    r = call("mylab/Near-1B")
    args = converter.with_suffix(".args").read_text().split("\n")
    check("import: one that huggingface_hub keeps is taken from there", r.returncode == 0 and args[0] == str(kept)
          and "--remote" not in args, (r, args))
    r = call(store / "Novelist-9B-F16.gguf", "--quant", "Q8_0")
    check("import: a GGUF file is only quantized", r.returncode == 0 and (store / "Novelist-9B-Q8_0.gguf").exists(), r)
    fails = TMP / "fails-7B"
    fails.mkdir()
    (fails / "config.json").write_text("{}")
    before = sorted(store.iterdir())
    r = call(fails)
    check("import: a converter that fails: what it said, and nothing half-made", r.returncode == 111
          and "is not supported" in r.stderr and sorted(store.iterdir()) == before, r)
    converter.with_suffix(".args").unlink()
    r = call(weights, "--quant", "Q9")
    check("import: a type that is none is told before anything is converted", r.returncode == 100
          and "is no type" in r.stderr and "Q5_K_M" in r.stderr and sorted(store.iterdir()) == before, r)
    huge = TMP / "Huge-900B"
    huge.mkdir()
    (huge / "config.json").write_text("{}")
    with open(huge / "model.safetensors", "wb") as f:
        f.truncate(1 << 43)
    r = call(huge)
    check("import: too little room is seen before anything is written", r.returncode == 111
          and "not enough room" in r.stderr and "models_dir" in r.stderr, r)
    hub = Hub()
    hub.put("mylab/Vast-900B", "model-00001-of-00001.safetensors", b"x", says_bytes=1 << 49)
    env["HF_ENDPOINT"] = hub.url
    r = call("mylab/Vast-900B")
    hub.close()
    check("import: also for weights that are on the hub", r.returncode == 111 and "not enough room" in r.stderr
          and not converter.with_suffix(".args").exists() and sorted(store.iterdir()) == before, r)
    r = call("no-such")
    check("import: a source that is none", r.returncode == 100 and "no folder" in r.stderr, r)


cases = (plans, too_large, not_loaded, no_gpu, background, switching, reloading, speeds, page, importing, on_chain, tuning,
         tuned_when_pulled)
for case in [c for c in cases if c.__name__ in sys.argv[1:]] or cases:
    case()
if os.environ.get("STORYFI_FULL") == "1":
    real()
    real_converter()
sys.exit(1 if harness.failed else 0)
