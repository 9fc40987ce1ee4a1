# SPDX-License-Identifier: MIT
"""A custom HTTP service on loopback that behaves as its test says, and the story scripts' answers for it."""
import http.server
import json
import pathlib
import subprocess
import sys
import threading
import time

SCRIPTS = pathlib.Path(__file__).parent / "data" / "scripts"


def story(request):
    """The content that tests/data/scripts/stories.py writes for a request."""
    r = subprocess.run([sys.executable, str(SCRIPTS / "stories.py")], input=json.dumps(request), capture_output=True,
                       text=True, check=True)
    return json.loads(r.stdout)["content"]


class Service:
    """POST is answered by `behave(handler, request)`; GET /health by `health` (a status)."""

    def __init__(self, behave=None, health=404, port=0):
        self.requests, self.headers, self.looked = [], [], []
        self.at_once = self.most_at_once = 0
        self.behave, self.health = behave or self.answer, health
        lock = threading.Lock()
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                service.looked.append(self.path)
                self.reply(service.health, b'{"status":"?"}')

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with lock:
                    service.requests.append(json.loads(body))
                    service.headers.append(dict(self.headers))
                    service.at_once += 1
                    service.most_at_once = max(service.most_at_once, service.at_once)
                try:
                    service.behave(self, service.requests[-1])
                except OSError:
                    self.close_connection = True
                finally:
                    with lock:
                        service.at_once -= 1

            def reply(self, status, body, headers=(), length=None):
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body) if length is None else length))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass

        self.server = Server(("127.0.0.1", port), Handler)
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/generate"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @staticmethod
    def answer(handler, request):
        handler.reply(200, json.dumps({"content": story(request)}).encode())

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def says(status, body, headers=(), length=None):
    """Behaviour: always this answer."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()

    def behave(handler, _):
        handler.reply(status, data, headers, length)
        if length is not None:
            handler.close_connection = True
    return behave


def wraps(make):
    """Behaviour: 200 with what `make(content)` makes of a valid content."""
    return lambda handler, request: handler.reply(200, json.dumps(make(story(request))).encode())


def silent(seconds):
    """Behaviour: says nothing for so long, then answers."""
    def behave(handler, request):
        time.sleep(seconds)
        Service.answer(handler, request)
    return behave
