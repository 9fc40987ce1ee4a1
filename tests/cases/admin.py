# SPDX-License-Identifier: MIT
"""Who may look at the admin listener, from outside: token, login, cookie, limits, Host and Origin, headers, TLS."""
import contextlib
import http.client
import json
import os
import pathlib
import random
import socket
import ssl
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
from harness import Miner, check, run, script_config  # noqa: E402
import harness  # noqa: E402

TOKEN = "correct-horse-battery-staple"
ENV = {"LOOK_IN": TOKEN}
TMP = pathlib.Path(tempfile.mkdtemp(prefix="storyfi-admin-"))
CONFIG = script_config("stories.py")
JSON = {"Content-Type": "application/json"}


def ask(m, path, method="GET", headers=None, body=None, port=None, tls=None):
    """(status, headers with small names, body)"""
    port = port or m.admin
    c = (http.client.HTTPSConnection("127.0.0.1", port, timeout=20, context=tls) if tls else
         http.client.HTTPConnection("127.0.0.1", port, timeout=20))
    with contextlib.closing(c):
        c.request(method, path, body, headers or {})
        r = c.getresponse()
        return r.status, {k.lower(): v for k, v in r.getheaders()}, r.read()


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def login(m, token, **kwargs):
    return ask(m, "/login", "POST", {**JSON, **kwargs.pop("headers", {})}, json.dumps({"token": token}), **kwargs)


def without_token():
    with Miner(CONFIG) as m:
        status, headers, body = ask(m, "/api/session")
        session = json.loads(body)
        check("admin: on loopback nobody is asked", status == 200 and session["login_required"] is False and
              session["hotkey"] == m.hotkey and "version" in session and "netuid" in session, body)
        check("admin: every answer has the guards", headers.get("content-security-policy") ==
              "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'" and
              headers.get("x-content-type-options") == "nosniff" and
              headers.get("referrer-policy") == "no-referrer", headers)
        check("admin: they are on refusals too", "content-security-policy" in ask(m, "/nothing")[1])
        files(m)
        names(m)
        methods(m)
        axon(m)
        status, headers, _ = ask(m, "/login")
        check("admin: nothing to log in to", (status, headers.get("location")) == (303, "/") and
              login(m, "x" * 20)[0] == 404, (status, headers))


def files(m):
    status, headers, body = ask(m, "/assets/login.js")
    check("admin: files are served with their type", status == 200 and body == (harness.ROOT / "web/login.js")
          .read_bytes() and headers["content-type"].startswith("text/javascript") and
          headers["cache-control"] == "no-cache", headers)
    again = ask(m, "/assets/login.js", headers={"If-None-Match": headers["etag"]})
    other = ask(m, "/assets/login.js", headers={"If-None-Match": '"another"'})
    check("admin: a file the browser has is not sent again", again[0] == 304 and again[2] == b"" and
          again[1].get("etag") == headers["etag"] and other[0] == 200, again)
    check("admin: the login page is a type of its own", ask(m, "/assets/login.html")[1]["content-type"] ==
          "text/html; charset=utf-8")
    bad = [p for p in ("/assets/", "/assets/../etc/passwd", "/assets/%2e%2e/storyfi", "/assets/nothing.js",
                       "/assets/login.js/") if ask(m, p)[0] != 404]
    check("admin: no other file is", not bad, bad)
    pages = [p.name for p in (harness.ROOT / "web").glob("*.*") if ask(m, f"/assets/{p.name}")[0] != 200]
    check("admin: every file of web/ is there", not pages, pages)


def names(m):
    bad = [h for h in ("evil.example", "127.0.0.1.evil.example", f"evil.example:{m.admin}", "10.1.2.3", "")
           if ask(m, "/api/session", headers={"Host": h})[0] != 403]
    good = [h for h in (f"localhost:{m.admin}", "127.0.0.1", "[::1]:1") if
            ask(m, "/api/session", headers={"Host": h})[0] != 200]
    check("admin: only by this machine's names (DNS rebinding)", not bad and not good, (bad, good))
    host = f"localhost:{m.admin}"
    bad = [o for o in ("http://evil.example", "http://localhost:1", "null", f"http://localhost:{m.admin}.evil.example")
           if ask(m, "/api/session", headers={"Host": host, "Origin": o})[0] != 403]
    check("admin: only from its own pages", not bad and
          ask(m, "/api/session", headers={"Host": host, "Origin": f"http://{host}"})[0] == 200, bad)


def methods(m):
    body = json.dumps({"task_type": "blueprint", "user_input": "the sea"})
    plain = ask(m, "/generate", "POST", {"Content-Type": "text/plain"}, body)[0]
    form = ask(m, "/generate", "POST", {"Content-Type": "application/x-www-form-urlencoded"}, "a=b")[0]
    check("admin: changes by POST with JSON alone", (plain, form, ask(m, "/generate")[0], ask(m, "/logout")[0],
                                                     ask(m, "/status", "POST", JSON, "{}")[0]) ==
          (415, 415, 405, 405, 405), (plain, form))
    check("admin: HEAD is answered", ask(m, "/health", "HEAD")[0] == 200)


