# SPDX-License-Identifier: MIT
"""Providers that break on demand, on loopback: every Target is one server on a port of its own that speaks
one wire format (wire.py) and does with each paid request what its script says (misbehave.py). It logs all it
gets with monotonic times. In a test: Target(wire.OpenAI()).start(); by hand: python3 fault_server.py openai
9001, and then POST /__control__ {"script": ["500", "ok"], "always": "ok", "down": ""}, GET /__control__."""
import collections
import json
import select
import socket
import struct
import sys
import threading
import time

import misbehave

HEAD_MAX, BODY_MAX = 65536, 64 << 20


class Gone(Exception):
    """The client closed the connection before the answer was whole."""


class Request:
    """One request as it came, and what became of it."""

    def __init__(self, method, path, headers, data, line):
        self.method, self.path, self.headers, self.data = method, path, headers, data
        self.connection = line.number
        self.at = time.monotonic()
        self.ended = None
        self.status = 0
        self.step = ""
        self.outcome = "open"  # then: answered, failed, cut, gone (the client left first)
        self.generation = False
        try:
            self.body = json.loads(data) if data else None
        except ValueError:
            self.body = None

    def __repr__(self):
        took = "" if self.ended is None else f" {1000 * (self.ended - self.at):.0f} ms"
        return f"<{self.method} {self.path} [{self.step}] {self.status} {self.outcome}{took}>"


class Line:
    """One connection: reads requests, sends answers, breaks them."""

    def __init__(self, sock, number):
        self.sock, self.number, self.rest = sock, number, b""
        self.chunked = False
        self.served = 0  # requests so far
        sock.settimeout(30)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def more(self):
        piece = self.sock.recv(65536)
        if not piece:
            raise Gone
        self.rest += piece

    def until(self, mark, most):
        while mark not in self.rest:
            if len(self.rest) > most:
                raise Gone
            self.more()
        found, self.rest = self.rest.split(mark, 1)
        return found

    def exactly(self, n):
        while len(self.rest) < n:
            self.more()
        found, self.rest = self.rest[:n], self.rest[n:]
        return found

    def read_request(self):
        head = self.until(b"\r\n\r\n", HEAD_MAX).decode("latin-1").split("\r\n")
        method, path, _ = head[0].split(" ", 2)
        headers = {}
        for text in head[1:]:
            name, _, value = text.partition(":")
            headers[name.strip().lower()] = value.strip()
        if headers.get("expect", "").lower() == "100-continue":
            self.sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        if headers.get("transfer-encoding", "").lower() == "chunked":
            data = b""
            while size := int(self.until(b"\r\n", 64), 16):
                data += self.exactly(size)
                self.until(b"\r\n", 64)
            self.until(b"\r\n", 64)
        else:
            data = self.exactly(min(int(headers.get("content-length", 0)), BODY_MAX))
        return Request(method, path, headers, data, self)

    def send(self, data):
        try:
            self.sock.sendall(data)
        except OSError as error:
            raise Gone from error

    def head(self, status, headers, length=None):
        """Length None: a chunked body follows."""
        self.chunked = length is None
        lines = [f"HTTP/1.1 {status} {misbehave.REASONS.get(status, 'Status')}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        lines.append("transfer-encoding: chunked" if length is None else f"content-length: {length}")
        self.send(("\r\n".join(lines) + "\r\n\r\n").encode())

    def piece(self, data):
        self.send(b"%x\r\n%s\r\n" % (len(data), data) if self.chunked else data)

    def finish(self):
        if self.chunked:
            self.send(b"0\r\n\r\n")

    def reset(self):
        """The next thing the client sees is RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise misbehave.Cut

    def wait(self, seconds):
        """Sends nothing for so long; raises Gone as soon as the client leaves."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if select.select([self.sock], [], [], min(left, 0.5))[0]:
                try:
                    if not self.sock.recv(1, socket.MSG_PEEK):
                        raise Gone
                except OSError as error:
                    raise Gone from error
                time.sleep(min(left, 0.05))


class Target:
    """A server of one provider. `script` is used up step by step by paid requests, `always` is what comes
    when it is empty; `down` is a step for every request, free ones included ("" up, "refuse" no listener)."""

    def __init__(self, wire, name=None):
        self.wire, self.name = wire, name or wire.name
        self.lock = threading.Lock()
        self.script, self.always, self.down = collections.deque(), "ok", ""
        self.requests, self.lines = [], {}
        self.connections = 0
        self.progress = 0  # what /metrics of vLLM says was written
        self.socket = self.bound(0)
        self.port = self.socket.getsockname()[1]

    @staticmethod
    def bound(port):
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(("127.0.0.1", port))
        return s

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        self.socket.listen(256)
        threading.Thread(target=self.accept, args=(self.socket,), daemon=True).start()
        return self

    def accept(self, listener):
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            with self.lock:
                self.connections += 1
                line = Line(sock, self.connections)
                self.lines[line.number] = line
            threading.Thread(target=self.serve, args=(line,), daemon=True).start()

    def serve(self, line):
        try:
            while True:
                request = line.read_request()
                line.served += 1
                if not self.answer(line, request):
                    break
        except (Gone, OSError, ValueError):
            pass
        finally:
            with self.lock:
                self.lines.pop(line.number, None)
            line.sock.close()

    def take(self, request):
        """The step for this request."""
        request.generation = request.method == "POST" and self.wire.is_generation(request.path)
        if self.down:
            return self.down
        if not request.generation:
            return "ok"
        return self.script.popleft() if self.script else self.always

    def answer(self, line, request):
        if request.path == "/__control__":
            self.control(line, request)
            return True
        with self.lock:
            request.step = self.take(request)
            self.requests.append(request)
        keep = False
        try:
            keep = misbehave.act(self, line, request) is not False
            request.outcome = "answered" if request.status == 200 else "failed"
        except misbehave.Cut:
            request.outcome = "cut"
        except Gone:
            request.outcome = "gone"
        request.ended = time.monotonic()
        return keep

    def refuse(self):
        """The port is closed: connecting is refused, what was open is reset."""
        self.down = "refuse"
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.socket = self.bound(self.port)
        with self.lock:
            lines = list(self.lines.values())
        for line in lines:
            try:
                line.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def heal(self):
        with self.lock:
            was, self.down, self.always = self.down, "", "ok"
            self.script.clear()
        if was == "refuse":
            self.start()

    def forget(self):
        """Empties the log; returns what it was."""
        with self.lock:
            old, self.requests = self.requests, []
        return old

    def paid(self):
        with self.lock:
            return [r for r in self.requests if r.generation]

    def free(self):
        with self.lock:
            return [r for r in self.requests if not r.generation]

    def control(self, line, request):
        if request.body:
            if request.body.get("down") == "refuse":
                self.refuse()
                return
            self.heal()
            self.script.extend(request.body.get("script", []))
            self.always, self.down = request.body.get("always", "ok"), request.body.get("down", "")
        text = "\n".join(map(repr, self.requests)).encode() + b"\n"
        line.head(200, {"content-type": "text/plain"}, len(text))
        line.send(text)


def main():
    import wire
    kinds = {c.name: c for c in wire.ALL}
    target = Target(kinds[sys.argv[1]]())
    if len(sys.argv) > 2:
        target.socket.close()
        target.socket = target.bound(int(sys.argv[2]))
        target.port = int(sys.argv[2])
    target.start()
    print(f"{target.name} at {target.url}; key {target.wire.key}", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
