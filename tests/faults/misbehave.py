# SPDX-License-Identifier: MIT
"""What a server does with one request, by the name of the step. "ok" is the right answer in the provider's
format; a status such as "503" its usual error of that status; "429 retry-after 1" and the like its named
errors (wire.py: `errors`); everything else one row of STEPS. "plain:STEP" answers a streaming request as if
streaming were unknown."""
import json
import time

REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 402: "Payment Required", 403: "Forbidden",
           404: "Not Found", 405: "Method Not Allowed", 408: "Request Timeout", 413: "Payload Too Large",
           429: "Too Many Requests", 500: "Internal Server Error", 501: "Not Implemented",
           502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout"}
HANG = 30  # seconds; tests end long before


class Cut(Exception):
    """The connection ends here."""


def send_json(line, request, status, body, headers=None, kind="application/json"):
    data = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    request.status = status
    line.head(status, {"content-type": kind, **(headers or {})}, len(data))
    line.send(data)


def send_error(target, line, request, name):
    status, body, headers = target.wire.error(name)
    kind = "text/html" if isinstance(body, bytes) else "application/json"
    send_json(line, request, status, body, headers, kind)


class Answer:
    """The right answer to a request, cut into what a stream sends."""

    def __init__(self, target, request, plain):
        self.target, self.wire, self.request = target, target.wire, request
        self.text = self.wire.write(request)
        self.stream = self.wire.wants_stream(request) and not plain

    def events(self, **how):
        pieces = how.pop("pieces", None)
        if pieces is None:
            size = max(1, len(self.text) // 8)
            pieces = [self.text[i:i + size] for i in range(0, len(self.text), size)]
        return self.wire.stream(self.request, pieces, **how)

    def whole(self, **how):
        return self.wire.plain(self.request, how.pop("text", self.text), **how)


def send_answer(line, answer, text=None, **how):
    """Whole and right in its form; `text` may be another one than the right one."""
    if text is not None:
        answer.text = text
    request = answer.request
    request.status = 200
    if not answer.stream:
        send_json(line, request, 200, answer.whole(**how), answer.wire.ok_headers)
        return
    line.head(200, {"content-type": "text/event-stream", **answer.wire.ok_headers})
    for event in answer.events(**how):
        line.piece(event)
        answer.target.progress += 10
    line.finish()


# Each of these takes (target, line, answer) and may raise Cut; False closes the connection.
def ok(_, line, answer):
    send_answer(line, answer)


def reset(_, line, answer):
    line.reset()


def stale(_, line, answer):
    """A connection that was kept is dead when it is used again; a new one is fine."""
    if line.served > 1:
        raise Cut
    send_answer(line, answer)


def hang_headers(_, line, answer):
    line.wait(HANG)
    raise Cut


def begin(line, answer):
    """The head, and for a stream what comes before the first token."""
    answer.request.status = 200
    if answer.stream:
        line.head(200, {"content-type": "text/event-stream"})
        events = list(answer.events())
        head = [e for e in events[:answer.wire.n_opening]]
        for event in head:
            line.piece(event)
        return events[answer.wire.n_opening:]
    data = json.dumps(answer.whole()).encode()
    line.head(200, {"content-type": "application/json"}, len(data))
    size = max(1, len(data) // 8)
    return [data[i:i + size] for i in range(0, len(data), size)]


def hang_first_token(_, line, answer):
    begin(line, answer)
    line.wait(HANG)
    raise Cut


def stall(_, line, answer):
    for piece in begin(line, answer)[:4]:
        line.piece(piece)
    line.wait(HANG)
    raise Cut


def cut(_, line, answer):
    """The connection ends in the middle of the body, without an error of its own."""
    for piece in begin(line, answer)[:4]:
        line.piece(piece)
    time.sleep(0.02)
    raise Cut


def short_stream(_, line, answer):
    """The stream ends as HTTP wants it, but the answer in it does not: no finish, no end mark."""
    if not answer.stream:
        return cut(_, line, answer)
    for piece in begin(line, answer)[:4]:
        line.piece(piece)
    line.finish()
    return True


def trickle(_, line, answer):
    """One letter a second: under any floor, but never still."""
    answer.request.status = 200
    if answer.stream:
        line.head(200, {"content-type": "text/event-stream"})
        for event in answer.events(pieces=list(answer.text)):
            line.piece(event)
            line.wait(0.7)
    else:
        data = json.dumps(answer.whole()).encode()
        line.head(200, {"content-type": "application/json"}, len(data))
        for i in range(len(data)):
            line.send(data[i:i + 1])
            line.wait(0.7)


def late(_, line, answer):
    line.wait(0.8)
    send_answer(line, answer)


def slow_but_alive(target, line, answer):
    """Nothing on the connection for two seconds, while /metrics moves."""
    for _ in range(20):
        line.wait(0.1)
        target.progress += 20
    send_answer(line, answer)


def malformed(_, line, answer):
    send_answer(line, answer, text=answer.text[:-40] + ",,}" + answer.text[-40:])


def malformed_envelope(_, line, answer):
    answer.request.status = 200
    if answer.stream:
        line.head(200, {"content-type": "text/event-stream"})
        line.piece(b"data: {\"choices\": [{]\n\n")
        line.finish()
    else:
        send_json(line, answer.request, 200, b"{\"choices\": [{]")


def oversized(_, line, answer):
    """Sixty-four megabytes of one text."""
    answer.request.status = 200
    block = "x" * (1 << 20)
    if answer.stream:
        line.head(200, {"content-type": "text/event-stream"})
        for _ in range(64):
            for event in answer.events(pieces=[block]):
                line.piece(event)
    else:
        line.head(200, {"content-type": "application/json"}, (64 << 20) + 64)
        line.send(b'{"x": "')
        for _ in range(64):
            line.send(block.encode())
    raise Cut


def html(_, line, answer):
    send_json(line, answer.request, 200, b"<!DOCTYPE html><html><body>Sign in to the network</body></html>",
              kind="text/html; charset=utf-8")


def empty_200(_, line, answer):
    send_json(line, answer.request, 200, b"")


def empty_answer(_, line, answer):
    send_answer(line, answer, text="")


def fenced(_, line, answer):
    send_answer(line, answer, text=f"Here is your story:\n```json\n{answer.text}\n```\nEnjoy!")


def array(_, line, answer):
    send_answer(line, answer, text=f"[{answer.text}]")


def half(_, line, answer):
    """One part of the answer is wrong, the rest is right."""
    value = json.loads(answer.text)
    value = answer.wire.spoil(value)
    send_answer(line, answer, text=json.dumps(value, ensure_ascii=False))


def prose(_, line, answer):
    send_answer(line, answer, text="I would rather tell you about the sea. It is wide and it is blue.")


def length(_, line, answer):
    """The output cap is reached in the middle of the text."""
    send_answer(line, answer, text=answer.text[:len(answer.text) // 2], stop="length")


def refusal(_, line, answer):
    send_answer(line, answer, stop="refusal")


def filtered(_, line, answer):
    send_answer(line, answer, stop="filter")


def blocked_prompt(_, line, answer):
    send_answer(line, answer, stop="prompt")


def recitation(_, line, answer):
    send_answer(line, answer, stop="recitation")


def error_event(_, line, answer):
    """The stream began with 200 and ends with an error in it."""
    answer.request.status = 200
    if not answer.stream:
        return cut(_, line, answer)
    for piece in begin(line, answer)[:3]:
        line.piece(piece)
    line.piece(answer.wire.error_in_stream())
    line.finish()
    return True


def split(_, line, answer):
    """A right answer in bytes of one, so that every boundary falls somewhere once."""
    answer.request.status = 200
    if answer.stream:
        line.head(200, {"content-type": "text/event-stream"})
        data = b"".join(answer.events())
        for i in range(0, len(data), 7):
            line.piece(data[i:i + 7])
        line.finish()
    else:
        send_answer(line, answer)


def crlf(_, line, answer):
    """A right stream with CRLF, comments and an unknown field."""
    answer.request.status = 200
    if answer.stream:
        line.head(200, {"content-type": "text/event-stream; charset=utf-8"})
        line.piece(b": welcome\r\n\r\nretry: 1000\r\n")
        for event in answer.events():
            line.piece(event.replace(b"\n", b"\r\n"))
            line.piece(b": ping\r\n\r\n")
        line.finish()
    else:
        send_answer(line, answer)


def thinking(_, line, answer):
    send_answer(line, answer, thinking=True)


STEPS = {f.__name__.replace("_", " "): f for f in (
    ok, reset, stale, hang_headers, hang_first_token, stall, cut, short_stream, trickle, late, slow_but_alive, malformed,
    malformed_envelope, oversized, html, empty_200, empty_answer, fenced, array, half, prose, length, refusal,
    filtered, blocked_prompt, recitation, error_event, split, crlf, thinking)}


def act(target, line, request):
    """Answers `request` as its step says. False: the connection is to be closed."""
    step = request.step
    plain = step.startswith("plain:")
    step = step.removeprefix("plain:")
    if not request.generation:
        if step == "ok":
            return target.wire.free(target, line, request)
        if step in STEPS:
            return STEPS[step](target, line, Answer(target, request, plain)) if step in (
                "reset", "hang headers") else send_error(target, line, request, "503")
        return send_error(target, line, request, step)
    wrong = target.wire.refuses(request)
    if wrong is not None and step not in ("reset", "hang headers"):
        send_json(line, request, *wrong)
        request.step += " (the request itself was refused)"
        return True
    if step not in STEPS:
        return send_error(target, line, request, step)
    return STEPS[step](target, line, Answer(target, request, plain))
