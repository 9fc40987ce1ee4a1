#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The real engine over real models: every answer passes the deep validation, keeps its deadline, is
unlike the others, and is what its events said."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import engine_drive as drive  # noqa: E402

FULL = os.environ.get("STORYFI_FULL") == "1"
STORYFI = os.environ.get("STORYFI", "build/storyfi")
PROMPTS = ["一个关于太空探险的故事", "A lighthouse keeper who hears the sea speak", "古代王朝的宫廷阴谋与爱情",
           "A thief steals a dragon's name", "末日之后，一个女孩寻找她的兄弟",
           "Two rival bakers in a mountain village", "侦探在雨夜的上海追查凶手",
           "The last robot gardener on Mars", "一个小镇里的猫会说话", "A story about time"]
STUBS = {"blueprint": {}, "characters": {"blueprint": {"title": "测试故事"}},
         "story_arc": {"blueprint": {"title": "测试故事"}, "characters": {"characters": []}},
         "chapters": {"blueprint": {"title": "测试故事"}, "characters": {"characters": []},
                      "story_arc": {"chapters": [{"id": i} for i in range(1, 13)]}}}
bad = 0


def check(name, ok, detail=""):
    global bad
    bad += not ok
    print(f"{'PASS' if ok else 'FAIL'} {name}{'' if ok else ': ' + str(detail)[:600]}", flush=True)


def pairs(value):
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return {text[i:i + 2] for i in range(len(text) - 1)}


def score(request, output):
    """The program's own validator and rubric."""
    with tempfile.TemporaryDirectory() as where:
        where = pathlib.Path(where)
        (where / "answer.json").write_text(json.dumps(output, ensure_ascii=False))
        (where / "context.json").write_text(json.dumps(request, ensure_ascii=False))
        got = subprocess.run([STORYFI, "score", where / "answer.json", "--task", request["task_type"],
                              "--context", where / "context.json", "--json"],
                             capture_output=True, text=True, timeout=60)
    try:
        return json.loads(got.stdout)
    except json.JSONDecodeError:
        return {"valid": False, "reasons": got.stdout + got.stderr, "structure": 0}


def texts(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for v in value if isinstance(value, list) else value.values():
            yield from texts(v)


DIRT = ["```", "<|", "|>", "**", "##", "As an AI", "Question:", "Answer:", "{", "}", "Wilma", "薇拉", "玻璃果园",
        "_", "http", "[", "]"]


def dirt(output):
    return [(d, t) for t in texts(output) for d in DIRT
            if d in t and not t.startswith(("relationship_", "resource_"))]


def one(name, task, message, got, seen, chinese, replaced=0.25):
    request = message["request"]
    if got.error:
        check(name, False, got.error)
        return
    s = score(request, got.result)
    check(f"{name} is valid", s.get("valid") is True, s.get("reasons"))
    check(f"{name} structure 40/40", s.get("structure") == 40, s.get("structure"))
    check(f"{name} within its deadline ({got.seconds:.1f} s)", got.seconds * 1000 < message["deadline_ms"])
    check(f"{name} is what its events said", not got.problems, got.problems)
    check(f"{name} is clean", not dirt(got.result), dirt(got.result))
    check(f"{name} written by the model", got.usage["replaced"] <= replaced * got.usage["slots"], got.usage)
    mine = pairs(got.result)
    alike = max([len(mine & p) / len(mine | p) for p in seen] or [0])
    check(f"{name} unlike the others ({alike:.2f})", alike <= 0.9)
    seen.append(mine)
    if chinese:
        all_text = "".join(texts(got.result))
        han = sum("一" <= ch <= "鿿" for ch in all_text)
        latin = sum(ch.isascii() and ch.isalpha() for ch in all_text)
        check(f"{name} is in Chinese", han > latin, (han, latin))


def ring(label, model, lib_dir, plan, languages, instruct, small_only=False):
    e = drive.Engine(os.path.join(os.path.dirname(STORYFI), "storyfi-engine"))
    ready = e.load(model, lib_dir)
    check(f"{label}: loads", ready["type"] == "ready", ready)
    seen, number = {}, 0
    for task, prompts, ids in plan:
        for i, prompt in enumerate(prompts):
            number += 1
            m = drive.message(task, prompt, STUBS[task], ids[i % len(ids)] if ids else None,
                              1000 + number, 57000, 25000, languages, instruct)
            got = drive.ask(e, [(number, m)])[number]
            one(f"{label} {task} {i + 1}", task, m, got, seen.setdefault(task, []),
                "zh" in languages and any("一" <= c <= "鿿" for c in prompt), 0.25 if instruct else 0.4)
    # Eight at once, mixed.
    if not small_only:
        batch = []
        for k, task in enumerate(["blueprint", "characters", "story_arc", "blueprint"] * (2 if FULL else 1)):
            number += 1
            batch.append((number, drive.message(task, PROMPTS[k], STUBS[task], None, number)))
        for n, got in drive.ask(e, batch).items():
            m = dict(batch)[n]
            one(f"{label} side by side {n} {m['request']['task_type']}", "", m, got,
                seen.setdefault(m["request"]["task_type"], []), False)
    e.close()


def main():
    model, gemma, lib_dir = sys.argv[1:4]
    n = 10 if FULL else 1  # three a task go through the miner in default_model.py
    plan = [(t, PROMPTS[:n], None) for t in ("blueprint", "characters", "story_arc")]
    plan.append(("chapters", PROMPTS[:n], [[1], [5, 6], [12]]))
    if FULL:
        plan.append(("chapters", PROMPTS[:1], [list(range(1, 13))]))
    if os.path.exists(model):
        ring("default", model, lib_dir, plan, ["en"], True)
    else:
        print("SKIP model: the default model is not there (tools/setup.sh fetches it)")
    if os.path.exists(gemma):
        chinese = [p for p in PROMPTS if p[0] > "一"][:5 if FULL else 2]
        longer = chinese if FULL else chinese[:1]
        plan = [("blueprint", chinese, None), ("characters", longer, None), ("story_arc", longer, None),
                ("chapters", longer, [[1], [7]])]
        ring("gemma", gemma, lib_dir, plan, ["en", "zh"], False, small_only=True)
    else:
        print("SKIP gemma: the second test model is not there (tools/setup.sh --test fetches it)")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
