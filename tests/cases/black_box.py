# SPDX-License-Identifier: MIT
"""The real program from outside: commands and their exit codes, the miner's statuses, its end."""
import json
import os
import pathlib
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
import harness  # noqa: E402
from harness import SCRIPTS, Miner, check, run, script_config  # noqa: E402

TMP = pathlib.Path(tempfile.mkdtemp(prefix="storyfi-cases-"))


def config_file(name, more=""):
    path = TMP / f"{name}.yaml"
    path.write_text(script_config(name, more))
    return path


def commands():
    shown = run("--help").stdout
    names = [line.split()[0] for line in shown[shown.index("Commands:"):].splitlines() if line.startswith("  ")]
    for name in names:
        r = run(name, "--help")
        check(f"case: {name} --help", r.returncode == 0 and f"storyfi {name}" in r.stdout, r.stderr)
    usage = [(["nonsense"], "unknown command"), ([], "Usage"), (["miner"], "--netuid"),
             (["miner"], "--netuid is needed"), (["generate"], "--task and --input"),
             (["generate", "--task", "poem", "--input", "x"], "task_type"),
             (["generate", "--tsak", "x"], "did you mean --task"),
             (["generate", "--task", "blueprint", "--input", "x", "--mode", "nobody"], "no generator is called"),
             (["story"], "usage"), (["story", "x", "--chapters", "9-3"], "range"),
             (["score", "/nowhere.json"], "No such file"), (["query", "--task", "blueprint"], "--input"),
             (["config", "check", "--config", "/nowhere.yaml"], "flag --config: /nowhere.yaml: No such file"),
             (["wallet", "show", "--wallet.path", "/nowhere", "--wallet.name", "../x"], "plain name")]
    for args, text in usage:
        r = run(*args, cwd=TMP)
        check(f"case: wrong use exits 100: {' '.join(args)}", r.returncode == 100 and text in r.stderr + r.stdout,
              (r.returncode, r.stderr))
    for name in ("score", "completion", "version"):
        words = {"score": ["/nowhere.json"], "completion": ["bash"], "version": []}[name]
        r = run(name, *words, "--config", "/nowhere.yaml")
        check(f"case: {name} takes --config too", "unknown option" not in r.stderr, r.stderr)
    r = run("wallet", "create", "--json", "--wallet.path", TMP / 'a"b', "--phrase")
    made = json.loads(r.stdout)
    check("case: wallet --json is JSON whatever the path", made["file"].startswith(str(TMP / 'a"b'))
          and len(made["phrase"].split()) == 12, r.stdout)
    for shell in ("bash", "zsh", "fish"):
        r = run("completion", shell)
        check(f"case: {shell} completion asks the program", "completion words -- " in r.stdout, r.stdout)
    r = run("status", "--admin.port", Miner.free_port())
    check("case: status without a miner exits 111", r.returncode == 111, r.stderr)
    r = run("query", "--axon", f"127.0.0.1:{Miner.free_port()}", "--axon.hotkey",
            "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY", "--task", "blueprint", "--input", "x",
            "--throwaway")
    check("case: query of nobody exits 111", r.returncode == 111, r.stderr)


def scoring():
    data = pathlib.Path(__file__).parent.parent / "data" / "story"
    r = run("score", data / "blueprint.json", "--task", "blueprint", "--json")
    score = json.loads(r.stdout)
    check("case: score of a valid answer", r.returncode == 0 and score["valid"] and score["technical"] == 30
          and score["structure"] == 40 and score["base"] is None, r.stdout)
    wrong = json.loads((data / "blueprint.json").read_text())
    wrong["setting"] = "short"
    (TMP / "wrong.json").write_text("```json\n" + json.dumps(wrong) + "\n```")
    r = run("score", TMP / "wrong.json", "--task", "blueprint", "--json")
    score = json.loads(r.stdout)
    check("case: score names what is wrong", r.returncode == 1 and score["reasons"][0]["path"] == "/setting"
          and score["structure"] == 35, r.stdout)
    (TMP / "list.json").write_text("[1]")
    check("case: an array scores nothing", run("score", TMP / "list.json", "--task", "blueprint").returncode == 1)


