#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Drives the program storyfi-engine as its parent does: socket pair on descriptor 3, messages of a
length and a JSON object. Checks that events concatenate to the answer; prints texts and speed."""
import argparse, json, os, socket, struct, sys, time


class Engine:
    def __init__(self, program):
        ours, theirs = socket.socketpair()
        self.sock = ours
        self.buffer = b""
        self.pid = os.fork()
        if self.pid == 0:
            os.dup2(theirs.fileno(), 3, inheritable=True)
            os.execv(program, [program])
        theirs.close()
        self.hello = self.read()

    def send(self, message):
        text = json.dumps(message, ensure_ascii=False).encode()
        self.sock.sendall(struct.pack("<I", len(text)) + text)

    def read(self, timeout=120):
        self.sock.settimeout(timeout)
        while True:
            if len(self.buffer) >= 4:
                n = struct.unpack("<I", self.buffer[:4])[0]
                if len(self.buffer) >= 4 + n:
                    text = self.buffer[4:4 + n]
                    self.buffer = self.buffer[4 + n:]
                    return json.loads(text)
            got = self.sock.recv(1 << 16)
            if not got:
                raise EOFError("the engine closed its socket")
            self.buffer += got

    def load(self, model, lib_dir, **more):
        self.send({"type": "load", "model": model, "lib_dir": lib_dir, "device": "cpu",
                   "n_gpu_layers": -1, "context": 0, "sequences": 0, "threads": 0,
                   "flash_attention": -1, **more})
        while True:
            m = self.read()
            if m["type"] in ("ready", "error"):
                return m

    def close(self):
        self.sock.close()
        os.waitpid(self.pid, 0)


class Answer:
    """One request's events, checked as they come."""

    def __init__(self):
        self.started, self.texts, self.done = [], {}, {}
        self.result = self.error = self.usage = None
        self.problems = []
        self.begun = time.monotonic()
        self.seconds = None

    def take(self, m):
        kind = m["type"]
        if kind == "slot_started":
            self.started.append(m["path"])
        elif kind == "slot_text":
            self.texts[m["path"]] = self.texts.get(m["path"], "") + m["text"]
        elif kind == "slot_done":
            self.done[m["path"]] = m["text"]
            if self.texts.get(m["path"], "") != m["text"]:
                self.problems.append(f"{m['path']}: pieces do not make the text")
        elif kind == "error":
            self.error = m
        elif kind == "result":
            self.result, self.usage = m["output"], m["usage"]
        if kind in ("error", "result"):
            self.seconds = time.monotonic() - self.begun
            return True
        return False

    def check(self):
        for path, text in self.done.items():
            at = self.result
            try:
                for part in path.split("/")[1:]:
                    at = at[int(part)] if isinstance(at, list) else at[part]
            except (KeyError, IndexError, TypeError):
                at = None
            if at != text:
                self.problems.append(f"{path}: not the text in the answer")
        for path in self.started:
            if path not in self.done:
                self.problems.append(f"{path}: never done")
        return self.problems


def ask(engine, requests):
    """Sends requests [(id, message)], returns answers by id."""
    answers = {}
    for number, message in requests:
        answers[number] = Answer()
        engine.send({"type": "submit", "id": number, "wanted": [], "partial": None, "prompt": None,
                     **message})
    waiting = set(answers)
    last_beat = time.monotonic()
    while waiting:
        m = engine.read()
        now = time.monotonic()
        if now - last_beat > 3 and len(waiting) > 0:
            print(f"no message for {now - last_beat:.1f} s", file=sys.stderr)
        last_beat = now
        if m["id"] in answers and answers[m["id"]].take(m):
            waiting.discard(m["id"])
    for a in answers.values():
        if a.result is not None:
            a.check()
    return answers


def request(task, text, context=None, chapters=None):
    context = context or {}
    return {"task_type": task, "user_input": text, "blueprint": context.get("blueprint"),
            "characters": context.get("characters"), "story_arc": context.get("story_arc"),
            "chapter_ids": chapters}


def message(task, text, context=None, chapters=None, seed=1, deadline=57000, target=25000,
            languages=("en",), instruct=True):
    return {"request": request(task, text, context, chapters), "deadline_ms": deadline,
            "target_ms": target, "seed": seed, "languages": list(languages), "instruct": instruct,
            "small": True}


def characters_of(value):
    if isinstance(value, str):
        return len(value)
    if isinstance(value, list):
        return sum(map(characters_of, value))
    if isinstance(value, dict):
        return sum(map(characters_of, value.values()))
    return 0


def show(value, path=""):
    """Texts with their short paths."""
    if isinstance(value, dict):
        if "consequences" in value:
            print(f"{path}: {value['text']}  -> {value['nextChapter']} {value['consequences']}")
            return
        for k, v in value.items():
            if k not in ("storyProgress", "characterFocus", "id"):
                show(v, f"{path}/{k}")
    elif isinstance(value, list):
        if all(isinstance(v, (str, int)) for v in value):
            print(f"{path}: {', '.join(map(str, value))}")
        else:
            for i, v in enumerate(value):
                show(v, f"{path}/{i}")
    else:
        print(f"{path}: {value}")


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--engine", default="build/storyfi-engine")
    p.add_argument("--model", required=True)
    p.add_argument("--lib-dir", required=True)
    p.add_argument("--tasks", default="blueprint,characters,story_arc,chapters")
    p.add_argument("--chapters", default="1-12")
    p.add_argument("--input", default="A story about a lighthouse keeper who finds a map of a drowned city")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--deadline", type=float, default=57)
    p.add_argument("--target", type=float, default=25)
    p.add_argument("--languages", default="en")
    p.add_argument("--base", action="store_true", help="the model is no instruct model")
    p.add_argument("--stub", action="store_true", help="ask each task with a bare stub as context")
    p.add_argument("--quiet", action="store_true")
    p.add_argument("--context", help="JSON file with blueprint, characters, story_arc to ask with")
    p.add_argument("--out", help="file for user_input and all answers (a story.json)")
    p.add_argument("--text", action="store_true", help="print texts only, to read them")
    a = p.parse_args()
    e = Engine(a.engine)
    print(e.hello, file=sys.stderr)
    print(e.load(a.model, a.lib_dir), file=sys.stderr)
    first, _, last = a.chapters.partition("-")
    ids = list(range(int(first), int(last or first) + 1))
    context = json.load(open(a.context)) if a.context else {}
    bad = 0
    for task in a.tasks.split(","):
        asked = {"blueprint": {"title": "测试故事"}, "characters": {"characters": []},
                 "story_arc": {"chapters": [{"id": i} for i in ids]}} if a.stub else context
        if task == "blueprint":
            asked = {}
        m = message(task, a.input, asked, ids if task == "chapters" else None, a.seed,
                    int(a.deadline * 1000), int(a.target * 1000), a.languages.split(","),
                    not a.base)
        got = ask(e, [(1, m)])[1]
        if got.error:
            print(task, got.error, file=sys.stderr)
            bad += 1
            continue
        context[task] = got.result
        if a.text:
            show(got.result)
        elif not a.quiet:
            print(json.dumps(got.result, ensure_ascii=False, indent=1))
        n = characters_of(got.result)
        print(f"{task}: {got.seconds:.1f} s, {n} characters, {n / got.seconds:.0f}/s, {got.usage}, "
              f"problems {got.problems}", file=sys.stderr)
        bad += len(got.problems)
    e.close()
    if a.out:
        context["user_input"] = a.input
        with open(a.out, "w") as f:
            json.dump(context, f, ensure_ascii=False, indent=1)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
