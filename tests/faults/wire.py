# SPDX-License-Identifier: MIT
"""The wire formats of the providers, as strict as they are: a request that the provider would refuse is refused
here in its own words, and every error has its own shape. One class each; options are the servers' differences."""
import json
import re

import stories

PARTS = ("type", "properties", "required", "additionalProperties", "items", "enum", "const", "anyOf", "$ref", "$defs",
         "description", "title")
# A pause as a date, by the clock of who sends it.
IN_A_SECOND = {"date": "Sun, 06 Nov 1994 08:49:37 GMT", "retry-after": "Sun, 06 Nov 1994 08:49:38 GMT"}


def schema_faults(schema, path="$", depth=1, allowed=PARTS):
    """What a strict server refuses in a schema, or None."""
    if not isinstance(schema, dict):
        return f"In context={path}, a schema is an object."
    if depth > 10:
        return f"In context={path}, 11 levels of nesting exceed the limit of 10."
    for key in schema:
        if key not in allowed:
            return f"In context={path}, '{key}' is not permitted."
    if schema.get("type") == "object" or "properties" in schema:
        properties = schema.get("properties", {})
        if schema.get("additionalProperties") is not False:
            return f"In context={path}, 'additionalProperties' is required to be supplied and to be false."
        if sorted(schema.get("required", [])) != sorted(properties):
            return f"In context={path}, 'required' is required to be an array including every key in properties."
        for name, part in properties.items():
            if wrong := schema_faults(part, f"{path}.{name}", depth + 1, allowed):
                return wrong
    if schema.get("type") == "array" and "items" not in schema:
        return f"In context={path}, array schema missing items."
    for k, part in enumerate(schema.get("anyOf", [])):
        if wrong := schema_faults(part, f"{path}|{k}", depth, allowed):
            return wrong
    if "items" in schema:
        return schema_faults(schema["items"], f"{path}[]", depth + 1, allowed)
    return None


def sse(value, event=None):
    head = f"event: {event}\n" if event else ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"{head}data: {text}\n\n".encode()


