# SPDX-License-Identifier: MIT
"""storyfi serve between processes, a remote engine, and commands that let a running miner write."""
import http.client
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import time

sys.path[:0] = [str(pathlib.Path(__file__).parent.parent), str(pathlib.Path(__file__).parent)]
import harness  # noqa: E402
from custom import post, wait_for  # noqa: E402
from harness import SCRIPTS, Miner, check, run, script_config  # noqa: E402
from service import Service, wraps  # noqa: E402

TMP = pathlib.Path(tempfile.mkdtemp(prefix="storyfi-serve-"))
ENGINE = os.environ.get("STORYFI_ENGINE", "")
ASK = {"task_type": "blueprint", "user_input": "the sea"}


def write(name, text):
    path = TMP / f"{name}.yaml"
    path.write_text(text)
    return path


def endpoint_config(url, mode="custom", more=""):
    return f'generator:\n  mode: "{mode}"\n  fallback: []\n  {mode}:\n    endpoint: "{url}"\n{more}'


class Serve:
    """storyfi serve with a configuration; use as a context manager."""

    def __init__(self, config, *flags, env=None, port=None):
        self.port = port or Miner.free_port()
        self.url = f"http://127.0.0.1:{self.port}/generate"
        self.log = TMP / f"serve-{self.port}.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [harness.STORYFI, "serve", "--port", str(self.port), "--config", str(config), *flags], stdout=log,
                stderr=log, cwd=TMP, env={**os.environ, **(env or {})})

    def __enter__(self):
        if not wait_for(self.port, 30):
            raise RuntimeError("serve does not answer:\n" + self.log.read_text())
        return self

    def stop(self):
        self.process.terminate()
        return self.process.wait(30)

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def generate(config, *more, env=None):
    return run("generate", "--config", config, "--task", "blueprint", "--input", "the sea", "--deadline", "20", *more,
               env={**os.environ, **(env or {})})


def wait_until(true, seconds=15):
    end = time.monotonic() + seconds
    while not true() and time.monotonic() < end:
        time.sleep(0.02)
    return true()


def door():
    state = ["--state_dir", str(TMP / "state")]
    with Serve(write("script", script_config("stories.py")), *state) as s:
        status, body = post(s.port, ASK)
        answer = json.loads(body)
        check("serve: answers with content, model_info and usage", status == 200 and set(answer) == {"content", "model_info", "usage"}
              and answer["model_info"]["mode"] == "custom" and isinstance(answer["content"], dict), body)
        check("serve: says at the start how it can be reached", f"✅ Serving: http://127.0.0.1:{s.port}/generate" in s.log.read_text()
              and "✅ Generator Mode: custom" in s.log.read_text(), s.log.read_text())
        check("serve: health", Miner.get(s.port, "/health") == (200, b'{"status":"ok"}'))
        check("serve: health of a mode that is not there is 503",
              Miner.get(s.port, "/health", {"X-Storyfi-Mode": "local"})[0] == 503)
        for name, fields, headers, expected in (
                ("what is no JSON", b"{", {}, 400), ("an array", b"[1]", {}, 400), ("an unknown task", {"task_type": "poem", "user_input": "x"}, {}, 400),
                ("no input", {"task_type": "blueprint"}, {}, 400), ("a wrong timeout", ASK, {"X-Storyfi-Timeout": "soon"}, 400),
                ("a timeout of nothing", {**ASK, "timeout": 0}, {}, 400), ("wrong hops", ASK, {"X-Storyfi-Hops": "-1"}, 400),
                ("another content type", ASK, {"Content-Type": "text/plain"}, 415), ("another Host", ASK, {"Host": "evil.example"}, 403),
                ("another Origin", ASK, {"Origin": "http://evil.example"}, 403), ("too many hops", ASK, {"X-Storyfi-Hops": "4"}, 508),
                ("a giant body", b'{"a": "' + b"x" * 5000000, {}, 413), ("a mode that is not there", ASK, {"X-Storyfi-Mode": "local"}, 503)):
            status, body = post(s.port, fields, headers)
            check(f"serve: {name} is {expected} with a message", status == expected and json.loads(body)["message"], (status, body))
        check("serve: only its routes", post(s.port, ASK, path="/x")[0] == 404 and Miner.get(s.port, "/generate")[0] == 405)
        check("serve: answers still, and ends with 0", post(s.port, ASK)[0] == 200 and s.stop() == 0, s.log.read_text())
        check("serve: the journal has its callers", origins(*state) == [("serve", 200), ("serve", 503)], origins(*state))
    one = ["--axon.max_workers", "1", "--axon.queue_size", "1"]
    with Serve(write("hang", script_config("hang.sh")), *one) as s:
        ends = []
        threads = [threading.Thread(target=lambda: ends.append(post(s.port, {**ASK, "timeout": 1.5})[0])) for _ in range(4)]
        for t in threads:
            t.start()
            time.sleep(0.1)
        for t in threads:
            t.join()
        check("serve: a full queue is 503, a passed deadline 408", sorted(ends) == [408, 408, 503, 503], ends)


