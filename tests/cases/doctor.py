# SPDX-License-Identifier: MIT
"""storyfi doctor: every check made red on purpose, and green where all is well; generators list."""
import contextlib
import email.utils
import http.server
import json
import os
import pathlib
import pty
import resource
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
import harness  # noqa: E402
from harness import SCRIPTS, STORYFI, Miner, check, run, script_config  # noqa: E402

ENGINE = os.environ["STORYFI_ENGINE"]
TMP = pathlib.Path(tempfile.mkdtemp(prefix="storyfi-doctor-"))
WALLET = ["--wallet.path", str(TMP / "wallets"), "--wallet.name", "test", "--wallet.hotkey", "default"]
numbers = iter(range(1000))
for name in ("OPENAI_API_KEY", "GEMINI_API_KEY", "ANTHROPIC_API_KEY"):
    os.environ.pop(name, None)  # a key that is set configures a provider, whose time would be asked


def config(text):
    path = TMP / f"c{next(numbers)}.yaml"
    path.write_text(text)
    return path


def script(text, mode=0o755):
    path = TMP / f"s{next(numbers)}"
    path.write_text(text)
    path.chmod(mode)
    return path


def custom(path, more=""):
    return config(f'generator:\n  mode: "custom"\n  fallback: []\n  custom:\n    script_path: "{path}"\n{more}')


def local(model, more=""):
    return config(f'generator:\n  mode: "local"\n  fallback: []\n  local:\n    model_name: "{model}"\n{more}')


def doctor(file, *args, **kwargs):
    """The lines by (area, what), and the exit code."""
    flags = [*WALLET, "--state_dir", TMP / "state", "--axon.ip", "127.0.0.1", "--axon.port", Miner.free_port(),
             "--admin.port", Miner.free_port(), *args]
    r = run("doctor", "--json", "--config", file, *flags, **kwargs)
    try:
        lines = json.loads(r.stdout)
    except ValueError:
        return {"": {"text": r.stdout + r.stderr, "verdict": "none", "remedy": ""}}, r.returncode
    return {(x["area"], x["what"]): x for x in lines}, r.returncode


def red(name, file, area, what, text, *args, verdict="failed", **kwargs):
    lines, code = doctor(file, *args, **kwargs)
    line = lines.get((area, what), {})
    ok = line.get("verdict") == verdict and text in line["text"] + line["remedy"]
    check(f"doctor: {name}", ok and code == (1 if verdict == "failed" else 0), (code, line or lines))


def well():
    lines, code = doctor(config(script_config("stories.py")))
    bad = [x for x in lines.values() if x["verdict"] == "failed"]
    check("doctor: all is well with a script", code == 0 and not bad, bad)
    check("doctor: the script was really run", "a valid blueprint" in
          lines.get(("generator custom", "answers a task"), {"text": ""})["text"], lines)
    check("doctor: what cannot be checked is said", "not checked" in lines[("machine", "clock")]["text"]
          and lines[("machine", "clock")]["verdict"] == "warning", lines)
    file = config(script_config("stories.py"))
    r = run("doctor", "--config", file, "--mode", "custom", *WALLET)
    check("doctor: for people, with --mode that generator alone, no colour into a pipe",
          r.returncode == 0 and "generator custom\n  ✓ script" in r.stdout and "machine" not in r.stdout
          and "\x1b" not in r.stdout, r.stdout)
    check("doctor: an unknown --mode is wrong use",
          run("doctor", "--config", file, "--mode", "nobody").returncode == 100)
    master, slave = pty.openpty()
    subprocess.run([STORYFI, "doctor", "--config", file, "--mode", "custom"], stdout=slave, timeout=60)
    os.close(slave)
    shown = os.read(master, 65536).decode()
    check("doctor: colour on a terminal", "\x1b[32m✓" in shown, shown)


def configuration():
    red("a wrong value", config("axon:\n  port: 99999\n"), "configuration", "value", "takes a whole number")
    red("broken YAML", config("generator: [broken"), "configuration", "value", "line 2")
    red("no such file", TMP / "nothere.yaml", "configuration", "value", "config init")
    red("an unknown key only warns", config(script_config("stories.py") + "\nlcal: 1\n"), "configuration", "key",
        "lcal", verdict="warning")


def machine():
    good = config(script_config("stories.py"))
    (TMP / "file").write_text("")
    red("a state folder that is a file", good, "machine", "state folder", "not a folder", "--state_dir", TMP / "file")
    with socket.create_server(("127.0.0.1", 0)) as s:
        port = s.getsockname()[1]
        red("the axon's port is taken", good, "machine", "axon port", "another program", "--axon.port", port)
        red("the admin port is taken", good, "machine", "admin port", "another program", "--admin.port", port)
    red("an address of somebody else", good, "machine", "axon port", "external_ip", "--axon.ip", "192.0.2.1",
        verdict="warning")
    red("what is no address", good, "machine", "axon port", "not an IP address", "--axon.ip", "nowhere")
    red("few open files", good, "machine", "open files", "LimitNOFILE", verdict="warning",
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256)))
    # AddressSanitizer turns core dumps off by itself.
    if resource.getrlimit(resource.RLIMIT_CORE)[1] != 0 and os.environ.get("STORYFI_SANITIZED") != "1":
        red("core dumps", good, "machine", "core dumps", "LimitCORE", verdict="warning",
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (4096, 4096)))


