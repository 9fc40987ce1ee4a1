# SPDX-License-Identifier: MIT
"""Custom generators from outside: the original's two examples, services with every fault, plugins, named lists."""
import concurrent.futures
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
import harness  # noqa: E402
from harness import ROOT, SCRIPTS, Miner, check, run, script_config  # noqa: E402
from service import Service, says, silent, wraps  # noqa: E402

TMP = pathlib.Path(tempfile.mkdtemp(prefix="storyfi-custom-"))
PLUGINS = pathlib.Path(harness.STORYFI).parent / "plugins"
ORIGINAL = ROOT / "tests" / "data" / "original"
SANITIZED = os.environ.get("STORYFI_SANITIZED") == "1"
TASKS = ("blueprint", "chapters") if SANITIZED else ("blueprint", "characters", "story_arc", "chapters")
FIELDS = {"user_input", "blueprint", "characters", "story_arc", "chapter_ids", "task_type"}
ALIVE = ("def your_generate_function(request):\n"
         "    import json, subprocess, sys\n"
         f"    done = subprocess.run([sys.executable, {str(SCRIPTS / 'stories.py')!r}], input=json.dumps(request),\n"
         "                          capture_output=True, text=True)\n"
         "    return json.loads(done.stdout)['content']\n\n\n")


def config(name, custom, more=""):
    path = TMP / f"{name}.yaml"
    lines = custom if isinstance(custom, str) else "".join(f"    {k}: {v}\n" for k, v in custom.items())
    path.write_text(f'generator:\n  mode: "custom"\n  fallback: []\n  custom:\n{lines}{more}')
    return path


def ask(file, *more, task="blueprint", env=None, deadline=10):
    return run("generate", "--alone", "--config", file, "--task", task, "--input", "the sea", "--deadline", deadline,
               *more, env={**os.environ, **(env or {})})


def original_script():
    folder = TMP / "custom"
    folder.mkdir()
    text = (ORIGINAL / "generate.py").read_text()
    first, rest = text.split("\n", 1)
    (folder / "generate.py").write_text(f"{first}\n{ALIVE}{rest}")
    (folder / "generate.py").chmod(0o755)
    file = TMP / "original_script.yaml"
    file.write_text((ORIGINAL / "custom_script.yaml").read_text())
    for task in TASKS:
        r = ask(file, task=task)
        check(f"custom: the original's script runs unchanged: {task}", r.returncode == 0 and json.loads(r.stdout), r.stderr)