def token():
    config = write("script", script_config("stories.py"))
    r = run("serve", "--port", 0, "--ip", "0.0.0.0", "--config", config, env={k: v for k, v in os.environ.items()})
    check("serve: beyond loopback without a token is refused", r.returncode == 100 and "STORYFI_SERVE_TOKEN" in r.stderr, r.stderr)
    check("serve: --port is needed", run("serve", "--config", config).returncode == 100)
    with Serve(config, "--ip", "0.0.0.0", env={"STORYFI_SERVE_TOKEN": "open-sesame-123"}) as s:
        def status(value):
            return post(s.port, ASK, {"Authorization": value} if value else {})[0]
        check("serve: with a token, only who shows it is answered", [status(v) for v in (
            None, "Bearer open-sesame-124", "Bearer open-sesame-12", "Bearer", "Basic open-sesame-123", "bearer open-sesame-123")]
            == [401, 401, 401, 401, 401, 200])
        check("serve: a caller is known by its token, not by its Host", post(s.port, ASK, {
            "Authorization": "Bearer open-sesame-123", "Host": "box.lan"})[0] == 200)
        check("serve: health needs none", Miner.get(s.port, "/health")[0] == 200)
        client = write("client", endpoint_config(s.url, more='    api_key_env: "BOX_TOKEN"\n'))
        r = generate(client, "--alone", env={"BOX_TOKEN": "open-sesame-123"})
        check("serve: custom.endpoint with api_key_env is answered", r.returncode == 0, r.stderr)
        r = generate(client, "--alone", env={"BOX_TOKEN": "wrong"})
        check("serve: a wrong token is said", r.returncode == 111 and "HTTP 401: it refuses the token" in r.stderr, r.stderr)
        check("serve: no token is in a log", "sesame" not in s.log.read_text(), s.log.read_text())


