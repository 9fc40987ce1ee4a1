# SPDX-License-Identifier: MIT
"""Scores the texts of whole answers: 40 fixed requests (bench/quality_requests.json: five stories in each of two languages, four tasks each),
fixed seeds; the engine's waves beside its sequential composer and beside one free-form call of the same model.

usage: bench/quality.py                  all three writers; prints tables and verdicts, writes bench/results/ and doc/benchmarks.md
       bench/quality.py --models A B     the default writer alone with two model files (a re-quantized one beside the shipped one); writes nothing
       --stories N                       of N of each language's five stories only
       --lang en|zh                      of these requests only (default: both; with --models: en)
       --writer W                        of these writers only; writes nothing
       --from FILE                       takes from there what an earlier run kept, and has the rest written
       --texts                           prints the answers too
Each metric is defined in bench/quality_metrics.py. The figures do not depend on how fast or how busy the machine is.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import urllib.error

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "model"), str(ROOT / "bench")]
import engine_drive as drive  # noqa: E402
import harness  # noqa: E402
import quality_metrics as metrics  # noqa: E402
import report  # noqa: E402
import stories  # noqa: E402

TASKS = ("blueprint", "characters", "story_arc", "chapters")
WRITERS = ("waves", "sequential", "free form")
LANGUAGES = {"en": "English", "zh": "Chinese"}
FREE_TOKENS = {"blueprint": 350, "characters": 1000, "story_arc": 1300, "chapters": 800}
STORIES = SIDE_BY_SIDE = 5
KEPT = ROOT / os.environ.get("BUILD", "build") / "quality-answers.json"
TMP = pathlib.Path(tempfile.mkdtemp(prefix="storyfi-quality-"))


def requests(lang, n_stories):
    """Of a language, in order of their tasks; what stands before a task in the story is its context."""
    out = []
    for task in TASKS:
        for n, story in enumerate(json.loads((ROOT / "bench" / "quality_requests.json").read_text())[lang][:n_stories]):
            context = {k: story[k] for k in TASKS[:TASKS.index(task)]}
            if task == "chapters":
                context["chapter_ids"] = [story["chapter"]]
            focus = next((c["characterFocus"] for c in story["story_arc"]["chapters"] if c["id"] == story["chapter"]), None)
            out.append({"lang": lang, "task": task, "kind": story["kind"], "idea": story["idea"], "context": context, "seed": 100 * TASKS.index(task) + n + 1,
                        "focus": focus if task == "chapters" else None, "key": f"{lang} {task} {n + 1}"})
    return out


class Engine:
    """Our own: the engine's child alone, without deadlines that a busy machine would miss."""

    def __init__(self, model, sequential):
        self.child, self.sequential = drive.Engine(str(pathlib.Path(harness.STORYFI).parent / "storyfi-engine")), sequential
        self.ready = self.child.load(str(model), os.environ["LLAMA_DIR"] + "/lib")
        if self.ready["type"] != "ready":
            sys.exit(f"quality: {model} does not load: {self.ready['text']}")

    def write(self, batch):
        asked = []
        for n, r in enumerate(batch):
            m = drive.message(r["task"], r["idea"], r["context"], r["context"].get("chapter_ids"), r["seed"], 1800000, 1700000, ("en", r["lang"]),
                              self.ready["instruct"])
            asked.append((n + 1, {**m, "sequential": self.sequential}))
        answers = drive.ask(self.child, asked)
        return [{"output": answers[n].result, "usage": answers[n].usage, "problem": (answers[n].error or {}).get("text")} for n, _ in asked]

    def close(self):
        self.child.close()


