# SPDX-License-Identifier: MIT
"""A hub on loopback with everything that goes wrong with hubs, and the storage it redirects to.

hub = Hub(); hub.put("owner/name", "x-Q4_K_M.gguf", content, **faults). Every request is in hub.seen as
(host, path, headers). `host` is "hub" or "storage": two ports, so two origins."""
import hashlib
import http.server
import json
import ssl
import struct
import threading
import urllib.parse

import random


def gguf(n_bytes=0, layers=4, seed=1, split=None, cut=0, stub=""):
    """A small model file that makes sense: head, one tensor of `n_bytes` random bytes. `stub`: lines for the
    library in tests/stub_llama."""
    def text(s):
        return struct.pack("<Q", len(s)) + s.encode()

    def pair(key, value):
        if isinstance(value, str):
            return text(key) + struct.pack("<I", 8) + text(value)
        return text(key) + struct.pack("<II", 4, value)

    pairs = [pair("general.architecture", "llama"), pair("general.name", "Double"),
             pair("llama.block_count", layers), pair("llama.context_length", 4096),
             pair("llama.embedding_length", 64), pair("llama.attention.head_count", 4),
             pair("llama.attention.head_count_kv", 2)]
    if split:
        pairs += [pair("split.no", split[0]), pair("split.count", split[1])]
    if stub:
        pairs.append(pair("stub.options", "#stub\n" + stub))
    n = max(64, n_bytes // 64 * 64)
    head = b"GGUF" + struct.pack("<IQQ", 3, 1, len(pairs)) + b"".join(pairs)
    head += text("blk.0.x") + struct.pack("<IQIQ", 1, n, 24, 0)  # I8
    head += b"\0" * (-len(head) % 32)
    block = random.Random(seed).randbytes(1 << 16)
    body = (block * (n // len(block) + 1))[:n]
    return (head + body)[:len(head) + n - cut]


class Hub:
    def __init__(self, certificate=None, plain_storage=False):
        """`certificate`: (file, key) to speak TLS as localhost; `plain_storage`: but not where it redirects to."""
        self.files = {}  # (repo, path) -> (content, faults)
        self.seen = []
        self.counts = {}
        self.lock = threading.Lock()
        self.gate = threading.Event()  # what "stops_after" waits for
        self.hub, self.url = self.serve("hub", self.hub_get, certificate)
        self.storage, self.storage_url = self.serve("storage", self.storage_get, not plain_storage and certificate)

    def serve(self, name, get, certificate):
        double = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                with double.lock:
                    double.seen.append((name, self.path, dict(self.headers)))
                    key = (name, self.path)
                    double.counts[key] = double.counts.get(key, 0) + 1
                    self.nth = double.counts[key]
                try:
                    get(self)
                except OSError:
                    self.close_connection = True

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass

        server = Server(("127.0.0.1", 0), Handler)
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            # The handshake happens with the first read, on the connection's own thread.
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        scheme, host = ("https", "localhost") if certificate else ("http", "127.0.0.1")
        return server, f"{scheme}://{host}:{server.server_port}"

    def put(self, repo, path, content, **faults):
        with self.lock:
            self.files[repo, path] = (content, faults)
        return hashlib.sha256(content).hexdigest()

    def requests(self, text, host=None):
        with self.lock:
            return [s for s in self.seen if text in s[1] and host in (None, s[0])]

    # ---- answers

    @staticmethod
    def send(h, status, body=b"", **headers):
        h.send_response(status)
        for k, v in headers.items():
            h.send_header(k.replace("_", "-"), str(v))
        h.send_header("Content-Length", str(len(body)))
        h.end_headers()
        h.wfile.write(body)

    def hub_get(self, h):
        path = urllib.parse.urlsplit(h.path).path
        if path.startswith("/api/models/"):
            return self.list(h, path[len("/api/models/"):-len("/tree/main")])
        repo, _, file = path[1:].partition("/resolve/main/")
        file = urllib.parse.unquote(file)
        content, faults = self.files.get((repo, file), (None, {}))
        if content is None:
            return self.send(h, 404, b"Entry not found")
        if self.refuses(h, faults):
            return None
        if faults.get("loop"):
            return self.send(h, 302, Location=h.path)
        if faults.get("plain"):  # a mirror without redirects, names of content or anything
            return self.bytes(h, content, faults)
        headers = {"Location": f"{self.storage_url}/{urllib.parse.quote(repo)}/{urllib.parse.quote(file)}?sig={h.nth}"}
        if not faults.get("unnamed"):
            headers["X-Linked-Etag"] = '"%s"' % faults.get("says_sha256", hashlib.sha256(content).hexdigest())
            headers["X-Linked-Size"] = len(content)
        return self.send(h, 302, b"Found", **headers)

    def refuses(self, h, faults):
        token = h.headers.get("Authorization")
        if faults.get("gated") and token != "Bearer hf_good":
            self.send(h, 403 if token else 401, b"Access is restricted")
        elif h.nth <= faults.get("rate_limited", 0):
            self.send(h, 429, b"slow down", Retry_After=1)
        elif h.nth <= faults.get("broken", 0):
            self.send(h, 503, b"down")
        else:
            return False
        return True

    def list(self, h, repo):
        files = [(p, c, f) for (r, p), (c, f) in self.files.items() if r == repo]
        if not files:
            return self.send(h, 401, b"Repository not found")
        if any(self.refuses(h, f) for _, _, f in files[:1]):
            return None
        rows = [{"type": "file", "path": "README.md", "size": 10, "oid": "0" * 40},
                {"type": "file", "path": "../../evil.gguf", "size": 10, "oid": "0" * 40},
                {"type": "directory", "path": "sub.gguf", "oid": "0" * 40}]
        for path, content, faults in files:
            if path.endswith((".gguf", ".safetensors")):
                size = faults.get("says_bytes", len(content))
                rows.append({"type": "file", "path": path, "size": size,
                             "lfs": {"oid": hashlib.sha256(content).hexdigest(), "size": size}})
        return self.send(h, 200, json.dumps(rows).encode(), Content_Type="application/json")

    def storage_get(self, h):
        path = urllib.parse.unquote(urllib.parse.urlsplit(h.path).path[1:])
        owner, name, file = path.split("/", 2)
        content, faults = self.files[f"{owner}/{name}", file]
        if faults.get("expires") and h.headers.get("Range") != "bytes=0-0" and "sig=1" in h.path:
            return self.send(h, 403, b"Request has expired")
        return self.bytes(h, content, faults)

    def bytes(self, h, content, faults):
        """The content, or the range of it that is asked for, with what is wrong with this server."""
        total = faults.get("claims_bytes", len(content))
        asked = h.headers.get("Range")
        probe = asked == "bytes=0-0"
        etag = '"%s"' % hashlib.md5(content).hexdigest()
        if h.headers.get("If-Range", etag) != etag:
            asked = None
        first, last = 0, total - 1
        if asked and not faults.get("no_ranges"):
            a, _, b = asked[len("bytes="):].partition("-")
            first, last = int(a), min(int(b or last), last)
        else:
            asked = None
        if not probe and h.nth <= faults.get("answers_416", 0):
            return self.send(h, 416, b"", Content_Range=f"bytes */{total}")
        body = content[first:last + 1]
        if faults.get("spoils") and not probe:
            body = body[:-1] + bytes([body[-1] ^ 1])
        h.send_response(206 if asked else 200)
        if asked:
            shift = 7 if faults.get("wrong_range") and not probe else 0
            h.send_header("Content-Range", f"bytes {first + shift}-{last + shift}/{total}")
        if not faults.get("unnamed"):
            h.send_header("ETag", etag)
        h.send_header("Content-Length", str(len(body) if "claims_bytes" not in faults or probe else total))
        h.end_headers()
        cut = faults.get("cuts_after")
        if cut and not probe:
            h.wfile.write(body[:cut])
            h.close_connection = True
            return None
        stop = faults.get("stops_after")
        if stop and not probe and not self.gate.is_set():
            h.wfile.write(body[:stop])
            h.wfile.flush()
            self.gate.wait(60)
            body = body[stop:]
        h.wfile.write(body)
        return None

    def close(self):
        self.gate.set()
        self.hub.shutdown()
        self.storage.shutdown()
