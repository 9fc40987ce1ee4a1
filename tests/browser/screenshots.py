# SPDX-License-Identifier: MIT
"""Pictures of the dashboard for the README: a real miner with the default model, registered on the chain's node
double among forty others, asked as validators ask. usage: screenshots.py OUT_DIR (through tools/screenshots.sh)"""
import math
import os
import pathlib
import subprocess
import sys
import threading
import time

sys.path[:0] = [str(pathlib.Path(__file__).parent), str(pathlib.Path(__file__).parent.parent / "cases")]
from pages import Pages, webdriver  # noqa: E402
from network import HOST, NETUID, NetMiner, fresh, wait_for  # noqa: E402
from harness import SCRIPTS, run  # noqa: E402

OURS, MINERS = 23, 40
IDEAS = ["一个关于太空探险的故事", "A lighthouse keeper who hears the drowned", "在沙漠中寻找失落的图书馆",
         "Two sisters inherit a clock that runs backwards", "A village that trades in memories"]
MOST_BYTES = 150_000


class Shown(NetMiner):
    """The default model, a script behind it."""

    def __init__(self, endpoint):
        super().__init__(endpoint, external="203.0.113.7")
        self.config.write_text(f"""generator:
  mode: "local"
  fallback: ["custom"]
  local:
    model_name: "{os.environ['DEFAULT_MODEL']}"
  custom:
    script_path: "{SCRIPTS / 'stories.py'}"
""")

    def ask(self, task, idea):
        return run("query", "--axon", f"{HOST}:{self.port}", "--axon.hotkey", self.hotkey, "--task", task, "--input", idea,
                   "--timeout", "60", *self.wallet)


def chain_of_many():
    chain, node = fresh()
    # Falling with the uid, and a little up and down as epochs are.
    chain.incentive = lambda uid: 0 if uid == 0 else round(2400 * math.exp(-uid / 24))
    chain.emission = lambda uid: round(chain.incentive(uid) * 1e5 * (1 + 0.12 * math.sin(chain.finalized() / 25)))
    for uid in range(1, MINERS):
        if uid != OURS:
            chain.register(NETUID, uid, bytes([uid]) * 32)
    return chain, node


def busy(m, rounds):
    """Earlier requests, for the figures; two at a time, as they come."""
    for k in range(rounds):
        pair = [threading.Thread(target=m.ask, args=(task, IDEAS[(k + i) % len(IDEAS)]))
                for i, task in enumerate(("blueprint", "characters"))]
        for t in pair:
            t.start()
        for t in pair:
            t.join()


def picture(p, out, name):
    path = out / f"{name}.png"
    p.browser.screenshot(str(path))
    size = path.stat().st_size
    print(f"{path}: {size} bytes{'' if size < MOST_BYTES else ', TOO LARGE'}", flush=True)
    return size < MOST_BYTES


def play(p, out):
    """The playground while the fields of the cast fill in side by side; nothing where it is not built."""
    if not p.open("#/play", "#idea"):
        return True
    p.run("""const t = document.getElementById('idea'); t.value = arguments[0];
        t.dispatchEvent(new Event('input', {bubbles: true}));""", IDEAS[1])
    p.click("#write")
    p.until("return [...document.querySelectorAll('.board-characters .slot-text')].filter((n) => n.textContent).length > 12",
            patience=120)
    p.run("document.querySelector('.board-characters').scrollIntoView(); scrollBy(0, -60)")
    return picture(p, out, "dashboard-play")


def take(p, m, out):
    p.devtools("Emulation.setScrollbarsHidden", hidden=True)
    p.width(1280, 900)
    p.open("#/now")
    p.choose("light", "en")
    p.open("#/now", "#generators .generator")
    asked = [threading.Thread(target=m.ask, args=(task, IDEAS[i])) for i, task in enumerate(("story_arc", "characters"))]
    for t in asked:
        t.start()
    p.sees("#requests .request.busy .hop.busy", patience=60)
    p.until("return document.querySelectorAll('#requests .request.busy').length > 1", patience=3)
    good = picture(p, out, "dashboard-now")
    for t in asked:
        t.join()
    p.choose("dark", "en")
    p.open("#/history?range=hour", ".history-list tbody tr")
    p.click(".history-list tbody tr a", 1)
    p.sees(".panel .reading")
    p.run("scrollTo(0, 0)")
    good = picture(p, out, "dashboard-history") and good
    p.choose("light", "en")
    good = play(p, out) and good
    p.width(360, 780)
    p.choose("dark", "zh")
    p.open("#/now", "#generators .generator")
    p.until("return document.querySelector('.spark canvas') !== null", patience=5)
    return picture(p, out, "dashboard-phone") and good


def main():
    out = pathlib.Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    if not webdriver.available() or not subprocess.run(["fc-list", ":lang=zh"], capture_output=True, text=True).stdout:
        print("screenshots: takes chromium, chromedriver and a Chinese font (fonts-noto-cjk)")
        return 100
    chain, node = chain_of_many()
    m = Shown(node.ws)
    chain.register(NETUID, OURS, m.key)
    m.wait = 120
    with m, Pages(f"http://127.0.0.1:{m.admin}") as p:
        wait_for(lambda: m.network()["axon_announced"], 60)
        wait_for(lambda: m.status()["generators"][0]["can_answer"], 120)
        started = time.monotonic()
        busy(m, 4)
        wait_for(lambda: time.monotonic() - started > 40, 60)  # standings for the line of the emission
        return 0 if take(p, m, out) else 1


if __name__ == "__main__":
    sys.exit(main())
