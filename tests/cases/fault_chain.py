# SPDX-License-Identifier: MIT
"""What the chain does over several requests: breakers, probes, recovery, hedging, budgets, ladders, connections."""
import json
import os
import pathlib
import signal
import sys
import time

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent.parent), str(pathlib.Path(__file__).resolve().parent.parent / "faults")]
import harness  # noqa: E402
import wire  # noqa: E402
from fault_server import Target  # noqa: E402
from harness import check, run  # noqa: E402
from rig import Rig, chain, config, keys_of, record, side_by_side  # noqa: E402

SHORT = os.environ.get("STORYFI_SANITIZED") == "1"
FACTOR = 3 if SHORT else 1
LONG = {"breaker_open": 60, "breaker_open_max": 120}


def pair(first, second, top="", more="", **times):
    """Two providers, the second behind the first, and nobody else."""
    return (f'generator:\n  mode: "api"\n  fallback: []\n{top}  api:\n{record(first)}{more}    fallbacks:\n      - name: "second"\n'
            f'{record(second, "        ")}' + chain(**times))


def dead_primary():
    target = Target(wire.OpenAI()).start()
    with Rig(target, probe_interval=0.5, **LONG) as rig:
        rig.ask()
        target.forget()
        target.always = target.down = "503"
        answers = [rig.ask() for _ in range(15)]
        paid = len(target.paid())
        check("faults: a dead primary under fifteen requests is asked at most four times", 1 <= paid <= 4, target.paid())
        check("faults: and all fifteen are answered by the one behind", all(a.ok and a.mode == "custom" for a in answers), answers)
        tail = [a.wall for a in answers[3:]]
        check("faults: while it is out it costs the requests nothing", min(tail) < 0.3 * FACTOR, tail)
        rig.until(lambda: len(target.free()) > 2, 3)
        check("faults: what is out is looked at by free requests only",
              len(target.paid()) == paid and target.free() and all(r.method == "GET" for r in target.free()), target.requests[-5:])
        log = rig.log.read_text()
        check("faults: a request answered by another is one line that names both", "custom" in log and "api" in log, log[-800:])
        target.heal()
        healed = time.monotonic()
        back = rig.until(lambda: not rig.hop()["breaker_open"], 5)
        took = time.monotonic() - healed
        check("faults: the primary is back within one probe interval of its return, without a restart",
              back and took < 0.5 + 0.4 * FACTOR, took)
        check("faults: and answers", rig.ask().mode == "api")


def failing_share():
    target = Target(wire.OpenAI()).start()
    with Rig(target, **LONG, probe_interval=60, breaker_failures=50, breaker_share=0.5, breaker_min_samples=6,
             breaker_window=20) as rig:
        rig.ask()
        target.forget()
        for k in range(8):
            target.script.extend(["503", "503"] if k % 2 else ["ok"])
            rig.ask()
        check("faults: half of the calls failing opens the breaker too", rig.hop()["breaker_open"], rig.hop())
        paid = len(target.paid())
        check("faults: and not before there are six calls to judge by, with the first one", paid >= 5, paid)


def next_in_time():
    first, second = Target(wire.OpenAI(), "first").start(), Target(wire.Anthropic(), "second").start()
    text = pair(first, second, breaker_failures=1000)
    with Rig(first, text, env=keys_of(first, second)) as rig:
        rig.ask()
        second.forget()
        first.always = "refusal"
        gaps = []
        for _ in range(1 if SHORT else 4):
            first.forget()
            second.forget()
            a = rig.ask()
            paid = first.paid()
            if paid and second.paid():
                gaps.append(second.paid()[0].at - paid[-1].ended)
            check("faults: the second provider answers for the first, and is named",
                  a.ok and a.info.get("provider") == "anthropic" and a.mode == "api", a)
            rig.until(lambda: not rig.resting(), 3)
        check("faults: the next target is asked within 50 ms of the last one's error", gaps and min(gaps) < 0.05 * FACTOR, gaps)


def a_short_deadline():
    """With the numbers as they are delivered and the shortest usual deadline, a primary that hangs leaves the next provider
    the time for an answer."""
    first, second = Target(wire.OpenAI(), "first").start(), Target(wire.Anthropic(), "second").start()
    text = (f'generator:\n  mode: "api"\n  fallback: []\n  api:\n{record(first)}    fallbacks:\n      - name: "second"\n'
            f'{record(second, "        ")}')
    with Rig(first, text, env=keys_of(first, second)) as rig:
        first.always = "hang headers"
        a = rig.ask("blueprint", "the sea", 12)
        check("faults: of 12 s a hanging primary takes seven at the most, and the next one answers",
              a.ok and a.info.get("provider") == "anthropic" and a.wall < 8 * FACTOR, a)


