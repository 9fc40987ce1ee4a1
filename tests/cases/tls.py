# SPDX-License-Identifier: MIT
"""Providers and services over TLS: a certificate that nobody vouches for is refused before anything is said, an owner's
own authority is trusted when it is named, proxies are those of the environment, and HTTP/2 is spoken where the server can
(nghttpd, told apart by its log)."""
import http.server
import json
import os
import pathlib
import re
import shutil
import ssl
import subprocess
import sys
import tempfile
import threading
import time

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent.parent), str(pathlib.Path(__file__).resolve().parent.parent / "faults")]
import harness  # noqa: E402
import wire  # noqa: E402
from fault_server import Target  # noqa: E402
from harness import ROOT, Miner, check, run  # noqa: E402
from rig import ENV  # noqa: E402

TMP = pathlib.Path(tempfile.mkdtemp(prefix="storyfi-tls-"))
STORIES = ROOT / "tests" / "data" / "story"


def openssl(*args):
    subprocess.run(["openssl", *map(str, args)], cwd=TMP, check=True, capture_output=True)


def certificate(name, host, authority=""):
    """NAME.pem and NAME.key; an authority itself when nobody signs it."""
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", f"{name}.key")
    if not authority:
        openssl("req", "-x509", *key, "-subj", f"/CN={host}", "-out", f"{name}.pem", "-days", 2)
        return
    (TMP / f"{name}.ext").write_text(f"subjectAltName=DNS:{host}\n")
    openssl("req", *key, "-subj", f"/CN={host}", "-out", f"{name}.csr")
    openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{authority}.pem", "-CAkey", f"{authority}.key", "-CAcreateserial",
            "-extfile", f"{name}.ext", "-out", f"{name}.pem", "-days", 2)


class Encrypted(Target):
    """A target behind TLS, without HTTP/2."""

    def __init__(self, made, name):
        super().__init__(made)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(TMP / f"{name}.pem", TMP / f"{name}.key")

    @property
    def url(self):
        return f"https://localhost:{self.port}"

    def serve(self, line):
        try:
            line.sock = self.context.wrap_socket(line.sock, server_side=True)
        except OSError:  # the client hung up on the certificate
            line.sock.close()
            return
        super().serve(line)


def config(name, url, more=""):
    path = TMP / f"{name}.yaml"
    path.write_text(f'{more}generator:\n  mode: "api"\n  fallback: []\n  api:\n    endpoint: "{url}/v1"\n    model: "gpt-4o-mini"\n')
    return path


ALONE = {**os.environ, **ENV, "SSL_CERT_FILE": "", "OPENAI_API_KEY": wire.OpenAI.key}


def generate(file, *flags, task="blueprint", **env):
    return run("generate", "--alone", "--task", task, "--input", "the sea", "--config", file, *flags, env={**ALONE, **env})


def trust():
    certificate("ca", "an authority of our own")
    certificate("server", "localhost", "ca")
    certificate("other", "other.example", "ca")
    ca = TMP / "ca.pem"
    target = Encrypted(wire.OpenAI(), "server").start()
    file = config("system", target.url)
    r = generate(file)
    check("tls: a certificate that nobody vouches for is refused, with cause and remedy", r.returncode == 111
          and "certificate is not trusted" in r.stderr and "ca_file" in r.stderr, r.stderr)
    check("tls: and nothing was said to that server", not target.requests, target.requests)
    r = run("doctor", "--mode", "api", "--config", file, env=ALONE)
    check("tls: the doctor says it too", r.returncode == 1 and "certificate is not trusted" in r.stdout, r.stdout)
    check("tls: SSL_CERT_FILE names an authority to trust", generate(file, SSL_CERT_FILE=str(ca)).returncode == 0)
    r = generate(config("named", target.url, f'ca_file: "{ca}"\n'))
    check("tls: so does ca_file", r.returncode == 0, r.stderr)
    r = generate(file, "--ca_file", TMP / "absent.pem")
    check("tls: an authority's file that is not there is named", r.returncode == 111 and "absent.pem" in r.stderr
          and "SSL_CERT_FILE" in r.stderr, r.stderr)
    wrong = Encrypted(wire.OpenAI(), "other").start()
    r = generate(config("other", wrong.url, f'ca_file: "{ca}"\n'))
    check("tls: a certificate for another name is refused", r.returncode == 111 and not wrong.requests
          and "certificate is not trusted" in r.stderr, r.stderr)

