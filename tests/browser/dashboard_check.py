# SPDX-License-Identifier: MIT
"""The dashboard of a real miner (a script that fails and waits as told, behind it the engine over the stub of
libllama) in real headless Chromium: Now, History, Doctor, Config, the frame around them, and logging in."""
import os
import pathlib
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from pages import Pages, webdriver  # noqa: E402
import harness  # noqa: E402
from harness import SCRIPTS, Miner, check  # noqa: E402

TOKEN = "correct-horse-battery-staple"
TAB, ENTER, ESCAPE = "\ue004", "\ue007", "\ue00c"
SCRIPT = f"""#!/usr/bin/env python3
import pathlib, subprocess, sys, time
here = pathlib.Path(__file__).parent
text = sys.stdin.read()
if (here / "fail").exists():
    sys.exit("told to fail <b>by a file</b>")
while (here / "hold").exists():
    time.sleep(0.02)
sys.stdout.write(subprocess.run([sys.executable, "{SCRIPTS / 'stories.py'}"], input=text, capture_output=True, text=True).stdout)
"""
IDEA = "a keeper of <script>alert(1)</script> bees"
CONFIG = """generator:
  mode: "custom"
  fallback: ["local"]
  custom:
    script_path: "{script}"
  local:
    model_name: "{model}"
    engine_path: "{engine}"
  chain:
    breaker_failures: 1
    breaker_open: 4
"""


class Rig(Miner):
    """A miner whose script obeys files: `fail`, `hold`."""

    def __init__(self, env=None, more=""):
        self.files = pathlib.Path(tempfile.mkdtemp(prefix="storyfi-dashboard-"))
        script = self.files / "teller.py"
        script.write_text(SCRIPT)
        script.chmod(0o755)
        model = self.files / "stub.gguf"
        model.write_text("chat 1\n")
        super().__init__(CONFIG.format(script=script, model=model, engine=os.environ["STORYFI_ENGINE"]) + more, env=env)

    def tell(self, word, on=True):
        (self.files / word).touch() if on else (self.files / word).unlink()

    def ask(self, task="blueprint", text=IDEA):
        """In the background; join the thread for its end."""
        thread = threading.Thread(target=self.query, args=(task, text), daemon=True)
        thread.start()
        return thread


# ---- Now -----------------------------------------------------------------------------------------

def first_run(p):
    p.open("#/now", "#generators .generator")
    check("now: a miner that has answered nothing says what comes next", p.sees(".steps li", "The first answer") and
          p.sees(".steps .done", "A generator that can answer"), p.text(".steps"))
    check("now: off the network it does not claim to earn", p.sees(".verdict", "Not on a subnet"), p.text(".verdict"))
    check("now: nothing in flight is said, with a way on", p.sees("#requests .empty a[href='#/play']"))
    check("now: both generators are ready", p.sees(".generator.good[data-name='custom']") and
          p.sees(".generator.good[data-name='local']"), p.text("#generators"))


def live(p, m):
    before = m.status()["requests"]
    m.tell("hold")
    asked = m.ask()
    check("now: a request appears while it is answered", p.sees("#requests .request.busy", "Blueprint"),
          p.text("#requests"))
    check("now: with the generator it went to", p.sees("#requests .request.busy .hop.busy", "custom"),
          p.text("#requests .trail"))
    check("now: the figure of requests in flight follows", p.until(
        "return document.querySelectorAll('#figures .value')[1].textContent === '1'"), p.text("#figures"))
    for width in (360, 1440):
        p.width(width)
        p.fits(f"now, a request in flight, {width} px")
    m.tell("hold", False)
    asked.join()
    check("now: then it is among the answered", p.sees("#requests .request.good .hop.good", "custom"),
          p.text("#requests"))
    check("now: the figure of answers follows", p.until(
        "return document.querySelector('#figures .value').textContent === arguments[0]", str(before + 1)), p.text("#figures"))
    check("now: and none is in flight", p.until(
        "return document.querySelectorAll('#figures .value')[1].textContent === '0'"), p.text("#figures"))
    check("now: the first step is done", p.until(
        "return ![...document.querySelectorAll('.steps li:not(.done)')].some((n) => n.textContent.includes('first answer'))"))


