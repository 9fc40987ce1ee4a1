#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""contrib/systemd/storyfi-miner@.service: systemd's own judgement of it, the miner beside what the unit says, and the
unit's view of the file system played by bwrap with a wallet and a script's virtual environment in a home folder. The
whole unit under a real systemd as process 1 is in tests/deb_cycle.sh (the long form)."""
import json
import os
import pathlib
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import harness  # noqa: E402
from harness import ROOT, STORYFI, Miner, check, run, script_config  # noqa: E402

TMP = pathlib.Path(tempfile.mkdtemp(prefix="storyfi-units-"))
UNIT = ROOT / "contrib" / "systemd" / "storyfi-miner@.service.in"
EXPOSURE = "20"  # of 100; what is left is named in the unit, with why


def directives():
    """{key: [values]} of the unit's [Service]."""
    found = {}
    for line in UNIT.read_text().partition("[Service]")[2].splitlines():
        if re.match(r"[A-Z]\w*=", line):
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


SERVICE = directives()


def one(key):
    return SERVICE[key][-1]


# ---- what systemd says of it --------------------------------------------------------------------

def judged():
    if shutil.which("systemd-analyze") is None:
        print("SKIP units: systemd-analyze is not installed (tools/setup.sh --test)")
        return
    folder = TMP / "units"
    folder.mkdir()
    run("man", "--write", TMP / "man")
    (folder / "storyfi-miner@.service").write_text(UNIT.read_text().replace("@bindir@", str(pathlib.Path(STORYFI).parent)))
    shutil.copy(folder / "storyfi-miner@.service", folder / "storyfi-miner@x.service")
    env = {**os.environ, "MANPATH": str(TMP / "man")}
    instance = str(folder / "storyfi-miner@x.service")
    r = subprocess.run(["systemd-analyze", "verify", "--recursive-errors=no", instance], capture_output=True, text=True, env=env)
    said = "\n".join(line for line in (r.stdout + r.stderr).splitlines() if "storyfi" in line)
    if shutil.which("man") is None:  # it looks the manual pages up
        said = "\n".join(line for line in said.splitlines() if "Command 'man" not in line)
    check("units: systemd-analyze verify finds nothing", r.returncode == 0 and said == "", said)
    r = subprocess.run(["systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE}", "--no-pager", instance],
                       capture_output=True, text=True, env=env)
    level = re.search(r"exposure level.*", r.stdout)
    check(f"units: systemd-analyze security is at {int(EXPOSURE) / 10} or better", r.returncode == 0, level and level.group())
    loose = UNIT.read_text().replace("@bindir@", "/usr/bin").replace("ProtectSystem=strict", "").replace("NoNewPrivileges=yes", "")
    (folder / "storyfi-miner@x.service").write_text(loose)
    r = subprocess.run(["systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE}", "--no-pager", instance],
                       capture_output=True, text=True, env=env)
    check("units: a looser one would not pass", r.returncode != 0, r.stdout[-200:])


# ---- the miner beside what the unit says --------------------------------------------------------

class NotifySocket:
    def __init__(self):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.path = str(TMP / "notify")
        self.socket.bind(self.path)
        self.told = []

    def within(self, seconds, wanted):
        """The seconds until `wanted` was told, or None."""
        start = time.monotonic()
        while (left := start + seconds - time.monotonic()) > 0:
            if select.select([self.socket], [], [], left)[0]:
                self.told.append(self.socket.recv(4096).decode())
                if self.told[-1].startswith(wanted):
                    return time.monotonic() - start
        return None


