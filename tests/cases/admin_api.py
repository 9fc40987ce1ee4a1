# SPDX-License-Identifier: MIT
"""The admin listener's JSON and event routes, as doc/admin-api.md describes them: what each answers, what it says to
wrong questions, and what happens when those who listen leave, do not read, or are still there at the miner's end."""
import http.client
import json
import os
import pathlib
import socket
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
import harness  # noqa: E402
from harness import SCRIPTS, Miner, check, run  # noqa: E402

ENGINE = os.environ.get("STORYFI_ENGINE", "")
TMP = pathlib.Path(tempfile.mkdtemp(prefix="storyfi-api-"))
CONFIG = f"""generator:
  mode: "good"
  fallback: ["bad", "spare", "held"]
  custom:
    - name: "good"
      script_path: "{SCRIPTS}/waiting.py"
      env_vars: {{TOKEN: "very-secret-value"}}
    - name: "bad"
      script_path: "{SCRIPTS}/exit3.sh"
    - name: "spare"
      script_path: "{SCRIPTS}/stories.py"
    - name: "held"
      script_path: "{TMP}/held.sh"
"""
# Answers once nobody holds it.
(TMP / "held.sh").write_text(f"#!/bin/sh\nwhile [ -e {TMP}/hold ]; do sleep 0.05; done\nexec {SCRIPTS}/stories.py\n")
(TMP / "held.sh").chmod(0o755)
JSON = {"Content-Type": "application/json"}


def wait_for(condition, seconds=15):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    return condition()


def get(m, path):
    status, body = m.get(m.admin, path)
    return status, json.loads(body)


def post(m, path, body=None, raw=None, headers=JSON):
    c = http.client.HTTPConnection("127.0.0.1", m.admin, timeout=60)
    try:
        c.request("POST", path, json.dumps(body) if raw is None else raw, headers)
        r = c.getresponse()
        return r.status, r.read()
    finally:
        c.close()


def events_of(text):
    """[(event, data)] of a whole event stream."""
    out = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
        if "event" in fields:
            out.append((fields["event"], json.loads(fields["data"])))
    return out


def play(m, **ask):
    status, body = post(m, "/api/play", {"task": "blueprint", "user_input": "the sea", **ask})
    return events_of(body.decode()) if status == 200 else (status, json.loads(body))