def red_and_back(p, m):
    # It is red until its breaker lets it try again: what was seen is kept, however long a look takes.
    p.run("""window.red = ''; new MutationObserver(() => {
        const n = document.querySelector(".generator.bad[data-name='custom']"); if (n) window.red = n.textContent;
        }).observe(document.getElementById('generators'), {subtree: true, childList: true});""")
    m.tell("fail")
    asked = m.ask()
    red = p.until("return window.red")
    check("now: a generator that fails turns red", red, p.text("#generators"))
    check("now: and says why, as text", "told to fail <b>by a file</b>" in red, red)
    asked.join()
    check("now: the request's way shows the failure and who answered", p.sees("#requests .hop.bad", "custom") and
          p.sees("#requests .hop.good", "local"), p.text("#requests"))
    m.tell("fail", False)
    end = time.monotonic() + 30
    while time.monotonic() < end and not p.sees(".generator.good[data-name='custom']", patience=0.5):
        m.ask().join()
    check("now: and green again", p.sees(".generator.good[data-name='custom']"), p.text("#generators"))


def lost_and_found(p, m):
    m.stop()
    check("shell: a lost connection is said", p.sees("#lost", "Connection lost") and p.sees("#connection.down"))
    m.start()
    check("shell: and found again by itself", p.sees("#connection.up") and not p.run(
        "return document.getElementById('lost').getClientRects().length"), p.text("#connection"))
    p.browser.console_errors()  # of the time without a miner


# ---- History -------------------------------------------------------------------------------------

def history(p, m):
    m.ask("characters", "一座会走路的灯塔").join()
    rows = ".history-list tbody tr"
    m.ask().join()
    p.until("""return fetch('/api/history').then((r) => r.json()).then((j) => j.requests.length > 2 &&
        j.requests[1].task === 'characters')""")  # the journal is a second behind
    p.open("#/history", rows)
    check("history: requests are listed", len(p.browser.find(rows)) >= 3, p.text(".history-list"))
    check("history: what was asked is text", p.sees(rows, "<script>alert(1)</script>"))
    check("history: a chart of the time to answer, or word that there is none",
          p.sees("#latency canvas") or p.sees(".notice", "Charts were not built in"))
    p.run("const s = document.querySelectorAll('.filters select')[1]; s.value = 'characters';"
          "s.dispatchEvent(new Event('change', {bubbles: true}))")
    check("history: a filter narrows the list", p.until(
        "const r = document.querySelectorAll(arguments[0]); return r.length === 1 && r[0].textContent.includes('灯塔')", rows), p.text(".history-list"))
    check("history: and stands in the address", "task=characters" in p.run("return location.hash"))
    p.run("const s = document.querySelector('.filters input[type=search]'); s.value = 'no such words';"
          "s.dispatchEvent(new Event('change', {bubbles: true}))")
    check("history: nothing found is said", p.sees(".history-list .empty", "Nothing matches"))
    p.click(".history-list .empty button")
    check("history: clearing shows all", p.until("return document.querySelectorAll(arguments[0]).length >= 3", rows))
    m.ask().join()
    check("history: what comes in meanwhile is offered", p.sees("#requests .card-aside button", "1 new"), p.text("#requests header"))
    before = len(p.browser.find(rows))
    p.until("""return fetch('/api/history').then((r) => r.json()).then((j) => j.requests.length > arguments[0])""", before)
    p.click("#requests .card-aside button")
    check("history: and shown when asked for", p.until("return document.querySelectorAll(arguments[0]).length > arguments[1]",
                                                      rows, before))
    one_request(p)


