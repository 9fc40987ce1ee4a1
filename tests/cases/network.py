# SPDX-License-Identifier: MIT
"""A miner and the chain's node double: registered, announced, synced; whatever goes wrong with the chain is said,
tried again, and never stops an answer. Then doctor --network, each of its causes made on purpose."""
import json
import os
import pathlib
import pty
import random
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent.parent), str(pathlib.Path(__file__).resolve().parent.parent / "chain")]
import harness  # noqa: E402
from harness import STORYFI, Miner, check, run, script_config  # noqa: E402
from node_double import Chain, Keypair, Node, Refusal, account, item_key  # noqa: E402

NETUID = 92
OTHER = account("5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY")
HOST = "127.0.0.2"  # the chain refuses 127.0.0.1 alone
SANITIZED = os.environ.get("STORYFI_SANITIZED") == "1"
PATIENCE = 60 if SANITIZED else 20


def wait_for(condition, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.03)
    return condition()


def fresh(rate_limit=0, **kwargs):
    chain = Chain(**kwargs)
    chain.add_subnet(NETUID, rate_limit)
    chain.register(NETUID, 0, OTHER)
    return chain, Node(chain)


given, giving = set(), threading.Lock()


def free_port():
    """Below those of outgoing connections, and not given to another test that runs beside this one."""
    with giving:
        while True:
            port = random.randrange(12000, 32000)
            with socket.socket() as a, socket.socket() as b:
                try:
                    a.bind(("127.0.0.1", port))
                    b.bind((HOST, port))
                except OSError:
                    continue
            if port not in given:
                given.add(port)
                return port


def free_endpoint():
    return f"ws://127.0.0.1:{free_port()}"


class Alone(Miner):
    free_port = staticmethod(free_port)


class NetMiner(Alone):
    """On the network: looks at the chain every second, listens and is announced on 127.0.0.2."""

    def __init__(self, endpoint, *flags, external=HOST, netuid=NETUID, env=None):
        super().__init__(script_config("stories.py"), env=env)
        self.flags = [f for f in self.flags if f != "--offline"]
        self.flags[self.flags.index("--axon.ip") + 1] = HOST
        self.flags += ["--netuid", str(netuid), "--subtensor.chain_endpoint", endpoint, "--subtensor.sync_interval", "1"]
        self.flags += ["--axon.external_ip", external] if external else []
        self.flags += map(str, flags)
        self.key = account(self.hotkey)

    def get(self, port, path, headers=None):
        if port != self.port:
            return Miner.get(port, path, headers)
        import http.client
        c = http.client.HTTPConnection(HOST, port, timeout=20)
        try:
            c.request("GET", path)
            r = c.getresponse()
            return r.status, r.read()
        finally:
            c.close()

    def network(self):
        return self.status()["network"]

    def text(self):
        return self.log.read_text()

    def until(self, word):
        return wait_for(lambda: word in self.text() and word)

    def answers(self):
        """A verified request is answered, whoever may ask."""
        return run("query", "--axon", f"{HOST}:{self.port}", "--axon.hotkey", self.hotkey, "--task", "blueprint",
                   "--input", "the sea", *self.wallet, env={**os.environ, **(self.env or {})}).returncode == 0


def axon_on(chain, key):
    value = chain.state.get(item_key("Axons", NETUID, key))
    return value and (socket.inet_ntoa(value[12:16][::-1]), int.from_bytes(value[28:30], "little"))