def stories():
    config = config_file("stories.py")
    (TMP / "no-folder").write_text("")
    r = run("story", "x", "--config", config, "--out", TMP / "no-folder")
    check("case: story says before its work that it cannot write", r.returncode == 111 and "--out" in r.stderr
          and "blueprint " not in r.stderr, r.stderr)
    half = TMP / "half.py"
    half.write_text(f"import json, subprocess, sys\ntext = sys.stdin.read()\n"
                    f"if json.loads(text)['task_type'] == 'chapters': sys.exit(3)\n"
                    f"print(subprocess.run([sys.executable, {str(SCRIPTS / 'stories.py')!r}], input=text, text=True,"
                    f" capture_output=True).stdout)\n")
    config = TMP / "half.yaml"
    config.write_text(f'generator:\n  mode: "custom"\n  fallback: []\n  custom:\n    script_path: "{half}"\n')
    r = run("story", "x", "--config", config, "--out", TMP / "half")
    kept = json.loads((TMP / "half" / "story.json").read_text())
    check("case: a story that fails half way keeps what was written", r.returncode == 111 and "kept" in r.stderr
          and "story_arc" in kept and kept["chapters"] == [], r.stderr)


def bench():
    config = config_file("stories.py")
    r = run("bench", "--config", config, "--mode", "custom", "--rounds", 2, "--json")
    tasks = json.loads(r.stdout)["tasks"]
    check("case: bench measures the four tasks, each valid and in time", r.returncode == 0 and len(tasks) == 4
          and all(t["answered"] == t["valid"] == t["in_target"] == 2 and t["characters"] > 0 and t["seconds"] > 0
                  and t["structure"] == 40 for t in tasks), r.stdout)
    (TMP / "halting.py").write_text("import sys; sys.exit(3)")
    config = TMP / "halting.yaml"
    config.write_text(f'generator:\n  mode: "custom"\n  fallback: []\n  custom:\n    script_path: "{TMP / "halting.py"}"\n')
    r = run("bench", "--config", config, "--mode", "custom", "--rounds", 1)
    check("case: bench says who did not answer, and why", r.returncode == 1 and r.stdout.count("not answered: ") == 4
          and "models recommend" in r.stdout, r.stdout)
    for flags, text in ((["--layers", 2], "--synthetic"), (["--rounds", 0], "--rounds"), (["--mode", "nobody"], "nobody")):
        r = run("bench", "--config", config, *flags)
        check(f"case: a mistake in {' '.join(map(str, flags))} exits 100", r.returncode == 100 and text in r.stderr, r.stderr)


def scripts():
    cases = [("hang.sh", "did not end in time"), ("garbage.sh", "no JSON object"), ("exit3.sh", "exit status 3"),
             ("flood.sh", "printed more than"), ("fork.sh", "did not end in time"),
             ("not_executable.py", "no JSON object"), ("absent.sh", "is not there")]
    for name, text in cases:
        started = time.monotonic()
        r = run("generate", "--config", config_file(name), "--task", "blueprint", "--input", "x",
                "--deadline", "3", env={**os.environ, "TMPDIR": str(TMP)})
        took = time.monotonic() - started
        check(f"case: {name} fails with its reason within the deadline",
              r.returncode == 111 and text in r.stderr and took < 8, (r.returncode, took, r.stderr))
    grandchild = int((TMP / "storyfi-grandchild").read_text())
    time.sleep(0.2)
    state = pathlib.Path(f"/proc/{grandchild}/stat")
    alive = state.exists() and state.read_text().split()[2] not in "ZX"
    check("case: a script's grandchild does not outlive it", not alive)
    r = run("generate", "--config", config_file("exit3.sh"), "--task", "blueprint", "--input", "x",
            env={**os.environ, "MY_API_KEY": "secret"})
    check("case: a failure names what was withheld, not its value",
          "MY_API_KEY" in r.stderr and "secret" not in r.stderr, r.stderr)
    r = run("generate", "--config", config_file("stories.py"), "--task", "chapters", "--input", "x")
    check("case: generate prints output_data alone on stdout",
          r.returncode == 0 and json.loads(r.stdout)["chapters"][0]["id"] == 1, r.stderr)


