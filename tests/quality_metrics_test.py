# SPDX-License-Identifier: MIT
"""Each metric of bench/quality.py tells a good text from one with the fault that it is there for. Run by tests/rings/15-tools.sh."""
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "tests")]
import quality_metrics as q  # noqa: E402
from harness import check  # noqa: E402
import harness  # noqa: E402

CAST = {"characters": [{"id": "protagonist", "name": "Maren Tolliver"}, {"id": "ally", "name": "Jonah Reed"}]}
CAST_ZH = {"characters": [{"id": "protagonist", "name": "林星"}, {"id": "rival", "name": "陆沉"}]}
GOOD = ["Maren rowed out before the tide had turned.", "Behind her Jonah Reed counted seven bells and lost the eighth.",
        "What answered from below was older than any harbour."]
GOOD_ZH = ["林星推开旧仓库的门，灰尘在灯光里飞舞。", "陆沉站在舷窗前面，一句话也没有说。"]


def arc(texts, lang="en", kind="fantasy", task="story_arc"):
    chapters = [{"description": t} for t in texts]
    request = {"task": task, "lang": lang, "kind": kind, "idea": "", "context": {"characters": CAST if lang == "en" else CAST_ZH}}
    return q.Answer(request, {"chapters": chapters})


def better(name, metric, good, bad, by=0.05):
    a, b = q.METRICS[metric](good), q.METRICS[metric](bad)
    check(f"quality: {metric}: {name}", 0 <= b <= a - by and a <= 1, (a, b))


def main():
    better("the same sentence twice", "repetition", arc(GOOD), arc([GOOD[0], GOOD[0], GOOD[2]]))
    better("the same sentence twice, in Chinese", "repetition", arc(GOOD_ZH, "zh"), arc([GOOD_ZH[0]] * 2, "zh"))
    better("few words", "vocabulary", arc(GOOD * 3), arc(["The sea is the sea and the sea is the old sea of the sea."] * 4))
    better("a text that is missing", "length used", arc(GOOD * 4), arc(GOOD * 3))
    better("a text too short", "length used", arc(["Maren rowed out before dawn."] * 12), arc(["Maren."] * 12))
    better("a person who is not named", "consistency", arc(GOOD), arc([GOOD[0], GOOD[2]]))
    better("a stranger's full name", "consistency", arc(GOOD), arc([GOOD[0], GOOD[1].replace("Jonah Reed", "Jonah and Peter Marlow")]))
    better("one's first name with another's surname", "consistency", arc(GOOD), arc([GOOD[0], GOOD[1].replace("Jonah Reed", "he and Jonah Tolliver saw Jonah")]))
    better("somebody with another's role", "consistency", arc(GOOD), arc([*GOOD[:2], "In the end Maren, the stranger, went home."]))
    better("a word from another genre", "consistency", arc(GOOD), arc([*GOOD, "The robot waited."]))
    better("a word from another genre, in Chinese", "consistency", arc(GOOD_ZH, "zh", "historical"), arc([*GOOD_ZH, "她拿起手机。"], "zh", "historical"))
    better("letters of another script", "language purity", arc(GOOD_ZH, "zh"), arc([*GOOD_ZH, "The end is near."], "zh"))
    better("markup", "language purity", arc(GOOD), arc([*GOOD, "**Chapter** one"]))
    broken = q.Answer(arc(GOOD).request, None, '{"chapters": [{"description": "Maren rowed out with Jonah."')
    check("quality: raw text counts without its keys", q.purity(broken) == 1 and "description" not in "".join(broken.values.values()), broken.values)
    check("quality: nothing at all scores nothing", all(f(q.Answer(arc(GOOD).request, None, "")) == 0 for f in q.METRICS.values()))
    return 1 if harness.failed else 0


if __name__ == "__main__":
    sys.exit(main())