def registered_and_served():
    chain, node = fresh()
    m = NetMiner(node.ws)
    chain.register(NETUID, 1, m.key)
    with m:
        m.until("Announced: ")
        check("network: the axon is on the chain", axon_on(chain, m.key) == (HOST, m.port), m.text())
        m.until("Metagraph: ")
        log = m.text()
        check("network: the start tells uid, address and metagraph", "✅ Registered: uid 1 on subnet 92" in log
              and f"✅ Announced: {HOST}:{m.port}, in block " in log and re.search("✅ Metagraph: block [0-9]+, 2 neurons", log), log)
        check("network: a loopback address that was told is announced, and called what it is", "is a loopback address" in log, log)
        n = wait_for(lambda: m.network()["axon_announced"] and m.network())
        check("network: status has it all", n["reached"] and n["registered"] and n["uid"] == 1 and n["endpoint"] == node.ws
              and n["axon_announced"] == n["axon_wanted"] == f"{HOST}:{m.port}" and n["metagraph"]["source"] == "chain"
              and n["metagraph"]["neurons"] == 2 and n["stake"] == 2000.0 and n["emission"] == 1e-6 and n["position"] == 1
              and n["miners"] == 1 and n["immunity_left_blocks"] > 0 and n["earns"] is True, n)
        check("network: health has it", json.loads(m.get(m.admin, "/health")[1])["network"]["uid"] == 1)
        text = run("status", "--admin.port", m.admin).stdout
        check("network: storyfi status says whether it earns, in one line",
              re.search("  earning +yes: 1e-06 of the subnet's token in the last epoch, position 1 of 1 miners\n", text)
              and "registered   uid 1" in text and f"announced    {HOST}:{m.port}" in text, text)
        sent = len(chain.accepted)
        synced = node.calls.count("state_call")
        wait_for(lambda: node.calls.count("state_call") >= synced + 2)
        check("network: what the chain has is not sent again", len(chain.accepted) == sent == 1, len(chain.accepted))
        check("network: a registered caller is answered", m.answers(), m.text())
        r = run("query", "--axon", f"{HOST}:{m.port}", "--axon.hotkey", m.hotkey, "--task", "blueprint", "--input", "x",
                "--throwaway")
        check("network: the metagraph's strangers are not", r.returncode == 1 and "403" in r.stderr, r.stderr)
        their_tools(m, node)
        chain.put(item_key("Axons", NETUID, m.key), bytes(34))
        check("network: an announcement that got lost is made again", wait_for(lambda: len(chain.accepted) == 2), m.text())
        check("network: that miner ends well", m.stop() == 0)
        with sqlite3.connect(f"file:{m.dir}/state/journal.db?mode=ro", uri=True) as db:
            rows = db.execute("SELECT netuid, hotkey, uid, stake_rao, emission_rao, position, miners FROM standings").fetchall()
        check("network: each sync's standing is in the journal", len(rows) >= 2
              and rows[-1] == (92, m.hotkey, 1, 2 * 10**12, 1000, 1, 1), rows)
    node.close()


def their_tools(m, node):
    if Keypair is None:
        print("SKIP network: the SDK reads back what the miner served (not installed; tools/setup.sh --test)")
        return
    os.environ["BT_NO_PARSE_CLI_ARGS"] = "1"
    import bittensor
    axon = bittensor.Subtensor(network=node.ws).neurons_lite(NETUID)[1].axon_info
    check("network: the SDK reads back what the miner served", axon.hotkey == m.hotkey and axon.ip == HOST
          and axon.port == m.port and axon.protocol == 4, axon)


def chain_away():
    """Nobody there at the start, there later, lost midway, back again."""
    chain = Chain()
    chain.add_subnet(NETUID, 0)
    chain.register(NETUID, 0, OTHER)
    port = free_port()
    m = NetMiner(f"ws://127.0.0.1:{port}")
    chain.register(NETUID, 1, m.key)
    with m:
        check("network: without a chain the miner answers", m.answers(), m.text())
        check("network: and says that the chain is away", m.until("⚠️  Chain: ") and "requests are answered meanwhile" in m.text(), m.text())
        n = m.network()
        check("network: status says so too", not n["reached"] and n["registered"] is None and n["earns"] is None
              and n["problems"], n)
        node = Node(chain, port=port)
        check("network: a chain that comes later is used", m.until("Announced: ") and axon_on(chain, m.key) == (HOST, m.port), m.text())
        wait_for(lambda: m.network()["metagraph"])
        node.down = True
        check("network: a chain that is lost is said", wait_for(lambda: not m.network()["reached"], 60), m.network())
        check("network: and the miner answers", m.answers(), m.text())
        check("network: and stays registered, for all it knows", m.network()["uid"] == 1)
        node.down = False
        check("network: when it is back, all is well again", wait_for(lambda: m.network()["reached"], 60), m.text())
        wait_for(lambda: (m.dir / "state" / f"metagraph-{NETUID}.scale").exists())
        node.down = True
        check("network: an end while the chain hangs comes in time", m.stop(timeout=8) == 0)
        m.start()
        check("network: the metagraph of the last run is there without the chain",
              m.until("✅ Metagraph: of the last run, block ") and m.network()["metagraph"]["source"] == "disk"
              and m.network()["metagraph"]["neurons"] == 2, m.text())
        node.down = False
        check("network: and the chain's own takes its place", wait_for(lambda: m.network()["metagraph"]["source"] == "chain", 60))
        m.stop()
        file = m.dir / "state" / f"metagraph-{NETUID}.scale"
        file.write_bytes(file.read_bytes()[:-7])
        m.start()
        check("network: a damaged file is said and not used", m.until("the metagraph of the last run is not used")
              and wait_for(lambda: (m.network()["metagraph"] or {}).get("source") == "chain"), m.text())
        m.stop()
    node.close()


