#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Completion in real shells: bash and zsh at a terminal, where a key inserts every candidate and the line is then
printed; fish through its own `complete -C`. A shell that is not installed is skipped."""
import os
import pathlib
import pty
import select
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from harness import STORYFI, check  # noqa: E402

TMP = pathlib.Path(tempfile.mkdtemp(prefix="storyfi-completion-"))
# What is typed, and every candidate that must and must not come.
CASES = [
    ("subcommands", "storyfi gener", ["generate", "generators"], ["miner"]),
    ("actions", "storyfi models re", ["remove", "recommend"], ["pull"]),
    ("options", "storyfi generate --ta", ["--task"], ["--input"]),
    ("settings", "storyfi miner --axon.external_", ["--axon.external_ip", "--axon.external_port"], ["--axon.port"]),
    ("choices", "storyfi generate --task ch", ["characters", "chapters"], ["blueprint"]),
    ("choices of a setting", "storyfi miner --blacklist.when_stale ", ["known", "open", "closed"], ["--axon.port"]),
    ("model names", "storyfi models pull llama-3.2", ["llama-3.2-1b", "llama-3.2-3b"], ["auto"]),
    ("file names", "storyfi miner --config gener", ["generator_one.yaml", "generator_two.yaml"], ["generate"]),
    ("folders alone", "storyfi story --out generator_f", ["generator_folder"], ["generator_file"]),
    ("file names of words", "storyfi score story", ["story.json"], ["storage"]),
    ("nothing for what nobody knows", "storyfi nonsense x", [], ["miner", "--help"]),
]
EQUALS = [("choices behind =", "storyfi generate --task=ch", ["characters", "chapters"], ["blueprint"])]


def folder():
    work = TMP / "work"
    work.mkdir()
    for name in ("generator_one.yaml", "generator_two.yaml", "generator_file", "story.json", "storage"):
        (work / name).write_text("")
    (work / "generator_folder").mkdir()
    return work


WORK = folder()
ENV = {"PATH": f"{pathlib.Path(STORYFI).resolve().parent}:/usr/bin:/bin", "HOME": str(TMP), "TERM": "dumb",
       "LC_ALL": "C.UTF-8", "STORYFI_STATE_DIR": str(TMP)}


class Shell:
    """An interactive shell on a pseudo-terminal."""

    def __init__(self, argv, setup):
        pid, self.fd = pty.fork()
        if pid == 0:
            os.chdir(WORK)
            os.execvpe(argv[0], argv, ENV)
        self.pid, self.seen, self.marks = pid, "", 0
        self.send(setup + "\n")
        self.mark()

    def send(self, text):
        os.write(self.fd, text.encode())

    def until(self, what, seconds=20):
        end = time.monotonic() + seconds
        while what not in self.seen:
            if time.monotonic() > end or not select.select([self.fd], [], [], end - time.monotonic())[0]:
                raise RuntimeError(f"no {what!r} in {self.seen[-600:]!r}")
            self.seen += os.read(self.fd, 65536).decode(errors="replace")
        before, self.seen = self.seen.split(what, 1)
        return before

    def mark(self):
        """Waits until everything sent so far was carried out."""
        self.marks += 1
        self.send(f"printf 'mark%d\\n' {self.marks}000\n")
        return self.until(f"mark{self.marks}000")

    def close(self):
        self.send("\nexit\n")
        os.close(self.fd)
        os.waitpid(self.pid, 0)

    def complete(self, typed, key):
        """The words of the line once `key` put every candidate in."""
        out = TMP / "line"
        self.send(f"{typed}{key}\x01arguments {out} \x05\n")
        self.mark()
        words = out.read_text().split("\n")
        out.unlink()
        return words


SETUP = "arguments() { local out=$1; shift; printf '%s\\n' \"$@\" >\"$out\"; }; "


def bash():
    shell = Shell(["bash", "--norc", "--noprofile"],
                  SETUP + "source <(storyfi completion bash); bind 'set enable-bracketed-paste off'")
    return shell, lambda typed: shell.complete(typed, "\x1b*")


def zsh():
    shell = Shell(["zsh", "-f"], SETUP + "unsetopt zle_bracketed_paste prompt_sp; unset zle_bracketed_paste; "
                  "autoload -Uz compinit; compinit -D -u; source <(storyfi completion zsh); "
                  "zstyle ':completion:all::::' completer _all_matches _complete; "
                  "zstyle ':completion:all:*' insert true; zle -C all complete-word _generic; bindkey '^T' all; "
                  "bindkey -e; bindkey '^T' all")
    return shell, lambda typed: shell.complete(typed, "\x14")


def judge(shell, name, typed, got, wanted, unwanted):
    got = [w.rstrip("/") for w in got]
    ok = all(w in got for w in wanted) and not any(u in got for u in unwanted)
    check(f"completion: {shell} completes {name}", ok, (typed, got))


def at_a_terminal(name, make):
    shell, ask = make()
    try:
        for what, typed, wanted, unwanted in CASES:
            judge(name, what, typed, ask(typed), wanted, unwanted)
        for what, typed, wanted, unwanted in EQUALS:
            got = [w.split("=")[-1] for w in ask(typed)]
            judge(name, what, typed, got, wanted, unwanted)
    finally:
        shell.close()


def fish():
    def ask(typed):
        r = subprocess.run(["fish", "--no-config", "-c", "storyfi completion fish | source; complete -C $argv[1]", typed],
                           cwd=WORK, env=ENV, capture_output=True, text=True, timeout=60)
        return [line.split("\t")[0] for line in r.stdout.splitlines()]

    for what, typed, wanted, unwanted in CASES:
        judge("fish", what, typed, ask(typed), wanted, unwanted)
    judge("fish", "choices behind =", EQUALS[0][1], [w.split("=")[-1] for w in ask(EQUALS[0][1])], *EQUALS[0][2:])


def main():
    for name, run in (("bash", lambda: at_a_terminal("bash", bash)), ("zsh", lambda: at_a_terminal("zsh", zsh)), ("fish", fish)):
        if shutil.which(name) is None:
            print(f"SKIP completion: {name} is not installed (tools/setup.sh --test)")
            continue
        try:
            run()
        except RuntimeError as e:
            check(f"completion: {name} answers", False, e)
    shutil.rmtree(TMP, ignore_errors=True)
    import harness
    sys.exit(harness.failed != 0)


main()