def one_request(p):
    p.click(".history-list tbody tr a", 2)
    check("request: opens beside the list", p.sees(".panel h2", "Characters #"), p.text(".panel"))
    check("request: has the focus", p.until("return document.activeElement.id === 'request-title'"))
    check("request: its idea, its way, its answer", p.sees(".panel blockquote", "灯塔") and p.sees(".panel .step.good") and
          p.sees(".panel .reading", "protagonist"), p.text(".panel"))
    check("request: its structure score", p.sees(".panel .pairs", "of 40"), p.text(".panel .pairs"))
    seed = p.run("""return fetch('/api/requests/' + location.hash.match(/history\\/(\\d+)/)[1]).then((r) => r.text())
        .then((text) => text.match(/"seed": ?(-?\\d+)/)[1])""")
    check("request: its seed to the last digit", p.sees(".panel .pairs", seed), (seed, p.text(".panel .pairs")))
    p.press(ESCAPE)
    check("request: Escape closes it", p.until("return location.hash.startsWith('#/history') && "
                                               "document.querySelector('.history-panel').hidden"))
    check("request: and the focus is back in the list",
          p.until("return document.activeElement.closest('.history-list') !== null"))
    p.open("#/history/999999", ".panel")
    check("request: one that is not there is said", p.sees(".panel .notice.bad"), p.text(".panel"))
    p.browser.console_errors()  # its 404


# ---- Doctor, Config ------------------------------------------------------------------------------

def doctor(p):
    p.open("#/doctor", "#doctor-run")
    p.click("#doctor-run")
    check("doctor: lines arrive", p.sees(".check"), p.text("#main"))
    check("doctor: and a verdict", p.sees(".notices .notice"), p.text("#main"))
    check("doctor: what failed has a remedy beside it", p.run(
        "return [...document.querySelectorAll('.check.bad')].every((n) => n.querySelector('.remedy'))"), p.text(".doctor-results"))
    check("doctor: can be run again and copied", p.sees("#doctor-run", "Run again") and p.sees(".doctor-tools"))


def config(p, m):
    p.open("#/config", ".option")
    check("config: a value with its file and line", p.sees(".option[data-key='generator.mode'] code", "custom") and
          p.sees(".option[data-key='generator.mode'] .option-from", ":2"), p.text(".option[data-key='generator.mode']"))
    check("config: a secret is only said to be set or not", p.sees(".option .secret"))
    every = len(p.browser.find(".option"))
    p.click(".config-tools .tick input")
    changed = p.until("const n = document.querySelectorAll('.option'); return n.length < arguments[0] && "
                      "[...n].every((o) => o.classList.contains('changed'))", every)
    check("config: only what differs from the default", changed, p.text(".config-list")[:300])
    p.click(".config-tools .tick input")
    p.run("const s = document.querySelector('.config-tools input[type=search]'); s.value = 'breaker open';"
          "s.dispatchEvent(new Event('input'))")
    check("config: search finds by name", p.sees(".option[data-key='generator.chain.breaker_open']") and
          len(p.browser.find(".option")) < 12, len(p.browser.find(".option")))
    good = m.config.read_text()
    m.config.write_text(good.replace('"custom"', '"costum"'))
    p.click("#reload")
    check("config: a broken file is refused, with the reason", p.sees(".notice.bad", "costum"), p.text(".notices"))
    p.browser.console_errors()  # its 409
    m.config.write_text(good)
    p.click("#reload")
    check("config: a good one is read", p.sees(".notice.good"), p.text(".notices"))


# ---- the frame -----------------------------------------------------------------------------------

FOCUS = "const n = document.activeElement; return n.dataset.page || n.id || n.className"


def keyboard(p):
    p.width(1440)
    p.open("#/now", "#generators .generator")
    p.press(TAB)
    check("keys: first comes a way to the content", p.run("return document.activeElement.className") == "skip")
    p.press(ENTER)
    check("keys: which leads there", p.run("return document.activeElement.id") == "main")
    p.open("#/now", "#generators .generator")
    seen = []
    for _ in range(14):
        p.press(TAB)
        seen.append(p.run(FOCUS))
    pages = ["now", "history", "play", "stories", "models", "doctor", "config"]
    check("keys: every page can be reached", [s for s in seen if s in pages] == pages, seen)
    check("keys: and the switches", "language" in seen and "theme" in seen, seen)
    p.run("document.querySelector('[data-page=doctor]').focus()")
    check("keys: what has the focus can be seen", p.run(
        "return getComputedStyle(document.activeElement).outlineStyle") == "solid")
    p.press(ENTER)
    check("keys: Enter opens a page, and its content has the focus", p.sees("#doctor-run") and
          p.run("return document.activeElement.id") == "main")
    check("shell: the page in sight is marked", p.run(
        "return document.querySelector('[aria-current=page]').dataset.page") == "doctor")
    p.width(360)
    p.run("document.getElementById('menu').focus()")
    p.press(ENTER)
    check("keys: on a phone the menu opens", p.sees("#nav nav a") and
          p.run("return document.getElementById('menu').getAttribute('aria-expanded')") == "true")
    p.press(ESCAPE)
    check("keys: and closes by Escape", not p.run("return document.querySelector('#nav nav a').getClientRects().length"))


