# SPDX-License-Identifier: MIT
"""Keys: where they are taken from, where they must not be seen; and who is spoken to at all."""
import os
import pathlib
import subprocess
import sys

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent.parent), str(pathlib.Path(__file__).resolve().parent.parent / "faults")]
import harness  # noqa: E402
import wire  # noqa: E402
from fault_server import Target  # noqa: E402
from harness import SCRIPTS, check, run  # noqa: E402
from rig import ENV, SPARE, Rig, chain, config, record, side_by_side  # noqa: E402

SHORT = os.environ.get("STORYFI_SANITIZED") == "1"


def places(rig):
    """Everything that the miner wrote or says, by name."""
    seen = {"the log": rig.log.read_bytes(), "/status": rig.get(rig.admin, "/status")[1], "/health": rig.get(rig.admin, "/health")[1]}
    for path in (rig.dir / "state").rglob("*"):
        if path.is_file():
            seen[str(path.relative_to(rig.dir))] = path.read_bytes()
    for command in ("status", "history"):
        r = run(command, "--config", rig.config, "--state_dir", rig.dir / "state", "--admin.port", rig.admin,
                env={**os.environ, **rig.env})
        seen[command] = (r.stdout + r.stderr).encode()
    r = run("config", "print", "--config", rig.config, env={**os.environ, **rig.env})
    seen["config print"] = (r.stdout + r.stderr).encode()
    return seen


def nowhere(make):
    target = Target(make).start()
    with Rig(target, flags=["--logging.debug", "--logging.trace"]) as rig:
        for step in ("ok", "401", "403", "500", "400 schema", "hang headers"):
            target.always = step
            rig.ask()
            rig.recover()
        rig.stop()
        rig.start()
        found = [name for name, data in places(rig).items() if target.wire.key.encode() in data]
        check(f"faults: {target.name}: the key is in no log, journal, status or error", not found, found)
        tail = target.wire.key[-4:]
        target.always = "401"
        rig.ask()
        text = rig.hop()["last_error"] + rig.log.read_text()
        check(f"faults: {target.name}: a refused key is named by its variable or last four letters", tail in text or "API_KEY" in text,
              rig.hop()["last_error"])


def from_dotenv():
    target = Target(wire.OpenAI(key="sk-from-the-file-0123456789wxyz")).start()
    rig = Rig(target, env={"OPENAI_API_KEY": None})
    rig.env = {k: v for k, v in ENV.items() if k != "OPENAI_API_KEY"}
    (rig.dir / ".env").write_text(f"OPENAI_API_KEY={target.wire.key}\n")
    before = os.environ.pop("OPENAI_API_KEY", None)
    with rig:
        a = rig.ask()
        check("faults: a key in .env beside the configuration is used", a.ok and a.mode == "api", a)
    if before is not None:
        os.environ["OPENAI_API_KEY"] = before


def placeholder():
    target = Target(wire.OpenAI()).start()
    with Rig(target, env={"OPENAI_API_KEY": "sk-your-key-here"}) as rig:
        a = rig.ask()
        hop = rig.hop()
        check("faults: a placeholder is no key: the provider is not even asked", a.ok and a.mode == "custom" and not target.requests,
              (a, target.requests))
        check("faults: and the status says which variable is to be set", "OPENAI_API_KEY" in hop["reason"] + hop["last_error"], hop)


def backup():
    text = f'generator:\n  mode: "custom"\n  custom:\n    script_path: "{SPARE}"\n' + chain()
    target = Target(wire.OpenAI()).start()
    # The provider itself is looked at, with this key: through a proxy that is not there.
    with Rig(target, text, env={"OPENAI_API_KEY": target.wire.key, "https_proxy": "http://127.0.0.1:9"}) as rig:
        names = [g["kind"] for g in rig.status()["generators"]]
        check("faults: a key that is set makes its provider the backup, without a section", names[-1] == "api", names)
        check("faults: and that is said at the start", "OPENAI_API_KEY" in rig.log.read_text() and "backup" in rig.log.read_text().lower(),
              rig.log.read_text())
    with Rig(target, text, env={"OPENAI_API_KEY": "sk-your-key-here"}) as rig:
        names = [g["kind"] for g in rig.status()["generators"]]
        check("faults: a placeholder makes no backup", "api" not in names, names)


