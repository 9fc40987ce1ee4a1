# SPDX-License-Identifier: MIT
"""What the checks of the dashboard's pages share: a browser that opens a page of a miner in a width, theme and
language, waits for what should be seen, and tells what a page must never do (console errors, refusals of the
Content-Security-Policy, requests to other hosts, sideways scrolling, findings of axe-core)."""
import os
import pathlib
import subprocess
import sys
import time

sys.path[:0] = [str(pathlib.Path(__file__).parent), str(pathlib.Path(__file__).parent.parent)]
import webdriver  # noqa: E402
from harness import ROOT, check  # noqa: E402

WIDTHS = (1440, 360)
# What may wait for nothing but a frame or two; a miner under sanitizers on a busy machine needs longer.
PATIENCE = 20
AXE_RUN = """
const done = arguments[arguments.length - 1];
axe.run(document, {resultTypes: ['violations']}).then((r) => done(r.violations
  .filter((v) => ['serious', 'critical'].includes(v.impact))
  .map((v) => v.id + ': ' + v.nodes.map((n) => n.target.join(' ') + ' ' + n.failureSummary).join(' | ').slice(0, 300))));
"""


def cached(name):
    """A variable of tools/paths.sh."""
    return subprocess.run(["bash", "-c", f'. tools/paths.sh; printf %s "${name}"'], cwd=ROOT, capture_output=True,
                          text=True, check=True).stdout


class Pages:
    """A browser on one miner's dashboard; use as a context manager."""

    def __init__(self, origin):
        self.origin = origin
        axe = pathlib.Path(cached("AXE_FILE"))
        self.axe = axe.read_text() if axe.exists() else None
        self.shots = os.environ.get("STORYFI_SCREENSHOTS")

    def __enter__(self):
        self.browser = webdriver.Browser()
        # Every refusal of the policy is kept, whatever the console says of it.
        self.devtools("Page.addScriptToEvaluateOnNewDocument", source="""
            window.refused = []; document.addEventListener('securitypolicyviolation',
              (e) => window.refused.push(e.violatedDirective + ' ' + e.blockedURI));""")
        return self

    def __exit__(self, *_):
        self.browser.close()

    def devtools(self, command, **params):
        return self.browser.call("POST", "/goog/cdp/execute", {"cmd": command, "params": params})

    def width(self, width, height=900):
        self.devtools("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                      mobile=width < 600)

    def choose(self, theme=None, lang=None):
        """As the switches do; holds for what is opened after it. Something of the miner's must be open."""
        for key, value in (("theme", theme), ("language", lang)):
            if value:
                self.run("localStorage.setItem('storyfi.' + arguments[0], arguments[1])", key, value)

    def open(self, route, wait=None):
        """A page afresh: "#/now"; `wait` is a selector that must be seen."""
        self.browser.open("about:blank")  # a route alone would not load the page afresh
        self.browser.open(f"{self.origin}/{route}")
        return self.sees(wait or "#main h1")

    def run(self, script, *args):
        return self.browser.run(script, *args)

    def until(self, script, *args, patience=PATIENCE):
        """Waits until the script returns something true; returns it, or the last thing returned."""
        end = time.monotonic() + patience
        while True:
            value = self.run(script, *args)
            if value or time.monotonic() > end:
                return value
            time.sleep(0.05)

    def sees(self, css, text=None, patience=PATIENCE):
        """Waits until something that matches is shown, with `text` in it if given."""
        return self.until("""return [...document.querySelectorAll(arguments[0])].some((n) => n.getClientRects().length
            && (arguments[1] === null || n.textContent.includes(arguments[1])))""", css, text, patience=patience)

    def text(self, css):
        return self.run("const n = document.querySelector(arguments[0]); return n ? n.textContent : ''", css)

    def press(self, key):
        """A key by its WebDriver code or a character, to whatever has the focus."""
        self.browser.call("POST", "/actions", {"actions": [{"type": "key", "id": "keys", "actions": [
            {"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]}]})

    def click(self, css, nth=0):
        self.run("document.querySelectorAll(arguments[0])[arguments[1]].scrollIntoView({block: 'center'})", css, nth)
        self.browser.click(css, nth)

    # ---- what every page is looked at for ----

    def quiet(self, name, allowed=()):
        """Nothing in the console, nothing refused, nothing asked of another host."""
        errors = [e for e in self.browser.console_errors() if not any(a in e for a in allowed)]
        check(f"{name}: no console error", not errors, errors)
        refused = self.run("return window.refused")
        check(f"{name}: nothing refused by the policy", refused == [], refused)
        elsewhere = self.run("""return performance.getEntriesByType('resource').map((e) => e.name)
            .filter((u) => !u.startsWith(location.origin) && !u.startsWith('blob:'))""")
        check(f"{name}: no request to another host", not elsewhere, elsewhere)

    def fits(self, name):
        over = self.run("return document.documentElement.scrollWidth - document.documentElement.clientWidth")
        culprits = self.run("""return [...document.querySelectorAll('#main *')].filter((n) =>
            n.getBoundingClientRect().right > document.documentElement.clientWidth + 1 && !n.closest('.scroll, pre')).slice(0, 3)
            .map((n) => n.tagName + '.' + n.className)""") if over > 0 else ""
        check(f"{name}: no sideways scrolling", over <= 0, f"{over} px: {culprits}")
        out = self.run("""return [...document.querySelectorAll('#main .card *')].filter((n) => {
            const r = n.getBoundingClientRect(), box = n.closest('.card').getBoundingClientRect();
            return r.width > 1 && r.right > box.right + 1 && !n.closest('.scroll, .sheet-scroll, pre, .unseen, svg');
            }).slice(0, 3).map((n) => n.tagName + '.' + n.className)""")
        check(f"{name}: nothing sticks out of its card", out == [], out)

    def accessible(self, name):
        """axe-core without serious or critical findings; said once where it was not fetched."""
        if self.axe is None:
            return
        # Through the developer's tools, which the page's policy does not concern. Colours are measured at rest.
        self.run("for (const a of document.getAnimations()) { try { a.finish(); } catch { a.cancel(); } }")
        self.devtools("Runtime.evaluate", expression=self.axe, silent=True)
        found = self.browser.call("POST", "/execute/async", {"script": AXE_RUN, "args": []})
        check(f"{name}: axe-core finds nothing serious", found == [], found)

    def shot(self, name):
        """A picture for whoever looks, where STORYFI_SCREENSHOTS names a folder."""
        if self.shots:
            pathlib.Path(self.shots).mkdir(parents=True, exist_ok=True)
            self.browser.screenshot(str(pathlib.Path(self.shots) / f"{name}.png"))

    def everywhere(self, route, name, ready, states=()):
        """One page in both widths, themes and languages (two opens: what differs between the rest is tested with
        them): seen, fits, accessible, quiet. `states` is [(name, function that brings the page there)]."""
        for width, theme, lang in ((1440, "light", "en"), (360, "dark", "zh")):
            what = f"{name}, {width} px, {theme}, {lang}"
            self.width(width)
            self.choose(theme, lang)
            check(f"{what}: opens", self.open(route, ready), self.text("body")[:200])
            check(f"{what}: in its language", self.run("return document.documentElement.lang") == lang)
            self.fits(what)
            self.accessible(what)
            self.shot(f"{name}-{width}")
            for state, go in states:
                go()
                self.fits(f"{what}, {state}")
                self.accessible(f"{what}, {state}")
                self.shot(f"{name}-{state}-{width}")
            self.quiet(what)