def script_places():
    folder = TMP / "beside"
    folder.mkdir()
    answer = (harness.ROOT / "tests" / "data" / "story" / "blueprint.json").read_text()
    (folder / "plain.py").write_text(f"import json\nprint(json.dumps({{'content': json.loads({answer!r})}}))\n")
    (folder / "line").write_text(f"#!/bin/sh\ncat <<'END'\n{{\"content\": {answer}}}\nEND\n")
    for name in ("plain.py", "line"):
        config = folder / f"{name}.yaml"
        config.write_text(f'generator:\n  mode: "custom"\n  custom:\n    script_path: "./{name}"\n')
        r = run("generate", "--config", config, "--task", "blueprint", "--input", "x", "--logging.info", cwd="/")
        check(f"case: {name} without the exec bit runs, from the configuration's folder",
              r.returncode == 0 and "chmod +x" in r.stderr, r.stderr)
    (TMP / "plain.py").write_text("print('{\"content\": 1}')\n")
    r = run("generate", "--config", folder / "plain.py.yaml", "--task", "blueprint", "--input", "x", cwd=TMP)
    check("case: the working directory's script comes first", r.returncode == 111, r.stderr)


def examples():
    m = Miner("")
    (m.dir / "config").mkdir()
    shutil.copy(harness.ROOT / "config" / "generator_config.yaml.example", m.dir / "config" / "generator_config.yaml")
    shutil.copy(harness.ROOT / ".env.example", m.dir / ".env")
    at = m.flags.index("--config")
    del m.flags[at:at + 2]
    with m:
        s = m.status()
        check("case: both example files copied unedited start the miner", s["config_file"].endswith("config/generator_config.yaml")
              and s["generators"][0]["kind"] == "local", s)
        check("case: which file was loaded is logged", "config/generator_config.yaml" in m.log.read_text(), m.log.read_text())
        check("case: and it ends well", m.stop() == 0)


def json_log():
    logs = TMP / "logs"
    with Miner(script_config("stories.py"), ["--logging.format", "json", "--logging.debug", "--logging.record_log",
                                             "--logging.logging_dir", logs]) as m:
        m.query()
        recorded = (logs / "test" / "default" / "miner.log").read_text()
        check("case: --logging.record_log writes the same lines to a file", len(recorded) > 200
              and recorded in m.log.read_text(), recorded[:300])
        lines = m.log.read_text().splitlines()
        check("case: with --logging.format json every line is a JSON object",
              len(lines) > 3 and all(isinstance(json.loads(line), dict) for line in lines), lines)
        check("case: the status lines are among them", any("Generator Mode: custom" in line for line in lines), lines)


def statuses():
    with Miner(script_config("stories.py")) as m:
        check("case: the axon's health is bare", m.get(m.port, "/health") == (200, b'{"status":"ok"}'))
        check("case: the axon serves nothing else", m.get(m.port, "/status")[0] == 404)
        check("case: GET of the synapse is 405", m.get(m.port, "/StoryGenerationSynapse")[0] == 405)
        check("case: ready", m.get(m.admin, "/ready")[0] == 200)
        check("case: another Host is refused", m.get(m.admin, "/status", {"Host": "evil.example"})[0] == 403)
        check("case: another Origin is refused",
              m.get(m.admin, "/status", {"Origin": "http://evil.example"})[0] == 403)
        check("case: status lines", "✅ Generator Mode: custom" in m.log.read_text())
        s = run("status", "--admin.port", m.admin)
        check("case: status of a miner", s.returncode == 0 and "ready" in s.stdout and m.hotkey in s.stdout, s.stderr)
        second = run("miner", *m.flags, "--axon.port", 0, "--admin.port", 0)
        check("case: a second miner exits 100 and names the first",
              second.returncode == 100 and str(m.process.pid) in second.stderr, second.stderr)
        taken = run("miner", *m.flags, "--axon.port", 0, "--admin.port", m.admin, "--state_dir", TMP / "other")
        check("case: a taken port is named", taken.returncode == 111 and "in use" in taken.stderr, taken.stderr)
        m.process.send_signal(signal.SIGHUP)
        time.sleep(0.5)
        check("case: it serves after SIGHUP", m.query().returncode == 0)
        m.config.write_text("generator: [broken")
        m.process.send_signal(signal.SIGHUP)
        time.sleep(0.5)
        check("case: a broken new configuration keeps the old", m.query().returncode == 0
              and "the old one stays" in m.log.read_text(), m.log.read_text()[-600:])
        check("case: SIGTERM ends with 0", m.stop() == 0)


