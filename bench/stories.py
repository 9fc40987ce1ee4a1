# SPDX-License-Identifier: MIT
"""Whole answers of the local engine beside llama-server (json_schema) and Hugging Face Transformers (free text, as the
Python original does): the same model file, the same tasks, in turn on the same machine; text characters a second.

usage: bench/stories.py [ROUNDS]      prints a table, writes bench/results/<machine>.json and doc/benchmarks.md.
A peer's figure counts the values of what parses as JSON, of an answer that is cut off or breaks as far as it goes, and the raw
text of whatever is no JSON ("raw" is printed too). The texts stay in BUILD/stories-answers.jsonl.
Peers write as many tokens as ours has characters / 4: equal lengths, since a peer that has no end runs to its limit.
"""
import http.server
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "bench")]
import harness  # noqa: E402
import report  # noqa: E402

MODEL = os.environ["DEFAULT_MODEL"]
TUNED = os.environ.get("TUNED_MODEL", "")  # FILE.tuned.gguf: `storyfi` takes it for the model
PEERS = pathlib.Path(os.environ["LLAMA_PEERS"])
PYTHON = pathlib.Path(os.environ["TRANSFORMERS_VENV"]) / "bin" / "python"
IDEA = "A lighthouse keeper who hears the sea speak"
TASKS = ("blueprint", "characters", "story_arc", "chapters")
ANSWERS = (pathlib.Path(harness.STORYFI).resolve().parent / "stories-answers.jsonl").open("w")
TMP = pathlib.Path(tempfile.mkdtemp(prefix="storyfi-bench-"))
TOKEN_CHARACTERS = 4  # of English text, about


def characters_of(value):
    if isinstance(value, str):
        return len(value)
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return sum(map(characters_of, parts))


def post(url, body, timeout=600):
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=timeout) as r:
        return json.loads(r.read())


def await_health(url, process):
    end = time.monotonic() + 180
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2) as r:
                if r.status == 200:
                    return
        except OSError:
            time.sleep(0.1)
    sys.exit(f"bench: nothing answers at {url}")


def resident_mb(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("VmRSS")) / 1024