def wait_for(port, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return True
        except OSError:
            time.sleep(0.05)
    return False


def original_flask():
    python = pathlib.Path(os.environ.get("FLASK_VENV", "/nowhere")) / "bin" / "python"
    if not python.exists():
        print("SKIP custom: the original's Flask service: PyPI could not be reached (tools/setup.sh --test fetches Flask)")
        return
    port = Miner.free_port()
    (TMP / "service.py").write_text(
        "import flask\nrun_as_told = flask.Flask.run\n"
        f"flask.Flask.run = lambda self, port: run_as_told(self, port={port})\n" + ALIVE
        + (ORIGINAL / "flask_service.py").read_text())
    with open(TMP / "flask.log", "wb") as log:
        flask = subprocess.Popen([python, TMP / "service.py"], stdout=log, stderr=log)
    try:
        check("custom: the original's Flask service starts", wait_for(port), (TMP / "flask.log").read_text())
        file = TMP / "flask.yaml"
        file.write_text((ORIGINAL / "custom_http.yaml").read_text().replace("localhost:8000", f"127.0.0.1:{port}"))
        for task in TASKS:
            r = ask(file, task=task)
            check(f"custom: the original's Flask service answers: {task}", r.returncode == 0, r.stderr)
        with Miner(file.read_text()) as m:
            check("custom: without a health route it counts as reachable",
                  m.status()["generators"][0]["state"] == "ready" and "GET /health" in (TMP / "flask.log").read_text(),
                  m.status())
            check("custom: the start names the endpoint", f"✅ Endpoint: http://127.0.0.1:{port}/generate" in m.log.read_text())
    finally:
        flask.terminate()
        flask.wait()


def contract():
    with Service() as s:
        file = config("contract", {"endpoint": f'"{s.url}"', "api_key_env": "MY_TOKEN"})
        r = ask(file, task="chapters", env={"MY_TOKEN": "abc-123"})
        check("custom: an endpoint answers", r.returncode == 0 and len(s.requests) == 1, r.stderr)
        sent = s.requests[0]
        check("custom: it gets exactly the documented JSON", set(sent) == FIELDS and sent["chapter_ids"] == [1]
              and sent["task_type"] == "chapters" and sent["user_input"] == "the sea", sent)
        h = {k.lower(): v for k, v in s.headers[0].items()}
        check("custom: the token goes as a bearer token", h["authorization"] == "Bearer abc-123"
              and h["content-type"] == "application/json" and h["x-storyfi-hops"] == "0", h)
        check("custom: it is told how long it has", 8 < float(h["x-storyfi-timeout"]) < 10, h)
        check("custom: the look goes to /health", s.looked == ["/health"], s.looked)
        r = ask(file, env={"MY_TOKEN": ""})
        check("custom: a token that is not set is named", r.returncode == 111 and "MY_TOKEN is not set" in r.stderr, r.stderr)
        r = ask(config("userinfo", {"endpoint": '"http://me:secret@127.0.0.1/generate"'}))
        check("custom: an address with a password is refused, unshown",
              r.returncode == 111 and "no user or password" in r.stderr and "me:secret" not in r.stderr.split("pass")[0], r.stderr)
    for name, make in (("an object", lambda c: {"content": c}), ("a text", lambda c: {"content": json.dumps(c)}),
                       ("a fenced text", lambda c: {"content": f"Here:\n```json\n{json.dumps(c)}\n```"}),
                       ("generated_content", lambda c: {"generated_content": c})):
        with Service(wraps(make)) as s:
            r = ask(config("shape", {"endpoint": f'"{s.url}"'}))
            check(f"custom: content may be {name}", r.returncode == 0, r.stderr)
    with Service(wraps(lambda c: {"content": {k: v for k, v in c.items() if k != "tone"}})) as s:
        r = ask(config("lacks", {"endpoint": f'"{s.url}"'}))
        check("custom: an incomplete answer is asked for again, whole and once", r.returncode == 111
              and len(s.requests) == 2 and s.requests[0] == s.requests[1], (len(s.requests), r.stderr))


FAULTS = [
    ("500", says(500, {"error": "boom"}), "HTTP 500: it failed: boom"),
    ("503 with an object", says(503, {"error": {"message": "no\nroom"}}), "HTTP 503: it failed: no room"),
    ("401", says(401, {}), "HTTP 401: it refuses the token"),
    ("403", says(403, {}), "HTTP 403: it refuses the caller"),
    ("404", says(404, b"<html>"), "HTTP 404: nothing is served at this address"),
    ("405", says(405, {}), "HTTP 405: this address takes no POST"),
    ("429", says(429, {"message": "slowly"}, [("Retry-After", "70")]), "HTTP 429: it takes no more requests for now: slowly"),
    ("418", says(418, {}), "HTTP 418: it refuses the request"),
    ("a redirect", says(302, {}, [("Location", "/x")]), "HTTP 302: redirects are not followed"),
    ("204", says(204, b""), "HTTP 204: a success without an answer"),
    ("508", says(508, {}), "went in a circle"),
    ("garbage", says(200, b"once upon a time"), "malformed"),
    ("an empty body", says(200, b""), "malformed"),
    ("no content", says(200, {"story": {}}), 'has no "content"'),
    ("null content", says(200, {"content": None}), 'has no "content"'),
    ("an array", says(200, [1]), "is an array, not an object"),
    ("a content that is an array", says(200, {"content": [1]}), '"content" is an array'),
    ("a text without JSON", says(200, {"content": "no"}), "holds no JSON object"),
    ("a cut text", says(200, {"content": '{"title": "x'}), '"content"'),
    ("NaN", says(200, b'{"content": {"a": NaN}}'), "malformed"),
    ("deep nesting", says(200, b'{"content": ' + b"[" * 99 + b"]" * 99 + b"}"), "malformed"),
    ("a huge answer", says(200, b" " * 90000), "answered more than 65536 bytes"),
    ("a cut body", says(200, b'{"content": {"title": "The', length=5000), "the answer was cut"),
    ("silence", silent(3), "did not answer in time"),
    ("an empty story", says(200, {"content": {}}), "answer still not valid"),
]


def faults():
    def meet(k):
        with Service(FAULTS[k][1]) as s:
            started = time.monotonic()
            r = ask(config(f"fault{k}", {"endpoint": f'"{s.url}"', "timeout": 1, "max_output": "64KiB"}))
            return r, time.monotonic() - started
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        for (name, _, text), (r, took) in zip(FAULTS, pool.map(meet, range(len(FAULTS)))):
            check(f"custom: a service with {name} fails with its reason", r.returncode == 111 and text in r.stderr and took < 8,
                  r.stderr)
    r = ask(config("nobody", {"endpoint": f'"http://127.0.0.1:{Miner.free_port()}/generate"'}))
    check("custom: a service that is not there is named", r.returncode == 111 and "cannot connect" in r.stderr
          and "start it, or correct generator.custom.endpoint" in r.stderr, r.stderr)
    with Service(health=500) as s:
        r = ask(config("sick", {"endpoint": f'"{s.url}"'}))
        check("custom: a sick health route does not keep it from being asked", r.returncode == 0, r.stderr)


CHAIN = "  chain:\n    progress_timeout: 0.3\n    probe_interval: 0.2\n"


def patience():
    with Service(silent(0.8)) as s:
        r = ask(config("patient", {"endpoint": f'"{s.url}"', "timeout": 5}, CHAIN))
        check("custom: a service may compute in silence for its timeout", r.returncode == 0, r.stderr)
    port = Miner.free_port()
    with Miner(config("late", {"endpoint": f'"http://127.0.0.1:{port}/generate"'}, CHAIN).read_text()) as m:
        check("custom: without the service the miner is up, not ready, and says why", m.get(m.admin, "/ready")[0] == 503
              and "start it, or correct" in m.get(m.admin, "/health")[1].decode(), m.status())
        with Service(port=port):
            end = time.monotonic() + 10
            while m.get(m.admin, "/ready")[0] != 200 and time.monotonic() < end:
                time.sleep(0.05)
            check("custom: and finds it when it comes", m.get(m.admin, "/ready")[0] == 200 and m.query().returncode == 0,
                  m.status())


def at_work():
    def behave(handler, request):
        time.sleep(0.3)
        wraps(lambda c: {"content": c, "model_info": {"mode": "local", "name": "a\nbard", "provider": "mine",
                                                      "parameters": {"t": 1}}, "usage": {"generated_tokens": 42}})(handler, request)
    with Service(behave) as s, Miner(config("miner", {"endpoint": f'"{s.url}"', "concurrency": 1}).read_text()) as m:
        asked = [subprocess.Popen([harness.STORYFI, "query", "--axon", f"127.0.0.1:{m.port}", "--axon.hotkey", m.hotkey,
                                   "--task", "blueprint", "--input", f"s{k}", "--throwaway", "--json"],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE) for k in range(3)]
        ends = [p.communicate(timeout=60) for p in asked]
        check("custom: three validators are answered", all(p.returncode == 0 for p in asked), ends)
        check("custom: concurrency 1 is kept to", s.most_at_once == 1 and len(s.requests) == 3, s.most_at_once)
        status, body = post(m.admin, {"task_type": "blueprint", "user_input": "x"})
        info = json.loads(body).get("model_info", {})
        check("custom: model_info.mode is the hop's kind, whatever it claims; the rest is kept",
              status == 200 and info["mode"] == "custom" and info["name"] == "a bard" and info["provider"] == "mine"
              and info["parameters"]["t"] == 1 and json.loads(body)["usage"]["generated_tokens"] == 42, body)


def post(port, fields, headers=None, path="/generate"):
    import http.client
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        data = fields if isinstance(fields, bytes) else json.dumps(fields).encode()
        c.request("POST", path, data, {"Content-Type": "application/json", **(headers or {})})
        r = c.getresponse()
        return r.status, r.read().decode()
    finally:
        c.close()


def plugins():
    good = config("plugin", {"plugin": f'"{PLUGINS / "storyfi_example.so"}"'})
    for task in TASKS:
        r = ask(good, task=task)
        check(f"custom: the example plugin writes: {task}", r.returncode == 0 and "by storyfi-example" in r.stderr, r.stderr)
    one, two, three = (ask(good, "--seed", seed).stdout for seed in (1, 2, 1))
    check("custom: a plugin's answers follow the seed", one == three and one != two, one)
    beside = TMP / "beside.so"
    beside.symlink_to(PLUGINS / "storyfi_example.so")
    r = run("generate", "--alone", "--config", config("relative", {"plugin": '"./beside.so"'}), "--task", "blueprint",
            "--input", "x", cwd="/")
    check("custom: a plugin is found beside the configuration", r.returncode == 0, r.stderr)
    (TMP / "text.so").write_text("no library")
    for name, text in (("wrong_abi", "was built for version 7 of the plugin interface"), ("short_struct", "is not whole"),
                       ("garbage", "its answer is cut or malformed"), ("array", '"content" is an array'),
                       ("huge_answer", "answered more than 4194304 bytes"), ("fails", "failed: the model is asleep"),
                       ("no_open", 'no licence in {"dir":'), ("events", "answer still not valid")):
        r = ask(config(name, {"plugin": f'"{PLUGINS / f"faulty_{name}.so"}"', "env_vars": '{LICENCE: "k1"}'}))
        check(f"custom: plugin {name} fails with its reason", r.returncode == 111 and text in r.stderr, r.stderr)
        if name == "no_open":
            check("custom: a plugin's settings are its env_vars", '"settings":{"LICENCE":"k1"}' in r.stderr, r.stderr)
    for name, path, text in (("absent", TMP / "none.so", "is not there"), ("no library", TMP / "text.so", "does not load")):
        r = ask(config("bad", {"plugin": f'"{path}"'}))
        check(f"custom: a plugin that is {name} is named", r.returncode == 111 and text in r.stderr, r.stderr)
    for name, text in (("slow", "did not end in time"), ("deaf", "left behind")):
        started = time.monotonic()
        r = ask(config(name, {"plugin": f'"{PLUGINS / f"faulty_{name}.so"}"', "timeout": 0.5}))
        took = time.monotonic() - started
        check(f"custom: a {name} plugin does not keep the chain", r.returncode == 111 and text in r.stderr and took < 4,
              (took, r.stderr))


def appearing():
    """What is not there at the start is looked for again."""
    later = TMP / "later.so"
    with Miner(f'generator:\n  mode: "custom"\n  fallback: []\n  custom:\n    plugin: "{later}"\n'
               f'  chain: {{probe_interval: 0.3}}\n') as m:
        r = m.query("blueprint", "x", "--timeout", "5")
        check("custom: without its plugin the miner is up", r.returncode == 1, r.stderr)
        shutil.copy(PLUGINS / "storyfi_example.so", TMP / "later.tmp")
        (TMP / "later.tmp").rename(later)
        began = time.monotonic()
        while m.get(m.admin, "/ready")[0] != 200 and time.monotonic() - began < 10:
            time.sleep(0.05)
        r = m.query("blueprint", "x", "--timeout", "10")
        check("custom: a plugin that is put there is loaded without a signal", r.returncode == 0, (r.stderr, m.log.read_text()[-600:]))


def told_once():
    """What the owner might mend is said once, not with every look at the file."""
    with Miner(script_config("not_executable.py"), ["--logging.info"]) as m:
        for _ in range(2):
            m.query("blueprint", "x", "--timeout", "5")
        lines = [line for line in m.log.read_text().splitlines() if "no exec bit" in line]
        check("custom: a script without its exec bit is mentioned once", len(lines) == 1, lines)


def as_an_outsider():
    folder = TMP / "outside"
    shutil.copytree(ROOT / "examples" / "plugin", folder)
    made = subprocess.run(["make", "-s", "-C", folder, f"STORYFI_INCLUDE={ROOT}/include", "CFLAGS=-O0 -Wall -Wextra -Werror"],
                          capture_output=True, text=True)
    r = ask(config("made", {"plugin": f'"{folder}/storyfi_example.so"'}))
    check("custom: the example plugin builds with its own Makefile", made.returncode == 0 and r.returncode == 0, made.stderr + r.stderr)
    header = (ROOT / "include" / "storyfi" / "generator.h").read_text()
    lines = header[header.index("#include <storyfi/generator.h>"):header.index("cc -shared")].splitlines()
    source = folder / "smallest.c"
    source.write_text("\n".join(line.removeprefix(" *").removeprefix("     ") for line in lines[:-1]) + "\n")
    made = subprocess.run(["cc", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-I", ROOT / "include", "-shared", "-fPIC", "-o",
                           folder / "smallest.so", source], capture_output=True, text=True)
    r = ask(config("smallest", {"plugin": f'"{folder}/smallest.so"'}))
    check("custom: the plugin in the header's comment builds and is asked", made.returncode == 0
          and "answer still not valid" in r.stderr, made.stderr + r.stderr)


def several():
    with Service() as s:
        three = config("three", {"plugin": f'"{PLUGINS / "faulty_wrong_abi.so"}"', "script_path": f'"{SCRIPTS / "exit3.sh"}"',
                                 "endpoint": f'"{s.url}"'})
        r = ask(three)
        lines = [line.split(":")[0] for line in r.stderr.splitlines() if "(custom):" in line]
        check("custom: plugin, script and endpoint are hops in that order", r.returncode == 0
              and lines == ["custom (custom)", "custom.script (custom)", "custom.endpoint (custom)"], r.stderr)
        named = TMP / "named.yaml"
        named.write_text(f'generator:\n  mode: "poet"\n  fallback: ["backup"]\n  custom:\n    - name: poet\n'
                         f'      script_path: "{SCRIPTS / "exit3.sh"}"\n    - name: backup\n      endpoint: "{s.url}"\n'
                         f'    - name: unused\n      script_path: "{SCRIPTS / "stories.py"}"\n')
        r = ask(named)
        lines = [line.split(":")[0] for line in r.stderr.splitlines() if "(custom):" in line]
        check("custom: mode and fallback name generators of a list", r.returncode == 0
              and lines == ["poet (custom)", "backup (custom)"], r.stderr)
        r = ask(named, "--mode", "unused")
        check("custom: --mode takes a name", r.returncode == 0 and "by stories.py" in r.stderr, r.stderr)
        r = ask(named, "--mode", "poet")
        check("custom: and asks nobody else", r.returncode == 111 and "backup" not in r.stderr, r.stderr)
        check("custom: an unknown name is refused", ask(named, "--mode", "bard").returncode == 100)
        many = TMP / "many.yaml"
        many.write_text('generator:\n  mode: "custom"\n  fallback: []\n  custom:\n' + "".join(
            f'    - {{name: "n{k}", script_path: "{SCRIPTS / "exit3.sh"}"}}\n' for k in range(17)))
        r = ask(many)
        check("custom: a seventeenth generator is said to be left out", "it is full" in r.stderr and "generator=n16 " in r.stderr
              and "n15 (custom)" in r.stderr, r.stderr[-600:])


def main():
    others = () if SANITIZED else (original_script, original_flask)  # nothing of ours that the rest does not have
    for part in (*others, contract, faults, patience, at_work, plugins, appearing, told_once, as_an_outsider, several):
        try:
            part()
        except Exception as error:  # a part that breaks must not hide the others
            check(f"custom: {part.__name__} runs to its end", False, repr(error))
    return 1 if harness.failed else 0


if __name__ == "__main__":
    sys.exit(main())