def slow_clients():
    flags = ["--axon.head_timeout", "1", "--axon.body_timeout", "1", "--axon.max_connections_per_ip", "8"]
    with Miner(script_config("stories.py"), flags) as m:
        def cut_off(name, data):
            with socket.create_connection(("127.0.0.1", m.port)) as s:
                s.sendall(data)
                s.settimeout(6)
                started = time.monotonic()
                try:
                    while s.recv(4096):
                        pass
                except TimeoutError:
                    check(f"case: {name} is cut off", False, "still open")
                    return
                except OSError:
                    pass
                check(f"case: {name} is cut off", time.monotonic() - started < 5)
        cut_off("a head that does not end", b"POST /StoryGenerationSynapse HTTP/1.1\r\nHost: x\r\n")
        cut_off("a body that does not come",
                b"POST /StoryGenerationSynapse HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nx")
        cut_off("a giant head", b"GET / HTTP/1.1\r\nX: " + b"a" * 200000 + b"\r\n\r\n")
        cut_off("what is no HTTP", b"\x00\x01\x02\x03\r\n\r\n")
        many = [socket.create_connection(("127.0.0.1", m.port)) for _ in range(30)]
        for s in many:
            s.close()
        time.sleep(0.3)
        check("case: it serves after slow and many connections", m.query().returncode == 0)


def callers():
    with Miner(script_config("spare.sh"), ["--axon.max_nonces", "16"]) as m:
        answers = [m.query() for _ in range(17)]
        check("case: more callers than axon.max_nonces remembers lock nobody out", all(r.returncode == 0 for r in answers),
              [r.stderr for r in answers])


def deadlines():
    with Miner(script_config("hang.sh"), ["--axon.max_workers", "1", "--axon.queue_size", "1"]) as m:
        results = []

        def ask():
            started = time.monotonic()
            r = m.query("blueprint", "x", "--timeout", "4")
            results.append((r.stderr, time.monotonic() - started))
        threads = [threading.Thread(target=ask) for _ in range(4)]
        for t in threads:
            t.start()
            time.sleep(0.2)
        for t in threads:
            t.join()
        text = "\n".join(r[0] for r in results)
        check("case: a hanging generator's request is answered before its deadline",
              all(took < 4.2 for _, took in results), results)
        check("case: a full queue answers 503 at once",
              any("HTTP 503" in e and took < 1 for e, took in results), text)
        check("case: the others get 408 or 503", text.count("HTTP") == 4, text)
        asked = threading.Thread(target=ask)
        asked.start()
        time.sleep(0.5)
        check("case: SIGTERM finishes what is in flight", m.stop() == 0)
        asked.join()
        check("case: and it was answered", "HTTP" in results[-1][0], results[-1])


def main():
    for part in (commands, scoring, stories, bench, scripts, script_places, examples, json_log, statuses, slow_clients, callers, deadlines):
        try:
            part()
        except Exception as error:  # a part that breaks must not hide the others
            check(f"case: {part.__name__} runs to its end", False, repr(error))
    return 1 if harness.failed else 0


if __name__ == "__main__":
    sys.exit(main())
