# SPDX-License-Identifier: MIT
"""The default model behind a real miner: prompts in two languages with bare-stub contexts; every answer is
deep-valid, in time, of full structure, and unlike the others. Then the engine child is harmed."""
import json
import os
import pathlib
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
import harness  # noqa: E402
from engine_faults import harmed, parent_killed  # noqa: E402
from harness import SCRIPTS, Miner, check  # noqa: E402

FULL = os.environ.get("STORYFI_FULL") == "1"
PROMPTS = ["一个关于太空探险的故事", "A lighthouse keeper who hears the sea speak", "The last library on Mars",
           "古代宫廷里的秘密", "A thief who steals memories", "末日之后的小镇", "Two rival clockmakers",
           "一只会说话的猫", "A ship that sails the desert", "雪山上的寺庙"][:10 if FULL else 3]
STUBS = {"blueprint": {"title": "测试故事"}, "characters": {"characters": []},
         "story_arc": {"chapters": [{"id": 3}]}}
# The file itself, not what storyfi models tune made of it on this machine.
LOCAL = f'generator:\n  mode: "local"\n  fallback: []\n  local:\n    model_name: "{os.environ["DEFAULT_MODEL"]}"\n'


def bigrams(answer):
    text = json.dumps(answer, sort_keys=True, ensure_ascii=False)
    return {text[i:i + 2] for i in range(len(text) - 1)}


def similarity(a, b):
    x, y = bigrams(a), bigrams(b)
    return len(x & y) / len(x | y)


def every_task(miner):
    for task in ("blueprint", "characters", "story_arc", "chapters"):
        answers = []
        for k, prompt in enumerate(PROMPTS):
            context = miner.dir / "context.json"
            stubs = {} if task == "blueprint" else dict(STUBS)
            context.write_text(json.dumps({**stubs, "chapter_ids": [1 + (3 * k) % 12]}))
            r = miner.query(task, prompt, "--context", context, "--timeout", "60", "--json")
            ok = r.returncode == 0
            answer = json.loads(r.stdout) if ok else None
            check(f"model: {task} {k + 1} is deep-valid, of full structure and in time",
                  ok and answer["score"]["structure"] == 40 and answer["seconds"] < 57, r.stderr)
            if ok:
                answers.append(answer["output_data"])
        pairs = [similarity(a, b) for i, a in enumerate(answers) for b in answers[:i]]
        check(f"model: {task}: no two answers over 0.9 alike", max(pairs, default=0) <= 0.9, pairs)


def main():
    with Miner(LOCAL, wait=60) as miner:
        every_task(miner)
        harmed(miner, signal.SIGKILL, "child killed, nobody else", 1, 4)
        parent_killed(miner)
    backed = LOCAL.replace("[]", '["custom"]') + f'  custom:\n    script_path: "{SCRIPTS / "stories.py"}"\n'
    with Miner(backed, wait=60) as miner:
        harmed(miner, signal.SIGKILL, "child killed, a script behind it", 0, 5)
        harmed(miner, signal.SIGABRT, "child aborted, a script behind it", 0, 5)
        harmed(miner, signal.SIGSTOP, "child stopped, a script behind it", 0, 14)
        check("fault: the miner ends well after all that", miner.stop() == 0)
    return 1 if harness.failed else 0


if __name__ == "__main__":
    sys.exit(main())
