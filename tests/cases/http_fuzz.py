# SPDX-License-Identifier: MIT
"""The axon's socket against requests that were recorded (of our own client) or written down
(fuzz/corpus/http), whole and damaged. Whatever comes, it answers in JSON or closes, and goes on serving."""
import json
import os
import pathlib
import random
import socket
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
import harness  # noqa: E402
from harness import ROOT, Miner, check, run, script_config  # noqa: E402

SEED = 20261124
DAMAGED = int(os.environ.get("STORYFI_HTTP_FUZZ", "40000" if os.environ.get("STORYFI_FULL") == "1" else "2000"))
FLAGS = ["--axon.head_timeout", "1", "--axon.body_timeout", "1", "--axon.max_connections_per_ip", "64",
         "--axon.max_requests_per_ip_per_minute", "0", "--axon.max_requests_per_hotkey_per_minute", "0"]
PIECES = [b"\r\n", b"\n", b"\0", b":", b"chunked", b"Content-Length: 5\r\n", b"bt_header_dendrite_nonce: 1\r\n", b"\xff\xfe",
          b"{", b"}", b'"', b"[" * 64, b"9" * 40, b"-1", b"HTTP/1.1", b"Transfer-Encoding: chunked\r\n", b"\\u0000", b"\\ud800",
          b"1e999", b'"user_input":"y",', b"%00", b"../", b"A" * 9000]


def recorded(task):
    """The bytes of one signed request of our own client, which no miner has seen."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(20)
        args = ["query", "--axon", f"127.0.0.1:{server.getsockname()[1]}", "--axon.hotkey", recorded.hotkey, "--task", task,
                "--input", "a keeper of bees", "--throwaway", "--timeout", "30"]
        client = threading.Thread(target=run, args=args)
        client.start()
        connection, _ = server.accept()
        connection.settimeout(20)
        data = b""
        while b"\r\n\r\n" not in data or len(data.split(b"\r\n\r\n", 1)[1]) < length_of(data):
            data += connection.recv(65536)
        connection.close()
        client.join()
        return data


def length_of(data):
    for line in data.split(b"\r\n\r\n")[0].split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            return int(line.split(b":")[1])
    return 0


def damage(data, dice):
    data = bytearray(data)
    for _ in range(dice.randint(1, 4)):
        at, kind = dice.randrange(len(data) + 1), dice.randrange(6)
        if kind == 0 and at < len(data):
            data[at] ^= 1 << dice.randrange(8)
        elif kind == 1:
            data[at:at] = dice.choice(PIECES)
        elif kind == 2:
            del data[at:at + dice.randint(1, 40)]
        elif kind == 3:
            data[at:at] = data[at:at + dice.randint(1, 400)]
        elif kind == 4:
            del data[at:]
        else:
            lines = bytes(data).split(b"\r\n")
            a, b = dice.randrange(len(lines)), dice.randrange(len(lines))
            lines[a], lines[b] = lines[b], lines[a]
            data = bytearray(b"\r\n".join(lines))
        if not data:
            data = bytearray(b"\r\n")
    return bytes(data)


def send(port, data):
    """What came back until the miner closed, or had nothing more to say."""
    got = b""
    with socket.create_connection(("127.0.0.1", port)) as s:
        s.settimeout(8)
        try:
            s.sendall(data)
            s.shutdown(socket.SHUT_WR)
            while piece := s.recv(65536):
                got += piece
        except TimeoutError:
            raise
        except OSError:  # closed on us
            pass
    return got


def is_well_formed(answer):
    """Nothing, or an HTTP answer; one with our headers has a JSON body."""
    if not answer:
        return True
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    status = lines[0].split(b" ")[1:2]
    if not lines[0].startswith(b"HTTP/1.") or not status or not 100 <= int(status[0]) < 600:
        return False
    if b"application/json" in head and int(status[0]) != 100:
        text = body[:length_of(answer)]
        return text == b"" or isinstance(json.loads(text), dict)
    return True


def main():
    dice = random.Random(SEED)
    with Miner(script_config("stories.py"), FLAGS) as m:
        recorded.hotkey = m.hotkey
        corpus = [p.read_bytes() for p in sorted((ROOT / "fuzz" / "corpus" / "http").iterdir())]
        ours = [recorded(t) for t in ("blueprint", "characters", "story_arc", "chapters")]
        wrong = [(i, a[:200]) for i, data in enumerate(corpus) if not is_well_formed(a := send(m.port, data))]
        check(f"http: {len(corpus)} written requests are answered or closed", not wrong, wrong)
        statuses = [send(m.port, data).split(b" ")[1:2] for data in corpus]
        check("http: none of them is taken for a story", all(s != [b"200"] or b"/health" in d for s, d in
                                                              zip(statuses, corpus)), statuses)
        wrong, made = [], 0
        for k in range(DAMAGED):
            answer = send(m.port, damage(dice.choice(ours + corpus if k % 4 == 0 else ours), dice))
            made += answer.startswith(b"HTTP/1.1 200")
            if not is_well_formed(answer):
                wrong.append((k, answer[:200]))
            if k % 500 == 499:
                check(f"http: it serves after {k + 1} damaged requests (seed {SEED})", m.query().returncode == 0)
        check("http: all were answered in form", not wrong, wrong)
        first = send(m.port, ours[0]), send(m.port, ours[0])
        # Damage that leaves a request whole may have used this nonce up.
        check("http: a recorded request is taken at most once", first[1].startswith(b"HTTP/1.1 40"), first[1][:300])
        check("http: few of the damaged ones were whole enough to be answered", made < DAMAGED / 4, made)
        check("http: and it ends well", m.stop() == 0, m.log.read_text()[-800:])
        text = m.log.read_text()
        check("http: no sanitizer spoke", "runtime error" not in text and "Sanitizer" not in text, text[-800:])
    return 1 if harness.failed else 0


if __name__ == "__main__":
    sys.exit(main())
