# SPDX-License-Identifier: MIT
"""Playground, Stories and Models of a real miner (the engine over the stub of libllama, behind it a script that fails
and waits as told and writes markup; a hub on loopback) in real headless Chromium."""
import http.client
import json
import os
import pathlib
import sys
import tempfile
import time

sys.path[:0] = [str(pathlib.Path(__file__).parent), str(pathlib.Path(__file__).parent.parent / "models")]
from pages import Pages, webdriver  # noqa: E402
import harness  # noqa: E402
from harness import SCRIPTS, Miner, check  # noqa: E402
from hub_double import Hub, gguf  # noqa: E402

MARKUP = "</script><script>document.title='broken'</script><!--<img src=x onerror=\"document.title='broken'\">javascript:1"
# The script's stories are valid ones with markup in every kind of text, and in a key.
SCRIPT = f"""#!/usr/bin/env python3
import contextlib, io, json, pathlib, runpy, sys, time
here = pathlib.Path(__file__).parent
if (here / "fail").exists():
    sys.exit("told to fail <b>by a file</b>")
while (here / "hold").exists():
    time.sleep(0.02)
out = io.StringIO()
with contextlib.redirect_stdout(out):
    runpy.run_path("{SCRIPTS / 'stories.py'}")
answer = json.loads(out.getvalue())
markup = {MARKUP!r}
content = answer["content"]
if "core_conflict" in content:
    content["title"] = "<i>Tide</i>"
    content["core_conflict"] = markup + " and the sea, which does not care for it."
    content["tone"] = "<b>warm</b>"
for c in content.get("chapters", []):
    if "content" in c:
        c["content"] = markup + c["content"][len(markup):]
        c["choices"][0]["text"] = "<img src=x onerror=alert(1)> go on"
        c["choices"][0]["consequences"]["<img src=x>"] = "<svg onload=alert(1)>"
for c in content.get("characters", []):
    c["motivation"] = "<a href='javascript:alert(1)'>to be counted</a>"
print(json.dumps(answer))
"""
CATALOGUE = """models:
  - names: [t/tidy, tidy]
    repo: t/tidy-GGUF
    files:
      - {{quant: Q4_K_M, file: tidy-Q4_K_M.gguf, bytes: {bytes}}}
    languages: [zh, en]
    license: apache-2.0
    gated: false
    template: chatml
    context: 8192
    layers: 4
    kv_heads: 2
    head_dim: 16
    parameters: 0.1
    quality: 3
  - names: [t/locked, locked]
    repo: t/locked-GGUF
    files:
      - {{quant: Q4_K_M, file: locked-Q4_K_M.gguf, bytes: {bytes}}}
    languages: [en]
    license: other
    gated: true
    template: chatml
    context: 8192
    layers: 4
    kv_heads: 2
    head_dim: 16
    parameters: 0.1
    quality: 2
"""
CONFIG = """generator:
  mode: "local"
  fallback: ["custom"]
  local:
    model_name: "{model}"
    engine_path: "{engine}"
    models_dir: "{dir}/models"
    catalogue: "{dir}/catalogue.yaml"
  custom:
    script_path: "{dir}/teller.py"
"""
TIDY = gguf(400_000, stub="chat 1\n")
# How many cards were in the state `writing` at once, at most, and whether a text grew while its neighbours did.
WATCH = """
window.seen = {writing: 0, grown: 0};
new MutationObserver((records) => {
  const writing = document.querySelectorAll('.slot-card[data-state=writing]').length;
  seen.writing = Math.max(seen.writing, writing);
  if (writing > 1) seen.grown += records.filter((r) => r.type === 'characterData').length;
}).observe(document.body, {subtree: true, childList: true, characterData: true, attributes: true, attributeFilter: ['data-state']});
"""