def hedging():
    first, second = Target(wire.OpenAI(), "first").start(), Target(wire.OpenAI(), "second").start()
    limits = "    limits:\n      requests_per_hour: 2\n"
    text = pair(first, second, "  hedge_after_ms: 300\n", limits, progress_timeout=8)
    with Rig(first, text, env=keys_of(first)) as rig:
        first.always = "hang headers"
        walls = []
        for _ in range(2):
            a = rig.ask()
            walls.append(a.wall)
            check("faults: hedging: the one started later answers first and is the answer", a.ok, a)
        check("faults: hedging: and that soon", min(walls) < 1.2 * FACTOR and min(walls) > 0.29, walls)
        check("faults: hedging: the late one is hung up on", [r.outcome for r in rig.settled()] == ["gone"] * 2, first.paid())
        asked = len(first.paid())
        a = rig.ask()
        check("faults: hedging: canceled requests count for the account's limit", a.ok and len(first.paid()) == asked == 2,
              (first.paid(), a, rig.hop()))
    with Rig(first, pair(first, second, "  hedge_after_ms: 600\n"), env=keys_of(first)) as rig:
        first.heal()
        second.forget()
        rig.ask()
        check("faults: hedging: nobody else is asked when the first is in time", not second.paid(), second.paid())


def budgets():
    target = Target(wire.OpenAI()).start()
    limits = "    limits:\n      requests_per_hour: 4\n"
    with Rig(target, api=limits) as rig:
        modes = [rig.ask().mode for _ in range(3)]
        time.sleep(1.3)  # what the last second brought may be lost, what came before may not
        rig.process.send_signal(signal.SIGKILL)
        rig.process.wait()
        rig.start()
        modes += [rig.ask().mode for _ in range(3)]
        check("faults: a limit of four requests an hour holds over kill -9: the one behind answers then",
              modes == ["api"] * 4 + ["custom"] * 2 and len(target.paid()) == 4, (modes, target.paid()))
        hop = rig.hop()
        check("faults: and the status says budget", "budget" in hop["last_error"] + hop.get("reason", ""), hop)
        log = rig.log.read_text()
        check("faults: and the log says so once", sum("by its budget" in line for line in log.splitlines()) == 1,
              [line for line in log.splitlines() if "budget" in line])
    target.forget()
    with Rig(target, api="    limits:\n      cost_per_day: 0.000001\n") as rig:
        modes = [rig.ask().mode for _ in range(3)]
        check("faults: a limit of cost lets what is under way through and then no more",
              modes == ["api", "custom", "custom"], (modes, target.paid(), rig.hop()))


def until_reload():
    """A model that is not there is asked for again after a reload, not before."""
    target = Target(wire.OpenAI()).start()
    with Rig(target) as rig:
        rig.ask()
        target.always = "404"
        rig.ask()
        target.heal()
        target.forget()
        rig.until(lambda: target.paid(), 1)
        modes = [rig.ask().mode for _ in range(3)]
        check("faults: a model that is not there is not asked for again", modes == ["custom"] * 3 and not target.paid(), (modes, target.paid()))
        log = rig.log.read_text()
        check("faults: and that is said loudly, with the remedy", " error " in log and "SIGHUP" in log, log[-600:])
        rig.process.send_signal(signal.SIGHUP)
        check("faults: a reload brings it back", rig.until(lambda: rig.ask().mode == "api", 4), rig.hop())


def billing():
    """What the status says was spent is what the provider would send a bill for."""
    target = Target(wire.OpenAI()).start()
    with Rig(target, breaker_failures=50) as rig:
        for step in ("503", "401", "429", "400 context"):
            target.always = step
            rig.ask()
            rig.until(lambda: not rig.resting(), 3)
        spent = rig.hop()["usage"]
        check("faults: requests that are refused cost no tokens, and count as requests",
              spent["prompt_tokens"] == 0 and spent["cost_usd"] == 0 and spent["requests"] == len(target.paid()), (spent, target.paid()))
        target.heal()
        target.forget()
        for _ in range(3):
            rig.ask()
        more = rig.hop()["usage"]
        billed = [target.wire.usage(r, target.wire.write(r)) for r in target.paid()]
        check("faults: three answers cost what the provider says of them, each once",
              more["prompt_tokens"] == sum(b["prompt_tokens"] for b in billed) and
              more["generated_tokens"] == sum(b["completion_tokens"] for b in billed) and more["cost_usd"] > 0, (more, billed))


