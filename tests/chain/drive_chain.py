# SPDX-License-Identifier: MIT
"""storyfi chain against the node double: both transports, every fault, every refusal; then the network's own
Python tools read what we sent."""
import json
import os
import pathlib
import ssl
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))

import harness  # noqa: E402
from harness import STORYFI, check, run  # noqa: E402
from node_double import GENESIS, Chain, Keypair, Node, Refusal, account, by_account, invalid, item_key  # noqa: E402

ROOT = pathlib.Path(tempfile.mkdtemp(prefix="storyfi-chain-"))
WALLET = ["--wallet.path", str(ROOT), "--wallet.name", "test", "--wallet.hotkey", "default"]
HOTKEY = json.loads(run("wallet", "create", "--json", *WALLET).stdout)["hotkey"]
KEY = account(HOTKEY)
ALICE = account("5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY")
NETUID = 92


def fresh(registered=True, rate_limit=50, **kwargs):
    chain = Chain(**kwargs)
    chain.add_subnet(NETUID, rate_limit)
    if registered:
        chain.register(NETUID, 0, ALICE)
        chain.register(NETUID, 1, KEY)
    return chain, Node(chain)


def chain_cmd(action, endpoint, *more, netuid=NETUID, env=None):
    return run("chain", action, "--netuid", netuid, "--subtensor.chain_endpoint", endpoint, *WALLET, *more,
               env={**os.environ, **(env or {})})


def serve(endpoint, ip="8.8.8.8", port=8091, *more):
    r = chain_cmd("serve", endpoint, "--axon.external_ip", ip, "--axon.external_port", port, "--json", *more)
    return r, (json.loads(r.stdout) if r.stdout.startswith("{") else {})


def axon_on(chain):
    value = chain.state.get(item_key("Axons", NETUID, KEY))
    return value and (value[12:28][::-1][-4:].hex(), int.from_bytes(value[28:30], "little"))


def both_transports():
    for name in ("ws", "http"):
        chain, node = fresh()
        url = getattr(node, name)
        r = chain_cmd("show", url, "--json")
        out = json.loads(r.stdout or "{}")
        check(f"chain: show over {name}", r.returncode == 0 and out["registered"] and out["uid"] == 1
              and out["axon"] is None and out["spec_version"] == 343 and out["genesis"] == "0x" + GENESIS.hex()
              and out["rate_limit_blocks"] == 50, r.stderr)
        r, out = serve(url)
        check(f"chain: serve over {name} is included", r.returncode == 0 and not out["unchanged"]
              and axon_on(chain) == ("08080808", 8091) and len(chain.accepted) == 1, r.stderr)
        submissions = node.calls.count("author_submitExtrinsic")
        r, out = serve(url)
        check(f"chain: what the chain has is not sent again over {name}", r.returncode == 0 and out["unchanged"]
              and node.calls.count("author_submitExtrinsic") == submissions, r.stderr)
        r = chain_cmd("metagraph", url, "--json")
        out = json.loads(r.stdout or "{}")
        check(f"chain: metagraph over {name}", r.returncode == 0 and not out["lite"] and len(out["neurons"]) == 2
              and out["neurons"][1]["hotkey"] == HOTKEY and out["neurons"][1]["axon"] == "8.8.8.8:8091"
              and out["neurons"][0]["validator_permit"] and out["neurons"][1]["stake"] == 2000.0, r.stderr)
        node.close()


def metagraph_falls_back():
    chain, node = fresh()
    original = chain.state_call

    def without(method, args, state):
        if "selective" in method:
            raise Refusal(4003, "Client error", "Exported method is not found")
        return original(method, args, state)
    chain.state_call = without
    r = chain_cmd("metagraph", node.ws, "--json")
    out = json.loads(r.stdout or "{}")
    check("chain: metagraph falls back to neurons-lite", r.returncode == 0 and out["lite"]
          and out["neurons"][1]["hotkey"] == HOTKEY and out["neurons"][0]["validator_permit"], r.stderr)
    r = chain_cmd("metagraph", node.ws)
    check("chain: metagraph prints a table", r.returncode == 0 and HOTKEY in r.stdout and "last update" in r.stdout)
    chain.state_call = original
    r = chain_cmd("metagraph", node.ws, netuid=7)
    check("chain: a subnet that is not there is told", r.returncode == 1 and "no subnet 7" in r.stderr, r.stderr)
    node.close()