def wallet():
    good = config(script_config("stories.py"))

    def hotkey(name, content, mode=0o600):
        path = TMP / "wallets" / "test" / "hotkeys" / name
        path.write_text(content)
        path.chmod(mode)
        return ["--wallet.hotkey", name]
    red("no hotkey", good, "wallet", "hotkey", "storyfi wallet create", "--wallet.hotkey", "absent")
    (TMP / "wallets" / "test" / "hotkeys" / "folder").mkdir()
    red("a hotkey that cannot be read", good, "wallet", "hotkey", "Is a directory", "--wallet.hotkey", "folder")
    red("a hotkey file that is none", good, "wallet", "hotkey", "not JSON", *hotkey("broken", "{"))
    red("an encrypted hotkey", good, "wallet", "hotkey", "encrypted", *hotkey("secret", "$NACL\x01\x02"))
    content = (TMP / "wallets" / "test" / "hotkeys" / "default").read_text()
    red("a hotkey that others may read", good, "wallet", "permissions", "chmod 600", *hotkey("open", content, 0o644),
        verdict="warning")


def scripts():
    area = "generator custom"
    red("no script", custom("./nowhere.py"), area, "script", "is not there")
    red("not executable, no #! line", custom(script("echo\n", 0o644)), area, "script", "chmod +x")
    red("no interpreter", custom(script("#!/usr/bin/nothing-here\n")), area, "interpreter", "/usr/bin/nothing-here")
    red("nothing that env finds", custom(script("#!/usr/bin/env -S nothing-here -u\n")), area, "interpreter",
        "nothing-here is not there")
    lines, _ = doctor(custom(SCRIPTS / "not_executable.py"))
    check("doctor: without the exec bit it is said how it runs", "python3" in lines[(area, "executable")]["text"]
          and "chmod +x" in lines[(area, "executable")]["remedy"], lines)
    red("it fails", custom(SCRIPTS / "exit3.sh"), area, "answers a task", "exit status 3")
    red("it prints no JSON", custom(SCRIPTS / "garbage.sh"), area, "answers a task", "no JSON object")
    red("it hangs", custom(SCRIPTS / "hang.sh", "    timeout: 1\n"), area, "answers a task", "did not end in time")
    red("its answer is not valid", custom(script("#!/bin/sh\ncat >/dev/null\necho '{\"content\": {\"title\": 1}}'\n")),
        area, "answers a task", "things are wrong")
    lines, code = doctor(custom(SCRIPTS / "exit3.sh"), env={**os.environ, "MY_API_KEY": "secret"})
    line = lines.get((area, "variables withheld"), {"text": ""})
    check("doctor: a failing script's withheld variables are named, not their values",
          "MY_API_KEY" in line["text"] and "env_vars" in line["remedy"] and "secret" not in str(lines), lines)
    r = run("generate", "--config", custom(SCRIPTS / "exit3.sh"), "--task", "blueprint", "--input", "x", "--deadline", 3)
    started = time.monotonic()
    both = config(script_config("stories.py").replace("fallback: []", "fallback: [local]")
                  + f'  local:\n    model_name: "{TMP}/none.gguf"\n    engine_path: "{ENGINE}"\n')
    lines, code = doctor(both)
    check("doctor: each generator of the chain is checked alone", code == 1
          and lines[("generator custom", "answers a task")]["verdict"] == "ok"
          and lines[("generator local", "model file")]["verdict"] == "failed", lines)
    check("doctor: what is missing is not waited for", time.monotonic() - started < 8)
    r = run("generate", "--config", custom("./nowhere.py"), "--task", "blueprint", "--input", "x")
    check("doctor: a failed mode names it as its check", "storyfi doctor --mode custom" in r.stderr, r.stderr)