def trails():
    """`storyfi trail ID` names hops, tries and reasons."""
    target = Target(wire.OpenAI()).start()
    with Rig(target, **LONG, probe_interval=60) as rig:
        def trail():
            flags = ("--config", rig.config, "--state_dir", rig.dir / "state")
            seen = len(target.paid())
            rig.ask()
            rig.until(lambda: len(json.loads(run("history", "--json", *flags).stdout)) > seen_rows[0], 4)
            rows = json.loads(run("history", "--json", *flags).stdout)
            seen_rows[0] = len(rows)
            number = max(r["id"] for r in rows)
            return run("trail", number, *flags).stdout, len(target.paid()) - seen
        seen_rows = [0]
        text, paid = trail()
        check("faults: trail: an answer by the first names it alone", "1. api" in text and "answered" in text and paid == 1
              and "custom" not in text.split("generators")[1], text)
        target.script.append("half")
        text, paid = trail()
        check("faults: trail: a repair is told as one, with what was missing", "repair 2" in text and "/setting" in text and paid == 2, text)
        target.always = "503"
        text, paid = trail()
        check("faults: trail: both tries of a failing hop are told, and who answered", text.count("SF_ETRANSIENT") == 2 and
              "2. custom" in text and paid == 2, text)
        target.always = "402"
        text, paid = trail()
        check("faults: trail: a refused account is told by its words", "SF_EACCOUNT" in text and "402" in text and paid == 1, text)
        text, paid = trail()
        check("faults: trail: what is passed over says why, and what it waits for", "passed over" in text and "402" in text and paid == 0,
              text)


def at_once():
    target = Target(wire.OpenAI()).start()
    with Rig(target) as rig:
        rig.ask()
        target.forget()
        target.always = "late"
        a = rig.chapters([1, 2, 3, 4])
        paid = rig.settled()
        overlap = max((sum(o.at <= r.at < o.ended for o in paid) for r in paid), default=0)
        check("faults: four chapters go out as requests side by side", a.ok and a.mode == "api" and overlap >= 3, (a, paid))
        chapters = a.value.get("output_data", {}).get("chapters", [])
        check("faults: and come back in the order asked", [c["id"] for c in chapters] == [1, 2, 3, 4], chapters)
        check("faults: in the time of one or two", a.wall < 2.6 * FACTOR, a)
        target.heal()
        target.script.extend(["503", "ok", "ok", "ok"])
        had = len(target.paid())
        a = rig.chapters([5, 6, 7, 8])
        check("faults: one of four that fails is asked for again alone", a.ok and a.mode == "api" and len(target.paid()) - had <= 6,
              (a, target.paid()[had:]))
        target.heal()
        opened = target.connections
        for _ in range(6):
            rig.ask()
        check("faults: connections are kept and used again", target.connections == opened, (opened, target.connections))
        target.always = "stale"
        answers = [rig.ask() for _ in range(3)]
        check("faults: a kept connection that died meanwhile costs a new one, not the answer",
              all(a.mode == "api" and a.wall < 1 * FACTOR for a in answers), (answers, target.paid()[-6:]))


def ladder(make, name, most):
    """The first request of a task finds out what the server can; the second one knows (a schema may be too much for one
    task alone). `most`: what may be refused in all."""
    target = Target(make).start()
    with Rig(target, **LONG) as rig:
        refused = 0
        for task in ("blueprint", "story_arc") if SHORT else ("blueprint", "characters", "story_arc", "chapters"):
            a = rig.ask(task)
            paid = [r for r in target.forget() if r.generation]
            check(f"faults: {name}: {task} is answered", a.ok and a.mode != "custom", (a, paid, rig.hop()))
            refused += sum(r.status == 400 for r in paid)
            a = rig.ask(task)
            paid = [r for r in target.forget() if r.generation]
            check(f"faults: {name}: {task} takes one request the second time", a.ok and a.mode != "custom" and len(paid) == 1, (a, paid))
        check(f"faults: {name}: what the server takes is found out in at most {most} refusals",
              refused <= most and (refused > 0 or most == 0), refused)
        check(f"faults: {name}: which is no failure", not rig.resting() and rig.hop()["failures"] == 0, rig.hop())