def not_registered_at_first():
    chain, node = fresh()
    m = NetMiner(node.ws, "--blacklist.allow_non_registered")
    with m:
        command = f"btcli subnet register --netuid {NETUID} --wallet.name test --wallet.hotkey default --network {node.ws}"
        check("network: not registered: the command that registers is told", m.until("⚠️  Not registered on subnet 92")
              and command in m.text(), m.text())
        check("network: and the miner serves", m.answers() and "Announced" not in m.text(), m.text())
        n = wait_for(lambda: m.network()["metagraph"] and m.network())
        check("network: status says that it earns nothing, and why", n["registered"] is False and n["earns"] is False
              and "not registered" in n["earning"] and command in n["problems"][0] + n["problems"][-1], n)
        looks = node.calls.count("system_chain")
        wait_for(lambda: node.calls.count("system_chain") >= looks + 6)
        said = m.text().count('msg="the hotkey is not registered"')
        looks = node.calls.count("system_chain")
        check("network: it is repeated at a falling rate", 1 <= said <= looks.bit_length() < looks, (said, looks))
        chain.register(NETUID, 1, m.key)
        check("network: registered later: announced at once", m.until("Announced: ") and "Registered: uid 1" in m.text()
              and axon_on(chain, m.key) == (HOST, m.port), m.text())
        check("network: and nothing is wrong any more", wait_for(lambda: not [
            p for p in m.network()["problems"] if "egistered" in p]), m.network())
        m.stop()
    node.close()


def wrong_netuid():
    chain, node = fresh()
    with NetMiner(node.ws, netuid=7) as m:
        check("network: a subnet that is not there is told", m.until("The chain has no subnet 7: check --netuid"), m.text())
        check("network: the miner serves and goes on trying", m.answers()
              and wait_for(lambda: node.calls.count("system_chain") > 2), m.text())
        check("network: it earns nothing there", m.network()["earning"] == "no: the chain has no subnet 7", m.network())
        check("network: and ends well", m.stop() == 0)
    node.close()
    for flags, text in ((["--netuid", 92, "--subtensor.chain_endpoint", "ftp://x"], "wss://"), ([], "--netuid is needed")):
        r = run("miner", *flags, *m.wallet, "--state_dir", m.dir / "other")
        check(f"network: a mistake exits 100 at once: {text}", r.returncode == 100 and text in r.stderr, r.stderr)


def several_nodes():
    """Nodes that fail one after the other; one that knows only the older query; one of another chain."""
    chain, node = fresh()
    second = Node(chain)
    m = NetMiner(f"{node.ws},{second.http}")
    chain.register(NETUID, 1, m.key)
    with m:
        m.until("Announced: ")
        check("network: of several nodes the first is asked", m.network()["endpoint"] == node.ws and not second.calls, m.network())
        node.down = True
        check("network: when it fails the next takes over", wait_for(lambda: second.calls.count("state_call") > 1)
              and wait_for(lambda: m.network()["endpoint"] == second.http and m.network()["reached"]), m.network())
        original = chain.state_call

        def older(method, args, state):
            if "selective" in method:
                raise Refusal(4003, "Client error", "Exported method is not found")
            return original(method, args, state)
        before = m.network()["metagraph"]["block"]
        chain.state_call = older
        synced = wait_for(lambda: m.network()["metagraph"]["block"] > before + 4 and m.network())
        check("network: a node without the selective query gives neurons-lite", synced and synced["metagraph"]["source"] == "chain"
              and synced["metagraph"]["neurons"] == 2 and synced["uid"] == 1 and synced["earns"] is True and m.answers(), m.network())
        m.stop()
        node.close()
        second.close()
        stranger = Chain(genesis=bytes(range(32)))
        stranger.add_subnet(NETUID, 0)
        stranger.register(NETUID, 0, OTHER)
        third = Node(stranger)
        m.flags[m.flags.index("--subtensor.chain_endpoint") + 1] = third.ws
        m.start()
        check("network: the last run's metagraph is thrown away when the chain is another one", m.until("is of another chain: thrown away")
              and wait_for(lambda: (m.network()["metagraph"] or {}).get("source") == "chain")
              and m.network()["metagraph"]["neurons"] == 1, m.text())
        m.stop()
        third.close()