def models():
    area = "generator local"
    engine = f'    engine_path: "{ENGINE}"\n'
    red("no model", local("/nowhere/x.gguf", engine), area, "model file", "make setup")
    red("a model that is none", local(script("no model\n").rename(TMP / "none.gguf"), engine), area, "model file",
        "no GGUF file")
    model = TMP / "stub.gguf"
    model.write_text("GGUF 3\nchat 1\n")
    large = TMP / "large.gguf"
    with open(large, "wb") as f:
        f.write(b"GGUF")
        f.truncate(3 << 20)
    red("a model over max_memory", local(large, engine + '    max_memory: "2MB"\n'), area, "usable", "max_memory")
    red("no engine helper", local(model, '    engine_path: "/nowhere/engine"\n'), area, "engine helper",
        "No such file")
    red("an engine helper without the exec bit", local(model, f'    engine_path: "{script("", 0o644)}"\n'), area,
        "engine helper", "chmod +x")
    red("no llama libraries", local("/nowhere/x.gguf", engine + f'    lib_dir: "{TMP / "nolibs"}"\n'), area,
        "model file", "")
    red("a GPU that is not there", local(model, engine + '    device: "cuda:40"\n'), area, "GPU", "")
    if not os.access(ENGINE, os.X_OK):
        print("SKIP doctor: engine helper over the stub library is not built")
        return
    lines, code = doctor(local(model, engine))
    line = lines.get((area, "engine starts"), {"verdict": ""})
    check("doctor: the engine is started and its model loaded", code == 0 and line["verdict"] == "ok", lines)
    wrong = script("#!/bin/sh\nexit 7\n")
    red("an engine that does not start", local(model, f'    engine_path: "{wrong}"\n'), area, "engine starts", "")
    with Miner(local(model, engine).read_text()) as m:
        flags = ["--axon.port", m.port, "--admin.port", m.admin]
        lines, code = doctor(m.config, *flags)
        check("doctor: a running miner's ports are its own", code == 0
              and "our miner" in lines[("machine", "axon port")]["text"]
              and "our miner" in lines[("machine", "admin port")]["text"], lines)
        check("doctor: its model is not loaded a second time",
              "not opened a second time" in lines[(area, "running")]["text"]
              and (area, "engine starts") not in lines, lines)
        r = run("generators", "list", "--json", "--config", m.config, "--admin.port", m.admin)
        listed = json.loads(r.stdout)
        check("generators: a running miner is asked", listed["source"] == "miner"
              and listed["generators"][0]["state"] == "ready", r.stdout)


class Late(http.server.BaseHTTPRequestHandler):
    shift = 0

    def do_GET(self):
        self.send_response_only(404)
        self.send_header("Date", email.utils.formatdate(time.time() + self.shift, usegmt=True))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def serving(shift):
    Late.shift = shift
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Late) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/generate"
        server.shutdown()


def clock():
    for shift, verdict in ((0, "ok"), (3600, "failed"), (-3600, "failed")):
        with serving(shift) as url:
            lines, _ = doctor(config(script_config("stories.py", f'    endpoint: "{url}"\n')))
            line = lines[("machine", "clock")]
            check(f"doctor: a clock that is {shift} s behind", line["verdict"] == verdict and
                  ("NTP" in line["remedy"]) == (verdict == "failed"), line)


def generators():
    file = config(script_config("stories.py").replace("fallback: []", "fallback: [local]")
                  + '  local:\n    model_name: "/nowhere/x.gguf"\n  api:\n    provider: "openai"\n')
    r = run("generators", "list", "--json", "--config", file, "--admin.port", Miner.free_port())
    listed = json.loads(r.stdout)
    rows = listed["generators"]
    check("generators: in the chain's order, with kind, multiplier, state and reason",
          [(x["name"], x["multiplier"], x["state"]) for x in rows] == [("custom", 1, "ready"), ("local", 1.5, "down")]
          and "is not there" in rows[1]["reason"], r.stdout)
    unused = {x["kind"]: x for x in listed["unused"]}
    check("generators: kinds that are not in the chain, with what configures them",
          set(unused) == {"vllm", "api"} and unused["api"]["configured"] and not unused["vllm"]["configured"]
          and "generator.vllm.endpoint" in unused["vllm"]["how"], r.stdout)
    r = run("generators", "list", "--config", file, "--admin.port", Miner.free_port())
    check("generators: for people", r.returncode == 0 and " 1  custom " in r.stdout and "not in the chain" in r.stdout,
          r.stdout)


def documents():
    for name in ("README.md", "doc/generators.md"):
        text = (harness.ROOT / name).read_text()
        blocks = [part.split("```")[0] for part in text.split("```yaml\n")[1:]]
        bad = []
        for block in blocks:
            whole = block if block.startswith("generator:") else "generator:\n" + block
            r = run("config", "check", "--config", config(whole))
            bad += [] if r.returncode == 0 else [block + r.stdout + r.stderr]
        check(f"doctor: {name} shows only configurations without a fault", blocks and not bad, bad)


def main():
    run("wallet", "create", *WALLET)
    for part in (well, configuration, machine, wallet, scripts, models, clock, generators, documents):
        try:
            part()
        except Exception as error:  # a part that breaks must not hide the others
            check(f"doctor: {part.__name__} runs to its end", False, repr(error))
    return 1 if harness.failed else 0


if __name__ == "__main__":
    sys.exit(main())
