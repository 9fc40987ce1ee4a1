# SPDX-License-Identifier: MIT
"""What bench/quality.py measures of an answer's text: each metric a function to 0..1, higher is better.

They look at an Answer: its text values with their paths, or, of what does not parse, the raw text without the JSON's keys.
"""
import json
import re

MATTR_WINDOW = 50
LENGTHS = {  # what the deep validation and the rubric want of each text, in characters; * is any part of the path
    "blueprint": {"/setting": (50, 300), "/core_conflict": (30, 200), "/title": (1, 80)},
    "characters": {"/characters/*/background": (50, 300), "/characters/*/motivation": (10, 200),
                   "/characters/*/relationships/*": (10, 200)},
    "story_arc": {"/description": (20, 300), "/chapters/*/description": (20, 300), "/arcs/*/description": (20, 300),
                  "/hooks/*": (10, 200)},
    "chapters": {"/chapters/*/content": (1000, 3000), "/chapters/*/choices/*/text": (5, 120)},
}
COUNTS = {"/characters/*/background": 5, "/characters/*/motivation": 5, "/characters/*/relationships/*": 10, "/chapters/*/description": 12,
          "/arcs/*/description": 4, "/hooks/*": 3, "/chapters/*/choices/*/text": 2}
ROLES = {  # words for a role that is one person's alone
    "en": {"protagonist": "hero|heroine", "ally": "faithful friend", "rival": "enemy|villain", "mentor": "teacher|mentor", "wildcard": "stranger"},
    "zh": {"protagonist": "主角", "rival": "对手|敌人", "mentor": "导师", "wildcard": "陌生人"},
}
MODERN = r"computer|internet|robot|smartphone|television|helicopter|spaceship|laser|website|android"
MAGIC = r"wizard|witch|sorcerer|sorceress|dragon|unicorn|magic wand|spellbook"
MODERN_ZH, MAGIC_ZH = "电脑|手机|机器人|互联网|飞船|激光|电视", "巫师|魔法师|巨龙|独角兽|魔杖"
AGAINST = {  # words that a story of this kind cannot have
    "en": {"fantasy": MODERN, "science": MAGIC, "historical": f"{MODERN}|{MAGIC}", "mystery": f"spaceship|laser|{MAGIC}", "adventure": MODERN},
    "zh": {"science": MAGIC_ZH, "historical": f"{MODERN_ZH}|{MAGIC_ZH}", "fairy": f"{MODERN_ZH}|凶杀", "mystery": f"机器人|飞船|激光|手机|{MAGIC_ZH}",
           "apocalypse": MAGIC_ZH},
}
DIRT = re.compile(r"```|\*\*|##|<\||\|>|<[a-z/]+>|\\n|[{}\[\]_|]|https?:|\ufffd|[\x00-\x08]|As an AI|language model|Question:|Answer:|JSON|"
                  r"\bprompt\b|task_type|user_input|问：|答：|作为一个")
SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾萧田董袁潘蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范石廖贾夏韦傅方白邹孟熊秦邱江尹薛"
TALKS = "说道|笑道|问道|答道|说：|问：|点头|摇头"


class Answer:
    """One answer with what was asked: request = {"task", "lang", "kind", "idea", "context"}, output a dict or None, text the raw one."""

    def __init__(self, request, output, text=""):
        self.request, self.task, self.lang = request, request["task"], request["lang"]
        self.output = output if isinstance(output, dict) else None
        self.raw = text
        self.values = dict(strings(self.output)) if self.output is not None else {"": without_json(text)}

    def prose(self):
        """What a reader reads: no ids, and of one-word lists nothing."""
        return [t for path, t in self.values.items() if not re.search(r"/(id|characterFocus|consequences|skills|personality_traits)(/|$)", path)]

    def cast(self):
        """Names by id: as given, else the answer's own."""
        given = self.request["context"].get("characters") or (self.output or {})
        people = given.get("characters") if isinstance(given, dict) else None
        return {p["id"]: p["name"] for p in people or [] if isinstance(p, dict) and isinstance(p.get("id"), str) and isinstance(p.get("name"), str)}


def strings(value, path=""):
    if isinstance(value, str):
        yield path, value
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else []
    for key, part in parts:
        yield from strings(part, f"{path}/{key}")


def without_json(text):
    """Raw text whose JSON does not parse, as the values that it would have had: keys and punctuation are not the story's."""
    text = re.sub(r'"[A-Za-z0-9_]+"\s*:', " ", re.sub(r"```(json)?", " ", text))
    return re.sub(r'[{}\[\]"]+|^\s*,|,\s*$|\\n', " ", text, flags=re.M)


def words(text, lang):
    """English words in small letters; single Han characters."""
    return re.findall(r"[a-z]+(?:'[a-z]+)?", text.lower()) if lang == "en" else re.findall(r"[\u4e00-\u9fff]", text)


def sentences(answer):
    return [s for t in answer.prose() for s in re.split(r"[.!?。！？\n]+", t) if len(words(s, answer.lang)) >= 4]


def share_shared(a, b):
    return len(a & b) / len(a | b) if a | b else 0


