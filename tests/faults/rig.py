# SPDX-License-Identifier: MIT
"""A real miner whose first generator is a Target of the fault server, and a script behind it."""
import json
import pathlib
import re
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from harness import SCRIPTS, Miner, check  # noqa: E402

# The chain's times, short: a case takes about a second. The breaker opens on failures in a row alone, so that one
# case does not weigh on the next.
CHAIN = {"progress_timeout": 1, "min_tokens_per_second": 2, "min_tokens_window": 1, "retry_jitter_min_ms": 50,
         "retry_jitter_max_ms": 200, "breaker_failures": 3, "breaker_share": 1, "breaker_min_samples": 20,
         "breaker_open": 0.3, "breaker_open_max": 1, "account_open": 1, "rate_limit_bench": 0.3,
         "probe_interval": 0.3}
KEYS = {"openai": "OPENAI_API_KEY", "gemini": "GEMINI_API_KEY", "anthropic": "ANTHROPIC_API_KEY"}
BASES = {"gemini": "/v1beta", "custom": "/generate"}
# Nothing of the machine's own may steer a test.
ENV = {"OPENAI_API_KEY": "", "GEMINI_API_KEY": "", "ANTHROPIC_API_KEY": "", "http_proxy": "", "https_proxy": "",
       "HTTP_PROXY": "", "HTTPS_PROXY": "", "all_proxy": "", "ALL_PROXY": "", "no_proxy": "127.0.0.1",
       "NO_PROXY": "127.0.0.1"}
SPARE = SCRIPTS / "spare.sh"


def endpoint(target):
    return target.url + BASES.get(target.wire.name, "/v1")


def provider(target):
    """As `api.provider` names it."""
    return target.wire.name if target.wire.name in KEYS else "openai"


def record(target, indent="    ", **more):
    """The keys of one api record."""
    keys = {"provider": provider(target), "endpoint": endpoint(target), "model": target.wire.model, **more}
    if target.wire.name not in KEYS:
        keys["provider"] = "custom"  # a server of somebody's own: no key of a provider is looked for
    return "".join(f"{indent}{k}: {json.dumps(v)}\n" for k, v in keys.items())


def chain(**more):
    return "  chain:\n" + "".join(f"    {k}: {v}\n" for k, v in {**CHAIN, **more}.items())


def config(target, api=None, top="", spare=True, **more):
    """The configuration whose first hop is `target`; `api`: further keys of its section, as text."""
    kind = target.wire.name
    if kind == "custom":
        other = f'    - name: "spare"\n      script_path: "{SPARE}"\n' if spare else ""
        text = (f'generator:\n  mode: "service"\n  fallback: [{"spare" if spare else ""}]\n{top}  custom:\n'
                f'    - name: "service"\n      endpoint: "{endpoint(target)}"\n      timeout: 1.2\n{api or ""}{other}')
    else:
        back = f'  custom:\n    script_path: "{SPARE}"\n' if spare else ""
        mode = "vllm" if kind == "vllm" else "api"
        section = (f'  vllm:\n    endpoint: "{endpoint(target)}"\n    model_name: "{target.wire.model}"\n' if mode == "vllm"
                   else "  api:\n" + record(target))
        text = (f'generator:\n  mode: "{mode}"\n  fallback: [{"custom" if spare else ""}]\n{top}{section}{api or ""}{back}')
    return text + chain(**more)


def keys_of(*targets):
    return {KEYS[t.wire.name]: t.wire.key for t in targets if t.wire.name in KEYS}


class Answer:
    def __init__(self, r, wall, began):
        self.ok, self.wall, self.began, self.stderr = r.returncode == 0, wall, began, r.stderr
        self.value = json.loads(r.stdout) if r.stdout.startswith("{") else {}
        self.info = self.value.get("model_info") or {}
        self.mode = self.info.get("mode")

    def __repr__(self):
        return f"<{'ok' if self.ok else 'refused'} by {self.mode}/{self.info.get('name')} in {self.wall:.2f} s {self.stderr[-300:]}>"


class Rig(Miner):
    """The miner, its target and what is seen of both."""

    def __init__(self, target, text=None, flags=(), env=None, **more):
        super().__init__(text or config(target, **more), flags, env={**ENV, **keys_of(target), **(env or {})})
        self.target = target

    def __exit__(self, *error):
        super().__exit__(*error)
        found = re.search(r".*(?:Sanitizer|runtime error:|BUG at).*(?:\n.*){0,12}", self.log.read_text(errors="replace"))
        if found:
            check(f"faults: {self.target.wire.name}: the miner's log holds no report of its own faults", False, found[0])

    def ask(self, task="blueprint", text="the sea", timeout=12, *more):
        began = time.monotonic()
        r = self.query(task, text, "--timeout", timeout, "--json", *more)
        return Answer(r, time.monotonic() - began, began)

    def chapters(self, ids, timeout=12):
        context = self.dir / f"context-{'-'.join(map(str, ids))}.json"
        context.write_text(json.dumps({"chapter_ids": ids}))
        return self.ask("chapters", "the sea", timeout, "--context", context)

    def hop(self, k=0):
        return self.status()["generators"][k]

    def until(self, what, seconds=5):
        """Until what() is true; what it was at last."""
        end = time.monotonic() + seconds
        while not (value := what()) and time.monotonic() < end:
            time.sleep(0.03)
        return value

    def settled(self):
        """All that is known of paid requests, once each of them has ended."""
        self.until(lambda: all(r.ended for r in self.target.paid()), 2)
        return self.target.paid()

    def resting(self, k=0):
        """Whether the chain would pass it over now: by its breaker, its bench or its account."""
        hop = self.hop(k)
        return hop["breaker_open"] or hop.get("can_answer") is False or bool(hop.get("account_reason"))

    def restart(self):
        self.process.kill()
        self.process.wait()
        self.start()

    def recover(self, seconds=3):
        """The target works again: whether the miner finds that out by itself."""
        self.target.heal()
        before = self.hop()["answers"]
        back = self.until(lambda: self.ask() and self.hop()["answers"] > before, seconds)
        self.settled()
        self.target.forget()
        return back


def side_by_side(jobs):
    threads = [threading.Thread(target=job) for job in jobs]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