class Stream:
    """An event stream that is read on a thread, or not at all."""

    def __init__(self, m, path="/api/events", body=None, read=True):
        self.socket = socket.create_connection(("127.0.0.1", m.admin), timeout=60)
        data = b"" if body is None else json.dumps(body).encode()
        head = f"{'GET' if body is None else 'POST'} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        if body is not None:
            head += f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n"
        self.socket.sendall(head.encode() + b"\r\n" + data)
        self.events, self.ended = [], False
        if read:
            self.thread = threading.Thread(target=self.read, daemon=True)
            self.thread.start()

    def read(self):
        r = http.client.HTTPResponse(self.socket)
        try:
            r.begin()
            name = None
            for line in iter(r.readline, b""):
                key, _, value = line.decode().rstrip("\n").partition(": ")
                if key == "event":
                    name = value
                elif key == "data":
                    self.events.append((name, json.loads(value)))
        except (OSError, http.client.HTTPException, ValueError):
            pass
        self.ended = True

    def of(self, name):
        return [data for event, data in list(self.events) if event == name]

    def wait(self, name, condition=lambda data: True, seconds=15):
        return wait_for(lambda: next((d for d in self.of(name) if condition(d)), None), seconds)

    def close(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()


def slots_add_up(events):
    """Whether the slots' texts are the answer's, and how many were open at once."""
    texts, open_now, most = {}, set(), 0
    for name, data in events:
        if name == "hop":
            texts, open_now = {}, set()
        elif name == "slot_started":
            texts[data["path"]] = ""
            open_now.add(data["path"])
            most = max(most, len(open_now))
        elif name == "slot_text":
            texts[data["path"]] += data["text"]
        elif name == "slot_done":
            open_now.discard(data["path"])

    def at(value, path):
        for part in path.strip("/").split("/"):
            value = value[int(part) if isinstance(value, list) else part]
        return value
    output = events[-1][1]["output"]
    wrong = [(p, t, at(output, p)) for p, t in texts.items() if at(output, p) != t]
    return texts and not wrong and not open_now, most, wrong


def history(m):
    for task in ("blueprint", "characters", "story_arc", "chapters"):
        m.query(task, "the 100% sea_海")
    m.query("blueprint", "the moon")
    rows = wait_for(lambda: len(get(m, "/api/history")[1]["requests"]) == 5 and get(m, "/api/history")[1]["requests"])
    check("api: history has the newest first", rows and [r["id"] for r in rows] == [5, 4, 3, 2, 1]
          and rows[0]["user_input"] == "the moon" and rows[0]["generator"] == "good", rows)
    for query, ids in (("task=chapters", [4]), ("origin=validator&limit=2", [5, 4]), ("origin=playground", []),
                       ("q=MOON", [5]), ("q=100%25+s", [4, 3, 2, 1]), ("q=%E6%B5%B7", [4, 3, 2, 1]), ("q=a_m", []),
                       ("before_id=3", [2, 1]), ("status_min=300", []), ("status_min=200&status_max=200", [5, 4, 3, 2, 1]),
                       ("generator=custom", [5, 4, 3, 2, 1]), ("generator=bad", []), ("since=4000000000", []),
                       ("since=2026-01-01T00:00:00Z&limit=1", [5]), ("limit=500&limit=1", [5, 4, 3, 2, 1])):
        status, page = get(m, "/api/history?" + query)
        check(f"api: history?{query}", status == 200 and [r["id"] for r in page["requests"]] == ids, page)
    page = get(m, "/api/history?limit=2")[1]
    check("api: a full page says where the next one begins", page["next_before_id"] == 4
          and get(m, "/api/history?limit=4&before_id=4")[1]["next_before_id"] is None, page)
    for query, said in (("limit=0", "limit: takes"), ("limit=501", "limit: takes"), ("limit=1e9", "limit: takes"),
                        ("limit=999999999999999999999999", "limit: takes"), ("before_id=-1", "before_id: takes"),
                        ("task=poem", "task: takes one of blueprint"), ("origin=me", "origin: takes one of validator"),
                        ("status_min=abc", "status_min: takes"), ("since=yesterday", "since: takes"),
                        ("q=%zz", "q: takes"), ("q=" + "x" * 300, "q: takes at most 255"), ("q=a%00b", "q: takes")):
        status, body = get(m, "/api/history?" + query)
        check(f"api: history?{query[:30]} is refused in words", status == 400 and body["message"].startswith(said), body)
    status, series = get(m, "/api/history/series?buckets=4&since=" + str(int(time.time()) - 3600))
    last = series["points"][-1]
    check("api: a series has every step", status == 200 and len(series["points"]) == 4 and series["step_s"] == 901
          and last["answers"] == 5 and last["valid_share"] == 1 and last["p95_ms"] >= last["p50_ms"] > 0
          and series["points"][0]["answers"] == 0 and series["points"][0]["p50_ms"] is None, series)
    for query in ("buckets=0", "buckets=501", "since=4000000000"):
        check(f"api: series?{query} is refused", get(m, "/api/history/series?" + query)[0] == 400)
    states = get(m, "/api/states?since=0")[1]["states"]
    check("api: states and standings are lists", states and states[-1]["to_state"] == "ready"
          and get(m, "/api/standings")[1] == {"standings": []}, states)
    status, one = get(m, "/api/requests/4")
    check("api: a request with its trail and answer", status == 200 and one["steps"][0]["hop"] == "good"
          and one["answer"]["output"]["chapters"][0]["id"] == 1 and one["answer"]["model_info"]["mode"] == "custom", one)
    for path, wanted in (("999", 404), ("0", 400), ("x", 400), ("", 400), ("1/x", 400), ("9" * 30, 400)):
        check(f"api: requests/{path[:10]} is {wanted}", get(m, "/api/requests/" + path)[0] == wanted)


def playground(m):
    events = play(m, seed=7, deadline_s=20)
    names = [name for name, _ in events]
    result = events[-1][1]
    check("api: a play is queued, tells its hop, its slots, and ends in a result", names[:2] == ["queued", "hop"]
          and names[-1] == "result" and events[1][1] == {"name": "good", "kind": "custom"}, names)
    check("api: its slots are the answer", slots_add_up(events)[0], events)
    check("api: the result has model, score and number", result["model_info"]["mode"] == "custom"
          and result["score"]["valid"] and result["score"]["structure"] == 40 and result["seconds"] > 0, result)
    row = wait_for(lambda: (lambda s: s[1] if s[0] == 200 else None)(get(m, f"/api/requests/{result['id']}")))
    check("api: and is on record as the playground's", row and row["origin"] == "playground" and row["seed"] == 7, row)
    events = play(m, generator="spare")
    check("api: a chosen generator alone answers", events[1][1]["name"] == "spare" and events[-1][0] == "result", events)
    events = play(m, generator="bad")
    check("api: one that fails ends in an error with its reason", events[-1][0] == "error"
          and events[-1][1]["status"] == 503 and "exit status 3" in events[-1][1]["message"], events)
    for ask, said in (({"generator": "nobody"}, "generator: takes"), ({"generator": 5}, "generator: takes"),
                      ({"generator": "x" * 200}, "generator: takes"), ({"task": "poem"}, "task_type: must"),
                      ({"user_input": "  "}, "user_input: must"), ({"seed": -1}, "seed: takes"),
                      ({"seed": "1"}, "seed: takes"), ({"deadline_s": 0}, "deadline_s: takes"),
                      ({"deadline_s": 1e9}, "deadline_s: takes"), ({"blueprint": []}, "blueprint: takes"),
                      ({"task": "chapters", "chapter_ids": [13]}, "chapter_ids[0]: takes")):
        got = play(m, **ask)
        check(f"api: play {str(ask)[:40]} is refused in words", got[0] == 400 and got[1]["message"].startswith(said), got)
    for raw, wanted in (("{oops", 400), ("[]", 400), ("", 400), ('{"task":"a","task":"b"}', 400),
                        ("[" * 100000, 400), ('{"user_input":"' + "x" * (9 << 20) + '"}', 413)):
        check(f"api: play with {raw[:16]!r} is {wanted}", post(m, "/api/play", raw=raw)[0] == wanted)
    check("api: play wants JSON", post(m, "/api/play", raw="{}", headers={"Content-Type": "text/plain"})[0] == 415)
    check("api: play wants POST", m.get(m.admin, "/api/play")[0] == 405)
    check("api: unknown paths are 404", m.get(m.admin, "/api/nothing")[0] == 404)


def leaving(m):
    """A player leaves in the middle: the work is given up and the journal says why."""
    door = TMP / "never"
    s = Stream(m, "/api/play", {"task": "blueprint", "user_input": f"wait:{door}", "deadline_s": 50})
    wait_for(lambda: (TMP / "never.started").exists())
    busy = get(m, "/api/status")[1]["in_flight"]
    check("api: what is in flight is shown with its trail", len(busy) == 1 and busy[0]["origin"] == "playground"
          and [h["state"] for h in busy[0]["hops"]] == ["asked", "waiting", "waiting", "waiting"] and not busy[0]["done"], busy)
    s.close()
    began = time.monotonic()
    gone = wait_for(lambda: not get(m, "/api/status")[1]["in_flight"], 5)
    check("api: a player who leaves frees the generator", gone and time.monotonic() - began < 3)
    row = wait_for(lambda: next((r for r in get(m, "/api/history?origin=playground&limit=1")[1]["requests"]
                                 if r["user_input"].startswith("wait:")), None))
    check("api: and the journal says that it left", row and row["status"] == 503 and "gone" in row["message"], row)


def looking_on(m):
    """Eight look on, one of them never reads, while requests come and go."""
    silent = Stream(m, read=False)
    lookers = [Stream(m) for _ in range(8)]
    check("api: each looker is told the status at once", all(s.wait("status") for s in lookers))
    door = TMP / "door"
    player = Stream(m, "/api/play", {"task": "blueprint", "user_input": f"wait:{door}", "deadline_s": 50})
    asked = lookers[0].wait("request", lambda r: r["hops"][0]["state"] == "asked")
    check("api: a request is told while its generator is asked", asked and asked["task"] == "blueprint"
          and asked["deadline_s"] == 50 and asked["status"] is None and abs(asked["started"] - time.time()) < 20, asked)
    door.touch()
    done = [s.wait("request", lambda r: r["done"] and r["id"] == asked["id"]) for s in lookers]
    check("api: and all are told how it ended", all(d and d["status"] == 200
          and d["hops"][0]["state"] == "answered" for d in done), done)
    check("api: the player has the result", player.wait("result"))
    failing = play(m, generator="bad")[-1][1]["id"]
    seen = lookers[7].wait("request", lambda r: r["done"] and r["id"] == failing)
    check("api: a failed hop and those passed over are told", seen and [h["state"] for h in seen["hops"]] ==
          ["skipped", "failed", "skipped", "skipped"] and "exit status 3" in seen["hops"][1]["reason"], seen)
    m.query()
    check("api: the rates are told", lookers[1].wait("status", lambda s: s["rates"]["answers_total"] >= 6
          and s["rates"]["by_multiplier"]["1.0"] >= 6 and s["rates"]["p50_seconds"] > 0), lookers[1].of("status")[-1:])
    status, said = post(m, "/api/models/pull", {"name": "smollm2-135m"})
    check("api: a download is told as it goes", status == 202 and lookers[2].wait("pull", lambda p: p["name"] and p["state"]),
          (status, said))
    post(m, "/api/models/pull/cancel", {})
    for s in lookers[:4]:
        s.close()
    before = len(lookers[5].of("status"))
    m.query()
    check("api: those who stay go on being told", lookers[5].wait("status", lambda s: s["rates"]["answers_total"] >= 7)
          and len(lookers[5].of("status")) > before)
    many = [Stream(m) for _ in range(40)]
    check("api: too many lookers are told so", wait_for(lambda: sum(bool(s.of("error")) for s in many) >= 1
          or sum(s.ended for s in many) >= 1) and m.get(m.admin, "/ready")[0] == 200)
    for s in many + lookers + [silent, player]:
        s.close()


def stories(m):
    r = run("story", "a keeper of bees", "--chapters", "1-3", "--out", TMP / "book", "--config", m.config, "--admin.port",
            m.admin, "--admin.ip", "127.0.0.1", "--state_dir", m.dir / "state")
    check("api: a story is written", r.returncode == 0, r.stderr)  # by the miner, or beside it when that is slow to say it is there
    listed = wait_for(lambda: next((s for s in get(m, "/api/stories?q=bees")[1]["stories"] if s["chapters"] == 3), None))
    check("api: its parts are one story", listed and listed["origin"] == "cli" and listed["title"] and
          listed["language"] == "en" and not listed["complete"], get(m, "/api/stories")[1])
    status, whole = get(m, f"/api/stories/{listed['id']}")
    written = json.loads((TMP / "book" / "story.json").read_text())
    check("api: and read back as it was written", status == 200 and all(
        whole[k] == written[k] for k in ("user_input", "blueprint", "characters", "story_arc", "chapters"))
        and len(whole["requests"]) == 6, whole)
    c = http.client.HTTPConnection("127.0.0.1", m.admin, timeout=20)
    c.request("GET", f"/api/stories/{listed['id']}/book")
    r = c.getresponse()
    html = r.read().decode()
    check("api: the book is a file to keep", r.status == 200 and "attachment" in r.getheader("Content-Disposition")
          and whole["blueprint"]["title"] in html and "hotkey" not in html.split('id="story"')[1][:2000], r.getheaders())
    # A validator asks part by part, with what it got as the next one's context; a stranger's arc comes along too.
    wallet = m.wallet
    context = {}

    def ask(task, more=None):
        file = TMP / "context.json"
        file.write_text(json.dumps({**context, **(more or {})}))
        r = run("query", "--axon", f"127.0.0.1:{m.port}", "--axon.hotkey", m.hotkey, "--task", task, "--input",
                "一个关于海的故事", "--context", file, *wallet)
        return json.loads(r.stdout) if r.returncode == 0 else None
    for task in ("blueprint", "characters", "story_arc"):
        context[task] = ask(task)
    for n in (1, 2):
        ask("chapters", {"chapter_ids": [n]})
    ask("chapters", {"story_arc": {"title": "<script>alert(1)</script>", "chapters": [{"id": 5}]}, "chapter_ids": [5]})
    mine = wait_for(lambda: (lambda l: l if len(l) == 2 else None)(get(m, "/api/stories?origin=validator&q=%E6%B5%B7%E7%9A%84")[1]["stories"]))
    check("api: a validator's parts are one story, a stranger's arc is another", mine and mine[1]["chapters"] == 2
          and mine[0]["chapters"] == 1 and mine[1]["language"] == "zh", get(m, "/api/stories?origin=validator")[1])
    other = get(m, f"/api/stories/{mine[0]['id']}")[1]
    check("api: what the caller brought along is there to be read", "story_arc" in other["foreign"]
          and other["story_arc"]["chapters"] == [{"id": 5}] and other["blueprint"] == context["blueprint"], other)
    book = m.get(m.admin, f"/api/stories/{mine[0]['id']}/book")[1].decode()
    check("api: and is never markup in the book", "<script>alert" not in book and "alert(1)" in book)
    lone = get(m, "/api/stories?all=true&origin=validator&limit=500")[1]["stories"]
    check("api: what was asked alone is listed on demand", len(lone) > 2, lone)
    for path, wanted in (("x", 400), ("0", 400), ("99999", 404), ("1/cover", 400), ("99999/book", 404)):
        check(f"api: stories/{path} is {wanted}", get(m, "/api/stories/" + path)[0] == wanted)


def doctor(m):
    events = events_of(post(m, "/api/doctor", {"network": False})[1].decode())
    checks = [d for e, d in events if e == "check"]
    titles = [d["title"] for e, d in events if e == "section"]
    check("api: the doctor tells sections and checks, and how many failed", events[-1] == ("done", {"failed": 1})
          and titles[0] == "configuration" and "generator bad" in titles
          and any(c["state"] == "failed" and "exit status 3" in c["text"] for c in checks), events)
    (TMP / "hold").touch()
    first = Stream(m, "/api/doctor", {})
    first.wait("section", lambda s: s["title"] == "generator spare")
    status, body = post(m, "/api/doctor", {})
    check("api: one doctor at a time", status == 409 and b"at work already" in body, body)
    first.close()
    (TMP / "hold").unlink()
    free = wait_for(lambda: post(m, "/api/doctor", raw="")[0] == 200, 20)
    check("api: one whose reader left makes room", free)
    check("api: the doctor wants an object", post(m, "/api/doctor", raw="[]")[0] == 400)


def configuration(m):
    status, conf = get(m, "/api/config")
    rows = {o["key"]: o for o in conf["options"]}
    secret = rows["generator.custom[0].env_vars"]
    check("api: the configuration says where each value is from", status == 200 and rows["offline"]["origin"] ==
          "flag --offline" and str(m.config) in rows["generator.mode"]["origin"] and rows["generator.mode"]["doc"]
          and rows["generator.mode"]["reload"] and rows["axon.port"]["default"] == 8091, rows["generator.mode"])
    check("api: and no secret", secret["secret"] and "very-secret-value" not in json.dumps(conf), secret)
    good = m.config.read_text()
    for wrong, said in ((good + "axon: {port: much}\n", "axon.port"), ("generator: [", "generator_config.yaml"),
                        (good.replace('mode: "good"', 'mode: "nobody"'), "nobody")):
        m.config.write_text(wrong)
        status, body = post(m, "/api/reload", {})
        check(f"api: reload of a wrong configuration is refused ({said})", status == 409
              and said in json.loads(body)["message"], body)
    check("api: and the old one stays", m.query().returncode == 0)
    m.config.write_text(good.replace('"held"]', '"held", "more"]')
                        + f'    - name: "more"\n      script_path: "{SCRIPTS}/stories.py"\n')
    status, body = post(m, "/api/reload", {})
    names = wait_for(lambda: "more" in [g["name"] for g in get(m, "/api/status")[1]["generators"]])
    check("api: a right one is taken over", status == 202 and names, body)


def status_page(m):
    status, got = get(m, "/api/status")
    plain = m.status()
    check("api: status is /status and more", status == 200 and set(plain) < set(got) and got["in_flight"] == []
          and set(got) - set(plain) == {"rates", "in_flight"}, set(got) ^ set(plain))
    r = run("status", "--json", "--config", m.config, "--admin.port", m.admin)
    check("api: storyfi status --json goes on working", r.returncode == 0 and json.loads(r.stdout)["pid"] == m.process.pid,
          r.stdout + r.stderr)


def ending(m):
    """The miner's end with streams open: all of them end, and so does it."""
    looker = Stream(m)
    looker.wait("status")
    door = TMP / "last"
    player = Stream(m, "/api/play", {"task": "blueprint", "user_input": f"wait:{door}", "deadline_s": 2,
                                      "generator": "good"})
    wait_for(lambda: (TMP / "last.started").exists())
    code = m.stop()
    check("api: the miner ends with streams open", code == 0, code)
    check("api: and all of them end", wait_for(lambda: looker.ended and player.ended, 5)
          and (player.of("error") or [{}])[-1].get("status") in (408, 503), player.events)


def waves():
    if not os.access(ENGINE, os.X_OK):
        print("SKIP slots by the wave: no headers of llama.cpp (make setup fetches them)")
        return
    model = pathlib.Path(tempfile.mkdtemp(prefix="storyfi-api-")) / "plain.gguf"
    model.write_text("chat 1\n")
    with Miner(f'generator:\n  mode: "local"\n  fallback: []\n  local:\n    model_name: "{model}"\n'
               f'    engine_path: "{ENGINE}"\n    device: "cpu"\n') as m:
        events = play(m, task="characters", deadline_s=60)
        ok, most, wrong = slots_add_up(events)
        check("api: slots of an engine are told side by side, and are the answer", ok and most > 3, (most, wrong, events[-1]))
        check("api: with its prefill and usage", {"prefill", "usage"} <= {e for e, _ in events}, {e for e, _ in events})
        check("api: a miner with an engine ends well", m.stop() == 0)


def main():
    with Miner(CONFIG, env={"HF_ENDPOINT": "http://127.0.0.1:1"}) as m:
        for part in (status_page, history, playground, leaving, looking_on, stories, doctor, configuration, ending):
            began = time.monotonic()
            try:
                part(m)
            except Exception as error:  # a part that breaks must not hide the others
                check(f"api: {part.__name__} runs to its end", False, repr(error))
            if os.environ.get("STORYFI_TIMES"):
                print(f"# {part.__name__} {time.monotonic() - began:.1f} s")
        if harness.failed:
            print(m.log.read_text()[-3000:])
    waves()
    return 1 if harness.failed else 0


if __name__ == "__main__":
    sys.exit(main())