def axon(m):
    paths = ("/", "/login", "/status", "/ready", "/metrics", "/api/session", "/assets/login.js", "/generate", "/api/events")
    bad = [p for p in paths if ask(m, p, port=m.port)[0] != 404]
    check("admin: the axon's port serves nothing of it", not bad and
          json.loads(ask(m, "/health", port=m.port)[2]) == {"status": "ok"}, bad)


def with_token():
    with Miner(CONFIG, ["--admin.token_env", "LOOK_IN"], env=ENV) as m:
        closed = [p for p in ("/status", "/metrics", "/api/session", "/api/nothing", "/nothing") if ask(m, p)[0] != 401]
        opened = [p for p in ("/health", "/ready", "/login", "/assets/app.css") if ask(m, p)[0] != 200]
        check("admin: without the token only what may be seen", not closed and not opened, (closed, opened))
        status, headers, _ = ask(m, "/")
        check("admin: the page leads to the login", (status, headers.get("location")) == (303, "/login"), headers)
        check("admin: the token opens", ask(m, "/status", headers=bearer(TOKEN))[0] == 200 and
              ask(m, "/generate", "POST", JSON, "{}")[0] == 401)
        cookies(m)
        clients(m)
        limits(m)
        log = m.log.read_text()
        check("admin: neither token nor session stands in the log", TOKEN not in log and "wrong token" in log and
              log.count("wrong token") <= 6, log[-300:])


def cookies(m):
    status, headers, body = login(m, TOKEN)
    cookie = headers.get("set-cookie", "")
    name, flags = cookie.split("; ")[0], set(cookie.split("; ")[1:])
    check("admin: logging in gives a cookie for this site alone", status == 204 and body == b"" and
          {"HttpOnly", "SameSite=Strict", "Path=/"} <= flags and "Secure" not in flags and
          name.startswith(f"storyfi_session_{m.admin}=") and len(name.split("=")[1]) == 64, cookie)
    check("admin: two logins are two sessions", login(m, TOKEN)[1]["set-cookie"].split("; ")[0] != name)
    session = {"Cookie": f"theme=dark; {name}"}
    check("admin: the cookie opens", ask(m, "/status", headers=session)[0] == 200 and
          json.loads(ask(m, "/api/session", headers=session)[2])["login_required"] is True and
          ask(m, "/login", headers=session)[0] == 303)
    forged = {"Cookie": name[:-1] + ("0" if name[-1] != "0" else "1")}
    check("admin: a forged one does not", ask(m, "/status", headers=forged)[0] == 401)
    status, headers, _ = ask(m, "/logout", "POST", {**JSON, **session}, "{}")
    check("admin: logging out ends it", status == 204 and "Max-Age=0" in headers["set-cookie"] and
          ask(m, "/status", headers=session)[0] == 401, headers)
    bad = [b for b in ("", "{}", "[]", '{"token": 7}', '{"token": ""}', "x" * 9000)
           if ask(m, "/login", "POST", JSON, b)[0] != 400]
    check("admin: what is no login is said so", not bad, bad)
    check("admin: no login by a form, nor from another page", ask(
        m, "/login", "POST", {"Content-Type": "application/x-www-form-urlencoded"}, f"token={TOKEN}")[0] == 415 and
          login(m, TOKEN, headers={"Origin": "http://evil.example"})[0] == 403)


def clients(m):
    flags = ["--offline", "--config", m.config, "--admin.port", m.admin]
    env = {**os.environ, **ENV}
    said = run("status", *flags, "--admin.token_env", "LOOK_IN", env=env)
    mute = run("status", *flags, env=env)
    check("admin: storyfi status shows the token, or says what is missing", said.returncode == 0 and
          mute.returncode == 111 and "--admin.token_env" in mute.stderr, (said.stderr, mute.stderr))
    wrote = run("generate", "--task", "blueprint", "--input", "the sea", "--config", m.config, "--state_dir",
                m.dir / "state", "--admin.port", m.admin, "--admin.token_env", "LOOK_IN", env=env)
    check("admin: so does generate", wrote.returncode == 0 and "using the miner" in wrote.stderr, wrote.stderr)


def limits(m):
    kept = {"Cookie": login(m, TOKEN)[1]["set-cookie"].split("; ")[0]}
    tries = [login(m, "wrong")[0] for _ in range(12)]
    status, headers, body = login(m, TOKEN)
    check("admin: who guesses has to wait, even with the right one", tries[0] == 401 and tries[-1] == 429 and
          tries.count(401) <= 6 and status == 429 and headers.get("retry-after") == "60", (tries, body))
    check("admin: guesses at the header count too", ask(m, "/status", headers=bearer("wrong"))[0] == 429)
    check("admin: who is logged in goes on", ask(m, "/status", headers=kept)[0] == 200)


def refused(name, text, *flags, env=None):
    made = Miner(CONFIG)
    r = run("miner", *made.flags, "--axon.port", "0", "--admin.port", "0", *flags, env={**os.environ, **(env or {})},
            cwd=made.dir)
    check(f"admin: {name}", r.returncode == 100 and text in r.stderr and TOKEN not in r.stderr, (r.returncode, r.stderr))