def tokens(text):
    return max(1, len(text) // 4)


class Wire:
    name = ""
    key = "sk-fault-server-0123456789abcdef"
    ok_headers = {}
    n_opening = 1  # events of a stream before the first token
    spoil = staticmethod(stories.spoiled)

    def write(self, request):
        return json.dumps(stories.write(self.schema(request), self.text(request)), ensure_ascii=False)

    def free(self, target, line, request):
        """Answers a free request."""
        import misbehave
        if wrong := self.unauthorised(request):
            return misbehave.send_json(line, request, *wrong)
        if request.method == "GET" and request.path.split("?")[0] == self.models_path:
            return misbehave.send_json(line, request, 200, self.models())
        return misbehave.send_error(target, line, request, "404")


class OpenAI(Wire):
    """Chat completions. known: token parameters the server knows; formats: response formats it knows;
    any_temperature False: a reasoning model; max_output: the most it may be asked for."""
    name = "openai"
    models_path = "/v1/models"
    known = ("max_completion_tokens", "max_tokens")
    formats = ("json_schema", "json_object")
    any_temperature = True
    max_output = 16384
    model = "gpt-4o-mini"
    names = ("model", "messages", "temperature", "top_p", "response_format", "stream", "stream_options", "seed", "stop",
             "n", "user", "store", "frequency_penalty", "presence_penalty", "reasoning_effort", "service_tier", "metadata")
    shutdown_date = None
    context = 1 << 20

    def __init__(self, **options):
        for name, value in options.items():
            assert hasattr(self, name), name
            setattr(self, name, value)

    def is_generation(self, path):
        return path.split("?")[0] == "/v1/chat/completions"

    def wants_stream(self, request):
        return bool(request.body.get("stream"))

    def schema(self, request):
        form = request.body.get("response_format") or {}
        return form["json_schema"]["schema"] if form.get("type") == "json_schema" else None

    def text(self, request):
        parts = []
        for m in request.body["messages"]:
            parts.append(m["content"] if isinstance(m["content"], str) else "".join(p["text"] for p in m["content"]))
        return "\n".join(parts)

    def problem(self, message, param=None, code=None, kind="invalid_request_error"):
        return {"error": {"message": message, "type": kind, "param": param, "code": code}}

    def unauthorised(self, request):
        if self.key and request.headers.get("authorization") != f"Bearer {self.key}":
            return 401, self.problem("Incorrect API key provided: sk-…", code="invalid_api_key")
        return None

    def refuses(self, request):
        body = request.body
        if wrong := self.unauthorised(request):
            return wrong
        if not isinstance(body, dict) or "application/json" not in request.headers.get("content-type", ""):
            return 400, self.problem("We could not parse the JSON body of your request.")
        if body.get("model") != self.model:
            return self.error("404")[:2]
        if wrong := self.wrong_member(body) or self.wrong_tokens(body) or self.wrong_format(body):
            return 400, wrong
        if not body.get("messages") or any(m.get("role") not in ("system", "developer", "user", "assistant") or
                                           not m.get("content") for m in body["messages"]):
            return 400, self.problem("Invalid 'messages'.", "messages", "invalid_value")
        asked = body.get(self.known[0], body.get(self.known[-1], 0))
        used = tokens(self.text(request))
        if used + asked > self.context:
            return 400, self.problem(f"This model's maximum context length is {self.context} tokens. However, you requested {used + asked} "
                                     f"tokens ({used} in the messages, {asked} in the completion). Please reduce the length of the "
                                     "messages or completion.", "messages", "context_length_exceeded")
        if body.get("stream_options") and not body.get("stream"):
            return 400, self.problem("The 'stream_options' parameter is only allowed when 'stream' is enabled.", "stream_options")
        return None

    def wrong_member(self, body):
        for name in body:
            if name not in self.names + self.known:
                if name in ("max_completion_tokens", "max_tokens"):
                    return self.problem(f"Unsupported parameter: '{name}' is not supported with this model. Use '{self.known[0]}' instead.",
                                        name, "unsupported_parameter")
                return self.problem(f"Unknown parameter: '{name}'.", name, "unknown_parameter")
        if not self.any_temperature and body.get("temperature", 1) != 1:
            return self.problem("Unsupported value: 'temperature' does not support this value with this model. Only the default (1) "
                                "value is supported.", "temperature", "unsupported_value")
        return None

    def wrong_tokens(self, body):
        asked = [n for n in ("max_completion_tokens", "max_tokens") if n in body]
        if len(asked) > 1:
            return self.problem("Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.", "max_tokens",
                                "invalid_parameter_combination")
        for name in asked:
            if not isinstance(body[name], int) or body[name] < 1:
                return self.problem(f"Invalid type for '{name}'.", name, "invalid_type")
            if body[name] > self.max_output:
                return self.problem(f"{name} is too large: {body[name]}. This model supports at most {self.max_output} completion tokens, "
                                    f"whereas you provided {body[name]}.", name, "invalid_value")
        return None

    def wrong_format(self, body):
        form = body.get("response_format")
        if form is None:
            return None
        if form.get("type") not in self.formats + ("text",):
            return self.problem(f"Invalid parameter: 'response_format' of type '{form.get('type')}' is not supported with this model.",
                                "response_format")
        if form["type"] == "json_object" and "json" not in json.dumps(body["messages"]).lower():
            return self.problem("'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
                                "messages")
        if form["type"] != "json_schema":
            return None
        inner = form.get("json_schema", {})
        if not re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", inner.get("name", "")):
            return self.problem("Missing required parameter: 'response_format.json_schema.name'.", "response_format.json_schema.name")
        if inner.get("strict") is not True:
            return self.problem("The request is expected to ask for strict.", "response_format.json_schema.strict")
        wrong = schema_faults(inner.get("schema"))
        return self.problem(f"Invalid schema for response_format '{inner['name']}': {wrong}", "response_format") if wrong else None

    def usage(self, request, text):
        n, m = tokens(self.text(request)), tokens(text)
        return {"prompt_tokens": n, "completion_tokens": m, "total_tokens": n + m}

    def stream(self, request, pieces, stop=None, thinking=False):
        def chunk(delta, finish=None, **more):
            return sse({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": self.model,
                        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}], **more})
        yield chunk({"role": "assistant", "content": "", "refusal": None})
        if thinking:
            yield chunk({"reasoning_content": "The user wants a story. {\"title\": \"no\"}"})
        if stop == "refusal":
            yield chunk({"refusal": "I'm sorry, I cannot assist with that request."})
        else:
            for piece in pieces:
                yield chunk({"content": piece})
        yield chunk({}, {"length": "length", "filter": "content_filter"}.get(stop, "stop"))
        if (request.body.get("stream_options") or {}).get("include_usage"):
            yield sse({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": self.model, "choices": [],
                       "usage": self.usage(request, "".join(pieces))})
        yield sse("[DONE]")

    def plain(self, request, text, stop=None, thinking=False):
        message = {"role": "assistant", "content": text, "refusal": None}
        if stop == "refusal":
            message = {"role": "assistant", "content": None, "refusal": "I'm sorry, I cannot assist with that request."}
        if thinking:
            message["reasoning_content"] = "The user wants a story."
        return {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": self.model,
                "choices": [{"index": 0, "message": message, "finish_reason":
                             {"length": "length", "filter": "content_filter"}.get(stop, "stop")}],
                "usage": self.usage(request, text)}

    def error_in_stream(self):
        return sse(self.problem("The server had an error while processing your request.", kind="server_error"))

    def models(self):
        entry = {"id": self.model, "object": "model", "created": 1, "owned_by": "system"}
        if self.shutdown_date:
            entry["shutdown_date"] = self.shutdown_date
        return {"object": "list", "data": [entry]}

    def error(self, name):
        rate = self.problem("Rate limit reached for this model.", kind="requests", code="rate_limit_exceeded")
        quota = "You exceeded your current quota, please check your plan and billing details."
        named = {
            "400 schema": (400, self.problem("Invalid schema for response_format 'story': too complex.", "response_format"), {}),
            "400 context": (400, self.problem("This model's maximum context length is 8192 tokens.", "messages", "context_length_exceeded"), {}),
            "401": (401, self.problem("Incorrect API key provided.", code="invalid_api_key"), {}),
            "402": (402, self.problem("Insufficient balance.", kind="billing_error", code="insufficient_balance"), {}),
            "403": (403, self.problem("Country not supported.", code="unsupported_country_region_territory"), {}),
            "404": (404, self.problem(f"The model `{self.model}` does not exist.", code="model_not_found"), {}),
            "429": (429, rate, {}),
            "429 retry-after": (429, rate, {"retry-after": "1"}),
            "429 date": (429, rate, IN_A_SECOND),
            "429 retry-after-ms": (429, rate, {"retry-after-ms": "300"}),
            "429 reset": (429, rate, {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "300ms"}),
            "429 slow_down": (429, self.problem("Slow down.", code="slow_down"), {}),
            "429 unknown": (429, self.problem("You exceeded your current quota of fun.", code="something_new"), {}),
            "429 far": (429, rate, {"retry-after": "600"}),
            "429 quota": (429, self.problem(quota, kind="insufficient_quota", code="insufficient_quota"), {"retry-after": "1"}),
            "429 balance": (429, self.problem(quota, code="credit_balance_exhausted"), {}),
            "429 spend": (429, self.problem(quota, code="project_spend_limit_exceeded"), {}),
            "429 usage": (429, self.problem(quota, code="organization_usage_limit_exceeded"), {}),
            "502": (502, b"<html><head><title>502 Bad Gateway</title></head></html>", {}),
        }
        if name in named:
            return named[name]
        kind = "server_error" if int(name) >= 500 else "invalid_request_error"
        return int(name), self.problem(f"The server answers {name}.", kind=kind), {}


