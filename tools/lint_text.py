#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Rules of the house that need no compiler, over the C sources and the pages' scripts: calls that are banned, sizes of
files, functions and parameter lists, the form of notes, licence lines, unique file names.
usage: lint_text.py ROOT; prints "file:line: why", exits 1 when anything was found."""
import pathlib
import re
import sys

FILE_LINES, FUZZ_LINES, FUNCTION_LINES, PARAMETERS = 800, 40, 100, 6
FOLDERS = ("src", "fuzz", "tests", "bench", "examples", "include")

# call: the files it may stand in (a regular expression), and what to use instead.
BANNED = [
    (r"strcpy|strcat|strncpy|strncat|sprintf|vsprintf|gets", r"$^", "sf_buf or snprintf"),
    (r"strtok|strtok_r|sscanf|fscanf|scanf", r"$^", "sf_str_next and the sf_scan functions"),
    (r"atoi|atol|atoll|atof", r"$^", "the sf_scan functions"),
    (r"strto(l|ll|ul|ull|d|f|ld|imax|umax)", r"src/base/", "the sf_scan functions"),
    (r"alloca|system|popen", r"$^", "the heap; posix_spawn with an argv"),
    (r"getenv|secure_getenv", r"src/conf/", "conf_env"),
    (r"malloc|calloc|realloc|reallocarray|strdup|strndup|asprintf|vasprintf", r"src/base/mem\.c|tests/|examples/",
     "sf_alloc, sf_realloc, sf_strdup, sf_buf"),
]
# Pages: text is never markup, and nothing runs or looks that the Content-Security-Policy refuses.
PAGE_BANNED = [
    (r"\b(innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|DOMParser|eval)\b",
     "text nodes (el in ui.js)"),
    (r"setAttribute\(\s*[\"'](style|on\w+)[\"']", "style.setProperty, addEventListener"),
    (r"https?://(?!www\.w3\.org/)", "what this program serves itself"),
]
NOTE = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b(\(#\d+\))?")
# Comments, string and character literals, in one pass, so that one inside another is not seen.
HIDDEN = re.compile(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.S)
HEAD = re.compile(r"^[A-Za-z_][^;{}#=]*?\b(\w+)\(([^;{}]*)\)\s*\n\{$", re.M | re.S)

found = 0


def bad(path, line, why):
    global found
    found += 1
    print(f"{path}:{line}: {why}")


def without_hidden(text):
    """The same text with comments and literals blanked, line numbers kept."""
    return HIDDEN.sub(lambda m: re.sub(r"[^\n]", " ", m.group(0)), text)


def parameters(text):
    depth, n = 0, 1
    for c in text:
        depth += (c in "([") - (c in ")]")
        n += c == "," and depth == 0
    return 0 if text.strip() in ("", "void") else n


def check_functions(path, code, lines):
    for m in HEAD.finditer(code):
        line = code.count("\n", 0, m.start(1)) + 1
        end = code.find("\n}", m.end())
        length = code.count("\n", m.end(), end if end >= 0 else len(code)) + 2
        if length > FUNCTION_LINES:
            bad(path, line, f"{m.group(1)} has {length} lines; {FUNCTION_LINES} is the most")
        # A foreign library's callback has the shape it has: "lint: callback" in the comment above.
        above = "\n".join(lines[max(0, line - 5):line])
        if parameters(m.group(2)) > PARAMETERS and "lint: callback" not in above:
            bad(path, line, f"{m.group(1)} has {parameters(m.group(2))} parameters; over {PARAMETERS} is a struct")


def check_file(path, text):
    lines = text.count("\n")
    if not text.startswith("/* SPDX-License-Identifier: MIT */\n"):
        bad(path, 1, "the first line is not /* SPDX-License-Identifier: MIT */")
    most = FUZZ_LINES if path.endswith("_fuzz.c") else FILE_LINES
    if lines > most:
        bad(path, lines, f"{lines} lines; {most} is the most")
    for n, line in enumerate(text.split("\n"), 1):
        m = NOTE.search(line)
        if m and not (m.group(1) == "TODO" and m.group(2)):
            bad(path, n, f"{m.group(1)}: write TODO(#issue), or do it")
    code = without_hidden(text)
    for names, home, instead in BANNED:
        if re.match(home, path):
            continue
        for m in re.finditer(rf"(?<![\w.>])({names})\s*\(", code):
            bad(path, code.count("\n", 0, m.start()) + 1, f"{m.group(1)} is banned; use {instead}")
    check_functions(path, code, text.split("\n"))


def check_page(path, text):
    for pattern, instead in PAGE_BANNED:
        for m in re.finditer(pattern, text):
            bad(path, text.count("\n", 0, m.start()) + 1, f"{m.group(0)} is banned in a page; use {instead}")


def main():
    root = pathlib.Path(sys.argv[1])
    seen = {}
    for folder in FOLDERS:
        for file in sorted((root / folder).rglob("*.[ch]")):
            path = file.relative_to(root).as_posix()
            check_file(path, file.read_text(encoding="utf-8"))
            if folder == "include":  # an interface's name is for those outside
                continue
            if file.name in seen:
                bad(path, 1, f"a second {file.name}: the other is {seen[file.name]}")
            seen[file.name] = path
    for file in sorted((root / "web").glob("*.js")):
        check_page(file.relative_to(root).as_posix(), file.read_text(encoding="utf-8"))
    for pattern in ("tools/*", "tests/**/*.sh", "tests/**/*.py", ".ci/*"):
        for file in sorted(root.glob(pattern)):
            if file.suffix in (".sh", ".py", "") and file.is_file() and "data" not in file.parts:
                if "SPDX-License-Identifier: MIT" not in "".join(file.read_text(encoding="utf-8").split("\n")[:2]):
                    bad(file.relative_to(root).as_posix(), 1, "no SPDX-License-Identifier: MIT in the first two lines")
    return 1 if found else 0


sys.exit(main())
