#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""As stories.py, but an input "wait:PATH" is answered only once PATH exists; PATH.started tells that it began."""
import json
import pathlib
import subprocess
import sys
import time

text = sys.stdin.read()
wish = json.loads(text)["user_input"]
if wish.startswith("wait:"):
    path = pathlib.Path(wish[5:])
    path.with_name(path.name + ".started").touch()
    while not path.exists():
        time.sleep(0.02)
stories = pathlib.Path(__file__).with_name("stories.py")
sys.stdout.write(subprocess.run([sys.executable, stories], input=text, capture_output=True, text=True).stdout)