class Ollama(OpenAI):
    """A small OpenAI-compatible server: an old token parameter, no schemas, no key, no stream_options."""
    name = "ollama"
    known = ("max_tokens",)
    formats = ("json_object",)
    key = ""
    model = "llama3.2"


class VLLM(OpenAI):
    """guided: the parameter for schemas that this version knows."""
    name = "vllm"
    model = "meta-llama/Llama-3.1-8B-Instruct"
    guided = "structured_outputs"
    silent = False  # True: as it is, it says nothing about a member that it does not know
    key = ""
    names = OpenAI.names + ("top_k", "min_p", "repetition_penalty", "min_tokens", "chat_template_kwargs", "priority")

    def schema(self, request):
        if self.guided in request.body:
            given = request.body[self.guided]
            return given["json"] if self.guided == "structured_outputs" else given
        return super().schema(request)

    def problem(self, message, param=None, code=None, kind="BadRequestError"):
        return {"error": {"message": message, "type": kind, "param": param, "code": code if isinstance(code, int) else 400}}

    def wrong_member(self, body):
        for name in ("structured_outputs", "guided_json"):
            if name in body and name != self.guided and not self.silent:
                return self.problem(f"[{{'type': 'extra_forbidden', 'loc': ('body', '{name}'), 'msg': 'Extra inputs are not permitted'}}]",
                                    name)
        given = body.get(self.guided, {})
        if not isinstance(given, dict) or (given and self.guided == "structured_outputs" and not isinstance(given.get("json"), dict)):
            return self.problem("structured_outputs: exactly one constraint is to be given", self.guided)
        return super().wrong_member({n: v for n, v in body.items() if n not in ("structured_outputs", "guided_json")})

    def write(self, request):
        if self.silent and self.schema(request) is None:
            return "Once upon a time there was a schema that nobody had read."
        return super().write(request)

    def error(self, name):
        status, body, headers = super().error(name)
        if isinstance(body, dict):
            body["error"]["code"] = status  # always its number here
        return status, body, headers

    def models(self):
        return {"object": "list", "data": [{"id": self.model, "object": "model", "max_model_len": 8192, "owned_by": "vllm"}]}

    def free(self, target, line, request):
        import misbehave
        if request.path == "/health":
            return misbehave.send_json(line, request, 200, b"")
        if request.path == "/version":
            return misbehave.send_json(line, request, 200, {"version": "0.9.2" if self.guided == "guided_json" else "0.11.0"})
        if request.path == "/metrics":
            text = ('# TYPE vllm:num_requests_running gauge\nvllm:num_requests_running{engine="0"} 1.0\n'
                    '# TYPE vllm:num_requests_waiting gauge\nvllm:num_requests_waiting{engine="0"} 0.0\n'
                    '# TYPE vllm:iteration_tokens_total histogram\n'
                    f'vllm:iteration_tokens_total_bucket{{engine="0",le="1.0"}} {target.progress}.0\n'
                    f'vllm:iteration_tokens_total_count{{engine="0"}} {target.progress}.0\n'
                    f'vllm:iteration_tokens_total_sum{{engine="0"}} {target.progress}.0\n')
            return misbehave.send_json(line, request, 200, text.encode(), kind="text/plain; version=0.0.4")
        return super().free(target, line, request)


