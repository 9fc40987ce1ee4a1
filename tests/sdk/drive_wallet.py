# SPDX-License-Identifier: MIT
"""storyfi wallet from outside: files, prompts on a terminal, and both ways with bittensor-wallet."""
import json
import os
import pathlib
import pty
import select
import stat
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))

from harness import STORYFI, check, run  # noqa: E402
import harness  # noqa: E402

try:
    from bittensor_wallet import Wallet
except ImportError:
    Wallet = None

WORDS = "old leopard transfer rib spatial phone calm indicate online fire caution review"
SEED = "0xda3cf5b1e9144931a0f0db65664aab662673b099415a7f8121b7245fb0be4143"
PRIVATE = ("0x1f1995bdf3a17b60626a26cfe6f564b337d46056b7a1281b64c649d592ccda0a"
           "9cffd34d9fb01cae1fba61aeed184c817442a2186d5172416729a4b54dd4b84e")
ADDRESS = "5HDvhV6WDCjCKyrXqGQSDYqQAzkzabNhctmiDYEqgBC66BsX"
ROOT = pathlib.Path(tempfile.mkdtemp(prefix="storyfi-wallets-"))


def wallet(name, hotkey="default"):
    return ["--wallet.path", str(ROOT), "--wallet.name", name, "--wallet.hotkey", hotkey]


def password_line(path_args, password, *more):
    made = run("wallet", "password", "--json", *more, *path_args, input=password)
    line = json.loads(made.stdout)
    return {line["variable"]: line["value"]}


def with_variables(*sets):
    env = dict(os.environ)
    for s in sets:
        env.update(s)
    return env


def plain_files():
    made = run("wallet", "create", "--json", "--phrase", "--words", 24, *wallet("plain"))
    out = json.loads(made.stdout)
    file = pathlib.Path(out["file"])
    check("wallet: create writes 24 words", made.returncode == 0 and len(out["phrase"].split()) == 24)
    check("wallet: files are for their owner only",
          all(stat.S_IMODE(p.stat().st_mode) == 0o600 for p in (file, file.parent / "defaultpub.txt")))
    again = run("wallet", "create", *wallet("plain"))
    check("wallet: nothing is overwritten", again.returncode == 100 and "is there already" in again.stderr)
    shown = json.loads(run("wallet", "show", "--json", *wallet("plain")).stdout)
    check("wallet: show names the same address", shown["hotkey"] == out["hotkey"])
    good = run("wallet", "verify", *wallet("plain"))
    check("wallet: verify agrees", good.returncode == 0 and out["hotkey"] in good.stdout, good.stderr)
    secret = json.loads(file.read_text())
    check("wallet: no secret is shown without being asked for",
          all(secret["secretSeed"] not in r.stdout + r.stderr and secret["secretPhrase"] not in r.stdout + r.stderr
              for r in (again, good)))
    file.chmod(0o644)
    loose = run("wallet", "verify", *wallet("plain"))
    check("wallet: verify warns of open permissions", loose.returncode == 1 and "chmod 600" in loose.stderr)
    file.chmod(0o600)
    other = json.loads(run("wallet", "create", "--json", *wallet("plain", "other")).stdout)
    (file.parent / "defaultpub.txt").write_text((file.parent / "otherpub.txt").read_text())
    swapped = run("wallet", "verify", *wallet("plain"))
    check("wallet: verify sees a public file of another key",
          swapped.returncode == 1 and other["hotkey"] in swapped.stderr, swapped.stderr)
    file.write_text(json.dumps({**secret, "publicKey": "0x" + "11" * 32}))
    check("wallet: verify sees a key that is not the file's", run("wallet", "verify", *wallet("plain")).returncode == 1)
    check("wallet: a wrong number of words is refused",
          run("wallet", "create", "--words", 13, *wallet("plain", "x")).returncode == 100)


def imports():
    for name, text in (("words", WORDS), ("seed", SEED), ("private", PRIVATE + "\n")):
        made = run("wallet", "import", "--json", *wallet("imported", name), input=text)
        check(f"wallet: import from {name} gives the known address",
              made.returncode == 0 and json.loads(made.stdout)["hotkey"] == ADDRESS, made.stderr)
        check(f"wallet: import from {name} verifies", run("wallet", "verify", *wallet("imported", name)).returncode == 0)
    for name, text in (("one wrong word", WORDS.replace("rib", "ribb")), ("a short seed", SEED[:20]), ("nothing", "")):
        bad = run("wallet", "import", *wallet("imported", "bad"), input=text)
        check(f"wallet: import of {name} is refused without quoting it",
              bad.returncode == 100 and "ribb" not in bad.stderr and SEED[2:20] not in bad.stderr, bad.stderr)
    check("wallet: a refused import leaves no file", not (ROOT / "imported" / "hotkeys" / "bad").exists())


