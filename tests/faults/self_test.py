# SPDX-License-Identifier: MIT
"""The judge is judged first: a right request gets a right answer in every format, a wrong one the provider's refusal."""
import copy
import http.client
import json
import pathlib
import sys
import time

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent.parent), str(pathlib.Path(__file__).resolve().parent)]
import harness  # noqa: E402
import wire  # noqa: E402
from fault_server import Target  # noqa: E402
from harness import check  # noqa: E402

SCHEMA = {"type": "object", "properties": {"setting": {"type": "string"}, "core_conflict": {"type": "string"}},
          "required": ["setting", "core_conflict"], "additionalProperties": False}
PROMPT = "Write setting and core_conflict as JSON."


def right(w):
    """(path, headers, body) of a right request."""
    form = {"type": "json_schema", "json_schema": {"name": "story", "strict": True, "schema": SCHEMA}}
    head = {"content-type": "application/json"}
    if w.name == "gemini":
        return (f"/v1beta/models/{w.model}:generateContent", {**head, "x-goog-api-key": w.key},
                {"contents": [{"role": "user", "parts": [{"text": PROMPT}]}],
                 "generationConfig": {"responseMimeType": "application/json", "responseJsonSchema": SCHEMA, "maxOutputTokens": 100}})
    if w.name == "anthropic":
        return ("/v1/messages", {**head, "x-api-key": w.key, "anthropic-version": "2023-06-01"},
                {"model": w.model, "max_tokens": 100, "messages": [{"role": "user", "content": PROMPT}],
                 "output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}})
    if w.name == "custom":
        return "/generate", head, dict(user_input="x", blueprint=None, characters=None, story_arc=None, chapter_ids=None,
                                       task_type="blueprint")
    body = {"model": w.model, "messages": [{"role": "user", "content": PROMPT}], w.known[0]: 100, "response_format": form}
    if w.name == "ollama":
        body["response_format"] = {"type": "json_object"}
    if w.name == "vllm":
        del body["response_format"]
        body["structured_outputs"] = {"json": SCHEMA}
    return "/v1/chat/completions", {**head, "authorization": f"Bearer {w.key}"}, body


def post(target, path, headers, body):
    c = http.client.HTTPConnection("127.0.0.1", target.port, timeout=5)
    try:
        c.request("POST", path, json.dumps(body), headers)
        r = c.getresponse()
        return r.status, r.read().decode()
    finally:
        c.close()


def changed(body, path, value):
    body = copy.deepcopy(body)
    at = body
    for name in path[:-1]:
        at = at[name]
    if value is None:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return body


OPENAI_SCHEMA = ("response_format", "json_schema", "schema")
WRONG = {  # provider: (sentence, path in the body, new value or None to remove it, a word of the refusal)
    "openai": (("an unknown member", ("oops",), 1, "unknown_parameter"), ("a schema without additionalProperties", OPENAI_SCHEMA +
               ("additionalProperties",), None, "response_format"), ("an optional property", OPENAI_SCHEMA + ("required",), ["setting"],
               "required"), ("a length in a schema", OPENAI_SCHEMA + ("properties", "setting", "minLength"), 5, "minLength"),
               ("a schema without a name", ("response_format", "json_schema", "name"), None, "name"),
               ("two token limits", ("max_tokens",), 5, "same time"), ("too many tokens", ("max_completion_tokens",), 99999, "too large"),
               ("another model", ("model",), "gpt-9", "model_not_found"), ("stream_options alone", ("stream_options",),
               {"include_usage": True}, "stream_options")),
    "anthropic": (("no max_tokens", ("max_tokens",), None, "Field required"), ("a temperature", ("temperature",), 0.8, "sampling"),
                  ("a prefill", ("messages",), [{"role": "assistant", "content": "{"}], "prefill"),
                  ("a count in a schema", ("output_config", "format", "schema", "properties", "setting", "maxLength"), 5, "maxLength")),
    "gemini": (("an unknown member", ("generationConfig", "response_json"), 1, "Unknown name"),
               ("a pattern in a schema", ("generationConfig", "responseJsonSchema", "pattern"), "x", "Unknown name"),
               ("a schema without its type", ("generationConfig", "responseMimeType"), None, "responseMimeType")),
    "vllm": (("guided_json where it is gone", ("guided_json",), SCHEMA, "extra_forbidden"),),
    "ollama": (("max_completion_tokens", ("max_completion_tokens",), 5, "max_completion_tokens"),
               ("a schema", ("response_format",), {"type": "json_schema"}, "response_format")),
    "custom": (("a member too many", ("oops",), 1, "exactly"),),
}


def formats():
    for w in (c() for c in wire.ALL):
        target = Target(w).start()
        path, headers, body = right(w)
        status, text = post(target, path, headers, body)
        check(f"faults: server: {w.name}: a right request is answered", status == 200 and "lighthouse" in text, text)
        for sentence, where, value, word in WRONG[w.name]:
            status, text = post(target, path, headers, changed(body, where, value))
            check(f"faults: server: {w.name}: {sentence} is refused in its words", status in (400, 404) and word in text, (status, text))
        if w.key:
            status, text = post(target, path, {"content-type": "application/json"}, body)
            check(f"faults: server: {w.name}: no key is refused", status in (401, 403), (status, text))
        target.script.append("500")
        before = len(target.requests)
        check(f"faults: server: {w.name}: a script is followed, and logged", [post(target, path, headers, body)[0] for _ in range(2)]
              == [500, 200] and [r.step for r in target.requests[before:]] == ["500", "ok"], target.requests)


def connections():
    w = wire.OpenAI()
    target = Target(w).start()
    path, headers, body = right(w)
    target.always = "hang headers"
    c = http.client.HTTPConnection("127.0.0.1", target.port, timeout=0.2)
    try:
        c.request("POST", path, json.dumps(body), headers)
        c.getresponse()
        check("faults: server: hang headers hangs", False)
    except TimeoutError:
        pass
    c.close()
    end = time.monotonic() + 2
    while target.requests[0].ended is None and time.monotonic() < end:
        time.sleep(0.01)
    check("faults: server: it sees that a client hung up", target.requests[0].outcome == "gone", target.requests)
    for step, error in (("reset", ConnectionResetError), ("refuse", ConnectionRefusedError)):
        target.always = step
        if step == "refuse":
            target.refuse()
        try:
            post(target, path, headers, body)
            seen = None
        except OSError as e:
            seen = type(e)
        check(f"faults: server: {step} is {error.__name__} to the client", seen is error, seen)
    target.heal()
    check("faults: server: and it comes back on the same port", post(target, path, headers, body)[0] == 200)


if __name__ == "__main__":
    formats()
    connections()
    sys.exit(1 if harness.failed else 0)