class Gemini(Wire):
    name = "gemini"
    models_path = "/v1beta/models"
    model = "gemini-2.5-flash"
    n_opening = 0
    rich = True  # False: every schema but the plainest has too many states
    thinks = False  # True: a model that does not let itself be kept from it
    max_output = 65536
    parts = PARTS + ("format", "prefixItems", "minItems", "maxItems", "minimum", "maximum", "oneOf", "propertyOrdering", "$id", "$anchor")
    tops = ("contents", "systemInstruction", "generationConfig", "safetySettings")
    config = ("responseMimeType", "responseJsonSchema", "maxOutputTokens", "temperature", "topP", "topK", "seed", "thinkingConfig",
              "stopSequences", "candidateCount")

    def __init__(self, **options):
        for name, value in options.items():
            assert hasattr(self, name), name
            setattr(self, name, value)

    def split(self, path):
        return re.fullmatch(r"/v1beta/models/([^/:]+):(generateContent|streamGenerateContent)(?:\?(.*))?", path)

    def is_generation(self, path):
        return bool(re.search(r"enerateContent", path))

    def wants_stream(self, request):
        return self.split(request.path)[2] == "streamGenerateContent"

    def schema(self, request):
        return request.body.get("generationConfig", {}).get("responseJsonSchema")

    def text(self, request):
        contents = [request.body["systemInstruction"]] if "systemInstruction" in request.body else []
        return "\n".join(p["text"] for c in contents + request.body["contents"] for p in c["parts"])

    def problem(self, code, status, message, details=()):
        return {"error": {"code": code, "message": message, "status": status, "details": list(details)}}

    def unauthorised(self, request):
        if "key=" in request.path:
            return 400, self.problem(400, "INVALID_ARGUMENT", "A key has no place in an address.")
        if "x-goog-api-key" not in request.headers:
            return 403, self.problem(403, "PERMISSION_DENIED", "Method doesn't allow unregistered callers.")
        return self.error("400 key")[:2] if request.headers["x-goog-api-key"] != self.key else None

    def refuses(self, request):
        body, path = request.body, self.split(request.path)
        if wrong := self.unauthorised(request):
            return wrong
        if not path or path[1] != self.model:
            return self.error("404")[:2]
        if path[2] == "streamGenerateContent" and path[3] != "alt=sse":
            return 400, self.problem(400, "INVALID_ARGUMENT", "This server streams only with alt=sse.")
        wrong = "the body is no object" if not isinstance(body, dict) else self.wrong(body)
        return (400, self.problem(400, "INVALID_ARGUMENT", wrong)) if wrong else None

    def wrong(self, body):
        for name in body:
            if name not in self.tops:
                return f"Invalid JSON payload received. Unknown name \"{name}\": Cannot find field."
        config = body.get("generationConfig", {})
        for name in config:
            if name not in self.config:
                return f"Invalid JSON payload received. Unknown name \"{name}\" at 'generation_config': Cannot find field."
        if not body.get("contents") or any(c.get("role") not in ("user", "model") or not c.get("parts") for c in body["contents"]):
            return "Please use a valid role: user, model."
        if config.get("maxOutputTokens", 1) > self.max_output:
            return f"max_output_tokens must be in the range of 1 to {self.max_output}."
        if self.thinks and config.get("thinkingConfig", {}).get("thinkingBudget") == 0:
            return "Budget 0 is invalid. This model only works in thinking mode."
        schema = config.get("responseJsonSchema")
        if schema is None:
            return None
        if config.get("responseMimeType") != "application/json":
            return "responseJsonSchema needs responseMimeType: application/json"
        return self.wrong_schema(schema)

    def wrong_schema(self, schema, path="$"):
        for key in schema:
            if key not in self.parts:
                return f"Unknown name \"{key}\" at 'generation_config.response_json_schema' ({path})."
            if not self.rich and key in ("enum", "minItems", "maxItems", "additionalProperties", "const", "minimum"):
                return "The specified schema produces a constraint that has too many states for serving."
        for name, part in schema.get("properties", {}).items():
            if wrong := self.wrong_schema(part, f"{path}.{name}"):
                return wrong
        for part in schema.get("anyOf", []):
            if wrong := self.wrong_schema(part, path):
                return wrong
        return self.wrong_schema(schema["items"], f"{path}[]") if isinstance(schema.get("items"), dict) else None

    def part(self, request, parts, finish=None, usage=None, **more):
        candidate = {"index": 0}
        if parts is not None:
            candidate["content"] = {"role": "model", "parts": parts}
        if finish:
            candidate["finishReason"] = finish
        used = {"promptTokenCount": tokens(self.text(request)), "totalTokenCount": tokens(self.text(request))}
        if usage is not None:
            used.update(candidatesTokenCount=usage, thoughtsTokenCount=7)
        return {"candidates": [candidate], "usageMetadata": used, "modelVersion": self.model, "responseId": "r1", **more}

    def finish(self, stop):
        return {None: "STOP", "length": "MAX_TOKENS", "filter": "SAFETY", "refusal": "PROHIBITED_CONTENT",
                "recitation": "RECITATION"}[stop]

    def blocked(self):
        return {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": {"promptTokenCount": 10, "totalTokenCount": 10},
                "modelVersion": self.model}

    def stream(self, request, pieces, stop=None, thinking=False):
        if stop == "prompt":
            yield sse(self.blocked())
            return
        if thinking:
            yield sse(self.part(request, [{"text": "**Planning** {\"title\": \"no\"}", "thought": True}]))
        if stop in (None, "length"):
            for piece in pieces[:-1]:
                yield sse(self.part(request, [{"text": piece}], usage=tokens(piece)))
            last = [{"text": pieces[-1]}] if pieces else [{"text": ""}]
            yield sse(self.part(request, last, self.finish(stop), usage=tokens("".join(pieces))))
        else:
            yield sse(self.part(request, None, self.finish(stop), usage=0))

    def plain(self, request, text, stop=None, thinking=False):
        if stop == "prompt":
            return self.blocked()
        parts = [{"text": text}] if stop in (None, "length") else None
        if thinking:
            parts.insert(0, {"text": "**Planning** {\"title\": \"no\"}", "thought": True})
        return self.part(request, parts, self.finish(stop), usage=tokens(text))

    def error_in_stream(self):
        return sse(self.problem(503, "UNAVAILABLE", "The model is overloaded."))

    def models(self):
        return {"models": [{"name": f"models/{self.model}", "supportedGenerationMethods": ["generateContent", "countTokens"]}]}

    def error(self, name):
        def google(kind, **more):
            return {"@type": f"type.googleapis.com/google.rpc.{kind}", **more}

        def quota(what):
            return google("QuotaFailure", violations=[{"quotaMetric": "generativelanguage.googleapis.com/generate_content_requests",
                                                       "quotaId": f"GenerateRequests{what}PerProjectPerModel"}])

        def exhausted(*details):
            return 429, self.problem(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota.", details), {}
        statuses = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 500: "INTERNAL",
                    503: "UNAVAILABLE", 504: "DEADLINE_EXCEEDED"}
        named = {
            "400 schema": (400, self.problem(400, "INVALID_ARGUMENT", "The specified schema produces a constraint that has too many "
                                             "states for serving."), {}),
            "400 key": (400, self.problem(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.",
                                          [google("ErrorInfo", reason="API_KEY_INVALID", domain="googleapis.com")]), {}),
            "429": exhausted(),
            "429 retryDelay": exhausted(quota("PerMinute"), google("RetryInfo", retryDelay="0.3s")),
            "429 far": exhausted(quota("PerMinute"), google("RetryInfo", retryDelay="600s")),
            "429 PerDay": exhausted(quota("PerDay"), google("RetryInfo", retryDelay="0.3s")),
        }
        if name in named:
            return named[name]
        status = int(name)
        return status, self.problem(status, statuses.get(status, "UNKNOWN"), f"The server answers {name}."), {}