def repetition(answer):
    """Mean of: the share of distinct three-word (Chinese: three-character) runs among all, and 1 - the mean over the sentences of the
    likeness (Jaccard, words or character pairs) to the most similar other sentence."""
    runs, bags = [], []
    for s in sentences(answer):
        w = words(s, answer.lang)
        runs += zip(w, w[1:], w[2:])
        bags.append(set(w) if answer.lang == "en" else set(zip(w, w[1:])))
    if not runs:
        return 0
    alike = [max((share_shared(a, b) for k, b in enumerate(bags) if k != i), default=0) for i, a in enumerate(bags)]
    return (len(set(runs)) / len(runs) + 1 - sum(alike) / len(alike)) / 2


def vocabulary(answer):
    """Moving-average type-token ratio over windows of 50 words (Chinese: character pairs); what is missing of one window counts as
    repeated."""
    w = words(" ".join(answer.prose()), answer.lang)
    tokens = w if answer.lang == "en" else list(zip(w, w[1:]))
    if len(tokens) <= MATTR_WINDOW:
        return len(set(tokens)) / MATTR_WINDOW
    spans = [tokens[i:i + MATTR_WINDOW] for i in range(len(tokens) - MATTR_WINDOW + 1)]
    return sum(len(set(s)) for s in spans) / len(spans) / MATTR_WINDOW


def length_used(answer):
    """Mean over the texts that the task wants: 1 within the wanted lengths, the share of the least one below, of the most one above, 0 where
    it is missing. Raw text: its share of the sum of the least ones."""
    shares, least_sum = [], 0
    for pattern, (least, most) in LENGTHS[answer.task].items():
        rule = re.compile(pattern.replace("*", "[^/]+") + "$")
        found = [len(t) for path, t in answer.values.items() if rule.match(path)]
        wanted = COUNTS.get(pattern, 1)
        least_sum += wanted * least
        parts = sorted((min(1, n / least, most / max(n, 1)) for n in found), reverse=True)
        shares += (parts + [0] * wanted)[:max(wanted, len(found))]
    if answer.output is None:
        return min(1, len("".join(answer.values.values()).strip()) / least_sum)
    return sum(shares) / len(shares)


def consistency(answer):
    """Mean of: given names that appear, full names that are nobody's (each in ten sentences costs all), people called by another's role,
    and words that contradict the genre (each costs a third); 0 where nothing is said."""
    text, cast, zh = "\n".join(answer.prose()), answer.cast(), answer.lang == "zh"
    parts, n_sentences = [], len(sentences(answer))
    if n_sentences == 0:
        return 0
    first = {i: n if zh else next((w for w in n.split() if w not in TITLES), n) for i, n in cast.items()}
    due = set(answer.request.get("focus") or first) & set(first) if answer.task in ("story_arc", "chapters") else set()
    if due:
        parts.append(sum(first[i] in text for i in due) / len(due))
    if answer.task != "blueprint":
        foreign = sum(1 for _ in foreign_names(answer, text, cast))
        parts.append(max(0, 1 - 10 * foreign / n_sentences))
        wrong = sum(1 for _ in wrong_roles(text, first, answer.lang))
        parts.append(max(0, 1 - 10 * wrong / n_sentences))
    against = AGAINST[answer.lang].get(answer.request["kind"])
    if against:
        edge = "" if zh else r"\b"
        parts.append(max(0, 1 - len(re.findall(f"{edge}(?:{against})s?{edge}", text, re.I)) / 3))
    return sum(parts) / len(parts)


TITLES = {"Captain", "Governor", "Doctor", "Inspector", "Madame", "Father", "Grandfather", "Old", "Dr.", "The"}


def foreign_names(answer, text, cast):
    """English: two capitalised words inside a sentence that are no given name and stand in nothing that was asked; Chinese: a surname and one
    or two characters who speak, and are nobody given."""
    known = json.dumps(answer.request, ensure_ascii=False) + " ".join(cast.values())
    if answer.lang == "zh":
        for m in re.finditer(f"([{SURNAMES}][\u4e00-\u9fff]{{1,2}})(?:{TALKS})", text):
            if not any(n in m[1] for n in cast.values()) and m[1] not in known:
                yield m[1]
        return
    for m in re.finditer(r"(?<=[a-z,;] )([A-Z][a-z]+) ([A-Z][a-z]+)\b", text):
        if m[0] not in known and not all(w in TITLES or w in known.split() for w in m.groups()):
            yield m[0]
        elif m[0] not in known and m[1] in known and m[2] in " ".join(cast.values()).split():
            yield m[0]  # one person's first name with another's surname


def wrong_roles(text, first, lang):
    for role, said in ROLES[lang].items():
        for i, name in first.items():
            if i == role:
                continue
            name = re.escape(name)
            rule = f"(?:{said}){name}" if lang == "zh" else rf"\b(?:the|an?) (?:old |evil )?(?:{said}), {name}\b|\b{name}(?: [A-Z][a-z]+)?, the (?:old )?(?:{said})\b"
            yield from re.finditer(rule, text)


def purity(answer):
    """Share of the letters that are the request's script, less a fifth for each of: markup, prompt words, replacement characters, glued or
    otherwise broken words."""
    text = "\n".join(answer.prose())
    letters = [c for c in text if c.isalpha()]
    if not letters:
        return 0
    right = sum(("\u4e00" <= c <= "\u9fff") if answer.lang == "zh" else c.isascii() for c in letters) / len(letters)
    return max(0, right - 0.2 * len(DIRT.findall(text)))


METRICS = {"repetition": repetition, "vocabulary": vocabulary, "length used": length_used, "consistency": consistency, "language purity": purity}
