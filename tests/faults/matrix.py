# SPDX-License-Identifier: MIT
"""Every provider times every fault, with what the retry table asks for: one row a fault. Times are in seconds and
allow for a loaded machine at their upper end, never at their lower one."""
import dataclasses

PRIMARY, SPARE, EITHER = "primary", "spare", "one of them"
SLACK = 1.6  # what starting processes and a loaded machine may add


@dataclasses.dataclass
class Row:
    step: str                # what the target does (misbehave.py, wire.py), with every paid request
    kind: str                # the class of the retry table
    attempts: tuple = (1, 1)  # paid requests that reach the target
    answer: str = SPARE
    script: tuple = ()       # instead of `step` for ever: these steps, then right answers
    gap: tuple = ()          # seconds between the end of the first attempt and the second
    wall: tuple = (0, SLACK)
    open: bool = False       # the breaker, or the bench, after it
    gone: bool = False       # the target sees that it was hung up on
    billed: int = 0          # paid requests that the target answered in full
    rests: bool = False      # a request right after it costs the target nothing
    down: bool = False       # free requests fail the same way
    lasts: bool = False      # out for longer than a test waits, or until the configuration is loaded again
    name: str = ""
    core: bool = False       # also in the short form under the sanitizers

    def __str__(self):
        return self.name or self.step


# What the journal and the status call each class; a cut body may be either of two.
CODES = {"transient": ("SF_ETRANSIENT",), "rate": ("SF_ERATE",), "account": ("SF_EACCOUNT",), "config": ("SF_EMODEL", "SF_ECONFIG"),
         "content": ("SF_ECONTENT",), "incomplete": ("SF_EINCOMPLETE",), "slow": ("SF_ESLOW",), "shape": ("SF_ESHAPE",),
         "too large": ("SF_ESHAPE", "SF_ELIMIT"), "transient or incomplete": ("SF_ETRANSIENT", "SF_EINCOMPLETE")}
JITTER = (0.05, 0.2 + 0.4)
AGAIN = dict(attempts=(2, 2), gap=JITTER)


def transient(step, **more):
    return Row(step, "transient", **{**AGAIN, **more})


def account(step, **more):
    return Row(step, "account", open=True, rests=True, **more)


def content(step, **more):
    return Row(step, "content", **{"billed": 1, **more})


def incomplete(step, **more):
    return Row(step, "incomplete", **{"attempts": (1, 2), **more})


def slow(step, **more):
    return Row(step, "slow", **{"wall": (0.9, 2.4 + SLACK), "gone": True, **more})


def good(step, **more):
    return Row(step, "ok", answer=PRIMARY, **{"attempts": (1, 1), "billed": 1, **more})


def rate_fits(step, delay):
    return Row(step, "rate", (2, 2), PRIMARY, script=(step,), gap=(delay, delay + 0.8), wall=(delay, delay + SLACK), billed=1,
               name=f"{step}, then fine")


COMMON = (
    good("ok", core=True),
    transient("500"), transient("502"), transient("503", core=True), transient("504"), transient("529"), transient("408"),
    transient("reset"),
    transient("503", script=("503",), answer=PRIMARY, billed=1, name="one 503, then fine", core=True),
    transient("reset", script=("reset",), answer=PRIMARY, billed=1, name="one reset, then fine"),
    Row("refuse", "transient", (0, 0), down=True, name="connections refused", core=True),
    slow("hang headers", core=True),
    Row("429", "rate", open=True, core=True), Row("429 far", "rate", open=True, rests=True, lasts=True),
    rate_fits("429 retry-after", 1),
    account("401", down=True), account("402"), account("403", core=True),
    Row("404", "config", open=True, rests=True, lasts=True),
    Row("413", "too large", attempts=(1, 2)),
    incomplete("cut", core=True), incomplete("html"), incomplete("empty 200"), incomplete("malformed envelope"),
    incomplete("oversized", wall=(0, 4 + SLACK)),
)
# Of those that write JSON as text.
MODELS = (
    good("fenced", core=True), good("plain:fenced", name="fenced, not streamed"),
    incomplete("malformed", attempts=(2, 2), billed=2, core=True),
    incomplete("prose", attempts=(2, 2), billed=2), incomplete("empty answer", attempts=(1, 2)),
    incomplete("array", answer=EITHER),
    Row("half", "incomplete", (2, 2), PRIMARY, script=("half",), billed=2, name="one part wrong, then right", core=True),
    Row("half", "incomplete", (2, 2), SPARE, billed=2, name="one part wrong, and again"),
)
STREAMED = (
    slow("trickle", wall=(0.9, 5 + SLACK)),  # speed is taken from the first token on
    good("split"), good("crlf"), good("plain:ok", name="a plain answer where a stream was asked for"),
    good("late", wall=(0.8, 0.8 + SLACK)), good("thinking"),
    slow("hang first token"), slow("stall", core=True),
    incomplete("short stream"), incomplete("length", attempts=(1, 2)),
    incomplete("plain:length", attempts=(1, 2), name="length, not streamed"),
    Row("error event", "transient or incomplete", (1, 2)),
)
OPENAI = (
    Row("400 schema", "shape", (1, 6)), Row("400", "shape", (1, 6)), Row("400 context", "shape", (1, 6)),
    Row("429 slow_down", "rate", open=True), Row("429 unknown", "rate", open=True),
    rate_fits("429 date", 1), rate_fits("429 retry-after-ms", 0.3), rate_fits("429 reset", 0.3),
    account("429 quota", core=True), account("429 balance"), account("429 spend"), account("429 usage"),
    content("refusal"), content("filtered"), content("plain:refusal", name="refusal, not streamed"),
    content("plain:filtered", name="filtered, not streamed"),
)
GEMINI = (
    Row("400 schema", "shape", (1, 6)), account("400 key"),
    rate_fits("429 retryDelay", 0.3), account("429 PerDay", core=True),
    content("refusal"), content("filtered"), content("recitation"), content("blocked prompt"),
    content("plain:recitation", name="recitation, not streamed"), content("plain:blocked prompt", name="blocked prompt, not streamed"),
)
ANTHROPIC = (
    Row("400 schema", "shape", (1, 6)), account("429 spend", core=True),
    content("refusal"), content("plain:refusal", name="refusal, not streamed"),
)
VLLM = (
    good("slow but alive", attempts=(1, 1), wall=(2, 2 + SLACK), name="nothing for two seconds while /metrics moves", core=True),
    Row("400", "shape", (1, 6)),
)
CUSTOM = (
    rate_fits("429 date", 1), slow("hang first token"), slow("stall"), slow("trickle"),
    Row("400", "shape", (1, 2)), good("fenced"),
    Row("half", "incomplete", (2, 2), PRIMARY, script=("half",), billed=2, name="one part wrong: asked for again whole", core=True),
    Row("half", "incomplete", (2, 2), SPARE, billed=2, name="one part wrong, and again"),
)


def rows(wire):
    """All of a provider, as (row, …)."""
    own = {"openai": MODELS + STREAMED + OPENAI, "ollama": MODELS + STREAMED, "vllm": MODELS + STREAMED + VLLM,
           "gemini": MODELS + STREAMED + GEMINI, "anthropic": MODELS + STREAMED + ANTHROPIC, "custom": CUSTOM}[wire.name]
    # Gemini has its delay in the body, vLLM and others behind proxies may have any header.
    left_out = ("429 retry-after",) if wire.name == "gemini" else ()
    return [r for r in COMMON + own if r.step not in left_out]