class Anthropic(Wire):
    """any_temperature False: a newer model."""
    name = "anthropic"
    models_path = "/v1/models"
    model = "claude-haiku-4-5"
    n_opening = 3
    ok_headers = {"request-id": "req_1"}
    any_temperature = False
    max_output = 64000
    tops = ("model", "max_tokens", "system", "messages", "output_config", "stream", "temperature", "top_p", "top_k", "thinking",
            "stop_sequences", "metadata", "service_tier")

    def __init__(self, **options):
        for name, value in options.items():
            assert hasattr(self, name), name
            setattr(self, name, value)

    def is_generation(self, path):
        return path.split("?")[0] == "/v1/messages"

    def wants_stream(self, request):
        return bool(request.body.get("stream"))

    def schema(self, request):
        return (request.body.get("output_config") or {}).get("format", {}).get("schema")

    def text(self, request):
        def flat(c):
            return c if isinstance(c, str) else "".join(p["text"] for p in c)
        return "\n".join([flat(request.body.get("system", ""))] + [flat(m["content"]) for m in request.body["messages"]])

    def problem(self, kind, message, code=None):
        error = {"type": kind, "message": message}
        if code:
            error["details"] = {"error_code": code}
        return {"type": "error", "error": error, "request_id": "req_1"}

    def unauthorised(self, request):
        if request.headers.get("x-api-key") != self.key:
            return 401, self.problem("authentication_error", "invalid x-api-key")
        if request.headers.get("anthropic-version") != "2023-06-01":
            return 400, self.problem("invalid_request_error", "anthropic-version: header is required")
        return None

    def refuses(self, request):
        body = request.body
        if wrong := self.unauthorised(request):
            return wrong
        if not isinstance(body, dict) or "application/json" not in request.headers.get("content-type", ""):
            return 400, self.problem("invalid_request_error", "the body is no JSON object")
        if body.get("model") != self.model:
            return self.error("404")[:2]
        wrong = self.wrong(body)
        return (400, self.problem("invalid_request_error", wrong)) if wrong else None

    def wrong(self, body):
        for name in body:
            if name not in self.tops:
                return f"{name}: Extra inputs are not permitted"
        if not isinstance(body.get("max_tokens"), int):
            return "max_tokens: Field required"
        if not 1 <= body["max_tokens"] <= self.max_output:
            return f"max_tokens: {body['max_tokens']} > {self.max_output}, which is the maximum allowed number of output tokens"
        if not self.any_temperature and any(n in body for n in ("temperature", "top_p", "top_k")):
            return "temperature: sampling parameters are not supported by this model"
        messages = body.get("messages") or [{}]
        if any(m.get("role") not in ("user", "assistant") for m in messages):
            return "messages: roles must be user or assistant"
        if messages[-1]["role"] != "user":
            return "This model does not support assistant message prefill."
        form = (body.get("output_config") or {}).get("format")
        if form is None:
            return None
        if form.get("type") != "json_schema":
            return "output_config.format.type: Input should be 'json_schema'"
        wrong = schema_faults(form.get("schema"))
        return f"output_config.format.schema: {wrong}" if wrong else None

    def reason(self, stop):
        return {None: "end_turn", "length": "max_tokens", "refusal": "refusal"}[stop]

    def stream(self, request, pieces, stop=None, thinking=False):
        n = tokens(self.text(request))
        yield sse({"type": "message_start", "message": {"id": "msg_1", "type": "message", "role": "assistant", "content": [],
                   "model": self.model, "stop_reason": None, "stop_sequence": None,
                   "usage": {"input_tokens": n, "output_tokens": 1}}}, "message_start")
        index = 0
        if thinking:
            yield sse({"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": "", "signature": ""}},
                      "content_block_start")
            yield sse({"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "Hm. {\"title\": 1}"}},
                      "content_block_delta")
            yield sse({"type": "content_block_stop", "index": 0}, "content_block_stop")
            index = 1
        yield sse({"type": "content_block_start", "index": index, "content_block": {"type": "text", "text": ""}}, "content_block_start")
        yield sse({"type": "ping"}, "ping")
        for piece in pieces if stop in (None, "length") else ["I cannot"]:
            yield sse({"type": "content_block_delta", "index": index, "delta": {"type": "text_delta", "text": piece}},
                      "content_block_delta")
        yield sse({"type": "content_block_stop", "index": index}, "content_block_stop")
        yield sse({"type": "message_delta", "delta": {"stop_reason": self.reason(stop), "stop_sequence": None},
                   "usage": {"output_tokens": tokens("".join(pieces))}}, "message_delta")
        yield sse({"type": "message_stop"}, "message_stop")

    def plain(self, request, text, stop=None, thinking=False):
        content = [{"type": "text", "text": text if stop in (None, "length") else "I cannot"}]
        if thinking:
            content.insert(0, {"type": "thinking", "thinking": "Hm. {\"title\": 1}", "signature": "s"})
        return {"id": "msg_1", "type": "message", "role": "assistant", "model": self.model, "content": content,
                "stop_reason": self.reason(stop), "stop_sequence": None,
                "usage": {"input_tokens": tokens(self.text(request)), "output_tokens": tokens(text)}}

    def error_in_stream(self):
        return sse(self.problem("overloaded_error", "Overloaded"), "error")

    def models(self):
        return {"data": [{"type": "model", "id": self.model, "display_name": self.model, "created_at": "2026-01-01T00:00:00Z"}],
                "has_more": False, "first_id": self.model, "last_id": self.model}

    def error(self, name):
        kinds = {400: "invalid_request_error", 401: "authentication_error", 402: "billing_error", 403: "permission_error",
                 404: "not_found_error", 413: "request_too_large", 429: "rate_limit_error", 500: "api_error", 504: "timeout_error",
                 529: "overloaded_error"}
        rate = self.problem("rate_limit_error", "This request would exceed the rate limit for your organization.")
        named = {
            "400 schema": (400, self.problem("invalid_request_error", "output_config.format.schema: Schema is too complex."), {}),
            "429": (429, rate, {}),
            "429 retry-after": (429, rate, {"retry-after": "1"}),
            "429 far": (429, rate, {"retry-after": "600"}),
            "429 spend": (429, self.problem("rate_limit_error", "This workspace has reached its spend limit.",
                                            "enforced_spend_limit_reached"), {"retry-after": "1"}),
        }
        if name in named:
            return named[name]
        status = int(name)
        return status, self.problem(kinds.get(status, "api_error"), f"The server answers {name}."), {}


