#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A custom generator for tests whose answer quotes the owner's prompt."""
import json
import pathlib
import sys

request = json.load(sys.stdin)
answer = json.loads((pathlib.Path(__file__).parent.parent / "story" / "blueprint.json").read_text())
answer["core_conflict"] = request["prompt"]
json.dump({"content": answer}, sys.stdout, ensure_ascii=False)
