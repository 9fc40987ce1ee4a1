# SPDX-License-Identifier: MIT
"""storyfi doctor and what is elsewhere: providers, vLLM and services of the fault server, each check made red on purpose."""
import datetime
import json
import os
import pathlib
import sys
import tempfile

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent.parent), str(pathlib.Path(__file__).resolve().parent.parent / "faults")]
import harness  # noqa: E402
import wire  # noqa: E402
from fault_server import Target  # noqa: E402
from harness import Miner, check, run  # noqa: E402
from rig import ENV, config, keys_of, record  # noqa: E402

TMP = pathlib.Path(tempfile.mkdtemp(prefix="storyfi-doctor-targets-"))
PLUGINS = pathlib.Path(harness.STORYFI).parent / "plugins"


def doctor(text, mode, env):
    file = TMP / "generator_config.yaml"
    file.write_text(text)
    r = run("doctor", "--json", "--mode", mode, "--config", file, "--admin.port", Miner.free_port(),
            env={**os.environ, **ENV, **env})
    check(f"doctor: no key is shown ({mode})", not any(v in r.stdout + r.stderr for v in env.values() if v.startswith("sk-")), r.stdout)
    try:
        return {x["what"]: x for x in json.loads(r.stdout)}, r.returncode
    except ValueError:
        return {"": {"verdict": "none", "text": r.stdout + r.stderr, "remedy": ""}}, r.returncode


def says(name, found, what, verdict, text):
    lines, code = found
    line = lines.get(what, {"verdict": "absent", "text": "", "remedy": ""})
    check(f"doctor: {name}", line["verdict"] == verdict and text in line["text"] + line["remedy"]
          and code == (1 if verdict == "failed" else 0), (code, line, lines))


def in_days(n):
    return (datetime.date.today() + datetime.timedelta(days=n)).isoformat()


def providers():
    for make in (wire.OpenAI, wire.Gemini, wire.Anthropic):
        target = Target(make()).start()
        w, text = target.wire, config(target, spare=False)

        def ask(env=None):
            return doctor(text, "api", keys_of(target) if env is None else env)
        says(f"{w.name} is well", ask(), "model listed", "ok", w.model)
        says(f"{w.name}: the key is there, by its end", ask(), "key present", "ok", w.key[-4:])
        check(f"doctor: {w.name}: nothing that costs was asked", not target.paid(), target.requests)
        if make is wire.OpenAI:  # what only speaks its language may want none
            says("a server that wants a key after all", ask({}), "key accepted", "failed", "api_key_env")
        else:
            says(f"{w.name}: no key", ask({}), "usable", "failed", "API_KEY")
        target.down = "401"
        says(f"{w.name}: a refused key", ask(), "key accepted", "failed", "make a new key")
        target.down = "403"
        says(f"{w.name}: a key that may not list models", ask(), "key accepted", "warning", "--mode api")
        target.down = "503"
        says(f"{w.name}: a provider that is down", ask(), "models listed", "failed", "503")
        target.heal()
        for days, verdict, words in ((-3, "failed", "was shut down"), (10, "warning", "about to be shut down"), (100, "ok", w.model)):
            if make is wire.OpenAI:  # the only one that tells
                w.shutdown_date = in_days(days)
                says(f"a model whose end is in {days} days", ask(), "model listed", verdict, words)
        text = text.replace(w.model, w.model + "x")
        says(f"{w.name}: a misspelt model, with the nearest name", ask(), "model listed", "failed", w.model)
        target.refuse()
        says(f"{w.name}: nobody there", ask(), "endpoint reachable", "failed", "check the network")


def listed():
    here, gone = Target(wire.OpenAI()).start(), Target(wire.Anthropic()).start()
    gone.refuse()
    text = (f'generator:\n  mode: "api"\n  fallback: []\n  api:\n{record(here)}    fallbacks:\n      - name: "second"\n'
            f'{record(gone, "        ")}')
    file = TMP / "listed.yaml"
    file.write_text(text)
    r = run("generators", "list", "--json", "--config", file, "--admin.port", Miner.free_port(),
            env={**os.environ, **ENV, **keys_of(here, gone)})
    rows = json.loads(r.stdout)["generators"]
    check("generators: without a miner each is looked at, free of cost, before its state is told",
          [(g["name"], g["state"]) for g in rows] == [("api", "ready"), ("second", "degraded")]
          and "cannot connect" in rows[1]["reason"] and here.free() and not here.paid(), (rows, here.requests))


def servers():
    target = Target(wire.VLLM()).start()
    text = config(target, spare=False)
    for what in ("endpoint reachable", "model listed", "server alive", "progress seen"):
        says(f"vllm is well: {what}", doctor(text, "vllm", {}), what, "ok", "")
    target.refuse()
    says("vllm: nobody there", doctor(text, "vllm", {}), "endpoint reachable", "failed", "check the network")
    for health in (True, False):
        target = Target(wire.Service(has_health=health)).start()
        says(f"a service {'with' if health else 'without'} /health", doctor(config(target, spare=False), "service", {}),
             "endpoint reachable", "ok", target.url)
        check("doctor: a service is not made to write", not target.paid(), target.requests)
    text = config(target, spare=False)
    target.down = "500"
    says("a service that is ill", doctor(text, "service", {}), "endpoint reachable", "failed", "500")
    target.refuse()
    says("a service that is not there", doctor(text, "service", {}), "endpoint reachable", "failed", "start the service")


def plugins():
    def text(path):
        return f'generator:\n  mode: "custom"\n  fallback: []\n  custom:\n    plugin: "{path}"\n'
    lines, code = doctor(text(PLUGINS / "storyfi_example.so"), "custom", {})
    check("doctor: a plugin is well", code == 0 and lines, lines)
    says("a plugin that is not there", doctor(text(TMP / "none.so"), "custom", {}), "usable", "failed", "is not there")
    says("a plugin for another interface", doctor(text(PLUGINS / "faulty_wrong_abi.so"), "custom", {}), "usable", "failed", "version 7")


def main():
    for part in (providers, listed, servers, plugins):
        try:
            part()
        except Exception as error:  # a part that breaks must not hide the others
            check(f"doctor: {part.__name__} runs to its end", False, repr(error))
    return 1 if harness.failed else 0


if __name__ == "__main__":
    sys.exit(main())