class Proxy(http.server.BaseHTTPRequestHandler):
    """Answers for whomever it is asked to reach; refuses tunnels. Notes what it was asked."""
    asked = []

    def do_POST(self):
        self.asked.append((self.command, self.path, self.headers.get("Authorization"), self.headers.get("Proxy-Authorization")))
        self.rfile.read(int(self.headers["Content-Length"]))
        body = json.dumps({"content": json.loads((STORIES / "blueprint.json").read_text())}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_CONNECT(self):
        self.asked.append((self.command, self.path, self.headers.get("Authorization"), self.headers.get("Proxy-Authorization")))
        self.send_error(403)

    do_GET = do_CONNECT

    def log_message(self, *_):
        pass


def proxies():
    """Hosts are names that no resolver knows: only the proxy can answer."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://me:secret-of-the-proxy@127.0.0.1:{server.server_address[1]}"
    file = TMP / "service.yaml"
    file.write_text('generator:\n  mode: "custom"\n  fallback: []\n  custom:\n    endpoint: "http://writer.invalid/generate"\n')
    r = generate(file, http_proxy=address, no_proxy="")
    check("tls: an http address is asked through http_proxy", r.returncode == 0
          and any(method == "POST" and path == "http://writer.invalid/generate" and given for method, path, _, given in Proxy.asked),
          (r.stderr, Proxy.asked))
    Proxy.asked.clear()
    r = generate(config("tunnel", "https://provider.invalid"), https_proxy=address, no_proxy="")
    check("tls: an https one through a tunnel of https_proxy; its refusal is no answer, and the key goes not in clear",
          r.returncode == 111 and Proxy.asked and all(method == "CONNECT" and path == "provider.invalid:443" and key is None
                                                      for method, path, key, _ in Proxy.asked), (r.stderr, Proxy.asked))
    check("tls: a proxy's password is in no message", "secret-of-the-proxy" not in r.stderr + r.stdout, r.stderr)
    Proxy.asked.clear()
    r = generate(config("direct", "https://provider.invalid"), https_proxy=address, no_proxy="provider.invalid")
    check("tls: no_proxy is kept to", r.returncode == 111 and not Proxy.asked, (r.stderr, Proxy.asked))
    server.shutdown()


class Nghttpd:
    """HTTP/2 over TLS, and nothing else; files are its answers. `log` has a line a frame, with its connection."""

    def __init__(self):
        self.port = Miner.free_port()
        self.root = TMP / "h2"
        self.root.mkdir()
        self.path = TMP / "nghttpd.log"

    def __enter__(self):
        with open(self.path, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(["nghttpd", "-v", "--address=127.0.0.1", "--no-content-length", "-d", self.root,
                                             str(self.port), TMP / "server.key", TMP / "server.pem"], stdout=log, stderr=log)
        end = time.monotonic() + 10
        while "listen" not in self.log() and time.monotonic() < end:
            time.sleep(0.02)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def log(self):
        return re.sub(r"\x1b\[[0-9;]*m", "", self.path.read_text(errors="replace"))

    def says(self, name, story):
        """Under a folder of that name: what was read once is kept."""
        folder = self.root / name / "v1" / "chat"
        folder.mkdir(parents=True)
        (folder / "completions").write_text(json.dumps({
            "id": "1", "object": "chat.completion", "model": "gpt-4o-mini", "usage": {"prompt_tokens": 10, "completion_tokens": 20},
            "choices": [{"index": 0, "finish_reason": "stop",
                         "message": {"role": "assistant", "content": json.dumps(story)}}]}))


def http_2():
    if not shutil.which("nghttpd"):
        print("SKIP tls: HTTP/2 (no nghttpd: tools/setup.sh --test installs nghttp2-server)")
        return
    with Nghttpd() as server:
        more = f'ca_file: "{TMP / "ca.pem"}"\n'
        server.says("one", json.loads((STORIES / "blueprint.json").read_text()))
        r = generate(config("one", f"https://localhost:{server.port}/one", more))
        check("tls: a provider is spoken to in HTTP/2 where it offers that", r.returncode == 0
              and ":method: POST" in server.log() and ":path: /one/v1/chat/completions" in server.log(), r.stderr + server.log()[-900:])
        chapter = json.loads((STORIES / "chapters.json").read_text())["chapters"][0]
        server.says("four", {"chapters": [chapter]})
        before = len(set(re.findall(r"\[id=(\d+)\]", server.log())))
        context = TMP / "four.json"
        context.write_text(json.dumps({"chapter_ids": [1, 2, 3, 4]}))
        r = generate(config("four", f"https://localhost:{server.port}/four", more), "--context", context, task="chapters")
        log = server.log()
        connections = len(set(re.findall(r"\[id=(\d+)\]", log))) - before
        streams = len(re.findall(r":method: POST", log)) - 1
        # Four equal chapters are no valid answer; how they were asked for is what counts here.
        check("tls: four chapters are four streams of one connection", streams >= 4 and connections == 1,
              (r.stderr, streams, connections))


def main():
    for part in (trust, proxies, http_2):
        try:
            part()
        except Exception as error:  # a part that breaks must not hide the others
            check(f"tls: {part.__name__} runs to its end", False, repr(error))
    return 1 if harness.failed else 0


if __name__ == "__main__":
    sys.exit(main())