class Ours:
    name = "storyfi"

    def __init__(self):
        self.port = harness.Miner.free_port()
        config = TMP / "ours.yaml"
        config.write_text("generator:\n  mode: local\n  fallback: []\n")
        self.process = subprocess.Popen([harness.STORYFI, "serve", "--port", str(self.port), "--config", str(config), "--state_dir",
                                         str(TMP / "state")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        await_health(f"http://127.0.0.1:{self.port}/health", self.process)

    def write(self, task, story, _prompt, _length, idea=IDEA):
        body = {"task_type": task, "user_input": idea, **{k: v for k, v in story.items() if k in TASKS[:3]}, "timeout": 60}
        if task == "chapters":
            body["chapter_ids"] = [1]
        started = time.monotonic()
        answer = post(f"http://127.0.0.1:{self.port}/generate", body)
        return {"seconds": time.monotonic() - started, "output": answer["content"], "usage": answer["usage"]}


class LlamaServer:
    name = "llama-server, json_schema"

    def __init__(self, model=MODEL):
        self.port = harness.Miner.free_port()
        self.process = subprocess.Popen([PEERS / "llama-server", "-m", model, "--host", "127.0.0.1", "--port", str(self.port), "-c", "8192",
                                         "-np", "1", "-t", str(os.cpu_count())], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        await_health(f"http://127.0.0.1:{self.port}/health", self.process)

    def write(self, task, _story, prompt, length):
        body = {"messages": prompt["messages"], "response_format": prompt["response_format"], "temperature": 0.8,
                "max_tokens": length // TOKEN_CHARACTERS + structure_tokens(task)}
        started = time.monotonic()
        answer = post(f"http://127.0.0.1:{self.port}/v1/chat/completions", body)
        return {"seconds": time.monotonic() - started, "text": answer["choices"][0]["message"]["content"],
                "tokens": answer["usage"]["completion_tokens"]}


class LlamaServerTuned(LlamaServer):
    """On the file that ours uses: what the layout alone does."""
    name = "llama-server, the tuned file"

    def __init__(self):
        super().__init__(TUNED)


class Transformers:
    name = "Transformers, free text"

    def __init__(self):
        self.process = subprocess.Popen([PYTHON, ROOT / "bench" / "transformers_peer.py", MODEL], text=True, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        if self.process.stdout.readline() != "ready\n":
            sys.exit("bench: Transformers does not load the model")

    def write(self, _task, _story, prompt, length):
        line = {"messages": prompt["messages"], "max_new_tokens": length // TOKEN_CHARACTERS}
        started = time.monotonic()
        self.process.stdin.write(json.dumps(line) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        return {"seconds": time.monotonic() - started, **answer}


def structure_tokens(task):
    """Names of keys and punctuation, which a peer spends tokens on and we do not count."""
    return {"blueprint": 120, "characters": 400, "story_arc": 500, "chapters": 250}[task]


def record(requests):
    """What our own cloud generator would ask for each of {"task", "idea", context...}: messages and schema, taken down by a server of ours."""
    seen = []

    class Recorder(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            seen.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(401)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Recorder)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    config, out = TMP / "recorder.yaml", []
    config.write_text(f'generator:\n  mode: api\n  fallback: []\n  api:\n    provider: openai\n    model: m\n'
                      f'    endpoint: "http://127.0.0.1:{server.server_address[1]}/v1"\n')
    for r in requests:
        context = TMP / "context.json"
        context.write_text(json.dumps(r))
        seen.clear()
        harness.run("generate", "--config", config, "--task", r["task"], "--input", r["idea"], "--context", context, "--alone",
                    env={**os.environ, "OPENAI_API_KEY": "sk-bench"})
        out.append(seen[0])
    server.shutdown()
    return out


def prompts(story):
    return dict(zip(TASKS, record([{**story, "chapter_ids": [1], "task": task, "idea": IDEA} for task in TASKS])))


def as_far_as_it_goes(text):
    """The value of the JSON in a text, cut off or broken: of its longest beginning that parses when what is open is closed; and how
    many characters of the text are not part of it."""
    at = text.find("{")
    if at < 0:
        return None, len(text)
    decoder, ends, stack, quoted, escaped = json.JSONDecoder(), [], [], False, False
    for i, c in enumerate(text[at:]):
        if quoted:
            escaped, quoted = c == "\\" and not escaped, escaped or c != '"'
        elif c == '"':
            quoted = True
        elif c in "{[":
            stack.append("}" if c == "{" else "]")
        elif c in "}]" and stack:
            stack.pop()
        ends.append((i + 1, ('"' if quoted else "") + "".join(reversed(stack))))
    for n, closing in reversed(ends):
        try:
            return decoder.decode(text[at:at + n] + closing), len(text) - n
        except ValueError:
            continue
    return None, len(text)


def judge(task, story, answer):
    """Characters of the answer's values, of its raw text, and whether a validator takes it."""
    text = answer.get("text")
    output, beside = (answer["output"], 0) if text is None else as_far_as_it_goes(text)
    try:
        parses = text is None or isinstance(json.loads(text), dict)
    except ValueError:
        parses = False
    raw = len(text) if text is not None else len(json.dumps(output, ensure_ascii=False))
    file = TMP / "answer.json"
    valid = False
    if parses:
        file.write_text(json.dumps(output))
        context = TMP / "asked.json"
        context.write_text(json.dumps({"user_input": IDEA, **story, "chapter_ids": [1]}))
        valid = json.loads(harness.run("score", file, "--task", task, "--context", context, "--json").stdout or "{}").get("valid", False)
    return {"values": characters_of(output) + beside, "raw": raw, "parses": parses, "valid": valid}


def run(rounds):
    peers = [kind() for kind in (Ours, LlamaServer, *[LlamaServerTuned] * pathlib.Path(TUNED).is_file(), Transformers)]
    runs = {p.name: {task: [] for task in TASKS} for p in peers}
    try:
        story = {}
        for task in TASKS[:3]:  # the contexts, and every program is warm
            story[task] = peers[0].write(task, story, None, 0)["output"]
        asked = prompts(story)
        for i in range(rounds):
            for task in TASKS:
                length = 0
                for p in peers:
                    given = {k: v for k, v in story.items() if TASKS.index(k) < TASKS.index(task)}
                    answer = p.write(task, given, asked[task], length)
                    ANSWERS.write(json.dumps({"task": task, "writer": p.name, **answer}, ensure_ascii=False) + "\n")
                    row = {"seconds": answer["seconds"], **judge(task, given, answer), "usage": answer.get("usage")}
                    length = length or row["values"]
                    runs[p.name][task].append(row)
                    print(f"round {i + 1}, {task}, {p.name}: {row['values']} characters ({row['raw']} raw) in {row['seconds']:.1f} s, "
                          f"{row['values'] / row['seconds']:.0f} a second{', valid' if row['valid'] else ''}", flush=True)
    finally:
        for p in peers:
            if isinstance(p, Ours):
                print(f"our parent process: {resident_mb(p.process.pid):.1f} MB resident")
            p.process.terminate()
            p.process.wait()
    return runs


def rate(rows, what="values"):
    return statistics.median(r[what] / r["seconds"] for r in rows)


def table(runs):
    ours, *others = runs
    lines = ["| task | " + ours + " | " + " | ".join(f"{o} (raw) | times" for o in others) + " | valid |",
             "| --- | ---: | " + "---: | ---: | " * len(others) + "--- |"]
    for task in TASKS:
        mine = rate(runs[ours][task])
        cells = [f"{rate(runs[o][task]):.0f} ({rate(runs[o][task], 'raw'):.0f}) | **{mine / rate(runs[o][task]):.1f}**" for o in others]
        valid = ", ".join(f"{sum(r['valid'] for r in runs[o][task])}/{len(runs[o][task])}" for o in runs)
        lines.append(f"| {task} | {mine:.0f} | " + " | ".join(cells) + f" | {valid} |")
    return lines


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    runs = run(rounds)
    lines = table(runs)
    print("\n".join(lines))
    report.save("stories", {"rounds": rounds, "runs": runs})
    report.section("stories", "Whole answers beside llama-server and Transformers", [
        f"Characters of text (values only) a second of a whole answer: `{pathlib.Path(MODEL).name}`, temperature 0.8, medians of {rounds} rounds in "
        "turn. `storyfi` uses what `storyfi models tune` made of that file, where it is faster (doc/models.md). "
        "Of a peer's answer the values count, as far as its JSON goes, and what else it says; in brackets the raw text with all its JSON. "
        "Valid: what our own validator takes, in the order of the columns.", "", *lines])


if __name__ == "__main__":
    main()