def remote_local():
    for mode in ("local", "api", None):
        def behave(handler, request, mode=mode):
            wraps(lambda c: {"content": c, **({"model_info": {"mode": mode, "name": "Q"}} if mode else {})})(handler, request)
        with Service(behave) as s, Miner(endpoint_config(s.url, "local")) as m:
            status, body = post(m.admin, ASK)
            if mode == "local":
                check("serve: local.endpoint counts as local when local wrote it", status == 200
                      and json.loads(body)["model_info"]["mode"] == "local" and json.loads(body)["model_info"]["name"] == "Q", body)
                h = {k.lower(): v for k, v in s.headers[0].items()}
                check("serve: it asks for local alone", h["x-storyfi-mode"] == "local", h)
            else:
                check(f"serve: local.endpoint refuses what {mode or 'nobody'} wrote", status == 503
                      and "calling it local would be a lie" in body, body)
    with Serve(write("script", script_config("stories.py"))) as s:
        r = generate(write("remote", endpoint_config(s.url, "local")), "--alone")
        check("serve: a serve without an engine writes nothing for local.endpoint", r.returncode == 111
              and "only local is asked for" in r.stderr, r.stderr)
    if not os.access(ENGINE, os.X_OK):
        print("SKIP serve: remote engine: no headers of llama.cpp (make setup fetches them)")
        return
    (TMP / "plain.gguf").write_text("chat 1\n")
    engine = write("engine", f'generator:\n  mode: "local"\n  local:\n    model_name: "{TMP}/plain.gguf"\n    engine_path: "{ENGINE}"\n'
                   f'  custom:\n    script_path: "{SCRIPTS / "stories.py"}"\n')
    with Serve(engine) as s, Miner(endpoint_config(s.url, "local")) as m:
        status, body = post(m.admin, ASK)
        info = json.loads(body)["model_info"]
        check("serve: another process's engine writes as local", status == 200 and info["mode"] == "local"
              and info["provider"] == "llama.cpp" and json.loads(body)["usage"]["generated_tokens"] > 0, body)
        check("serve: a validator gets it", m.query().returncode == 0)
        r = generate(write("as_custom", endpoint_config(s.url)), "--alone")
        check("serve: the same as custom.endpoint", r.returncode == 0, r.stderr)


def circle():
    ports = [Miner.free_port(), Miner.free_port()]
    configs = [write(f"circle{k}", endpoint_config(f"http://127.0.0.1:{ports[1 - k]}/generate")) for k in (0, 1)]
    with Serve(configs[0], port=ports[0]) as a, Serve(configs[1], port=ports[1]) as b:
        started = time.monotonic()
        status, body = post(a.port, {**ASK, "timeout": 20})
        check("serve: two that ask each other end it", status == 503 and time.monotonic() - started < 10, (status, body))
        check("serve: and say why", "went in a circle" in a.log.read_text() + b.log.read_text(), b.log.read_text()[-800:])


def origins(*flags):
    """Who asked and with which status, as the journal has it."""
    wait_until(lambda: json.loads(run("history", "--json", *flags).stdout) != [])
    return sorted({(r["origin"], r["status"]) for r in json.loads(run("history", "--json", *flags).stdout)})


def by_the_miner():
    with Miner(script_config("stories.py")) as m:
        here = ["--config", m.config, "--admin.port", m.admin]
        r = run("generate", *here, "--task", "blueprint", "--input", "the sea")
        check("serve: generate lets the running miner write", r.returncode == 0 and json.loads(r.stdout)["title"]
              and f"using the miner that runs here (pid {m.process.pid})" in r.stderr, r.stderr)
        number = re.search(r"\(storyfi trail (\d+)\)", r.stderr)
        check("serve: and names the request's number there", number and wait_until(
            lambda: "blueprint, from cli" in run("trail", number[1], *m.flags).stdout), r.stderr)
        r = run("story", "the sea", *here, "--out", TMP / "book", "--chapters", "1-2")
        check("serve: story too", r.returncode == 0 and "using the miner" in r.stderr and (TMP / "book" / "story.html").exists(), r.stderr)
        s = m.status()
        check("serve: the miner counts them", s["requests"] == 6 and s["generators"][0]["answers"] == 6, s)
        keyless = {k: v for k, v in os.environ.items() if not k.endswith("_API_KEY")}
        for name, flags, text in (("--alone", ["--alone"], None),
                                  ("another configuration", ["--config", write("other", script_config("stories.py"))], "has another configuration"),
                                  ("generator flags", ["--generator.hedge_after_ms", "0"], "without the generator's flags"),
                                  ("a mode it does not have", ["--mode", "api"], "has no such generator")):
            r = run("generate", *here, *flags, "--task", "blueprint", "--input", "x", env=keyless)
            check(f"serve: {name} works alone", "using the miner" not in r.stderr and (text is None or text in r.stderr), r.stderr)
        r = run("generate", *here, "--mode", "custom", "--task", "blueprint", "--input", "x")
        check("serve: a mode that it has is passed on", r.returncode == 0 and "using the miner" in r.stderr, r.stderr)
        m.query()
        check("serve: the journal tells the command from the validator", wait_until(lambda: origins(*m.flags) == [
            ("cli", 200), ("validator", 200)]), origins(*m.flags))
        check("serve: a page elsewhere cannot make the miner write", post(m.admin, ASK, {"Origin": "http://evil.example"})[0] == 403
              and post(m.admin, ASK, {"Host": "evil.example"})[0] == 403 and post(m.admin, ASK, {"Content-Type": "text/plain"})[0] == 415)
        check("serve: the axon has no such route", post(m.port, ASK)[0] == 404)
    r = run("generate", *here, "--task", "blueprint", "--input", "x")
    check("serve: without a miner it works alone", r.returncode == 0 and "miner that runs" not in r.stderr, r.stderr)