class Rig(Miner):
    def __init__(self, hub):
        self.files = pathlib.Path(tempfile.mkdtemp(prefix="storyfi-play-"))
        self.downloads = self.files / "downloads"
        self.downloads.mkdir()
        script = self.files / "teller.py"
        script.write_text(SCRIPT)
        script.chmod(0o755)
        (self.files / "catalogue.yaml").write_text(CATALOGUE.format(bytes=len(TIDY)))
        model = self.files / "slow.gguf"
        model.write_text("chat 1\ndecode_us 2000\n")
        super().__init__(CONFIG.format(model=model, engine=os.environ["STORYFI_ENGINE"], dir=self.files),
                         env={"HF_ENDPOINT": hub.url, "HF_TOKEN": ""})

    def tell(self, word, on=True):
        (self.files / word).touch() if on else (self.files / word).unlink()

    def in_flight(self):
        return self.status()["queue"]["in_flight"]

    def downloaded(self, ending, patience=20):
        """The newest complete file with this ending, taken away."""
        end = time.monotonic() + patience
        while time.monotonic() < end:
            for path in self.downloads.glob(f"*.{ending}"):
                taken = path.rename(self.files / path.name)
                return taken
            time.sleep(0.02)
        return None


# ---- the Playground ------------------------------------------------------------------------------

def ask(p, idea, what="story", generator="", deadline=60):
    p.open("#/play", "#idea")
    p.until("return document.querySelectorAll('.options select')[0].options.length === 3")  # the miner has told of them
    p.run("""
        const put = (n, v) => { n.value = v; n.dispatchEvent(new Event('input')); n.dispatchEvent(new Event('change')); };
        document.querySelector(`input[name=what][value=${arguments[1]}]`).click();
        document.querySelector('.options').open = true;
        put(document.getElementById('idea'), arguments[0]);
        const [g, , d] = document.querySelectorAll('.options select, .options input');
        put(g, arguments[2]);
        put(d, arguments[3]);""", idea, what, generator, deadline)


def side_by_side(p, m):
    ask(p, "a keeper of bees")
    check("play: the generators can be chosen", p.run(
        "return [...document.querySelectorAll('.options select')[0].options].map((o) => o.value).join()") == ",local,custom")
    p.accessible("play, options")
    p.run(WATCH)
    p.click("#write")
    check("play: the running step is marked, with its generator", p.sees(".pip[data-state=running]") and
          p.sees(".run-who", "local"), p.text(".run-bar"))
    check("play: the button that stops it has the focus", p.run("return document.activeElement.id") == "cancel")
    check("play: all four tasks are written, one after another", p.sees("#read", patience=40) and p.run(
        "return [...document.querySelectorAll('.play-step')].map((n) => n.dataset.state).join()") == "done,done,done,done",
          p.text("#main")[:300])
    seen = p.run("return window.seen")
    check("play: slots fill in side by side", seen["writing"] >= 5 and seen["grown"] > 0, seen)
    check("play: at rest every card is done", p.until(
        "return document.querySelectorAll('.slot-card:not([data-state=done])').length === 0"), p.run(
        "return [...document.querySelectorAll('.slot-card:not([data-state=done])')].map((n) => n.textContent).slice(0, 3)"))
    check("play: five characters, twelve chapters of the arc, three pages with choices", p.run("""
        return ['.cast', '.arc-chapter', '.sheet'].map((c) => document.querySelectorAll(c).length).join()""") == "5,12,3"
          and p.run("return [...document.querySelectorAll('.sheet')].every((n) => n.querySelectorAll('.choice').length > 1)"))
    check("play: each step says who wrote it, how long, how well", p.run("""
        return [...document.querySelectorAll('.play-step-foot')].every((n) => /local.*structure 40 of 40/.test(n.textContent))"""),
          p.text(".play-step-foot"))


def files(p, m):
    shown = p.run("return [...document.querySelectorAll('.sheet')].map((n) => n.querySelector('.sheet-scroll .slot-text').textContent)")
    p.click("#save-json")
    path = m.downloaded("json")
    story = json.loads(path.read_text()) if path else {}
    check("play: the story as JSON is what was shown", [c["content"] for c in story.get("chapters", [])] == shown
          and story["user_input"] == "a keeper of bees" and len(story["story_arc"]["chapters"]) == 12, path)
    p.click("#read")
    p.click(".book-begin")
    check("play: it reads as a book", p.sees(".book-chapter h2", story["chapters"][0]["title"]), p.text(".book-page"))
    p.click(".book .choices button")
    check("play: which is played by its choices", p.sees(".book-state dd") and p.sees(".book-chapter .book-number", "Chapter"))
    p.click("#read")
    check("play: and back to the board", p.sees(".board-characters") and not p.browser.find(".book"))