def on_terminal(args, answers, seen_while_asking=None):
    """Runs storyfi on a pseudo terminal, answers each prompt; returns exit status and all it showed."""
    pid, fd = pty.fork()
    if pid == 0:
        os.execv(STORYFI, [STORYFI, *map(str, args)])
    shown, left, end = b"", list(answers), time.monotonic() + 60
    asked = 0
    while time.monotonic() < end:
        if select.select([fd], [], [], 0.2)[0]:
            try:
                piece = os.read(fd, 4096)
            except OSError:
                break
            if not piece:
                break
            shown += piece
        if left and shown.count(b": ") > asked:
            asked = shown.count(b": ")
            if seen_while_asking:
                seen_while_asking(pid)
            os.write(fd, left.pop(0).encode())
    os.close(fd)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown.decode()


def prompts():
    limits = []

    def look(pid):
        limits.append(pathlib.Path(f"/proc/{pid}/limits").read_text())

    code, shown = on_terminal(["wallet", "import", "--json", *wallet("typed")], [WORDS + "\n"], look)
    check("wallet: typed words are not echoed", code == 0 and ADDRESS in shown and "leopard" not in shown, shown)
    check("wallet: no core file while a secret is typed",
          limits and any(line.split()[:5] == ["Max", "core", "file", "size", "0"] for line in limits[0].split("\n")))
    code, shown = on_terminal(["wallet", "import", *wallet("typed", "b")], ["\x03"])
    check("wallet: Ctrl-C leaves nothing", code == 111 and "canceled" in shown
          and not (ROOT / "typed" / "hotkeys" / "b").exists(), shown)
    code, shown = on_terminal(["wallet", "create", "--encrypt", *wallet("typed", "c")], ["one\n", "two\n"])
    check("wallet: two different passwords leave nothing", code == 100 and "differ" in shown
          and not (ROOT / "typed" / "hotkeys" / "c").exists(), shown)


def without_terminal():
    """No terminal, no variable: says which variable would do."""
    r = subprocess.run([STORYFI, "wallet", "create", "--coldkey", *wallet("nobody")], capture_output=True,
                       text=True, stdin=subprocess.DEVNULL, start_new_session=True, timeout=60)
    check("wallet: without a terminal the variable is named", r.returncode == 100
          and f"BT_PW_{str(ROOT).upper().replace('/', '_').replace('.', '_')}_NOBODY_COLDKEY" in r.stderr, r.stderr)


def python_reads_ours():
    args = wallet("ours")
    variables = password_line(args, "pass wörd", "--coldkey")
    made = run("wallet", "create", "--coldkey", "--hotkey", "--json", *args, env=with_variables(variables))
    out = json.loads(made.stdout)
    w = Wallet(name="ours", hotkey="default", path=str(ROOT))
    check("wallet: Python reads our hotkey", w.hotkey.ss58_address == out["hotkey"]
          and w.hotkeypub.ss58_address == out["hotkey"])
    check("wallet: Python reads our coldkeypub", w.coldkeypub.ss58_address == out["coldkey"])
    check("wallet: our coldkey is encrypted", pathlib.Path(out["coldkey_file"]).read_bytes().startswith(b"$NACL"))
    key = w.coldkey_file.get_keypair(password="pass wörd")
    check("wallet: Python opens our coldkey", key.ss58_address == out["coldkey"]
          and key.verify("text", key.sign("text")))
    check("wallet: Python names the variable alike", w.coldkey_file.env_var_name() == list(variables)[0],
          w.coldkey_file.env_var_name())
    for name in ("words", "seed", "private"):
        w = Wallet(name="imported", hotkey=name, path=str(ROOT))
        check(f"wallet: Python reads a key imported from {name}", w.hotkey.ss58_address == ADDRESS)


def we_read_pythons():
    w = Wallet(name="theirs", hotkey="default", path=str(ROOT))
    w.create_new_hotkey(use_password=False, overwrite=False, suppress=True)
    w.create_new_coldkey(coldkey_password="tëst", use_password=True, overwrite=False, suppress=True)
    args = wallet("theirs")
    verified = run("wallet", "verify", "--coldkey", "--hotkey", "--json", *args,
                   env=with_variables(password_line(args, "tëst", "--coldkey")))
    out = json.loads(verified.stdout)
    check("wallet: we open Python's keys", verified.returncode == 0 and out["coldkey_encryption"] == "NaCl"
          and out["hotkey"] == w.hotkey.ss58_address and out["coldkey"] == w.coldkeypub.ss58_address, verified.stderr)
    w.coldkey_file.save_password_to_env("tëst")
    theirs = {k: v for k, v in os.environ.items() if k.startswith("BT_PW_")}
    if theirs:  # some releases keep it inside the extension
        check("wallet: the variable has Python's value", theirs == password_line(args, "tëst", "--coldkey"))
    wrong = run("wallet", "verify", "--coldkey", *args, env=with_variables(password_line(args, "no", "--coldkey")))
    check("wallet: a wrong password says so", wrong.returncode == 1 and "wrong password" in wrong.stderr, wrong.stderr)


plain_files()
imports()
prompts()
without_terminal()
if Wallet is not None:
    python_reads_ours()
    we_read_pythons()
sys.exit(1 if harness.failed else 0)
