# SPDX-License-Identifier: MIT
"""Run as root of a network namespace of its own (`unshare -rn`): who is spoken to, packet by packet. With
`fallback: []` only the miner's own ports are; with the provider behind it, the provider's name is looked up."""
import pathlib
import socket
import struct
import subprocess
import sys
import threading
import time

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent.parent), str(pathlib.Path(__file__).resolve().parent)]
import harness  # noqa: E402
import wire  # noqa: E402
from fault_server import Target  # noqa: E402
from harness import SCRIPTS, check  # noqa: E402
from rig import ENV, Rig, chain, record  # noqa: E402


def network():
    """Loopback, and a way out that swallows all that takes it."""
    for line in ("link set lo up", "link add out0 type veth peer name out1", "addr add 192.0.2.1/24 dev out0",
                 "link set out0 up", "link set out1 up", "neigh add 192.0.2.2 lladdr 02:00:00:00:00:02 dev out0",
                 "route add default via 192.0.2.2"):
        subprocess.run(["ip", *line.split()], check=True, capture_output=True)


class Ear:
    """Hears every first packet: (address, port) of each TCP connection that is begun and of each datagram."""

    def __init__(self):
        self.heard, self.n = set(), 0
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.ntohs(3))
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        while True:
            packet, where = self.socket.recvfrom(65536)
            self.n += 1
            if where[1] == 0x0800:
                head, kind = (packet[0] & 15) * 4, packet[9]
                address = socket.inet_ntoa(packet[16:20])
            elif where[1] == 0x86dd:
                head, kind, address = 40, packet[6], socket.inet_ntop(socket.AF_INET6, packet[24:40])
            else:
                continue
            if kind in (6, 17):
                port = struct.unpack("!H", packet[head + 2:head + 4])[0]
                if kind == 17 or packet[head + 13] & 0x12 == 0x02:
                    self.heard.add((address, port))


def text(script, fallback, other):
    return (f'generator:\n  mode: "custom"\n  fallback: [{fallback}]\n  custom:\n    script_path: "{SCRIPTS / script}"\n'
            f'  vllm:\n    endpoint: "{other.url}/v1"\n    model_name: "m"\n'
            f'  api:\n    provider: "openai"\n    fallbacks:\n      - name: "second"\n{record(other, "        ")}' + chain())


def main():
    try:
        network()
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"SKIP faults: who is spoken to: no network of one's own can be made here ({error})")
        return 0
    ear = Ear()
    other = Target(wire.OpenAI()).start()
    env = {**ENV, "OPENAI_API_KEY": other.wire.key}
    for script, answered in (("spare.sh", True), ("exit3.sh", False)):
        with Rig(other, text(script, "", other), env=env) as rig:
            ear.heard.clear()
            for task in ("blueprint", "characters"):
                check(f"faults: alone in a network, fallback [], {script}: {task} is {'answered' if answered else 'refused'}",
                      rig.ask(task).ok == answered)
            time.sleep(0.8)  # two probe intervals
            strangers = {h for h in ear.heard if h not in {("127.0.0.1", rig.port), ("127.0.0.1", rig.admin)}}
            check(f"faults: alone in a network, fallback [], {script}: nobody but the validator and the owner is spoken to",
                  not strangers and ("127.0.0.1", rig.port) in ear.heard and not other.requests, strangers)
            rig.stop()
    with Rig(other, text("exit3.sh", "api", other), env=env) as rig:
        ear.heard.clear()
        a = rig.ask()
        check("faults: alone in a network: with a provider behind, its name is looked up and the one behind it answers",
              a.ok and any(port == 53 for _, port in ear.heard), (a, ear.heard))
        check("faults: alone in a network: a name server that says nothing costs no more than the time without progress",
              a.wall < 2.6, a)
        rig.stop()
    return 1 if harness.failed else 0


if __name__ == "__main__":
    sys.exit(main())