def left_alone():
    """A client that goes takes its request along."""
    with Miner(script_config("hang.sh")) as m:
        c = http.client.HTTPConnection("127.0.0.1", m.admin, timeout=60)
        c.request("POST", "/generate", json.dumps(ASK), {"Content-Type": "application/json"})
        busy = wait_until(lambda: m.status()["queue"]["in_flight"] == 1)
        c.close()
        began = time.monotonic()
        free = wait_until(lambda: "its client has gone" in m.log.read_text(), 10)
        check("serve: a guest whose client has gone is not written for", busy and free and time.monotonic() - began < 5,
              (busy, m.log.read_text()[-500:]))


def validators_first():
    with Miner(script_config("waiting.py"), ["--axon.max_workers", "1", "--axon.queue_size", "1"]) as m:
        def guest(k, ends):
            ends[k] = run("generate", "--config", m.config, "--admin.port", m.admin, "--task", "blueprint", "--input",
                          f"wait:{TMP}/go{k}", "--deadline", "40")
        ends = {}
        threads = [threading.Thread(target=guest, args=(k, ends)) for k in (0, 1)]
        threads[0].start()
        check("serve: a guest is at work", wait_until((TMP / "go0.started").exists))
        threads[1].start()
        check("serve: another waits", wait_until(lambda: m.status()["queue"]["depth"] == 1), m.status())
        started = time.monotonic()
        r = m.query("blueprint", "the sea", "--timeout", "10")
        check("serve: a validator is answered at once, though guests fill worker and queue",
              r.returncode == 0 and time.monotonic() - started < 6, (time.monotonic() - started, r.stderr))
        check("serve: the guests were told why", "gave way to a validator" in m.log.read_text()
              and "full of validators' requests" in m.log.read_text(), m.log.read_text())
        for k in (0, 1):
            (TMP / f"go{k}").touch()
        for t in threads:
            t.join()
        check("serve: the guests are answered after it", all(r.returncode == 0 for r in ends.values()), [r.stderr for r in ends.values()])
    with Miner(script_config("waiting.py"), ["--axon.max_workers", "4"]) as m:
        threads = [threading.Thread(target=post, args=(m.admin, {**ASK, "user_input": f"wait:{TMP}/hold{k}", "timeout": 30})) for k in range(4)]
        for t in threads:
            t.start()
        check("serve: at most two guests are at work", wait_until(lambda: m.status()["queue"] == {
            "depth": 2, "in_flight": 2, "size": 64}), m.status()["queue"])
        check("serve: a validator beside them needs nobody to give way", m.query().returncode == 0
              and "gave way" not in m.log.read_text(), m.log.read_text())
        for k in range(4):
            (TMP / f"hold{k}").touch()
        for t in threads:
            t.join()
        check("serve: the miner ends with 0", m.stop() == 0)


def main():
    for part in (door, token, remote_local, circle, by_the_miner, left_alone, validators_first):
        try:
            part()
        except Exception as error:  # a part that breaks must not hide the others
            check(f"serve: {part.__name__} runs to its end", False, repr(error))
    return 1 if harness.failed else 0


if __name__ == "__main__":
    sys.exit(main())