def addresses():
    """Services that must agree; an address that changes; a limit of the subnet on how often it is told."""
    chain, node = fresh(rate_limit=30)
    services = [Node(chain), Node(chain)]
    for s in services:
        s.garbage = b"10.1.2.3\n"
    urls = f"{services[0].http},{services[1].http.replace('127.0.0.1', 'localhost')}"
    m = NetMiner(node.ws, "--axon.external_ip_services", urls, "--axon.external_ip_interval", "1", "--axon.external_port",
                 8123, external=None)
    chain.register(NETUID, 1, m.key)
    with m:
        check("network: a private address that services tell is not announced", m.until("is a private address")
              and not chain.accepted and m.answers(), m.text())
        services[0].garbage = b"203.0.114.7"
        wait_for(lambda: "localhost: 10.1.2.3" in "".join(m.network()["problems"]) or "localhost" in m.text())
        check("network: services that disagree are not believed", m.until("203.0.114.7") and not chain.accepted, m.text())
        services[1].garbage = b"203.0.114.7"
        check("network: the address that they agree on is announced", wait_for(
            lambda: axon_on(chain, m.key) == ("203.0.114.7", 8123)), m.text())
        for s in services:
            s.garbage = b"203.0.114.8"
        check("network: a change is noticed", m.until("the address has changed"), m.text())
        check("network: the subnet's limit is respected, and said", wait_for(
            lambda: any("blocks to wait" in p or "to wait" in p for p in m.network()["problems"])) and len(chain.accepted) == 1,
            m.network())
        for _ in range(30):
            chain.tick()
        check("network: after it the new address is announced", wait_for(
            lambda: axon_on(chain, m.key) == ("203.0.114.8", 8123)), m.text())
        for s in services:
            s.garbage = b"nonsense"
        check("network: services that fail take no address away", wait_for(
            lambda: any("is not known" in p for p in m.network()["problems"]))
              and axon_on(chain, m.key) == ("203.0.114.8", 8123) and m.network()["axon_wanted"] == "203.0.114.8:8123", m.network())
        services[0].lag = services[1].lag = 4.0
        asked = services[0].requests
        wait_for(lambda: services[0].requests > asked)
        check("network: an end while a service hangs comes in time", m.stop(timeout=3 if not SANITIZED else 10) == 0)
    for s in (node, *services):
        s.close()


def reload():
    """SIGHUP with another address in the file."""
    chain, node = fresh()
    m = NetMiner(node.ws, external=None)
    text = m.config.read_text()
    m.config.write_text(text + f'axon:\n  external_ip: "{HOST}"\n')
    chain.register(NETUID, 1, m.key)
    with m:
        m.until("Announced: ")
        m.config.write_text(text + 'axon:\n  external_ip: "127.0.0.9"\n')
        m.process.send_signal(signal.SIGHUP)
        check("network: an address that a reload brings is announced", wait_for(
            lambda: axon_on(chain, m.key) == ("127.0.0.9", m.port)) and m.stop() == 0, m.text())
    node.close()