def asked_wrongly(m):
    for body, word in ((b"[]", "object"), (b"{", "line"), (b'{"a":1,"a":2}', "a")):
        c = http.client.HTTPConnection("127.0.0.1", m.admin, timeout=20)
        c.request("POST", "/api/book", body, {"Content-Type": "application/json"})
        r = c.getresponse()
        text = r.read().decode()
        check(f"book: {body.decode()} is refused in words", r.status == 400 and word in json.loads(text)["message"], (r.status, text))
        c.close()


def canceled(p, m):
    m.tell("hold")
    ask(p, "a long story of the slow river", "chapters", "custom")
    p.click("#write")
    check("play: who writes is said before there is a text", p.sees(".run-who", "custom") and m.in_flight() == 1, p.text(".run-bar"))
    p.devtools("Emulation.setEmulatedMedia", features=[{"name": "prefers-reduced-motion", "value": "reduce"}])
    check("play: where motion is not wanted nothing moves", p.until("return document.getAnimations().length === 0"))
    p.devtools("Emulation.setEmulatedMedia", features=[])
    p.run("location.hash = '#/models'")
    p.sees(".models")
    p.run("location.hash = '#/play'")
    check("play: it goes on while another page is looked at", p.sees(".pip[data-state=running]") and p.sees(".run-who", "custom"))
    p.click("#cancel")
    check("play: stopping is said", p.sees(".outcome", "Stopped") and p.sees(".pip[data-state=canceled]"), p.text("#main"))
    end = time.monotonic() + 20
    while m.in_flight() and time.monotonic() < end:
        time.sleep(0.02)
    check("play: and the miner has stopped", m.in_flight() == 0, m.status()["queue"])
    m.tell("hold", False)


def markup(p, m):
    ask(p, MARKUP, generator="custom")
    p.click("#write")
    check("play: the chosen generator writes", p.sees("#read", patience=30) and p.sees(".play-step-foot", "custom"), p.text("#main"))
    p.until("return document.querySelectorAll('.slot-card:not([data-state=done])').length === 0")
    text = p.text(".stage, .play-stage")
    check("play: markup in a story shows as text", all(s in text for s in (MARKUP, "<i>Tide</i>", "<svg onload=alert(1)>",
          "<a href='javascript:alert(1)'>")), text[:300])
    alive = ("return document.querySelectorAll('#main img, #main script, #main b, #main i, #main a[href^=javascript]').length"
             " + (document.title.includes('broken') ? 100 : 0)")
    check("play: and as nothing else", p.run(alive) == 0, p.run(alive))
    p.click("#save-html")
    book = m.downloaded("html")
    p.click("#read")
    p.click(".book-begin")
    check("play: nor in the book", p.sees(".prose", MARKUP[:40]) and p.run(alive) == 0)
    p.quiet("play, markup")
    return book


def own_book(p, book):
    p.browser.open(book.as_uri())
    check("story.html: is the same story", p.sees(".book-cover h1", "<i>Tide</i>"), p.text("body"))
    check("story.html: markup is text there", MARKUP in p.text(".book-cover .idea") and p.run(
        "return document.scripts.length === 2 && document.querySelectorAll('img, svg, i, b').length === 0"), p.text("body")[:200])
    p.click(".book-begin")
    check("story.html: can be played, its script has not run", p.sees(".book-chapter") and "broken" not in p.run("return document.title"))
    check("story.html: nothing refused, no error", p.run("return window.refused") == [] and not p.browser.console_errors())


