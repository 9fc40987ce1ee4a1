# SPDX-License-Identifier: MIT
"""Every provider times every fault (../faults/matrix.py), through a real miner with a script behind. One miner and
one server a provider, side by side."""
import os
import pathlib
import re
import sys

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent.parent), str(pathlib.Path(__file__).resolve().parent.parent / "faults")]
import harness  # noqa: E402
import matrix  # noqa: E402
import wire  # noqa: E402
from fault_server import Target  # noqa: E402
from harness import check  # noqa: E402
from rig import Rig, side_by_side  # noqa: E402

SHORT = os.environ.get("STORYFI_SANITIZED") == "1"
FACTOR = 3 if SHORT else 1  # an instrumented program may take longer; it may not do more


def within(value, bounds):
    return bounds[0] <= value <= bounds[1] * FACTOR


def arm(target, row):
    if row.script:
        target.script.extend(row.script)
    elif row.step == "refuse":
        target.refuse()
    else:
        target.always = row.step
        target.down = row.step if row.down else ""


def asks_for_setting_alone(make, request):
    """A model is asked for the missing part alone; a custom service always gets the documented JSON."""
    if make.name == "custom":
        return True
    schema = make.schema(request)
    if schema:
        return list(schema["properties"]) == ["setting"]
    return re.findall(r'^- "([\w.]+)"', make.text(request), re.M) == ["setting"]


def most_memory(rig):
    """The most that the miner ever held, in MiB."""
    text = pathlib.Path(f"/proc/{rig.process.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", text)[1]) // 1024


def judge(rig, row, before, answer):
    """What is wrong with what happened, as sentences."""
    target, wrong = rig.target, []
    paid = rig.settled()
    first, spare = rig.status()["generators"][:2]
    refused = [r for r in paid if "itself was refused" in r.step]
    if refused and row.kind != "shape":  # what follows a 400 is less and less, some of it for other servers
        wrong.append(f"the server refuses our request: {refused}")
    if not answer.ok:
        wrong.append(f"no answer: {answer}")
    by = matrix.PRIMARY if first["answers"] > before[0] else matrix.SPARE if spare["answers"] > before[1] else "nobody"
    if by != row.answer and row.answer != matrix.EITHER:
        wrong.append(f"answered by {by}: {first['last_error']}")
    if row.step == "half" and len(paid) > 1 and not asks_for_setting_alone(target.wire, paid[1]):
        wrong.append(f"the repair asks for more than what is missing: {paid[1].body}")
    mode = "custom" if by != matrix.PRIMARY or target.wire.name == "custom" else \
        "vllm" if target.wire.name == "vllm" else "api"
    if answer.mode != mode:
        wrong.append(f"model_info says {answer.info}")
    if not row.attempts[0] <= len(paid) <= row.attempts[1]:
        wrong.append(f"{len(paid)} attempts: {paid}")
    # `ended` is noted after the last byte went: the client may have had it a moment earlier.
    if row.gap and len(paid) > 1 and not within(paid[1].at - paid[0].ended + 0.01, row.gap):
        wrong.append(f"the second attempt came {paid[1].at - paid[0].ended:.3f} s after the first")
    if row.answer == matrix.SPARE and first["last_error_code"] not in matrix.CODES[row.kind]:
        wrong.append(f"it counts as {first['last_error_code']}: {first['last_error']}")
    if not within(answer.wall, row.wall):
        wrong.append(f"it took {answer.wall:.2f} s")
    if row.gone and not all(r.outcome == "gone" for r in paid):
        wrong.append(f"not hung up: {paid}")
    billed = sum(r.outcome == "answered" and r.status == 200 for r in paid)
    if row.billed and billed > row.billed:
        wrong.append(f"{billed} answers paid for: {paid}")
    if row.answer == matrix.PRIMARY and target.wire.name in ("openai", "gemini", "anthropic") and \
            (answer.info.get("provider") != target.wire.name or answer.info.get("name") != target.wire.model):
        wrong.append(f"model_info says {answer.info}")
    return wrong


def case(rig, row):
    target = rig.target
    before = [g["answers"] for g in rig.status()["generators"][:2]]
    arm(target, row)
    answer = rig.ask()
    wrong = judge(rig, row, before, answer)
    resting = rig.resting()
    if row.step == "429" and not row.script:
        resting = row.open  # its bench is shorter than a look at it may take
    if resting != row.open:
        wrong.append(f"the breaker is {'open' if resting else 'closed'}: {rig.hop()}")
    if row.rests:
        had = len(target.paid())
        again = rig.ask()
        if not again.ok or len(target.paid()) != had:
            wrong.append(f"asked again at once: {target.paid()[had:]} {again}")
    sentence = f"{row} is {row.kind}: {row.answer} answers" if row.kind != "ok" else f"{row}: it answers"
    check(f"faults: {target.name}: {sentence}", not wrong, "; ".join(wrong) + f" | paid {rig.target.paid()}")
    if row.lasts:
        rig.restart()
    if not rig.recover():
        check(f"faults: {target.name}: after {row} it is asked again without a restart", False, rig.hop())
        rig.restart()
        rig.recover()


def provider(make):
    target = Target(make).start()
    try:
        with Rig(target) as rig:
            rig.ask()  # walks the ladder, if there is one
            rig.recover()
            for row in matrix.rows(target.wire):
                if row.core or not SHORT:
                    case(rig, row)
            check(f"faults: {target.name}: answers without end take no memory without end", SHORT or most_memory(rig) < 128,
                  f"{most_memory(rig)} MiB")
            key = target.wire.key
            check(f"faults: {target.name}: the key stands in no log", not key or key not in rig.log.read_text(errors="replace"))
            check(f"faults: {target.name}: the miner ends well after all that", rig.stop() == 0)
    except Exception as error:  # one provider that breaks must not hide the others
        check(f"faults: {target.name} runs to its end", False, repr(error))


def main():
    makes = [wire.OpenAI(), wire.Gemini(), wire.Anthropic(), wire.VLLM(), wire.Service(), wire.Ollama()]
    chosen = [m for m in makes if not sys.argv[1:] or m.name in sys.argv[1:]]
    side_by_side([lambda m=m: provider(m) for m in chosen])
    return 1 if harness.failed else 0


if __name__ == "__main__":
    sys.exit(main())