def compatible():
    """Somebody's OpenAI-compatible server, as `provider: custom` and as `provider: openai` with an endpoint."""
    for kind in ("custom", "openai"):
        target = Target(wire.OpenAI(model="glm-4.5", key="zhipu-0123456789abcdef")).start()
        text = ('generator:\n  mode: "api"\n  fallback: []\n  api:\n' +
                record(target, provider=kind, api_key_env="ZHIPU_KEY") + chain())
        with Rig(target, text, env={"ZHIPU_KEY": target.wire.key}) as rig:
            a = rig.ask()
            check(f"faults: an OpenAI-compatible server as provider {kind} answers", a.ok and a.mode == "api"
                  and a.info.get("name") == "glm-4.5", (a, target.paid()))


def through_proxy():
    """A proxy named in the environment is used: it sees the whole address."""
    target = Target(wire.OpenAI()).start()
    text = config(target).replace(target.url, "http://provider.test")
    env = {"http_proxy": target.url, "no_proxy": "", "NO_PROXY": ""}
    with Rig(target, text, env=env) as rig:
        rig.ask()
        check("faults: a proxy from the environment is honoured",
              any(r.path.startswith("http://provider.test/v1/") for r in target.requests), target.requests)


def nobody_else():
    first, second, third = (Target(w).start() for w in (wire.OpenAI(), wire.Anthropic(), wire.VLLM()))
    text = (f'generator:\n  mode: "custom"\n  fallback: []\n  custom:\n    script_path: "{SCRIPTS / "exit3.sh"}"\n'
            f'  vllm:\n    endpoint: "{third.url}/v1"\n  api:\n{record(first)}    fallbacks:\n      - name: "second"\n'
            f'{record(second, "        ")}' + chain())
    env = {"OPENAI_API_KEY": first.wire.key, "ANTHROPIC_API_KEY": second.wire.key}
    with Rig(first, text, env=env) as rig:
        for _ in range(4):
            rig.ask()
        rig.until(lambda: first.requests or second.requests or third.requests, 1)
        check("faults: fallback [] means nobody else is contacted, not even to look",
              not first.requests and not second.requests and not third.requests, first.requests + second.requests + third.requests)


def alone_in_a_network():
    place = pathlib.Path(__file__).resolve().parent.parent / "faults" / "namespace.py"
    probe = subprocess.run(["unshare", "-rn", "true"], capture_output=True)
    if probe.returncode != 0:
        print(f"SKIP faults: who is spoken to: namespaces are not permitted here ({probe.stderr.decode().strip()})", flush=True)
        return
    r = subprocess.run(["unshare", "-rn", sys.executable, str(place)], capture_output=True, text=True, timeout=180)
    print(r.stdout, end="", flush=True)
    harness.failed += r.returncode != 0
    if r.returncode != 0 and "FAIL" not in r.stdout:
        check("faults: alone in a network runs to its end", False, r.stderr[-400:])


def guarded(part, *args):
    try:
        part(*args)
    except Exception as error:  # a part that breaks must not hide the others
        check(f"faults: {part.__name__} runs to its end", False, repr(error))


def main():
    jobs = [(nowhere, wire.OpenAI()), (nowhere, wire.Gemini()), (nowhere, wire.Anthropic()), (placeholder,), (backup,),
            (compatible,), (through_proxy,), (nobody_else,), (alone_in_a_network,)]
    if SHORT:
        jobs = [jobs[0], jobs[3], jobs[7]]
    jobs = [j for j in jobs if not sys.argv[1:] or j[0].__name__ in sys.argv[1:]]
    if not sys.argv[1:] or "from_dotenv" in sys.argv[1:]:
        guarded(from_dotenv)  # changes this process's environment: alone
    side_by_side([lambda j=j: guarded(*j) for j in jobs])
    return 1 if harness.failed else 0


if __name__ == "__main__":
    sys.exit(main())