def choices(p):
    p.width(1440)
    p.open("#/config", ".option")
    change = ("const s = document.getElementById(arguments[0]); s.value = arguments[1];"
              "s.dispatchEvent(new Event('change', {bubbles: true}))")
    p.run(change, "language", "zh")
    check("shell: the language changes at once", p.sees("#main h1", "配置") and p.sees("#nav a", "历史"))
    check("shell: and the switch keeps the focus", p.run("return document.activeElement.id") == "language")
    colour = "return getComputedStyle(document.body).backgroundColor"
    p.run(change, "theme", "dark")
    dark = p.run(colour)
    p.run(change, "theme", "light")
    check("shell: the theme changes at once", dark != p.run(colour), dark)
    p.open("#/config", ".option")
    check("shell: both are kept", p.sees("#main h1", "配置") and
          p.run("return document.documentElement.dataset.theme") == "light")
    p.choose("light", "en")


def login():
    with Rig(env={"LOOK_IN": TOKEN}, more='admin:\n  token_env: "LOOK_IN"\n') as m, Pages(f"http://127.0.0.1:{m.admin}") as p:
        p.browser.open(f"{p.origin}/#/config")
        check("login: who has no token gets the login page", p.sees("#token"), p.text("body"))
        p.accessible("login")
        p.shot("login")
        enter = "document.getElementById('token').value = arguments[0]; document.getElementById('go').click()"
        p.run(enter, "wrong" * 5)
        check("login: a wrong token is said", p.sees("#said", "not the token"), p.text("#said"))
        p.browser.console_errors()  # its 401
        p.run(enter, TOKEN)
        check("login: the right one leads to the page that was wanted", p.sees("#main h1", "Configuration"), p.text("body"))
        p.quiet("login")
        p.browser.call("DELETE", "/cookie")
        p.click("#nav a[data-page=history]")
        check("login: a session that is over leads back to it", p.sees("#token"), p.text("body"))
        p.run(enter, TOKEN)
        check("login: and on to where one was going", p.sees("#main h1", "History"), p.text("body"))
        p.click(".identity button")
        check("login: logging out leads back", p.sees("#token"), p.text("body"))


def main():
    if not webdriver.available():
        print("SKIP dashboard: chromium or chromedriver is not installed (tools/setup.sh --test)")
        return 0
    with Rig() as m, Pages(f"http://127.0.0.1:{m.admin}") as p:
        p.width(1440)
        p.open("#/doctor")
        p.choose("light", "en")
        if p.axe is None:
            print("SKIP dashboard: axe-core was not fetched (tools/setup.sh --test); accessibility is not checked")
        first_run(p)
        live(p, m)
        red_and_back(p, m)
        p.quiet("now, live")
        history(p, m)
        doctor(p)
        config(p, m)
        choices(p)
        keyboard(p)
        p.quiet("all of it")
        p.everywhere("#/now", "now", "#generators .generator")
        p.everywhere("#/history", "history", ".history-list tbody tr",
                     [("request", lambda: (p.click(".history-list tbody tr a", 0), p.sees(".panel .reading")))])
        p.everywhere("#/doctor", "doctor", "#doctor-run", [("done", lambda: (p.click("#doctor-run"), p.sees(".doctor-tools")))])
        p.everywhere("#/config", "config", ".option")
        p.choose("light", "en")
        p.open("#/now", "#generators .generator")
        lost_and_found(p, m)
    login()
    return 1 if harness.failed else 0


if __name__ == "__main__":
    sys.exit(main())