def supervised():
    check("units: the kind and its times are those of the miner", (one("Type"), one("NotifyAccess"), one("Restart"), one("WatchdogSec"),
          one("TimeoutStopSec")) == ("notify", "main", "on-failure", "30", "75"), SERVICE)
    s = NotifySocket()
    slow = TMP / "slow.py"
    slow.write_text("#!/bin/sh\nsleep 1\nexec " + str(harness.SCRIPTS / "stories.py") + "\n")
    slow.chmod(0o755)
    config = f'generator:\n  mode: "custom"\n  fallback: []\n  custom:\n    script_path: "{slow}"\n'
    watchdog = 600000
    with Miner(config, env={"NOTIFY_SOCKET": s.path, "WATCHDOG_USEC": str(watchdog)}) as m:
        check("units: READY=1", s.within(20, "READY=1") is not None, s.told)
        gaps = [s.within(5, "WATCHDOG=1") for _ in range(4)]
        check("units: WATCHDOG=1 comes in time", all(g is not None and g < watchdog / 1e6 for g in gaps[1:]), gaps)
        m.process.send_signal(signal.SIGSTOP)
        s.within(0.3, "nothing more")  # what was under way
        check("units: a miner that hangs gives no sign, so it is restarted", s.within(2 * watchdog / 1e6, "WATCHDOG=1") is None, s.told)
        m.process.send_signal(signal.SIGCONT)
        check("units: signs come again when it goes on", s.within(5, "WATCHDOG=1") is not None, s.told)
        query = subprocess.Popen([STORYFI, "query", "--axon", f"127.0.0.1:{m.port}", "--axon.hotkey", m.hotkey, "--task", "blueprint",
                                  "--input", "x", "--throwaway"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        end = time.monotonic() + 20
        while m.status()["queue"]["in_flight"] == 0 and time.monotonic() < end:
            time.sleep(0.02)
        m.process.send_signal(signal.SIGTERM)
        check("units: STOPPING=1 at once", s.within(1, "STOPPING=1") is not None, s.told)
        text = query.communicate(timeout=30)[0]
        check("units: what is in flight is finished after SIGTERM", query.returncode == 0, text)
        check("units: it ends well, in less than TimeoutStopSec", m.process.wait(int(one("TimeoutStopSec"))) == 0)
    bad = TMP / "bad.yaml"
    bad.write_text("axon: {port: 70000}\n")
    r = run("miner", "--config", bad)
    check("units: a mistake in the configuration is the status that is not restarted",
          str(r.returncode) == one("RestartPreventExitStatus"), (r.returncode, r.stderr))


# ---- its view of the file system ----------------------------------------------------------------

SCRIPT = '''#!/home/alice/venv/bin/python
import json, pathlib, sys
assert sys.prefix == "/home/alice/venv", sys.prefix
tried = {}
for path in ("/home/alice/written", "/home/alice/.bittensor/wallets/written", "/etc/written", "/usr/written", "/tmp/written"):
    try:
        pathlib.Path(path).write_text("x")
        tried[path] = "written"
    except OSError as e:
        tried[path] = type(e).__name__
pathlib.Path("/var/lib/storyfi/test/tried.json").write_text(json.dumps(tried))
json.load(sys.stdin)
print(json.dumps({"content": json.load(open("/home/alice/answer.json"))}))
'''


def home():
    """A home folder with a wallet, a virtual environment and a script, as they are before storyfi comes."""
    alice = TMP / "home" / "alice"
    alice.mkdir(parents=True)
    subprocess.run(["/usr/bin/python3", "-m", "venv", "--without-pip", "--symlinks", str(alice / "venv")], check=True)
    made = json.loads(run("wallet", "create", "--json", "--wallet.path", alice / ".bittensor" / "wallets", "--wallet.name", "test",
                          "--wallet.hotkey", "default").stdout)
    (alice / "generate.py").write_text(SCRIPT)
    (alice / "generate.py").chmod(0o755)
    shutil.copy(ROOT / "tests" / "data" / "story" / "blueprint.json", alice / "answer.json")
    state = TMP / "state"
    state.mkdir()
    return alice, state, made["hotkey"]


def sandbox(state):
    """bwrap's arguments for what the unit says of files, users and privileges."""
    expected = {"ProtectSystem": "strict", "ProtectHome": "read-only", "PrivateTmp": "yes", "NoNewPrivileges": "yes",
                "CapabilityBoundingSet": "", "StateDirectory": "storyfi/%i", "WorkingDirectory": "/var/lib/storyfi/%i"}
    check("units: the sandbox played here is the unit's", all(one(k) == v for k, v in expected.items()), SERVICE)
    read_only = [a for p in ("/usr", "/etc") for a in ("--ro-bind", p, p)]
    links = []
    for p in ("/bin", "/lib", "/lib64", "/sbin"):
        links += ["--symlink", f"usr{p}", p] if os.path.islink(p) else ["--ro-bind-try", p, p]
    return ["bwrap", *read_only, *links, "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp", "--tmpfs", "/run",
            "--ro-bind", str(TMP / "home"), "/home", "--ro-bind", STORYFI, "/opt/storyfi", "--bind", str(state), "/var/lib/storyfi/test",
            "--remount-ro", "/", "--unshare-user", "--unshare-ipc", "--uid", "998", "--gid", "998", "--cap-drop", "ALL", "--die-with-parent",
            "--clearenv", "--setenv", "HOME", "/home/alice", "--setenv", "PATH", "/usr/bin:/bin", "--setenv", "XDG_STATE_HOME",
            "/var/lib/storyfi/test", "--chdir", "/var/lib/storyfi/test"]


def at_home():
    if shutil.which("bwrap") is None:
        print("SKIP units: bwrap is not installed (tools/setup.sh --test)")
        return
    alice, state, hotkey = home()
    (state / "test.yaml").write_text('generator: {mode: "custom", fallback: [], custom: {script_path: "/home/alice/generate.py"}}\n')
    port, admin = Miner.free_port(), Miner.free_port()
    box = sandbox(state)
    if subprocess.run([*box, "/bin/true"], capture_output=True).returncode != 0:
        print("SKIP units: bwrap cannot make a namespace here")
        return
    with open(TMP / "log", "wb") as log:
        p = subprocess.Popen([*box, "/opt/storyfi", "miner", "--offline", "--config", "/var/lib/storyfi/test/test.yaml", "--wallet.name", "test",
                              "--axon.ip", "127.0.0.1", "--axon.port", str(port), "--admin.port", str(admin)], stdout=log, stderr=log)
    try:
        end, answered = time.monotonic() + 20, None
        while answered is None and time.monotonic() < end and p.poll() is None:
            r = run("query", "--axon", f"127.0.0.1:{port}", "--axon.hotkey", hotkey, "--task", "blueprint", "--input", "x", "--throwaway")
            answered = r if r.returncode == 0 else None
            time.sleep(0.05)
        check("units: in the sandbox a wallet and a script with its virtual environment in a home folder answer",
              answered is not None, (TMP / "log").read_text() + r.stderr)
        tried = json.loads((state / "tried.json").read_text()) if (state / "tried.json").exists() else {}
        check("units: the script can write to its own /tmp and the state folder alone",
              tried and all((v == "written") == (k == "/tmp/written") for k, v in tried.items()), tried)
        check("units: nothing of it reached the home folder or the real /tmp", not (alice / "written").exists()
              and not pathlib.Path("/tmp/written").exists())
        check("units: the journal is in the state folder", list(state.glob("**/journal.db")) != [], list(state.iterdir()))
    finally:
        p.terminate()
        p.wait(30)


def main():
    for part in (judged, supervised, at_home):
        part()
    shutil.rmtree(TMP, ignore_errors=True)
    sys.exit(harness.failed != 0)


main()
