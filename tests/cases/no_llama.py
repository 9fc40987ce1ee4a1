# SPDX-License-Identifier: MIT
"""The program built and run where nothing of llama.cpp is."""
import json
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
import harness  # noqa: E402
from harness import Miner, check, run, script_config  # noqa: E402

TASKS = ("blueprint", "characters", "story_arc", "chapters")


def main():
    config = pathlib.Path(tempfile.mkdtemp()) / "config.yaml"
    config.write_text(script_config("stories.py"))
    for task in TASKS:
        r = run("generate", "--config", config, "--task", task, "--input", "x")
        check(f"no llama: generate {task} by a script", r.returncode == 0 and isinstance(json.loads(r.stdout), dict), r.stderr)
    with Miner(script_config("stories.py")) as m:
        for task in TASKS:
            r = m.query(task, "x", "--json")
            check(f"no llama: the miner answers {task} by a script", r.returncode == 0 and json.loads(r.stdout)["score"]["valid"],
                  r.stderr)
        check("no llama: and it ends well", m.stop() == 0)
    r = run("generate", "--task", "blueprint", "--input", "x", cwd=config.parent)
    check("no llama: mode local says what is missing and how to get it",
          r.returncode == 111 and "is not there: run make setup" in r.stderr, r.stderr)
    return 1 if harness.failed else 0


if __name__ == "__main__":
    sys.exit(main())