def not_registered():
    chain, node = fresh(registered=False)
    for action, more in (("show", ()), ("serve", ("--axon.external_ip", "8.8.8.8"))):
        r = chain_cmd(action, node.ws, *more)
        check(f"chain: {action} tells the command that registers", r.returncode == 1
              and f"btcli subnet register --netuid {NETUID} --wallet.name test --wallet.hotkey default" in r.stderr, r.stderr)
    check("chain: nothing is sent for a stranger", not chain.accepted and "author_submitExtrinsic" not in node.calls)
    node.close()


def own_rules():
    chain, node = fresh()
    for ip, port in (("127.0.0.1", 8091), ("255.255.255.255", 8091), ("::1", 8091), ("example.org", 8091)):
        r, _ = serve(node.ws, ip, port)
        check(f"chain: {ip} is refused before anything is sent", r.returncode == 100, r.stderr)
    r = chain_cmd("serve", node.ws, "--axon.external_ip", "0.0.0.0")
    check("chain: 0.0.0.0 is never announced", r.returncode == 100 and "nobody serves" in r.stderr, r.stderr)
    r = chain_cmd("serve", node.ws, "--axon.external_ip_services", "http://127.0.0.1:1/")
    check("chain: without an address it asks for one", r.returncode == 111 and "--axon.external_ip" in r.stderr, r.stderr)
    services = [Node(chain) for _ in range(3)]
    for s, said in zip(services, (b"8.8.8.8", b"9.9.9.9", b"10.0.0.1")):
        s.garbage = said
    urls = [s.http for s in services]

    def asked(*names):
        return chain_cmd("serve", node.ws, "--json", "--axon.external_ip_services", ",".join(names))
    r = asked(urls[0].replace("127.0.0.1", "localhost"), urls[1])
    check("chain: services that disagree are not believed", r.returncode == 100 and "9.9.9.9" in r.stderr, r.stderr)
    r = asked(urls[2], urls[2].replace("127.0.0.1", "localhost"))
    check("chain: a private address is not announced", r.returncode == 100 and "private" in r.stderr, r.stderr)
    check("chain: nothing of that reached the node", node.calls == [], node.calls)
    r = asked(urls[0], urls[1], urls[0].replace("127.0.0.1", "localhost"))
    check("chain: the address that two services agree on is served", r.returncode == 0
          and axon_on(chain) == ("08080808", 8091), r.stderr)
    for s in services:
        s.close()
    for _ in range(50):
        chain.tick()
    r, _ = serve(node.ws, "10.1.2.3")
    check("chain: a private address that was given is served with a warning", r.returncode == 0
          and axon_on(chain) == ("0a010203", 8091) and "cannot reach" in r.stderr, r.stderr)
    node.close()


def rate_limit():
    chain, node = fresh()
    serve(node.ws)
    r, _ = serve(node.ws, "8.8.4.4")
    check("chain: the subnet's limit is respected without asking", r.returncode == 111 and "to wait" in r.stderr
          and len(chain.accepted) == 1, r.stderr)
    for _ in range(50):
        chain.tick()
    r, _ = serve(node.ws, "8.8.4.4")
    check("chain: after it the new address is served", r.returncode == 0 and axon_on(chain) == ("08080404", 8091), r.stderr)
    node.close()


REFUSALS = [
    ("Custom error: 10", 1, "not registered"), ("Custom error: 11", 100, "--axon.external_ip"),
    ("Custom error: 12", 111, "limits how often"), ("Custom error: 13", 100, "--axon.external_port"),
    ("Custom error: 255", 100, "IPv4"), ("Custom error: 3", 1, "no such subnet"),
    ("Transaction call is not expected", 111, "safe mode"),
    ("Transaction would exhaust the block limits", 111, "full"),
    ("Inability to pay some fees (e.g. account balance too low)", 1, "registered"),
    ("Invalid signing address", 1, "wallet verify"),
]
CODES = [(1001, 111, "update storyfi"), (1002, 111, "update storyfi"), (1014, 111, "waits already"),
         (1016, 111, "pool is full"), (1018, 111, "another --subtensor.chain_endpoint")]
