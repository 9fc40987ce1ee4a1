# SPDX-License-Identifier: MIT
"""Opens story.html in headless Chromium and plays it from the cover to the last chapter.
usage: book_check.py STORYFI_BINARY OUT_DIR"""
import json
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import webdriver  # noqa: E402

failed = 0
HOSTILE = ("</script><script>document.title='broken'</script><!--<script> <img src=x onerror=\"document.title='broken'\"> "
           "javascript:alert(1) \u2028 ${alert(1)}")


def check(name, ok, detail=""):
    global failed
    failed += not ok
    print(f"{'PASS' if ok else 'FAIL'} book: {name}{'' if ok else ' ' + str(detail)}", flush=True)


def sample():
    ids = ["protagonist", "ally", "rival", "mentor", "wildcard"]
    people = [{"id": i, "name": f"Name {n}", "archetype": "The Seeker", "background": "Born by the sea. " * 5,
               "motivation": "To find the way home.", "skills": ["sailing", "maps", "song"],
               "personality_traits": ["calm", "kind", "stubborn"],
               "relationships": {j: "An old friend of hers." for j in ids if j != i}}
              for n, i in enumerate(ids)]
    chapters = [{"id": n, "title": f"Title {n}", "content": ("A line of prose & <b>no markup</b>. " * 30 + "\n\n") * 2,
                 "choices": [{"text": f"Go on {n}", "nextChapter": min(n + 1, 12),
                              "consequences": {"resource_gold": "+10", "mood": f"mood {n}"}},
                             {"text": f"Leap ahead {n}", "nextChapter": min(n + 2, 12),
                              "consequences": {"relationship_ally": "-5", "mood": "bold"}}]}
                for n in range(1, 13)]
    arc = [{"id": n, "title": f"Title {n}", "description": "What happens here.", "storyProgress": 0.5,
            "characterFocus": ["ally"]} for n in range(1, 13)]
    return {"user_input": HOSTILE,
            "blueprint": {"title": "The <i>Tide</i>", "genre": "fantasy", "setting": "A harbour town. " * 5,
                          "core_conflict": "The sea is leaving.", "themes": ["home", "loss"], "tone": "warm",
                          "target_audience": "adults"},
            "characters": {"characters": people},
            "story_arc": {"title": "Arc", "description": "d", "chapters": arc, "arcs": {}, "themes": {},
                          "hooks": {"opening": "The tide did not come back."}},
            "chapters": chapters}


def play(browser, page):
    browser.open(page.as_uri())
    check("the title is text, not markup", browser.text("h1") == "The <i>Tide</i>", browser.text("h1"))
    check("the idea is text, not a script", browser.run("return document.querySelector('.idea').textContent") == HOSTILE,
          browser.text(".idea"))
    check("no element came out of the story",
          browser.run("return document.querySelectorAll('img, svg, iframe, a:not(.skip)').length") == 0
          and browser.run("return document.scripts.length") == 2)
    check("its policy refuses a script and markup that are put into it", browser.run("""
        const tries = [
          () => { const s = document.createElement('script'); s.text = 'document.title = "broken"'; document.body.append(s); },
          () => document.body.insertAdjacentHTML('beforeend', '<b id=markup>x</b>'),
          () => { document.body.innerHTML = '<b id=markup>x</b>'; }];
        const refused = tries.filter((attempt) => { try { attempt(); return false; } catch { return true; } });
        return refused.length === 3 && document.title !== 'broken' && document.getElementById('markup') === null"""))
    browser.console_errors()  # the refusals
    browser.click(".book-begin")
    check("begin opens chapter one", browser.text(".book-chapter h1") == "Title 1")
    check("prose keeps its signs", "& <b>no markup</b>" in browser.text(".prose"))
    check("five people in the side panel", len(browser.find(".book-people details")) == 5)
    browser.click(".choices button", 0)
    check("a choice leads to its chapter", browser.text(".book-chapter h1") == "Title 2")
    check("the state is carried along", "+10" in browser.text(".book-state"), browser.text(".book-state"))
    browser.click(".choices button", 0)
    check("what counts adds up", "+20" in browser.text(".book-state"), browser.text(".book-state"))
    browser.click(".choices button", 1)
    check("another choice leads elsewhere", browser.text(".book-chapter h1") == "Title 5")
    check("the other state is there too", "-5" in browser.text(".book-state"))
    browser.click(".book-back")
    check("back restores chapter and state",
          browser.text(".book-chapter h1") == "Title 3" and "-5" not in browser.text(".book-state"))
    for _ in range(9):
        browser.click(".choices button", 0)
    check("the story reaches chapter twelve", browser.text(".book-chapter h1") == "Title 12")
    browser.click(".choices button", 0)
    check("and ends there", not browser.find(".choices"))


def phone(browser, page):
    browser.run("document.body.style.width = '360px'")
    browser.open(page.as_uri())
    wide = browser.run("return document.documentElement.scrollWidth - window.innerWidth")
    check("no sideways scrolling on a phone", wide <= 0, wide)
    browser.click(".book-begin")
    browser.click(".open-cast")
    check("the side panel opens on a phone", "Name 1" in browser.text(".book-cast"))
    browser.click(".open-cast")
    check("and gives the page back", browser.text(".book-chapter h1") == "Title 1")


def main():
    binary, out = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
    if not webdriver.available():
        print("SKIP book: chromium or chromedriver is not installed")
        return 0
    out.mkdir(parents=True, exist_ok=True)
    source = out / "sample.json"
    source.write_text(json.dumps(sample()))
    subprocess.run([binary, "story", "--from", str(source), "--out", str(out)], check=True)
    browser = webdriver.Browser()
    try:
        play(browser, out / "story.html")
        check("no console error", not browser.console_errors(), browser.console_errors())
    finally:
        browser.close()
    browser = webdriver.Browser(width=500, height=800)
    try:
        phone(browser, out / "story.html")
        browser.screenshot(str(out / "phone.png"))
    finally:
        browser.close()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