def trouble(p, m):
    m.tell("fail")
    ask(p, "a story that fails", "blueprint", "custom")
    p.click("#write")
    check("play: a failure is shown with its cause, as text", p.sees(".outcome .notice.bad", "told to fail <b>", patience=30),
          p.text("#main"))
    m.tell("fail", False)
    p.until("return fetch('/api/status').then((r) => r.json()).then((s) => s.generators[1].can_answer !== false && s.generators[1].state === 'ready')")
    p.click("#resume")
    check("play: trying again goes on", p.sees("#read", patience=30) and not p.browser.find(".outcome"), p.text("#main"))
    p.click("#next")
    check("play: the next part is written to what is there", p.sees("#read", patience=30) and p.run("""
        return [...document.querySelectorAll('.play-step h2')].map((n) => n.textContent).join()""") == "Blueprint,Characters"
          and p.sees(".pip[data-state=done]:nth-child(2)"), p.text("#main")[:300])


def handed_over(p, m):
    """The engine ends in the middle of each answer: the script behind it takes over."""
    dying = m.files / "dying.gguf"
    dying.write_text("chat 1\nabort_at 30\n")
    p.run("return fetch('/api/models/use', {method: 'POST', headers: {'Content-Type': 'application/json'}, "
          "body: JSON.stringify({name: arguments[0]})}).then((r) => r.status)", str(dying))
    p.until("return fetch('/api/status').then((r) => r.json()).then((s) => s.plan.model === 'dying.gguf')")
    ask(p, "a story of two tellers", "characters")
    p.run(WATCH)
    p.run("document.getElementById('idea').dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', ctrlKey: true, bubbles: true}))")
    check("play: when a generator fails the next one writes anew, and that is said", p.sees(".notice.look", "custom writes it anew",
          patience=30) and p.sees("#read", patience=30), p.text("#main"))
    check("play: the first had written already", p.run("return seen.writing") > 0)
    check("play: which is gone", p.until(
        "return [...document.querySelectorAll('.cast')].every((n) => n.textContent.includes('to be counted'))"), p.text(".cast"))
    p.shot("play-handed-over")


# ---- Stories -------------------------------------------------------------------------------------

def stories(p, m):
    p.open("#/stories", ".cover-card")
    check("stories: what was written is there", p.sees(".cover-card", "a keeper of bees") and p.sees(".cover-card", "<i>Tide</i>"),
          p.text(".shelf"))
    search = "const s = document.querySelector('input[type=search]'); s.value = arguments[0]; s.dispatchEvent(new Event('input'))"
    p.run(search, "keeper of")
    check("stories: search narrows", p.until("return document.querySelectorAll('.cover-card').length === 1"), p.text(".shelf"))
    p.run(search, "no such words")
    check("stories: nothing found is said, with a way back", p.sees(".empty", "No story fits"))
    p.click(".empty button")
    p.sees(".cover-card", "<i>Tide</i>")
    p.run("[...document.querySelectorAll('.cover-card')].find((n) => n.textContent.includes('<i>Tide</i>')).click()")
    check("stories: one opens in place", p.sees(".book-cover h2", "<i>Tide</i>"), p.text("#main"))
    p.click(".book-begin")
    check("stories: and is played there", p.sees(".book-chapter .prose"))
    p.run("document.querySelector('.reader-head a[download]').click()")
    book = m.downloaded("html")
    check("stories: its book can be kept", book is not None and 'id="story"' in book.read_text(), book)
    p.click(".reader-head .quiet")
    check("stories: back to all of them", p.sees(".cover-card"))
    p.open("#/stories/999999", ".notice.bad")
    check("stories: one that is not there is said", p.sees(".notice.bad"), p.text("#main"))
    p.browser.console_errors()  # its 404


# ---- Models --------------------------------------------------------------------------------------