def refusals():
    refused("beyond loopback only with a token", "openssl rand -hex 32", "--admin.ip", "0.0.0.0")
    refused("behind a proxy only with a token", "admin.public_url", "--admin.public_url", "https://miner.example.org")
    refused("a variable that is not set is named", "LOOK_IN, which is not set", "--admin.token_env", "LOOK_IN")
    refused("a token to guess is refused", "could be guessed", "--admin.token_env", "LOOK_IN", env={"LOOK_IN": "hunter2"})
    refused("a certificate without its key", "admin.tls_key", "--admin.tls_certificate", "x.pem")
    refused("a certificate that is not there", "admin.tls_certificate", "--admin.tls_certificate", TMP / "none",
            "--admin.tls_key", TMP / "none")
    refused("a file that is none", "is no PEM file", "--admin.tls_certificate", harness.__file__, "--admin.tls_key", harness.__file__)
    damaged = TMP / "damaged.pem"
    damaged.write_text("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n")
    refused("a damaged certificate", "is damaged", "--admin.tls_certificate", damaged, "--admin.tls_key", damaged)
    pair("a"), pair("b")
    refused("a key of another certificate", "made for that key", "--admin.tls_certificate", TMP / "a.pem",
            "--admin.tls_key", TMP / "b.key")
    subprocess.run(["openssl", "pkey", "-in", TMP / "a.key", "-aes128", "-passout", "pass:x", "-out", TMP / "locked.key"],
                   check=True)
    refused("a key with a password", "has a password", "--admin.tls_certificate", TMP / "a.pem",
            "--admin.tls_key", TMP / "locked.key")


def pair(name):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-keyout", TMP / f"{name}.key", "-out", TMP / f"{name}.pem", "-days", "2", "-subj", f"/CN={name}"],
                   check=True, capture_output=True)


class Anywhere(Miner):
    """Listens on all addresses: its ports are below those of outgoing connections, which could have them on one."""

    @staticmethod
    def free_port():
        while True:
            with contextlib.suppress(OSError), socket.socket() as s:
                port = random.randrange(12000, 32000)
                s.bind(("0.0.0.0", port))
                return port


def over_tls():
    """On all addresses, behind a name, with TLS: what a rented machine would have."""
    (TMP / "a.key").chmod(0o644)
    tls = ["--admin.ip", "0.0.0.0", "--admin.token_env", "LOOK_IN", "--admin.tls_certificate", TMP / "a.pem",
           "--admin.tls_key", TMP / "a.key", "--admin.public_url", "https://miner.example.org",
           "--admin.allowed_hosts", "rig.lan"]
    trust = ssl.create_default_context(cafile=TMP / "a.pem")
    trust.check_hostname = False
    with Anywhere(CONFIG, tls, env=ENV) as m:
        status, headers, _ = login(m, TOKEN, tls=trust)
        check("admin: over TLS the cookie is Secure", status == 204 and "; Secure" in headers["set-cookie"], headers)
        plain = b""
        with contextlib.suppress(OSError, http.client.HTTPException):
            plain = ask(m, "/health")[2]
        check("admin: without TLS nothing is said", plain == b"", plain)
        shakes = {}
        for version in ("1_1", "1_2", "1_3"):
            r = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{m.admin}", f"-tls{version}", "-cipher",
                                "ALL:@SECLEVEL=0"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20)
            shakes[version] = "Cipher is (NONE)" not in r.stdout
        check("admin: nor to old versions", shakes == {"1_1": False, "1_2": True, "1_3": True}, shakes)
        got = {h: ask(m, "/health", headers={"Host": h}, tls=trust)[0] for h in
               ("rig.lan:99", "miner.example.org", "10.9.8.7", "evil.example", "sub.miner.example.org")}
        check("admin: names of the owner, addresses, no other", list(got.values()) == [200, 200, 200, 403, 403], got)
        flags = [*m.flags[1:], "--admin.port", m.admin]
        env = {**os.environ, **ENV}
        said = run("status", *flags, env=env)
        check("admin: storyfi status trusts the configured certificate", said.returncode == 0, said.stderr)
        flags[flags.index(str(TMP / "a.pem"))] = TMP / "b.pem"
        said = run("status", *flags, env=env)
        check("admin: and no other", said.returncode == 111 and "certificate" in said.stderr, said.stderr)
        tries = [login(m, "wrong" * 9, tls=trust, headers={"X-Forwarded-For": "1.1.1.1, 9.9.9.9"})[0] for _ in range(8)]
        other = login(m, TOKEN, tls=trust, headers={"X-Forwarded-For": "9.9.9.9, 8.8.8.8"})[0]
        check("admin: behind the proxy the limit is the caller's", tries[-1] == 429 and other == 204, (tries, other))
        log = m.log.read_text()
        check("admin: a key that others may read is warned of, and a certificate that ends soon", "can be read by others" in log and
              "certificate ends soon" in log, log)


without_token()
with_token()
refusals()
over_tls()
sys.exit(harness.failed > 0)