def ends():
    """SIGTERM at moments in between."""
    for what, method in (("the first answer", "system_chain"), ("the metagraph", "state_call"), ("a transaction", "author_submitExtrinsic")):
        chain, node = fresh()
        m = NetMiner(node.ws)
        chain.register(NETUID, 1, m.key)
        node.hang = {method}
        with m:
            wait_for(lambda: method in node.calls)
            started = time.monotonic()
            check(f"network: SIGTERM while the node owes {what} ends in time", m.stop(timeout=20) == 0
                  and time.monotonic() - started < (3 if not SANITIZED else 10), time.monotonic() - started)
        node.close()


def typed(m, password):
    """The miner on a terminal of its own, somebody typing; its exit code, and what is on the screen."""
    pid, fd = pty.fork()
    if pid == 0:
        os.execv(STORYFI, [STORYFI, "miner", *m.flags, "--axon.port", "0", "--admin.port", "0"])
    said, asked = "", False
    while True:
        try:
            said += os.read(fd, 4096).decode(errors="replace")
        except OSError:  # it has ended
            break
        if "Password of " in said and not asked:
            asked = True
            os.write(fd, password.encode() + b"\n")
        if "Axon: " in said:
            os.kill(pid, signal.SIGTERM)
    os.close(fd)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), said


def encrypted():
    chain, node = fresh()
    m = NetMiner(node.ws)
    password = "correct horse"
    m.wallet[1] = m.flags[m.flags.index("--wallet.path") + 1] = str(m.dir / "sealed")
    name, _, value = run("wallet", "password", *m.wallet, input=password).stdout.strip().partition("=")
    m.env = {name: value}
    made = run("wallet", "create", "--encrypt", "--json", *m.wallet, env={**os.environ, **m.env})
    m.hotkey = json.loads(made.stdout)["hotkey"]
    m.key = account(m.hotkey)
    chain.register(NETUID, 1, m.key)
    check("network: the hotkey is encrypted", (m.dir / "sealed/test/hotkeys/default").read_bytes().startswith(b"$NACL"))

    def without(*more):
        with subprocess.Popen([STORYFI, "miner", *m.flags, "--axon.port", "0", "--admin.port", "0", *more], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                              start_new_session=True) as p:  # no terminal to ask on
            lines = []
            for line in p.stdout:
                lines.append(line)
                if "Axon: " in line:
                    p.send_signal(signal.SIGTERM)
        return p.returncode, "".join(lines)
    code, said = without()
    check("network: an encrypted hotkey without its password ends the start, and says what to do", code in (100, 111)
          and "no terminal to ask" in said and "Axon: " not in said, (code, said))
    with m:
        check("network: with the variable it starts and announces", m.until("Announced: ")
              and axon_on(chain, m.key) == (HOST, m.port), m.text())
        check("network: query signs with an encrypted hotkey too", m.answers(), m.text())
        check("network: the password is nowhere in the log", password not in m.text() and value not in m.text())
        m.stop()
    code, said = typed(m, password)
    check("network: on a terminal the password is asked for before anything starts, and not shown", code == 0
          and said.index("Password of ") < said.index("Axon: ") and password not in said, (code, said))
    code, said = without("--offline")
    check("network: offline the password is not needed", code == 0 and m.hotkey in said, (code, said))
    node.close()


def doctor(*flags, env=None):
    r = run("doctor", "--network", "--json", *flags, env={**os.environ, **(env or {})})
    found = {line["what"]: line for line in json.loads(r.stdout)} if r.stdout.startswith("[") else {}
    return r, found


def finds(name, flags, what, verdict, text, remedy="", code=None):
    r, found = doctor(*flags)
    line = found.get(what, {})
    code = {"failed": 1, "ok": 0}.get(verdict) if code is None else code
    return check(f"network: doctor --network: {name}", line.get("verdict") == verdict and text in line["text"]
                 and remedy in line["remedy"] and code in (None, r.returncode), (r.returncode, found, r.stderr))