def ladders():
    cases = [(wire.Ollama(), "a server that knows max_tokens and no schemas", 5),
             (wire.OpenAI(model="o9-mini", any_temperature=False, known=("max_completion_tokens",)), "a model that refuses temperature", 1),
             (wire.OpenAI(model="gpt-3.5-turbo", formats=("json_object",), max_output=4096, context=16385), "GPT-3.5-turbo with 4k of output", 4),
             (wire.OpenAI(model="gpt-4", formats=(), max_output=8192, context=8192), "GPT-4 with 8k of context and no formats", 8),
             (wire.OpenAI(model="somebody-s-4k", max_output=4096, context=8192), "an unknown model with 4k of output", 4),
             (wire.VLLM(guided="guided_json"), "an older vLLM that refuses what it does not know", 0),
             (wire.VLLM(guided="guided_json", silent=True), "an older vLLM that passes over what it does not know", 0),
             (wire.Gemini(rich=False), "a Gemini for which the schema has too many states", 4),
             (wire.Gemini(thinks=True), "a Gemini that thinks whatever it is told", 1),
             (wire.Anthropic(any_temperature=True), "an Anthropic model", 0)]
    side_by_side([lambda c=c: guarded(ladder, *c) for c in (cases[:2] if SHORT else cases)])


def vllm_still():
    target = Target(wire.VLLM()).start()
    with Rig(target) as rig:
        rig.ask()
        target.forget()
        target.always = "hang headers"
        a = rig.ask()
        check("faults: a vLLM whose /metrics stand still is left after the time without progress",
              a.ok and a.mode == "custom" and 0.9 < a.wall < 2.6 * FACTOR, a)
        check("faults: its /metrics were looked at for that", any(r.path == "/metrics" for r in target.free()), target.free())
    asked = Target(wire.VLLM()).start()
    text = config(asked).replace('    model_name: "meta-llama/Llama-3.1-8B-Instruct"\n', "")
    with Rig(asked, text) as rig:
        a = rig.ask()
        check("faults: without a model name the vLLM server is asked which it has", a.ok and a.mode == "vllm", (a, asked.requests))


def services():
    target = Target(wire.Service(has_health=False, content="generated_content")).start()
    with Rig(target) as rig:
        a = rig.ask()
        check("faults: a service without /health that says generated_content answers", a.ok and len(target.paid()) == 1, (a, target.requests))
        target.refuse()
        for _ in range(3):
            rig.ask()
        target.heal()
        check("faults: a 404 of /health means that it is back", rig.until(lambda: not rig.hop()["breaker_open"], 4), rig.hop())
    claims = {"model_info": {"mode": "local", "name": "a model of our own", "provider": "me"}, "mode": "local"}
    target = Target(wire.Service(claims=claims)).start()
    with Rig(target) as rig:
        a = rig.ask()
        check("faults: a service may claim what it likes: model_info says custom", a.ok and a.mode == "custom" and len(target.paid()) == 1,
              (a.info, target.paid()))
    target = Target(wire.Service(key="token-0123456789abcdef")).start()
    text = config(target).replace("      timeout: 1.2\n", '      timeout: 1.2\n      api_key_env: "MY_SERVICE_TOKEN"\n')
    with Rig(target, text, env={"MY_SERVICE_TOKEN": target.wire.key}) as rig:
        a = rig.ask()
        check("faults: a service that wants a token gets the one that is named", a.ok and len(target.paid()) == 1
              and target.paid()[0].status == 200, (a, target.paid()))


def guarded(part, *args):
    try:
        part(*args)
    except Exception as error:  # a part that breaks must not hide the others
        check(f"faults: {part.__name__} {args[1:2]} runs to its end", False, repr(error))


def main():
    parts = (a_short_deadline, dead_primary, failing_share, next_in_time, hedging, budgets, billing, trails, until_reload, at_once, ladders, vllm_still, services)
    short = (dead_primary, hedging, budgets, at_once, ladders)
    chosen = [p for p in (short if SHORT else parts) if not sys.argv[1:] or p.__name__ in sys.argv[1:]]
    side_by_side([lambda p=p: guarded(p) for p in chosen])
    return 1 if harness.failed else 0


if __name__ == "__main__":
    sys.exit(main())
