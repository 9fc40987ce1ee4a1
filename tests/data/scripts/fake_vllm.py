#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Stands in for vLLM: `fake_vllm.py serve MODEL --port P …`. What it does is in FAKE_VLLM: ready,
exits, never_ready, stubborn (no SIGTERM), floods; GET /engine_dies makes it answer /health with
503. FAKE_VLLM_NOTES is a file that gets one JSON line per start: its arguments, environment, pid
and that of a worker that sleeps for ever."""
import http.server
import json
import os
import signal
import subprocess
import sys

mode = os.environ.get("FAKE_VLLM", "ready")
port = int(sys.argv[sys.argv.index("--port") + 1])
if mode == "exits":
    print("ValueError: No available memory for the cache blocks.", file=sys.stderr)
    sys.exit(3)
if mode == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if mode == "floods":
    os.write(2, b"\x00\xff\x1b[31m " * 100000 + b"\n" + b"line\n" * 20000)


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        global mode
        if self.path == "/engine_dies":
            mode = "never_ready"
        up = mode != "never_ready" or self.path != "/health"
        body = b'{"object":"list","data":[{"id":"m"}]}' if self.path == "/v1/models" else b""
        self.send_response(200 if up else 503)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
worker = subprocess.Popen(["sleep", "1000"], start_new_session=False)
with open(os.environ["FAKE_VLLM_NOTES"], "a") as notes:
    notes.write(json.dumps({"argv": sys.argv[1:], "env": sorted(os.environ), "pid": os.getpid(),
                            "worker": worker.pid, "fds": sorted(os.listdir("/proc/self/fd"))}) + "\n")
server.serve_forever()
