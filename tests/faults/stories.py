# SPDX-License-Identifier: MIT
"""What the pretended models write: a right answer to any request, as a model would find it, from the schema that
came with the request where one came, else from the words of the prompt."""
import copy
import json
import pathlib
import re

DATA = pathlib.Path(__file__).resolve().parent.parent / "data" / "story"
WHOLE = {task: json.loads((DATA / f"{task}.json").read_text()) for task in
         ("blueprint", "characters", "story_arc", "chapters")}
CAST = [c["id"] for c in WHOLE["characters"]["characters"]]


def chapter(n):
    c = copy.deepcopy(WHOLE["chapters"]["chapters"][0])
    c["id"] = n
    c["title"] = f"The turn of tide {n}"
    c["content"] = c["content"].replace("Chapter 1 ", f"Chapter {n} ")
    for k, choice in enumerate(c["choices"]):
        choice["text"] = f"Take the path number {k + 1} of chapter {n}."
        choice["nextChapter"] = min(12, n + 1 + k)
    return c


def numbers(text):
    """The chapters that a prompt asks for."""
    found = re.search(r"elements in exactly this order: ([0-9, ]+)", text) or \
        re.search(r"chapters?\b[^0-9\n]{0,40}((?:\d+(?:\s*(?:,|and|-|–)\s*)?)+)", text, re.I)
    ids = [int(n) for n in re.findall(r"\d+", found.group(1))] if found else []
    return [n for n in ids if 1 <= n <= 12] or [1]


# By which words each task is known, the surest first: members of a schema, then lines of a prompt.
MARKS = (("chapters", r'"choices"|"content"|chapters\.\d+\.(content|choices)'),
         ("story_arc", r'"midpoint"|"arcs"|"hooks|hooks\.|arcs\.|chapters\.\d+\.description'),
         ("characters", r'"archetype"|"relationships"|characters\.\d'), ("blueprint", r'"core_conflict"|"setting"|"genre"'))
LINES = (("chapters", r"^- chapters\[\]\.content|Write the chapters"), ("story_arc", r"^- hooks|Write the arc"),
         ("characters", r"^- characters\[\]|Write the cast"), ("blueprint", r"^- setting|core_conflict"))


def task_of(schema, text):
    """Which of the four tasks a model is asked for."""
    names = json.dumps(schema) if schema else ""
    for task, mark in MARKS:
        if re.search(mark, names):
            return task
    for task, mark in LINES:
        if re.search(mark, text, re.M):
            return task
    return "blueprint"


def invented(name, schema, k=0):
    """A value for a member that the stored story does not have."""
    if "anyOf" in schema:
        schema = schema["anyOf"][k % len(schema["anyOf"])]
    kind = schema.get("type", "string")
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][k % len(schema["enum"])]
    if kind == "object":
        return {n: invented(n, s, k) for n, s in schema.get("properties", {}).items()}
    if kind == "array":
        return [invented(name, schema.get("items", {}), i) for i in range(schema.get("minItems", 2))]
    if kind in ("integer", "number"):
        return schema.get("minimum", 1)
    if kind == "boolean":
        return False
    if name.startswith(("resource_", "relationship_")):
        return f"+{5 + k}"
    return f"calm as the sea, for the {k + 1}. time"


def at(value, key):
    """What lies under a dotted key such as "characters.2.background"; KeyError when nothing does."""
    for name in key.split("."):
        if isinstance(value, list):
            if not name.isdigit():
                value = next((v for v in value if str(v.get("id")) == name), None)
            elif int(name) < len(value):
                value = value[int(name)]
            else:  # of the stored chapters there is one: another like it
                value = chapter(int(name) + 1)
        elif isinstance(value, dict) and name in value:
            value = value[name]
        else:
            raise KeyError(key)
    return value


def parts(value, properties):
    """The flat object by which missing parts are replied to."""
    reply = {}
    for key, schema in properties.items():
        try:
            reply[key] = fitted(at(value, key), schema, key.rsplit(".", 1)[-1])
        except KeyError:
            reply[key] = invented(key.rsplit(".", 1)[-1], schema)
    return reply


def fitted(value, schema, name="", k=0):
    """`value` with the members that `schema` asks for, and no others."""
    if isinstance(schema.get("type"), list):
        schema = dict(schema, type=next(t for t in schema["type"] if t != "null"))
    if "anyOf" in schema:
        schema = schema["anyOf"][k % len(schema["anyOf"])]
    if isinstance(value, dict) and "properties" in schema:
        more = {} if schema.get("additionalProperties") is False else {n: v for n, v in value.items() if n not in schema["properties"]}
        return {n: fitted(value[n], s, n, k) if n in value else invented(n, s, k)
                for n, s in schema["properties"].items()} | more
    if isinstance(value, list) and "prefixItems" in schema:
        return [fitted(v, part, name, i) for i, (v, part) in enumerate(zip(value, schema["prefixItems"]))]
    if isinstance(value, list) and isinstance(schema.get("items"), dict):
        most = schema.get("maxItems", len(value))
        return [fitted(v, schema["items"], name, i) for i, v in enumerate(value[:most])]
    if "enum" in schema and value not in schema["enum"]:
        return schema["enum"][k % len(schema["enum"])]
    return schema.get("const", value)


def write(schema, text):
    """The answer as a value. `schema` may be None."""
    task = task_of(schema, text)
    if task == "chapters":
        value = {"chapters": [chapter(n) for n in numbers(text)]}
    else:
        value = copy.deepcopy(WHOLE[task])
    if schema is None:
        wanted = re.findall(r'^- "([\w.]+)"', text, re.M)
        return parts(value, {key: {} for key in wanted}) if wanted else value
    return parts(value, schema["properties"])


def for_service(body):
    """The answer to the documented JSON of a custom generator."""
    if body["task_type"] == "chapters":
        return {"chapters": [chapter(n) for n in body.get("chapter_ids") or [1]]}
    return copy.deepcopy(WHOLE[body["task_type"]])


def spoiled(value):
    """One slot made wrong: too short a text."""
    value = copy.deepcopy(value)
    if "setting" in value:
        value["setting"] = "short"
    elif "core_conflict" in value:
        value["core_conflict"] = "short"
    elif "hooks" in value:
        value["hooks"]["midpoint"] = "x"
    elif "characters" in value:
        value["characters"][2]["background"] = "short"
    elif "chapters" in value:
        value["chapters"][0]["content"] = "short"
    else:
        key = next(k for k in value if isinstance(value[k], str))
        value[key] = "x"
    return value
