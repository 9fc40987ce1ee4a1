# SPDX-License-Identifier: MIT
"""A miner and the chain's node double: registered, announced, synced; whatever goes wrong with the chain is said,
tried again, and never stops an answer. Then doctor --network, each of its causes made on purpose."""
import json
import os
import pathlib
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
from node_double import Chain, Keypair, Node, account, item_key  # noqa: E402

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


def free_endpoint():
    return f"ws://127.0.0.1:{Miner.free_port()}"


class NetMiner(Miner):
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
        check("network: a caller is answered", m.answers(), m.text())
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
    port = Miner.free_port()
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
    m = NetMiner(node.ws)
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
        check("network: it is repeated at a falling rate", 1 <= said <= 4 and said < node.calls.count("system_chain") // 2,
              (said, node.calls.count("system_chain")))
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


def encrypted():
    chain, node = fresh()
    m = NetMiner(node.ws)
    password = "correct horse"
    run("wallet", "create", "--json", *m.wallet)
    m.wallet = ["--wallet.path", str(m.dir / "sealed"), "--wallet.name", "test", "--wallet.hotkey", "default"]
    file = m.dir / "sealed" / "test" / "hotkeys" / "default"
    line = run("wallet", "password", *m.wallet, input=password).stdout
    made = subprocess.run([STORYFI, "wallet", "create", "--encrypt", "--json", *m.wallet], capture_output=True, text=True,
                          input=password, timeout=60)
    if not file.exists():
        check("network: an encrypted wallet is made", False, made.stderr + line)
        return
    m.hotkey = json.loads(made.stdout)["hotkey"]
    m.key = account(m.hotkey)
    for i, name in ((m.flags.index("--wallet.path") + 1, m.wallet[1]),):
        m.flags[i] = name
    chain.register(NETUID, 1, m.key)
    check("network: the hotkey is encrypted", file.read_bytes().startswith(b"$NACL"))
    r = subprocess.run([STORYFI, "miner", *m.flags, "--axon.port", "0", "--admin.port", "0"], capture_output=True, text=True,
                       timeout=60, stdin=subprocess.DEVNULL, start_new_session=True)
    check("network: an encrypted hotkey without a password stops the start, naming the variable",
          r.returncode != 0 and "BT_PW_" in r.stderr + r.stdout, (r.returncode, r.stderr))
    name, _, value = line.strip().removeprefix("export ").partition("=")
    m.env = {name: value.strip("'\"")}
    with m:
        check("network: with the variable it starts and announces", m.until("Announced: ")
              and axon_on(chain, m.key) == (HOST, m.port), m.text())
        check("network: query signs with an encrypted hotkey too", m.answers(), m.text())
        check("network: the password is nowhere in the log", password not in m.text() and value not in m.text())
        m.stop()
    r = subprocess.run([STORYFI, "miner", *m.flags, "--offline", "--axon.port", "-1"], capture_output=True, text=True,
                       timeout=60, stdin=subprocess.DEVNULL, start_new_session=True)
    check("network: offline the password is not asked for", "BT_PW_" not in r.stderr, r.stderr)
    node.close()


TESTS = [registered_and_served, chain_away, not_registered_at_first, wrong_netuid, addresses, ends, encrypted]


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