RENEWED = ["Transaction has a bad signature", "Transaction is outdated", "Transaction has an ancient birth block",
           "Transaction will be valid in the future"]


def refusals():
    chain, node = fresh()
    for data, code, words in REFUSALS:
        node.refuse["author_submitExtrinsic"] = invalid(data)
        r, _ = serve(node.ws)
        check(f"chain: \"{data}\" is told in words", r.returncode == code and words in r.stderr, r.stderr)
    for number, code, words in CODES:
        node.refuse["author_submitExtrinsic"] = Refusal(number, "refused")
        r, _ = serve(node.ws)
        check(f"chain: error {number} is told in words", r.returncode == code and words in r.stderr, r.stderr)
    for data in RENEWED:
        node.refuse["author_submitExtrinsic"] = invalid(data)
        before = node.calls.count("author_submitExtrinsic")
        r, _ = serve(node.ws)
        check(f"chain: \"{data}\" is tried three times", r.returncode == 111
              and node.calls.count("author_submitExtrinsic") - before == 3, r.stderr)
    del node.refuse["author_submitExtrinsic"]
    r, _ = serve(node.ws)
    check("chain: after all the refusals it is served", r.returncode == 0, r.stderr)
    node.close()


def changes_mid_way():
    chain, node = fresh()
    node.before["author_submitExtrinsic"] = lambda: setattr(chain, "spec", chain.spec + 1)
    r, _ = serve(node.ws)
    check("chain: a runtime that changes mid-way is signed for anew", r.returncode == 0
          and node.calls.count("state_getMetadata") == 2, r.stderr)
    node.close()

    chain, node = fresh()
    other = chain.nonce

    def used():
        key = "26aa394eea5630e07c48ae0c9558cef7b99d880ec681799c0cf30e8886371da9"
        chain.put(key + by_account(KEY), (7).to_bytes(4, "little") + bytes(52))
    node.before["author_submitExtrinsic"] = used
    r, _ = serve(node.ws)
    check("chain: a transaction number used meanwhile is taken anew", r.returncode == 0
          and chain.accepted[-1]["nonce"] == 7, r.stderr)
    check("chain: the nonce is counted up", other(KEY, chain.state) == 8)
    node.close()

    chain, node = fresh()
    again = []

    def twice(raw, real=chain.submit):
        real(raw)
        again.append(raw)
        return real(raw)  # 1013: already imported
    chain.submit = twice
    r, _ = serve(node.ws)
    check("chain: \"already imported\" counts as accepted", r.returncode == 0 and again, r.stderr)
    node.close()


def after_inclusion():
    chain, node = fresh()
    chain.fail_dispatch = (7, 30)
    r, _ = serve(node.ws)
    check("chain: a call that fails in its block is told by name", r.returncode == 111
          and "ServingRateLimitExceeded" in r.stderr and "limits how often" in r.stderr, r.stderr)
    chain.fail_dispatch = (7, 6)
    r, _ = serve(node.ws)
    check("chain: a registration lost meanwhile is told", r.returncode == 1
          and "HotKeyNotRegisteredInNetwork" in r.stderr, r.stderr)
    node.close()

    # A reorganisation takes the block back, and the transaction into the pool again.
    chain, node = fresh()
    real_tick, state = chain.tick, {"done": False}

    def tick():
        real_tick()
        if len(chain.blocks[chain.height]["extrinsics"]) > 1 and not state["done"]:
            state["done"] = True
            chain.reorg(1, keep=True)
    chain.tick = tick
    r, _ = serve(node.ws)
    check("chain: a reorganisation that keeps the transaction is survived", r.returncode == 0 and state["done"], r.stderr)
    node.close()

    # And one that loses it: nothing happens until the era is over, then it is made anew.
    chain, node = fresh()
    real_tick2, state2 = chain.tick, {"n": 0}

    def tick2():
        real_tick2()
        if state2["n"] == 0 and len(chain.blocks[chain.height]["extrinsics"]) > 1:
            state2["n"] = 1
            chain.reorg(1, keep=False)
            for _ in range(140):
                real_tick2()
    chain.tick = tick2
    r, _ = serve(node.ws)
    check("chain: a transaction that a reorganisation lost is made anew", r.returncode == 0
          and len(chain.accepted) == 2 and axon_on(chain) == ("08080808", 8091), r.stderr)
    node.close()