class FreeForm:
    """One call of llama-server without a schema, with what our cloud generator asks."""

    def __init__(self, model):
        self.port = harness.Miner.free_port()
        self.process = subprocess.Popen([pathlib.Path(os.environ["LLAMA_PEERS"]) / "llama-server", "-m", model, "--host", "127.0.0.1", "--port",
                                         str(self.port), "-c", str(8192 * SIDE_BY_SIDE), "-np", str(SIDE_BY_SIDE), "-t", str(max(1, os.cpu_count() // 2))],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        stories.await_health(f"http://127.0.0.1:{self.port}/health", self.process)

    def ask(self, r):
        body = {"messages": r["messages"], "temperature": 0.8, "seed": r["seed"], "max_tokens": FREE_TOKENS[r["task"]]}
        try:
            answer = stories.post(f"http://127.0.0.1:{self.port}/v1/chat/completions", body, 1800)
        except urllib.error.HTTPError as e:
            return {"text": "", "problem": e.read().decode(errors="replace")[:200]}
        return {"text": answer["choices"][0]["message"]["content"], "usage": {"generated_tokens": answer["usage"]["completion_tokens"]}}

    def write(self, batch):
        asked = stories.record(({**r["context"], "task": r["task"], "idea": r["idea"]} for r in batch))
        with concurrent.futures.ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            return list(pool.map(self.ask, ({**r, "messages": a["messages"]} for r, a in zip(batch, asked))))

    def close(self):
        self.process.terminate()
        self.process.wait()


def write_all(writer, asked, name):
    """Answers by the requests' keys."""
    out = {}
    for at in range(0, len(asked), SIDE_BY_SIDE):
        batch = asked[at:at + SIDE_BY_SIDE]
        for r, answer in zip(batch, writer.write(batch)):
            out[r["key"]] = answer
            print(f"{name}: {r['key']}{': ' + answer['problem'] if answer.get('problem') else ''}", flush=True)
    writer.close()
    return out


def parsed(answer):
    """The answer's object: fences around it are taken away, as our own program does."""
    if "text" not in answer:
        return answer["output"]
    text = answer["text"]
    at, end = text.find("{"), text.rfind("}")
    try:
        value = json.loads(text[at:end + 1]) if at >= 0 else None
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def rubric(request, output):
    """The parts of the network's score that need no judge (`storyfi score --json`), of 100; 0 for what does not parse."""
    if output is None:
        return {"rubric": 0.0, "valid": False}
    (TMP / "answer.json").write_text(json.dumps(output, ensure_ascii=False))
    (TMP / "asked.json").write_text(json.dumps({"user_input": request["idea"], **request["context"]}, ensure_ascii=False))
    got = json.loads(harness.run("score", TMP / "answer.json", "--task", request["task"], "--context", TMP / "asked.json", "--json").stdout or "{}")
    return {"rubric": sum(got.get(part) or 0 for part in ("technical", "structure", "content")) / 100, "valid": got.get("valid", False)}


def score(request, answer):
    output = parsed(answer)
    seen = metrics.Answer(request, output, answer.get("text", ""))
    row = {name: f(seen) for name, f in metrics.METRICS.items()}
    marks = rubric(request, output)
    row["rubric"] = marks["rubric"]
    row["mean"] = statistics.mean(row.values())
    return {**row, "valid": marks["valid"], "parses": output is not None}


def means(rows):
    return {k: statistics.mean(r[k] for r in rows) for k in rows[0]} if rows else {}


def table(columns):
    """Metric by writer; a line for each metric, then what was valid."""
    names = list(columns)
    lines = ["| | " + " | ".join(names) + " |", "| --- |" + " ---: |" * len(names)]
    for metric in (*metrics.METRICS, "rubric", "mean"):
        cells = " | ".join(f"{columns[n][metric]:.3f}" for n in names)
        lines.append(f"| {'**mean**' if metric == 'mean' else metric} | {cells} |")
    lines.append("| valid | " + " | ".join(f"{columns[n]['valid']:.0%}" for n in names) + " |")
    lines.append("| parses | " + " | ".join(f"{columns[n]['parses']:.0%}" for n in names) + " |")
    return lines


def verdicts(of):
    ratio, free = of["waves"]["mean"] / of["sequential"]["mean"], of["waves"]["mean"] / of["free form"]["mean"]
    return [f"Waves are {ratio:.3f} of the sequential composer ({'met' if ratio >= 0.98 else 'NOT MET'}: at least 0.98) and {free:.3f} of the free-form "
            f"call ({'met' if free >= 1 else 'NOT MET'}: at least 1)."], {"of_sequential": ratio, "of_free_form": free}


def spent(answers):
    """What our own writers' usages say, summed."""
    keys = ("generated_tokens", "slots", "retried", "replaced", "rewritten", "improved")
    sums = {k: sum((a.get("usage") or {}).get(k, 0) for a in answers.values()) for k in keys}
    sums["prompt_tokens"] = sum((a.get("usage") or {}).get("prompt_tokens", 0) - (a.get("usage") or {}).get("cached_tokens", 0) for a in answers.values())
    return sums


def model_of(lang):
    path = os.environ.get("MODEL") or os.environ["DEFAULT_MODEL"] if lang == "en" else os.environ["TEST_MODEL"]
    if not os.path.exists(path):
        sys.exit(f"quality: {path} is not there: tools/setup.sh --test fetches it")
    return path


def show(asked, answers):
    for r in asked:
        for name, of in answers.items():
            print(f"\n=== {r['key']}, {name}: {r['idea']}")
            output = parsed(of[r["key"]])
            drive.show(output) if output is not None else print(of[r["key"]].get("text"))


def compare_models(models, asked):
    answers = {pathlib.Path(m).name: write_all(Engine(m, False), asked, pathlib.Path(m).name) for m in models}
    columns = {name: means([score(r, of[r["key"]]) for r in asked]) for name, of in answers.items()}
    print("\n".join(table(columns)))
    a, b = (c["mean"] for c in columns.values())
    print(f"{list(columns)[1]} is {b / a:.3f} of {list(columns)[0]}")


MAKERS = {"waves": lambda m: Engine(m, False), "sequential": lambda m: Engine(m, True), "free form": FreeForm}


def answers_of(asked, writers, kept):
    """Answers by language, writer and request; kept after each writer."""
    answers = json.loads(pathlib.Path(kept).read_text()) if kept else {}
    for lang in asked:
        for name in writers:
            if name not in answers.setdefault(lang, {}):
                answers[lang][name] = write_all(MAKERS[name](model_of(lang)), asked[lang], name)
                KEPT.write_text(json.dumps(answers, ensure_ascii=False, indent=1))
    return answers


def compare_writers(asked, answers):
    rows, lines, results = {}, [], {}
    for lang in asked:
        rows[lang] = {name: [score(r, answers[lang][name][r["key"]]) for r in asked[lang]] for name in WRITERS}
        columns = {name: means(rows[lang][name]) for name in WRITERS}
        said, ratios = verdicts(columns)
        results[lang] = {"means": columns, **ratios, "spent": {n: spent(answers[lang][n]) for n in WRITERS[:2]}}
        lines += [f"{LANGUAGES[lang]}, {len(asked[lang])} requests:", "", *table(columns), "", *said, ""]
        for name in WRITERS[:2]:
            lines += [f"{name.capitalize()}: " + ", ".join(f"{v} {k.replace('_', ' ')}" for k, v in results[lang]["spent"][name].items()) + ".", ""]
    said, ratios = verdicts({name: means([r for lang in asked for r in rows[lang][name]]) for name in WRITERS})
    lines += [f"All {sum(len(r['waves']) for r in rows.values())}: " + said[0]]
    print("\n".join(lines))
    return lines, {**results, **ratios}


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--models", nargs=2)
    p.add_argument("--lang", choices=LANGUAGES)
    p.add_argument("--stories", type=int, default=STORIES)
    p.add_argument("--writer", choices=WRITERS, action="append")
    p.add_argument("--from", dest="kept")
    p.add_argument("--texts", action="store_true")
    a = p.parse_args()
    if a.models:
        return compare_models(a.models, requests(a.lang or "en", a.stories))
    asked, writers = {lang: requests(lang, a.stories) for lang in ([a.lang] if a.lang else LANGUAGES)}, a.writer or WRITERS
    answers = answers_of(asked, writers, a.kept)
    for lang in asked if a.texts else ():
        show(asked[lang], {n: answers[lang][n] for n in writers})
    if a.writer:
        for lang in asked:
            columns = {name: means([score(r, answers[lang][name][r["key"]]) for r in asked[lang]]) for name in writers}
            print("\n".join([LANGUAGES[lang], *table(columns), *(f"{n}: {spent(answers[lang][n])}" for n in writers)]))
        return None
    lines, results = compare_writers(asked, answers)
    if not a.lang and a.stories == STORIES:
        report.save("quality", results)
        report.section("quality", "The quality of the texts", [
            "Means over fixed requests with fixed seeds, each metric from 0 to 1 and higher better (`bench/quality_metrics.py` defines them): the waves, "
            "the sequential composer (`generator.local.compose`), and one call of llama-server without a schema that is asked what our cloud generator "
            f"asks. English: `{pathlib.Path(model_of('en')).name}`; Chinese: `{pathlib.Path(model_of('zh')).name}`, a base model, which no free-form "
            "call can make answer.", "", *lines])
    return None


if __name__ == "__main__":
    sys.exit(main())
