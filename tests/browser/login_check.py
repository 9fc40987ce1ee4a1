# SPDX-License-Identifier: MIT
"""The login page in headless Chromium: says what is wrong, lets in, in the browser's language, under the strict policy."""
import os
import pathlib
import sys
import time

sys.path[:0] = [str(pathlib.Path(__file__).parent), str(pathlib.Path(__file__).parent.parent)]
import harness  # noqa: E402
import webdriver  # noqa: E402
from harness import Miner, check, script_config  # noqa: E402

TOKEN = "open-sesame-open-sesame"


def wait_for(condition, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end and not condition():
        time.sleep(0.05)
    return condition()


def enter(browser, token):
    browser.run("document.getElementById('token').value = arguments[0]", token)
    browser.click("#go")


def drive(browser, m):
    page = f"http://127.0.0.1:{m.admin}/"
    browser.open(page)
    check("login: the page leads to it", browser.run("return location.pathname") == "/login")
    check("login: it has its style, and no foreign host", browser.run(
        "return getComputedStyle(document.querySelector('main')).borderRadius === '14px' && document.styleSheets.length === 2 && "
        "performance.getEntriesByType('resource').every(e => e.name.startsWith(location.origin))"))
    check("login: every field has its label", browser.run(
        "return [...document.querySelectorAll('input')].every(i => i.labels.length === 1) && document.activeElement.id === 'token'"))
    enter(browser, "wrong-" * 5)
    check("login: a wrong token is said", wait_for(lambda: browser.text("#said") == "That is not the token."), browser.text("#said"))
    browser.run("localStorage.setItem('storyfi.language', 'zh'); location.reload()")
    check("login: in Chinese too", wait_for(lambda: browser.text("#go") == "登录") and browser.run(
        "return document.documentElement.lang") == "zh")
    browser.resize(360, 640)
    check("login: on a phone nothing is cut off", browser.run("return document.documentElement.scrollWidth <= innerWidth"))
    enter(browser, f" {TOKEN} ")
    check("login: the right one lets in", wait_for(lambda: browser.run("return location.pathname") == "/"))
    check("login: no script sees the cookie", browser.run("return document.cookie") == "" and browser.run(
        "return fetch('/api/session').then(r => r.status)") == 200)
    errors = [e for e in browser.console_errors() if "401" not in e and "404" not in e]
    check("login: the console has no other error", not errors, errors)


def main():
    if not webdriver.available():
        print("SKIP login: no chromium with its driver (tools/setup.sh --test installs them)")
        return
    with Miner(script_config("stories.py"), ["--admin.token_env", "SESAME"], env={"SESAME": TOKEN}) as m:
        browser = webdriver.Browser()
        try:
            drive(browser, m)
        finally:
            browser.close()


main()
sys.stdout.flush()
os._exit(1 if harness.failed else 0)
