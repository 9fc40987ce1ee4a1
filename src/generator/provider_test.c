/* SPDX-License-Identifier: MIT */
#include "generator/provider.h"

#include "http/sse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* ---- what is sent ---------------------------------------------------------------------------- */

static void requests_are_written_as_each_provider_takes_them(void **state)
{
    (void)state;
    static const struct {
        const struct provider *provider;
        enum provider_format format;
        struct provider_ability ability;
        const char *body;
    } cases[] = {
        {&provider_openai,
         PROVIDER_FORMAT_SCHEMA,
         {0},
         "{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":\"Be "
         "brief.\"},{\"role\":\"user\",\"content\":\"Tell.\"}],\"max_completion_tokens\":100,"
         "\"temperature\":0.5,\"stream\":true,\"stream_options\":{\"include_usage\":true},"
         "\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"story\","
         "\"strict\":true,\"schema\":{\"type\":\"object\"}}}}"},
        {&provider_openai,
         PROVIDER_FORMAT_OBJECT,
         {.old_token_name = true, .no_temperature = true, .no_stream_options = true},
         "{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":\"Be "
         "brief.\"},{\"role\":\"user\",\"content\":\"Tell.\"}],\"max_tokens\":100,\"stream\":true,"
         "\"response_format\":{\"type\":\"json_object\"}}"},
        {&provider_openai,
         PROVIDER_FORMAT_NONE,
         {.no_top_p = true},
         "{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":\"Be "
         "brief.\"},{\"role\":\"user\",\"content\":\"Tell.\"}],\"max_completion_tokens\":100,"
         "\"temperature\":0.5,\"stream\":true,\"stream_options\":{\"include_usage\":true}}"},
        {&provider_vllm,
         PROVIDER_FORMAT_SCHEMA,
         {0},
         "{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":\"Be "
         "brief.\"},{\"role\":\"user\",\"content\":\"Tell.\"}],\"max_tokens\":100,\"temperature\":"
         "0.5,\"top_p\":0.25,\"stream\":true,\"stream_options\":{\"include_usage\":true},"
         "\"structured_outputs\":{\"json\":{\"type\":\"object\"}}}"},
        {&provider_vllm,
         PROVIDER_FORMAT_GUIDED,
         {0},
         "{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":\"Be "
         "brief.\"},{\"role\":\"user\",\"content\":\"Tell.\"}],\"max_tokens\":100,\"temperature\":"
         "0.5,\"top_p\":0.25,\"stream\":true,\"stream_options\":{\"include_usage\":true},\"guided_"
         "json\":{\"type\":\"object\"}}"},
        {&provider_gemini,
         PROVIDER_FORMAT_SCHEMA,
         {0},
         "{\"systemInstruction\":{\"parts\":[{\"text\":\"Be "
         "brief.\"}]},\"contents\":[{\"parts\":[{\"text\":\"Tell.\"}],\"role\":\"user\"}],"
         "\"generationConfig\":{\"maxOutputTokens\":100,\"temperature\":0.5,\"thinkingConfig\":{"
         "\"thinkingBudget\":0},\"responseMimeType\":\"application/"
         "json\",\"responseJsonSchema\":{\"type\":\"object\"}}}"},
        {&provider_gemini,
         PROVIDER_FORMAT_OBJECT,
         {.no_thinking = true},
         "{\"systemInstruction\":{\"parts\":[{\"text\":\"Be "
         "brief.\"}]},\"contents\":[{\"parts\":[{\"text\":\"Tell.\"}],\"role\":\"user\"}],"
         "\"generationConfig\":{\"maxOutputTokens\":100,\"temperature\":0.5,\"responseMimeType\":"
         "\"application/json\"}}"},
        {&provider_gemini,
         PROVIDER_FORMAT_NONE,
         {.no_temperature = true},
         "{\"systemInstruction\":{\"parts\":[{\"text\":\"Be "
         "brief.\"}]},\"contents\":[{\"parts\":[{\"text\":\"Tell.\"}],\"role\":\"user\"}],"
         "\"generationConfig\":{\"maxOutputTokens\":100,\"thinkingConfig\":{\"thinkingBudget\":0}}"
         "}"},
        {&provider_anthropic,
         PROVIDER_FORMAT_SCHEMA,
         {0},
         "{\"model\":\"m\",\"max_tokens\":100,\"system\":\"Be "
         "brief.\",\"messages\":[{\"role\":\"user\",\"content\":\"Tell.\"}],\"temperature\":0.5,"
         "\"output_config\":{\"format\":{\"type\":\"json_schema\",\"schema\":{\"type\":\"object\"}}"
         "},\"stream\":true}"},
        {&provider_anthropic,
         PROVIDER_FORMAT_NONE,
         {.no_temperature = true},
         "{\"model\":\"m\",\"max_tokens\":100,\"system\":\"Be "
         "brief.\",\"messages\":[{\"role\":\"user\",\"content\":\"Tell.\"}],\"stream\":true}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bool takes_schema =
            cases[i].format != PROVIDER_FORMAT_OBJECT && cases[i].format != PROVIDER_FORMAT_NONE;
        json_t *schema = takes_schema ? json_pack("{s:s}", "type", "object") : NULL;
        struct provider_ask ask = {.model = "m",
                                   .ability = cases[i].ability,
                                   .format = cases[i].format,
                                   .system = SF_STR("Be brief."),
                                   .user = SF_STR("Tell."),
                                   .schema = schema,
                                   .max_tokens = 100,
                                   .temperature = 0.5,
                                   .top_p = cases[i].provider == &provider_vllm ? 0.25 : -1};
        json_t *body = cases[i].provider->body(&ask);
        struct sf_buf text;
        sf_buf_init(&text, 65536);
        json_print(body, &text);
        assert_string_equal(sf_buf_z(&text), cases[i].body);
        sf_buf_fini(&text);
        json_decref(body);
        json_decref(schema);
    }
}

static void addresses_are_each_providers_own(void **state)
{
    (void)state;
    static const struct {
        const struct provider *provider;
        const char *model, *ask, *models;
    } cases[] = {
        {&provider_openai, "m", "http://x/v1/chat/completions", "http://x/v1/models"},
        {&provider_gemini, "models/g-1", "http://x/v1/models/g-1:streamGenerateContent?alt=sse",
         "http://x/v1/models?pageSize=1000"},
        {&provider_anthropic, "m", "http://x/v1/messages", "http://x/v1/models?limit=1000"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sf_buf url;
        sf_buf_init(&url, 256);
        cases[i].provider->url("http://x/v1", cases[i].model, PROVIDER_ASK, &url);
        assert_string_equal(sf_buf_z(&url), cases[i].ask);
        sf_buf_clear(&url);
        cases[i].provider->url("http://x/v1", cases[i].model, PROVIDER_MODELS, &url);
        assert_string_equal(sf_buf_z(&url), cases[i].models);
        sf_buf_fini(&url);
    }
    assert_ptr_equal(provider_find("custom"), &provider_openai);
    assert_null(provider_find("opnai"));
}

/* ---- what comes back ------------------------------------------------------------------------- */

struct reading {
    const struct provider *provider;
    struct provider_reply reply;
};

static bool on_event(void *arg, const char *event, struct sf_str data)
{
    struct reading *r = arg;
    provider_read_event(r->provider, &r->reply, event, data);
    return true;
}

static const struct {
    const struct provider *provider;
    const char *stream, *text;
    enum sf_err stop;
    bool ended;
    int64_t prompt, cached, generated;
    const char *model;
} streams[] = {
    {&provider_openai,
     "data: {\"model\":\"gpt-x-2026\",\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":"
     "\"\"}}]}\n\n"
     "data: {\"choices\":[{\"delta\":{\"content\":\"{\\\"a\\\"\"}}]}\n\n"
     "data: {\"choices\":[{\"delta\":{\"content\":\":1}\"},\"finish_reason\":null}]}\n\n"
     "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":null}\n\n"
     "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":11,\"completion_tokens\":7,"
     "\"prompt_tokens_details\":{\"cached_tokens\":3}}}\n\n"
     "data: [DONE]\n\n",
     "{\"a\":1}", SF_OK, true, 11, 3, 7, "gpt-x-2026"},
    {&provider_openai, "data: {\"choices\":[{\"delta\":{\"content\":\"ab\"}}]}\n\n", "ab", SF_OK,
     false, 0, 0, 0, ""},
    {&provider_openai,
     "data: {\"choices\":[{\"delta\":{\"content\":\"ab\"},\"finish_reason\":\"tool_calls\"}]}\n\n",
     "ab", SF_EINCOMPLETE, true, 0, 0, 0, ""},
    {&provider_gemini,
     "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"mull\",\"thought\":true}]}}],"
     "\"modelVersion\":\"gemini-x-001\"}\r\n\r\n"
     "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"{\"},{\"text\":\"}\"}]}}],"
     "\"usageMetadata\":{\"promptTokenCount\":9}}\r\n\r\n"
     "data: "
     "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"\"}]},\"finishReason\":\"STOP\"}],"
     "\"usageMetadata\":{\"promptTokenCount\":9,\"candidatesTokenCount\":4,\"thoughtsTokenCount\":"
     "6,"
     "\"cachedContentTokenCount\":2}}\r\n\r\n",
     "{}", SF_OK, true, 9, 2, 10, "gemini-x-001"},
    {&provider_gemini, "data: {\"candidates\":[{\"finishReason\":\"MAX_TOKENS\"}]}\n\n", "",
     SF_EINCOMPLETE, true, 0, 0, 0, ""},
    {&provider_gemini, "data: {\"candidates\":[{\"finishReason\":\"SAFETY\"}]}\n\n", "",
     SF_ECONTENT, true, 0, 0, 0, ""},
    {&provider_gemini, "data: {\"candidates\":[{\"finishReason\":\"RECITATION\"}]}\n\n", "",
     SF_ECONTENT, true, 0, 0, 0, ""},
    {&provider_gemini, "data: {\"candidates\":[{\"finishReason\":\"PROHIBITED_CONTENT\"}]}\n\n", "",
     SF_ECONTENT, true, 0, 0, 0, ""},
    {&provider_gemini, "data: {\"promptFeedback\":{\"blockReason\":\"SAFETY\"}}\n\n", "",
     SF_ECONTENT, true, 0, 0, 0, ""},
    {&provider_gemini, "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"{\"}]}}]}\n\n",
     "{", SF_OK, false, 0, 0, 0, ""},
    {&provider_anthropic,
     "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"model\":\"claude-x\","
     "\"content\":[],\"stop_reason\":null,\"usage\":{\"input_tokens\":5,"
     "\"cache_read_input_tokens\":20,\"output_tokens\":1}}}\n\n"
     "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"content_block\":"
     "{\"type\":\"text\",\"text\":\"\"}}\n\n"
     "event: ping\ndata: {\"type\":\"ping\"}\n\n"
     "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"delta\":{\"type\":"
     "\"thinking_delta\",\"thinking\":\"hm\"}}\n\n"
     "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"delta\":{\"type\":"
     "\"text_delta\",\"text\":\"{}\"}}\n\n"
     "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":"
     "\"end_turn\"},\"usage\":{\"output_tokens\":33}}\n\n"
     "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
     "{}", SF_OK, true, 25, 20, 33, "claude-x"},
    {&provider_anthropic,
     "data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"max_tokens\"}}\n\n", "",
     SF_EINCOMPLETE, true, 0, 0, 0, ""},
    {&provider_anthropic,
     "data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"refusal\"}}\n\n", "",
     SF_ECONTENT, true, 0, 0, 0, ""},
    {&provider_anthropic,
     "data: {\"type\":\"content_block_delta\",\"delta\":{\"type\":\"text_delta\",\"text\":\"{\"}}"
     "\n\n",
     "{", SF_OK, false, 0, 0, 0, ""},
};

static void streams_become_texts_usage_and_an_end(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof streams / sizeof streams[0]; i++) {
        struct reading r = {.provider = streams[i].provider};
        struct sse sse;
        sse_init(&sse, 65536);
        provider_reply_init(&r.reply, 65536);
        assert_int_equal(sse_feed(&sse, sf_str(streams[i].stream), on_event, &r), SF_OK);
        if (strcmp(sf_buf_z(&r.reply.text), streams[i].text) != 0 ||
            r.reply.stop != streams[i].stop || r.reply.ended != streams[i].ended) {
            fail_msg("stream %zu: \"%s\" %d %s", i, sf_buf_z(&r.reply.text), r.reply.stop,
                     r.reply.why);
        }
        assert_int_equal(r.reply.prompt_tokens, streams[i].prompt);
        assert_int_equal(r.reply.cached_tokens, streams[i].cached);
        assert_int_equal(r.reply.generated_tokens, streams[i].generated);
        assert_string_equal(r.reply.model, streams[i].model);
        assert_false(r.reply.failed);
        provider_reply_fini(&r.reply);
        sse_fini(&sse);
    }
}

/* ---- errors ---------------------------------------------------------------------------------- */

#define GEMINI(code, status, details)                                                              \
    "{\"error\":{\"code\":" #code ",\"message\":\"said\",\"status\":\"" status                     \
    "\",\"details\":[" details "]}}"
#define RETRY(t) "{\"@type\":\"type.googleapis.com/google.rpc.RetryInfo\",\"retryDelay\":\"" t "\"}"
#define QUOTA(id)                                                                                  \
    "{\"@type\":\"type.googleapis.com/"                                                            \
    "google.rpc.QuotaFailure\",\"violations\":[{\"quotaId\":\"x\"}"                                \
    ",{\"quotaId\":\"" id "\"}]}"
#define ANTHROPIC(type)                                                                            \
    "{\"type\":\"error\",\"error\":{\"type\":\"" type "\",\"message\":\"said\"}}"

static void error_answers_have_the_class_and_the_delay_that_they_say(void **state)
{
    (void)state;
    static const struct {
        const struct provider *provider;
        int status;
        const char *body;
        enum sf_err err;
        sf_ms after;
    } cases[] = {
        {&provider_gemini, 429, GEMINI(429, "RESOURCE_EXHAUSTED", RETRY("45.8s")), SF_ERATE, 45800},
        {&provider_gemini, 429,
         GEMINI(429, "RESOURCE_EXHAUSTED",
                QUOTA("GenerateRequestsPerMinutePerProjectPerModel") "," RETRY("2s")),
         SF_ERATE, 2000},
        {&provider_gemini, 429,
         GEMINI(429, "RESOURCE_EXHAUSTED",
                QUOTA("GenerateRequestsPerDayPerProjectPerModel-FreeTier") "," RETRY("5s")),
         SF_EACCOUNT, 5000},
        {&provider_gemini, 429, GEMINI(429, "RESOURCE_EXHAUSTED", ""), SF_ERATE, 0},
        {&provider_gemini, 400, GEMINI(400, "INVALID_ARGUMENT", "{\"reason\":\"API_KEY_INVALID\"}"),
         SF_EACCOUNT, 0},
        {&provider_gemini, 400, GEMINI(400, "FAILED_PRECONDITION", ""), SF_EACCOUNT, 0},
        {&provider_gemini, 400, GEMINI(400, "INVALID_ARGUMENT", ""), SF_ESHAPE, 0},
        {&provider_gemini, 403, GEMINI(403, "PERMISSION_DENIED", ""), SF_EACCOUNT, 0},
        {&provider_gemini, 404, GEMINI(404, "NOT_FOUND", ""), SF_EMODEL, 0},
        {&provider_gemini, 500, GEMINI(500, "INTERNAL", ""), SF_ETRANSIENT, 0},
        {&provider_gemini, 503, GEMINI(503, "UNAVAILABLE", ""), SF_ETRANSIENT, 0},
        {&provider_gemini, 504, GEMINI(504, "DEADLINE_EXCEEDED", ""), SF_ETRANSIENT, 0},
        {&provider_gemini, 429, "[" GEMINI(429, "RESOURCE_EXHAUSTED", RETRY("1s")) "]", SF_ERATE,
         1000},
        {&provider_anthropic, 400, ANTHROPIC("invalid_request_error"), SF_ESHAPE, 0},
        {&provider_anthropic, 401, ANTHROPIC("authentication_error"), SF_EACCOUNT, 0},
        {&provider_anthropic, 402, ANTHROPIC("billing_error"), SF_EACCOUNT, 0},
        {&provider_anthropic, 403, ANTHROPIC("permission_error"), SF_EACCOUNT, 0},
        {&provider_anthropic, 404, ANTHROPIC("not_found_error"), SF_EMODEL, 0},
        {&provider_anthropic, 413, ANTHROPIC("request_too_large"), SF_ESHAPE, 0},
        {&provider_anthropic, 429, ANTHROPIC("rate_limit_error"), SF_ERATE, 0},
        {&provider_anthropic, 429,
         "{\"error\":{\"type\":\"rate_limit_error\",\"details\":{\"error_code\":"
         "\"enforced_spend_limit_reached\"}}}",
         SF_EACCOUNT, 0},
        {&provider_anthropic, 500, ANTHROPIC("api_error"), SF_ETRANSIENT, 0},
        {&provider_anthropic, 504, ANTHROPIC("timeout_error"), SF_ETRANSIENT, 0},
        {&provider_anthropic, 529, ANTHROPIC("overloaded_error"), SF_ETRANSIENT, 0},
        {&provider_openai, 429, "{\"error\":{\"type\":\"insufficient_quota\"}}", SF_EACCOUNT, 0},
        {&provider_openai, 429, "{\"error\":{\"code\":\"credit_balance_exhausted\"}}", SF_EACCOUNT,
         0},
        {&provider_openai, 429, "{\"error\":{\"code\":\"daily_usage_limit_exceeded\"}}",
         SF_EACCOUNT, 0},
        {&provider_openai, 429, "{\"error\":{\"code\":\"slow_down\"}}", SF_ERATE, 0},
        {&provider_openai, 400, "{\"error\":{\"code\":\"content_filter\"}}", SF_ECONTENT, 0},
        {&provider_openai, 404, "{\"error\":\"model 'x' not found\"}", SF_EMODEL, 0},
        {&provider_openai, 400, "{\"object\":\"error\",\"message\":\"no\",\"code\":400}", SF_ESHAPE,
         0},
        {&provider_openai, 401, "<html>", SF_EACCOUNT, 0},
        {&provider_openai, 503, "", SF_ETRANSIENT, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct provider_fault f;
        provider_read_error(cases[i].provider, cases[i].status, sf_str(cases[i].body), &f);
        enum sf_err err = provider_class(cases[i].provider, &f);
        if (err != cases[i].err) {
            fail_msg("case %zu: %d, code \"%s\" type \"%s\"", i, err, f.code, f.type);
        }
        assert_int_equal(f.retry_after_ms, cases[i].after);
    }
}

static void errors_inside_of_a_stream_are_errors(void **state)
{
    (void)state;
    static const struct {
        const struct provider *provider;
        const char *event, *data;
        enum sf_err err;
    } cases[] = {
        {&provider_openai, "", "{\"error\":{\"message\":\"x\",\"type\":\"server_error\"}}",
         SF_ETRANSIENT},
        {&provider_openai, "", "{\"error\":{\"code\":\"rate_limit_exceeded\"}}", SF_ERATE},
        {&provider_openai, "", "{\"choices\":[],\"error\":{\"code\":502}}", SF_ETRANSIENT},
        {&provider_gemini, "", GEMINI(503, "UNAVAILABLE", ""), SF_ETRANSIENT},
        {&provider_anthropic, "error", ANTHROPIC("overloaded_error"), SF_ETRANSIENT},
        {&provider_anthropic, "error", ANTHROPIC("rate_limit_error"), SF_ERATE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct provider_reply r;
        provider_reply_init(&r, 1024);
        provider_read_event(cases[i].provider, &r, cases[i].event, sf_str(cases[i].data));
        assert_true(r.failed);
        assert_int_equal(provider_class(cases[i].provider, &r.fault), cases[i].err);
        provider_reply_fini(&r);
    }
}

static void spans_are_read_as_providers_write_them(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        sf_ms ms;
    } good[] = {{"6s", 6000}, {"12ms", 12},      {"45.8s", 45800},  {"1m30.5s", 90500},
                {"0s", 0},    {"1h2m", 3720000}, {"999h", 86400000}};
    static const char *const bad[] = {"", "s", "6", "6x", "-6s", "6s7", "1e3s", "6 s"};
    sf_ms ms = 7;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(provider_scan_span(sf_str(bad[i]), &ms));
    }
    assert_int_equal(ms, 7);
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(provider_scan_span(sf_str(good[i].text), &ms));
        assert_int_equal(ms, good[i].ms);
    }
}

/* ---- the ladder ------------------------------------------------------------------------------ */

static void each_refusal_is_one_step_down(void **state)
{
    (void)state;
    static const struct {
        const struct provider *provider;
        struct provider_fault fault;
        struct provider_ability before, after;
        bool none; /* no step is left */
    } cases[] = {
        {.provider = &provider_openai,
         .fault = {.param = "response_format"},
         .after = {.format = 1}},
        {.provider = &provider_openai,
         .fault = {.param = "response_format"},
         .before = {.format = 2},
         .after = {.format = 2},
         .none = true},
        {.provider = &provider_openai,
         .fault = {.param = "max_completion_tokens", .code = "unsupported_parameter"},
         .after = {.old_token_name = true}},
        {.provider = &provider_openai,
         .fault = {.param = "max_tokens", .code = "unsupported_parameter"},
         .before = {.old_token_name = true},
         .after = {.old_token_name = true},
         .none = true},
        {.provider = &provider_openai,
         .fault = {.param = "max_tokens",
                   .message = "max_tokens is too large: 8000. This model supports at most 4096 "
                              "completion tokens, whereas you provided 8000."},
         .after = {.output_cap = 4096}},
        {.provider = &provider_openai,
         .fault = {.code = "context_length_exceeded",
                   .param = "messages",
                   .message = "This model's maximum context length is 8192 tokens. However, you "
                              "requested 9000 tokens (1000 in the messages, 8000 in the "
                              "completion)."},
         .after = {.output_cap = 8192 - 1000 - 16}},
        {.provider = &provider_vllm,
         .fault = {.type = "BadRequestError",
                   .message = "'max_tokens' or 'max_completion_tokens' is too large: 8000. This "
                              "model's maximum context length is 4096 tokens and your request has "
                              "500 input tokens (8000 > 4096 - 500)."},
         .after = {.output_cap = 4096 - 500 - 16}},
        {.provider = &provider_openai,
         .fault = {.param = "temperature", .code = "unsupported_value"},
         .after = {.no_temperature = true}},
        {.provider = &provider_openai,
         .fault = {.param = "stream_options"},
         .after = {.no_stream_options = true}},
        {.provider = &provider_openai, .fault = {.param = "messages"}, .none = true},
        {.provider = &provider_openai,
         .fault = {.param = "messages", .message = "temperature matters not"},
         .none = true},
        {.provider = &provider_openai,
         .fault = {.message = "Unrecognized request argument supplied: max_completion_tokens"},
         .after = {.old_token_name = true}},
        {.provider = &provider_vllm,
         .fault = {.message = "structured_outputs is not known"},
         .after = {.format = 1}},
        {.provider = &provider_gemini,
         .fault = {.message = "The specified schema produces a constraint that has too many states "
                              "for serving."},
         .after = {.format = 1}},
        {.provider = &provider_gemini,
         .fault = {.message = "Thinking budget 0 is invalid. This model only works in thinking "
                              "mode."},
         .after = {.no_thinking = true}},
        {.provider = &provider_gemini,
         .fault = {.param = "generation_config.response_json_schema"},
         .before = {.format = 1},
         .after = {.format = 2}},
        {.provider = &provider_anthropic,
         .fault = {.param = "max_tokens",
                   .message = "max_tokens: 8000 > 4096, which is the maximum allowed number of "
                              "output tokens for claude-3-5-haiku-20241022"},
         .after = {.output_cap = 4096}},
        {.provider = &provider_anthropic,
         .fault = {.param = "output_config.format.schema"},
         .after = {.format = 1}},
        {.provider = &provider_anthropic,
         .fault = {.param = "temperature"},
         .after = {.no_temperature = true}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct provider_ability a = cases[i].before;
        struct provider_ask ask = {
            .model = "m", .ability = a, .max_tokens = 8000, .temperature = 1, .top_p = -1};
        bool stepped = provider_step_down(cases[i].provider, &ask, &cases[i].fault, &a);
        if (stepped == cases[i].none || a.format != cases[i].after.format ||
            a.output_cap != cases[i].after.output_cap ||
            a.old_token_name != cases[i].after.old_token_name ||
            a.no_temperature != cases[i].after.no_temperature ||
            a.no_stream_options != cases[i].after.no_stream_options ||
            a.no_thinking != cases[i].after.no_thinking) {
            fail_msg("case %zu: stepped %d, format %u, cap %lld", i, (int)stepped, a.format,
                     (long long)a.output_cap);
        }
    }
}

/* However a server refuses, the ladder has an end. */
static void every_ladder_ends(void **state)
{
    (void)state;
    static const struct provider *const all[] = {&provider_openai, &provider_vllm, &provider_gemini,
                                                 &provider_anthropic};
    static const char *const messages[] = {"no",
                                           "temperature",
                                           "max_tokens max_completion_tokens maxOutputTokens",
                                           "max_tokens: 300",
                                           "response_format output_config responseJsonSchema",
                                           "maximum context length is 900 tokens",
                                           "maximum context length"};
    for (size_t p = 0; p < 4; p++) {
        for (size_t m = 0; m < sizeof messages / sizeof messages[0]; m++) {
            struct provider_fault f = {.status = 400};
            struct provider_ability a = {.format = 0};
            struct provider_ask ask = {.model = "m", .max_tokens = 16000, .user = {NULL, 40000}};
            int steps = 0;
            (void)snprintf(f.message, sizeof f.message, "%s", messages[m]);
            do {
                ask.ability = a;
                ask.max_tokens = a.output_cap > 0 ? a.output_cap : ask.max_tokens;
            } while (provider_step_down(all[p], &ask, &f, &a) && ++steps < 40);
            assert_in_range(steps, 0, 20);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_written_as_each_provider_takes_them),
        cmocka_unit_test(addresses_are_each_providers_own),
        cmocka_unit_test(streams_become_texts_usage_and_an_end),
        cmocka_unit_test(error_answers_have_the_class_and_the_delay_that_they_say),
        cmocka_unit_test(errors_inside_of_a_stream_are_errors),
        cmocka_unit_test(spans_are_read_as_providers_write_them),
        cmocka_unit_test(each_refusal_is_one_step_down),
        cmocka_unit_test(every_ladder_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