class Service(Wire):
    """The documented service of a custom generator. has_health: it has a GET /health; content: the member."""
    name = "custom"
    key = ""
    has_health = True
    content = "content"
    claims = None  # members that it adds to its answers
    model = ""

    def __init__(self, **options):
        for name, value in options.items():
            assert hasattr(self, name), name
            setattr(self, name, value)

    def is_generation(self, path):
        return path == "/generate"

    def wants_stream(self, request):
        return False

    def unauthorised(self, request):
        if self.key and request.headers.get("authorization") != f"Bearer {self.key}":
            return 401, {"message": "a token is needed"}
        return None

    def refuses(self, request):
        if wrong := self.unauthorised(request):
            return wrong
        wanted = {"user_input", "blueprint", "characters", "story_arc", "chapter_ids", "task_type"}
        if not isinstance(request.body, dict) or set(request.body) != wanted:
            return 400, {"message": f"exactly {sorted(wanted)} are expected"}
        return None

    def write(self, request):
        return json.dumps(stories.for_service(request.body), ensure_ascii=False)

    def plain(self, request, text, stop=None, thinking=False):
        more = self.claims or {}
        try:
            return {self.content: json.loads(text), **more}
        except ValueError:
            return {self.content: text, **more}

    def free(self, target, line, request):
        import misbehave
        if request.method == "GET" and request.path == "/health" and self.has_health:
            return misbehave.send_json(line, request, 200, {"status": "ok"})
        return misbehave.send_json(line, request, 405 if request.path == "/generate" else 404, b"<h1>Not Found</h1>", kind="text/html")

    def error(self, name):
        headers = {"429 retry-after": {"retry-after": "1"}, "429 date": IN_A_SECOND, "429 far": {"retry-after": "600"}}.get(name, {})
        return int(name.split()[0]), {"error": f"The service answers {name}."}, headers


ALL = (OpenAI, Ollama, VLLM, Gemini, Anthropic, Service)