def causes():
    """What doctor --network finds, each made on purpose."""
    chain, node = fresh()
    m = NetMiner(node.ws)

    def flags(*more):
        return [*m.flags, "--admin.port", m.admin, "--axon.port", m.port, *more]

    def put_axon(ip, port):
        chain.put(item_key("Axons", NETUID, m.key), chain.height.to_bytes(8, "little") + (10005000).to_bytes(4, "little")
                  + socket.inet_aton(ip)[::-1] + bytes(12) + port.to_bytes(2, "little") + bytes([4, 4, 0, 0]))
    with m:
        finds("not registered", flags(), "registered", "failed", "is not registered on subnet 92", "btcli subnet register --netuid 92")
        chain.register(NETUID, 1, m.key)
        m.until("Announced: ")
        r, found = doctor(*flags())
        check("network: doctor --network finds nothing wrong with a miner that is reached", r.returncode == 0 and
              found["registered"]["verdict"] == found["listener"]["verdict"] == found["address"]["verdict"] == "ok"
              and found["clock"]["verdict"] == "ok" and "the signed ping is answered" in found["reached"]["text"], found)
        check("network: and warns of a loopback address", found["announced"]["verdict"] == "warning", found)
        chain.skew = 3600
        wait_for(lambda: any("behind the chain" in p for p in m.network()["problems"]))
        finds("a clock that is behind", flags(), "clock", "failed", "at least 35", "timedatectl")
        chain.skew = -3600
        wait_for(lambda: any("ahead" in p for p in m.network()["problems"]))
        finds("a clock that is ahead", flags(), "clock", "failed", "so this clock is ahead")
        chain.skew = 0
        finds("a subnet that is not there", flags("--netuid", 7), "registered", "failed", "no subnet 7")
        finds("no subnet named", [f for f in flags("--netuid", -1)], "subnet", "failed", "not named")
        finds("another wallet", flags("--wallet.path", m.dir / "wallets2"), "hotkey", "failed", "no hotkey at")
        finds("no node", flags("--subtensor.chain_endpoint", free_endpoint()), "chain", "failed", "127.0.0.1")
        m.stop()
    port = m.port
    finds("no miner runs: the port is closed", flags(), "reached", "failed", "the port is closed, nothing listens", "start the miner")
    finds("no miner runs: said by itself too", flags(), "listener", "failed", "no miner of ours runs here")
    put_axon("127.0.0.3", port)
    finds("a wrong IP", flags(), "address", "failed", "wrong IP: the chain has 127.0.0.3, this machine is reached at 127.0.0.2")
    put_axon("0.0.0.0", port)
    finds("0.0.0.0", flags(), "announced", "failed", "tells validators that nobody serves")
    stranger = Node(chain)
    put_axon("127.0.0.1", stranger.port)
    stranger.garbage = b"hello"
    finds("something else on the port", flags(), "reached", "failed", "something answers that is no axon")
    stranger.close()
    with Alone(script_config("stories.py")) as other:
        put_axon("127.0.0.1", other.port)
        finds("another miner on the port", flags(), "reached", "failed", f"with the hotkey {other.hotkey}")
        ours = [*other.flags, "--netuid", NETUID, "--subtensor.chain_endpoint", node.ws, "--axon.external_ip", HOST,
                "--admin.port", other.admin]
        chain.register(NETUID, 2, account(other.hotkey))
        finds("a miner that runs --offline", ours, "listener", "warning", "announces nothing")
        finds("nothing announced", ours, "announced", "failed", "does not know where this axon listens", "storyfi chain serve")
        m.key = account(other.hotkey)
        put_axon(HOST, port)
        finds("a wrong port", ours, "listener", "failed", f"the chain has {port}, the miner listens on {other.port}")
        other.stop()
    r = run("doctor", "--network", *flags())
    check("network: doctor --network is a page too", r.returncode == 1 and "\nnetwork\n" in r.stdout and "✗ reached" in r.stdout
          and "\ngenerator " not in r.stdout, r.stdout)
    node.close()


TESTS = [registered_and_served, chain_away, not_registered_at_first, wrong_netuid, several_nodes, addresses, reload, ends, encrypted,
         causes]


def main():
    chosen = [t for t in TESTS if len(sys.argv) < 2 or t.__name__ in sys.argv[1:]]
    threads = [threading.Thread(target=guarded, args=(t,)) for t in chosen]
    for t in threads:
        t.start()
    for t in threads:
        t.join()


def guarded(test):
    try:
        test()
    except Exception as error:  # a test that breaks off is a test that failed
        import traceback
        check(f"network: {test.__name__} runs to its end", False, "".join(traceback.format_exception(error))[-390:])


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(1 if harness.failed else 0)