def models(p, m, hub):
    p.open("#/models", ".models tbody tr")
    button = "[data-model='t/tidy']"
    check("models: the catalogue with what it needs", p.sees(".models tbody tr", "tidy") and p.sees(".need", "Fits") and
          p.sees(".model-device-name"), p.text(".models"))
    p.run("document.querySelectorAll('.models .tick input')[1].focus()")
    p.press(" ")
    check("models: a filter narrows the list and keeps the focus", p.until("""
        return [...document.querySelectorAll('.models tbody tr')].every((n) => n.textContent.includes('Chinese'))
          && document.activeElement.type === 'checkbox'"""), p.text(".models")[:300])
    p.press(" ")
    check("models: the model in use and its plan", p.sees(".in-use", "slow.gguf") and p.sees(".in-use", "texts at once"), p.text("#in-use"))
    p.click("[data-model='t/locked']")
    check("models: a gated one is explained before it is asked for", p.sees(".dialog", "HF_TOKEN"), p.text("body"))
    p.run("document.querySelector('.dialog').close()")
    press = lambda: p.run("document.querySelector(arguments[0]).click()", button)  # noqa: E731; it may be drawn anew
    press()
    check("models: a download shows how far it is", p.sees("#pull", "tidy-Q4_K_M.gguf") and p.until(
        "const b = document.querySelector('#pull progress'); return b && b.max > 400000 && b.value > 0 && b.value < b.max"),
          p.text("#main")[:300])
    p.click("#pull-cancel")
    check("models: it can be canceled", p.until("return !document.getElementById('pull')") and p.sees(button), p.text("#main")[:300])
    hub.gate.set()
    press()
    check("models: and goes on when it is asked for again", p.sees(button, "Use", patience=30), p.text(".models"))
    press()
    check("models: the model changes, and that is seen", p.sees(".in-use", "tidy", patience=30) and p.sees(".models tr .badge.good", "In use"),
          p.text("#main")[:400])
    check("models: to the miner too", m.status()["plan"]["model"].startswith("t"), m.status()["plan"])
    p.quiet("models")


def written_looks(p):
    """What was written, in both widths, themes and languages: it stays while these are switched."""
    def looks(what):
        p.fits(f"play, {what}")
        p.accessible(f"play, {what}")
        p.shot(f"play-{what}".replace(", ", "-"))
    looks("written, 1440 px, light, en")
    change = "const s = document.getElementById(arguments[0]); s.value = arguments[1]; s.dispatchEvent(new Event('change', {bubbles: true}))"
    p.width(360)
    p.run(change, "theme", "dark")
    p.run(change, "language", "zh")
    check("play: what was written stays when the language changes", p.sees(".slot-mark", "主角") and p.sees(".pip[data-state=done]") and
          p.sees(".play-step-foot", "local"), p.text("#main")[:300])
    looks("written, 360 px, dark, zh")
    p.click("#read")
    p.click(".book-begin")
    p.sees(".prose")
    looks("book, 360 px, dark, zh")
    p.run(change, "language", "en")
    p.run(change, "theme", "light")
    p.width(1440)


def looks(p):
    """Three pages in both widths, themes and languages."""
    p.everywhere("#/play", "play", "#idea")
    p.everywhere("#/stories", "stories", ".cover-card", [("story", lambda: (p.click(".cover-card"), p.sees(".book-begin")))])
    p.everywhere("#/models", "models", ".models tbody tr")
    p.choose("light", "en")


def main():
    if not webdriver.available():
        print("SKIP play: chromium or chromedriver is not installed (tools/setup.sh --test)")
        return 0
    if not pathlib.Path(os.environ["STORYFI_ENGINE"]).exists():
        print("SKIP play: no headers of llama.cpp (make setup fetches them)")
        return 0
    hub = Hub()
    hub.put("t/tidy-GGUF", "tidy-Q4_K_M.gguf", TIDY, stops_after=150_000)
    with Rig(hub) as m, Pages(f"http://127.0.0.1:{m.admin}") as p:
        p.devtools("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(m.downloads))
        p.width(1440)
        p.browser.open(f"{p.origin}/assets/icon.svg")
        p.choose("light", "en")
        p.browser.console_errors()  # a bare picture has no icon beside it
        side_by_side(p, m)
        files(p, m)
        asked_wrongly(m)
        written_looks(p)
        canceled(p, m)
        p.quiet("play")
        book = markup(p, m)
        trouble(p, m)
        stories(p, m)
        models(p, m, hub)
        looks(p)
        handed_over(p, m)
        own_book(p, book)
    hub.close()
    return 1 if harness.failed else 0


if __name__ == "__main__":
    sys.exit(main())