def nodes_that_fail():
    for name in ("ws", "http"):
        chain, good = fresh()
        bad = Node(chain)
        pair = f"{getattr(bad, name)},{getattr(good, name)}"

        def shows(what, code=0):
            r = chain_cmd("show", pair, "--json", "--timeout", 20)
            check(f"chain: {what} ({name}): the next node is asked", r.returncode == code
                  and json.loads(r.stdout)["endpoint"] == getattr(good, name), r.stderr)
        for what, garbage in (("rubbish", b"hello"), ("a cut answer", b'{"jsonrpc":"2.0","id":1,"result":'),
                              ("a page", b"<html>busy</html>"), ("nothing", b""), ("a list", b"[]"),
                              ("neither result nor error", b'{"jsonrpc":"2.0","id":1}'),
                              ("a wrong kind of result", b'{"jsonrpc":"2.0","id":1,"result":7}')):
            bad.garbage = garbage
            if what == "a wrong kind of result":
                r = chain_cmd("show", pair, "--json", "--timeout", 20)
                check(f"chain: {what} ({name}) is told, not believed", r.returncode == 111
                      and "makes no sense" in r.stderr, r.stderr)
            else:
                shows(what)
        bad.garbage = b'{"jsonrpc":"2.0","id":1,"result":"0x' + b"00" * (9 << 20) + b'"}'
        shows("an answer over 16 MiB")
        bad.garbage = None
        bad.drop = {"chain_getBlockHash", "state_getRuntimeVersion"}
        shows("a connection that breaks")
        bad.drop = set()
        if name == "http":
            bad.wrong_id = True
            shows("an answer to another question")
            bad.wrong_id = False
        bad.http_status = 503
        shows("HTTP 503")
        bad.http_status, bad.retry_after = 429, 60
        shows("HTTP 429")
        bad.http_status, bad.retry_after = 200, None
        bad.refuse["chain_getBlockHash"] = Refusal(-32005, "Rate limit exceeded")
        shows("a limit told in JSON")
        bad.close()
        shows("a node that is gone")
        good.close()


def more_faults():
    chain, node = fresh()
    node.strays = 3
    r = chain_cmd("show", node.ws, "--json")
    check("chain: notifications between answers are passed over", r.returncode == 0, r.stderr)
    node.drop_once = {"state_getRuntimeVersion"}
    r = chain_cmd("show", node.ws, "--json")
    check("chain: a socket that the node closed meanwhile is opened anew", r.returncode == 0
          and node.calls.count("state_getRuntimeVersion") == 3, r.stderr)
    node.strays, node.lag = 0, 0.2
    r, _ = serve(node.ws)
    check("chain: a slow node is waited for", r.returncode == 0, r.stderr)
    node.lag = 5.0
    r = chain_cmd("show", node.ws, "--timeout", 1)
    check("chain: the time given is kept", r.returncode == 111 and "in time" in r.stderr, r.stderr)
    node.close()
    r = chain_cmd("show", node.ws, "--timeout", 2)
    check("chain: nobody there is told", r.returncode == 111 and str(node.port) in r.stderr, r.stderr)

    # A node of another chain behind the first: never believed.
    chain, first = fresh()
    other_chain, other = fresh(genesis=bytes(32))
    first.before["state_getRuntimeVersion"] = lambda: first.drop.update(
        {"state_getRuntimeVersion", "chain_getFinalizedHead", "state_getStorage"})
    r, _ = serve(f"{first.ws},{other.ws}", "8.8.8.8", 8091, "--timeout", 6)
    check("chain: a node of another chain gets nothing signed", r.returncode == 111 and not other_chain.accepted, r.stderr)
    first.close()
    other.close()

    r = run("chain", "show", *WALLET)
    check("chain: without a netuid it asks for one", r.returncode == 100 and "--netuid" in r.stderr, r.stderr)
    r = chain_cmd("show", "ftp://x")
    check("chain: an address of another kind is refused", r.returncode == 100 and "wss://" in r.stderr, r.stderr)


def metadata_that_is_not_understood():
    import node_double
    chain, node = fresh()
    real = node_double.METADATA_14
    node_double.METADATA_14 = real.replace(b"CheckMetadataHash", b"CheckMetadataHasp")
    r, _ = serve(node.ws)
    check("chain: an unknown extension is not signed", r.returncode == 111 and "CheckMetadataHasp" in r.stderr
          and "author_submitExtrinsic" not in node.calls, r.stderr)
    node_double.METADATA_14 = real[:-5]
    r, _ = serve(node.ws)
    check("chain: damaged metadata is told", r.returncode == 111 and "damaged" in r.stderr, r.stderr)
    node_double.METADATA_14 = real
    node.close()


def tls():
    cert, key = ROOT / "cert.pem", ROOT / "key.pem"
    made = subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                           "-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(cert)],
                          capture_output=True)
    if made.returncode != 0:
        print("SKIP chain: wss (no openssl program to make a certificate)")
        return
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    chain = Chain()
    chain.add_subnet(NETUID)
    chain.register(NETUID, 1, KEY)
    node = Node(chain, tls=context)
    trusted = {"SSL_CERT_FILE": str(cert)}
    r = chain_cmd("show", f"wss://localhost:{node.port}", env=trusted)
    check("chain: wss with a trusted certificate", r.returncode == 0, r.stderr)
    r = chain_cmd("show", f"wss://localhost:{node.port}", "--ca_file", cert)
    check("chain: wss with an authority of ca_file", r.returncode == 0, r.stderr)
    r = chain_cmd("show", f"wss://localhost:{node.port}", "--timeout", 5)
    check("chain: wss with an unknown certificate is refused", r.returncode == 111 and not r.stdout, r.stderr)
    r = chain_cmd("show", f"wss://127.0.0.1:{node.port}", "--timeout", 5, env=trusted)
    check("chain: wss with a certificate of another name is refused", r.returncode == 111 and not r.stdout, r.stderr)
    node.close()


def their_tools():
    """async-substrate-interface decodes our transaction; the SDK reads back what we served."""
    if Keypair is None:
        print("SKIP chain: signatures, async-substrate-interface and the SDK (not installed; tools/setup.sh --test)")
        return
    from async_substrate_interface.sync_substrate import SubstrateInterface
    chain, node = fresh()
    r, out = serve(node.ws, "203.0.113.7", 8123)
    raw = chain.accepted[-1]["raw"]
    with SubstrateInterface(node.ws, ss58_format=42, chain_name="Bittensor") as substrate:
        block = next(b for b in chain.blocks.values() if raw in b["extrinsics"])
        extrinsics = substrate.get_extrinsics(block_hash="0x" + block["hash"].hex())
        decoded = extrinsics[-1].value
        args = {a["name"]: a["value"] for a in decoded["call"]["call_args"]}
        check("chain: async-substrate-interface decodes our transaction",
              decoded["address"] == HOTKEY and decoded["call"]["call_module"] == "SubtensorModule"
              and decoded["call"]["call_function"] == "serve_axon" and args["netuid"] == NETUID
              and args["ip"] == 0xcb007107 and args["port"] == 8123 and args["ip_type"] == 4, decoded)
    import bittensor
    subtensor = bittensor.Subtensor(network=node.ws)
    neuron = subtensor.neurons_lite(NETUID)[1]
    check("chain: the SDK reads back what we served", neuron.hotkey == HOTKEY and neuron.axon_info.ip == "203.0.113.7"
          and neuron.axon_info.port == 8123 and neuron.axon_info.protocol == 4, neuron)
    check("chain: the SDK finds the uid", subtensor.get_uid_for_hotkey_on_subnet(HOTKEY, NETUID) == 1)
    node.close()


TESTS = [both_transports, metagraph_falls_back, not_registered, own_rules, rate_limit, refusals, changes_mid_way,
         after_inclusion, nodes_that_fail, more_faults, metadata_that_is_not_understood, tls, their_tools]
if __name__ == "__main__":
    for test in TESTS:
        if len(sys.argv) < 2 or test.__name__ in sys.argv[1:]:
            test()
    sys.stdout.flush()
    os._exit(1 if harness.failed else 0)
