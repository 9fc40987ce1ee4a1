/* SPDX-License-Identifier: MIT */
#include "generator/cloud_test.h"

/* ---- asking ---------------------------------------------------------------------------------- */

struct heard {
    struct gen_usage usage;
    int usages, heartbeats, tokens_events, queued;
    int64_t tokens;
    atomic_bool *cancel_at_text; /* set when the first token is told */
};

static void hear(void *arg, const struct gen_event *e)
{
    struct heard *h = arg;
    if (e->kind == GEN_EVENT_USAGE) {
        assert_true(e->usage->requests >= h->usage.requests);
        h->usage = *e->usage;
        h->usages++;
    }
    h->heartbeats += e->kind == GEN_EVENT_HEARTBEAT ? 1 : 0;
    h->queued += e->kind == GEN_EVENT_QUEUED ? 1 : 0;
    if (e->kind == GEN_EVENT_TOKENS) {
        assert_true(e->done > h->tokens);
        h->tokens = e->done;
        h->tokens_events++;
        if (h->cancel_at_text != NULL) {
            atomic_store(h->cancel_at_text, true);
        }
    }
}

static struct story_request request_of(enum story_task task, size_t chapters)
{
    struct story_request r = {.task = task};
    r.user_input = sf_strdup("a lighthouse at the end of the world");
    for (size_t i = 0; i < chapters; i++) {
        r.chapter_ids[i] = (int)i + 3;
    }
    r.n_chapter_ids = chapters;
    return r;
}

static struct cloud *open_cloud(const struct provider *p, const struct fake *f, const char *model)
{
    struct cloud *c = NULL;
    struct cloud_options o = {.provider = p,
                              .provider_name = p->name,
                              .endpoint = f->base,
                              .key = "sk-test-key-0123456789abcd",
                              .key_variable = "TEST_KEY",
                              .model = model,
                              .temperature = 0.5,
                              .top_p = -1,
                              .concurrency = 4,
                              .price_input = 1,
                              .price_output = 10};
    assert_int_equal(cloud_open(&o, &c, NULL), SF_OK);
    return c;
}

struct asked {
    enum sf_err err;
    struct sf_errbuf eb;
    struct gen_result result;
    struct heard heard;
};

static void ask(struct cloud *c, struct gen_call call, struct asked *a)
{
    struct story_request r = request_of(STORY_BLUEPRINT, 0);
    atomic_bool *cancel = a->heard.cancel_at_text;
    *a = (struct asked){.heard = {.cancel_at_text = cancel}};
    if (call.request == NULL) {
        call.request = &r;
    }
    if (call.deadline.ms == 0) {
        call.deadline = sf_after(sf_now(), 20000);
    }
    call.target = call.deadline;
    call.on_event = hear;
    call.event_arg = &a->heard;
    a->err = cloud_generate(c, &call, NULL, &a->result, &a->eb);
    free(r.user_input);
}

static void end(struct asked *a)
{
    gen_result_fini(&a->result);
}

/* ---- what providers say ---------------------------------------------------------------------- */

#define DONE "data: [DONE]\n\n"
#define PIECE(t) "data: {\"model\":\"m-1\",\"choices\":[{\"delta\":{\"content\":\"" t "\"}}]}\n\n"
#define FINISH(r) "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"" r "\"}]}\n\n"
#define USAGE                                                                                      \
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":100,\"completion_tokens\":40}}\n\n"
#define STREAM(t) PIECE(t) FINISH("stop") USAGE DONE
#define WHOLE(t)                                                                                   \
    "{\"model\":\"m-1\",\"choices\":[{\"message\":{\"content\":\"" t                               \
    "\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":100,\"completion_tokens\":40}}"
#define SSE "text/event-stream"
#define HELLO "{\\\"title\\\":\\\"Hello\\\"}"

static struct fake_reply fixed(struct fake *f, const char *head, const json_t *body, int n)
{
    (void)head;
    (void)body;
    (void)n;
    return *(const struct fake_reply *)f->arg;
}

static void a_stream_becomes_an_answer(void **state)
{
    (void)state;
    struct fake_reply reply = {.status = 200,
                               .type = SSE "; charset=utf-8",
                               .chunked = true,
                               .body = ": ping\n\n" PIECE("{\\\"title\\\":") PIECE("\\\"Hello\\\"}")
                                   FINISH("stop") USAGE DONE};
    struct fake f = {.respond = fixed, .arg = &reply};
    struct asked a = {.err = SF_OK};
    fake_start(&f);
    struct cloud *c = open_cloud(&provider_openai, &f, "gpt-4o-mini");
    ask(c, (struct gen_call){.seed = 1}, &a);
    assert_string_equal(a.eb.text, "");
    assert_int_equal(a.err, SF_OK);
    assert_string_equal(json_get_string(a.result.output, "title"), "Hello");
    assert_string_equal(a.result.name, "gpt-4o-mini");
    assert_string_equal(a.result.version, "m-1");
    assert_string_equal(a.result.provider, "openai");
    double temperature = 0;
    assert_true(json_get_number(a.result.parameters, "temperature", &temperature));
    assert_true(temperature > 0.49 && temperature < 0.51);
    assert_int_equal(a.result.usage.prompt_tokens, 100);
    assert_int_equal(a.result.usage.generated_tokens, 40);
    assert_int_equal(a.result.usage.requests, 1);
    /* 100 tokens at $1 and 40 at $10 a million */
    assert_true(a.result.usage.cost_usd > 0.000499 && a.result.usage.cost_usd < 0.000501);
    assert_true(a.heard.heartbeats >= 2);
    assert_true(a.heard.tokens_events >= 1);
    assert_int_equal(a.heard.usage.requests, 1);
    assert_int_equal(f.n, 1);
    assert_non_null(strstr(f.heads[0], "POST /v1/chat/completions "));
    assert_non_null(strstr(f.heads[0], "Authorization: Bearer sk-test-key-0123456789abcd"));
    end(&a);
    cloud_close(c);
    fake_stop(&f);
}

static void a_server_that_does_not_stream_works_too(void **state)
{
    (void)state;
    static const struct {
        const struct provider *provider;
        const char *body;
    } cases[] = {
        {&provider_openai, WHOLE(HELLO)},
        {&provider_gemini, "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"hm\",\"thought\":"
                           "true},{\"text\":\"" HELLO "\"}]},\"finishReason\":\"STOP\"}]}"},
        {&provider_gemini,
         "[{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"{\\\"title\\\":\"}]}}]},"
         "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"\\\"Hello\\\"}\"}]},"
         "\"finishReason\":\"STOP\"}]}]"},
        {&provider_anthropic, "{\"type\":\"message\",\"content\":[{\"type\":\"text\",\"text\":"
                              "\"" HELLO "\"}],\"stop_reason\":\"end_turn\"}"},
        {&provider_vllm, WHOLE("```json\\n" HELLO "\\n```")},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fake_reply reply = {.status = 200, .body = cases[i].body};
        struct fake f = {.respond = fixed, .arg = &reply};
        struct asked a = {.err = SF_OK};
        fake_start(&f);
        struct cloud *c = open_cloud(cases[i].provider, &f, "some-model");
        ask(c, (struct gen_call){.seed = 1}, &a);
        assert_string_equal(a.eb.text, "");
        assert_string_equal(json_get_string(a.result.output, "title"), "Hello");
        end(&a);
        cloud_close(c);
        fake_stop(&f);
    }
}

static const struct {
    struct fake_reply reply;
    enum sf_err err;
    sf_ms after;
    const char *says;
} faults[] = {
    {{.status = 401,
      .body = "{\"error\":{\"message\":\"no key sk-test-key-0123456789abcd\","
              "\"code\":\"invalid_api_key\"}}"},
     SF_EACCOUNT,
     0,
     "key from TEST_KEY"},
    {{.status = 402, .body = "{}"}, SF_EACCOUNT, 0, "402"},
    {{.status = 403, .body = "forbidden"}, SF_EACCOUNT, 0, "forbidden"},
    {{.status = 404, .body = "{\"error\":{\"code\":\"model_not_found\",\"message\":\"no\"}}"},
     SF_EMODEL,
     0,
     "model's name"},
    {{.status = 408, .body = ""}, SF_ETRANSIENT, 0, "408"},
    {{.status = 413, .body = ""}, SF_ESHAPE, 0, "413"},
    {{.status = 429, .headers = "Retry-After: 7\r\n", .body = "{}"}, SF_ERATE, 7000, "429"},
    {{.status = 429, .headers = "retry-after: 7\r\nretry-after-ms: 120\r\n", .body = "{}"},
     SF_ERATE,
     120,
     "429"},
    {{.status = 429, .headers = "x-ratelimit-reset-requests: 1m6.5s\r\n", .body = ""},
     SF_ERATE,
     66500,
     "429"},
    {{.status = 429, .body = "{\"error\":{\"code\":\"new_code\",\"type\":\"requests\"}}"},
     SF_ERATE,
     0,
     "new_code"},
    {{.status = 429, .body = "{\"error\":{\"code\":\"insufficient_quota\"}}"},
     SF_EACCOUNT,
     0,
     "insufficient_quota"},
    {{.status = 429, .body = "{\"error\":{\"code\":\"organization_spend_limit_exceeded\"}}"},
     SF_EACCOUNT,
     0,
     "spend"},
    {{.status = 500, .body = "{\"error\":{\"message\":\"oops\"}}"}, SF_ETRANSIENT, 0, "oops"},
    {{.status = 502, .type = "text/html", .body = "<html>"}, SF_ETRANSIENT, 0, "502"},
    {{.status = 503, .body = ""}, SF_ETRANSIENT, 0, "503"},
    {{.status = 504, .body = ""}, SF_ETRANSIENT, 0, "504"},
    {{.status = 529, .body = ""}, SF_ETRANSIENT, 0, "529"},
    {{.status = 302, .headers = "Location: http://x/\r\n", .body = ""}, SF_ECONFIG, 0, "endpoint"},
    {{.status = 0}, SF_ETRANSIENT, 0, "closed without an answer"},
    {{.status = 200, .body = ""}, SF_EINCOMPLETE, 0, "empty"},
    {{.status = 200, .type = "text/html; charset=utf-8", .body = "<html>"},
     SF_EINCOMPLETE,
     0,
     "web page"},
    {{.status = 200, .body = "{\"choices\":[{\"message\":"}, SF_EINCOMPLETE, 0, "no whole JSON"},
    {{.status = 200, .body = WHOLE("{\\\"title\\\": {}")}, SF_EINCOMPLETE, 0, "cut or malf"},
    {{.status = 200, .body = WHOLE("")}, SF_EINCOMPLETE, 0, "no text"},
    {{.status = 200, .body = WHOLE("[1]")}, SF_EINCOMPLETE, 0, "array"},
    {{.status = 200, .body = WHOLE("I cannot help.")}, SF_EINCOMPLETE, 0, "no JSON object"},
    {{.status = 200, .cut = true, .body = WHOLE(HELLO)}, SF_EINCOMPLETE, 0, "is cut after"},
    {{.status = 200, .type = SSE, .body = ""}, SF_EINCOMPLETE, 0, "empty"},
    {{.status = 200, .type = SSE, .body = DONE}, SF_EINCOMPLETE, 0, "no text"},
    {{.status = 200, .type = SSE, .body = PIECE("{}")}, SF_EINCOMPLETE, 0, "stream is cut"},
    {{.status = 200, .type = SSE, .chunked = true, .cut = true, .body = PIECE("{}")},
     SF_EINCOMPLETE,
     0,
     "is cut after"},
    {{.status = 200, .type = SSE, .body = PIECE(HELLO) FINISH("length") DONE},
     SF_EINCOMPLETE,
     0,
     "token limit"},
    {{.status = 200, .type = SSE, .body = PIECE(HELLO) FINISH("content_filter") DONE},
     SF_ECONTENT,
     0,
     "content filter"},
    {{.status = 200,
      .type = SSE,
      .body = "data: {\"choices\":[{\"delta\":{\"refusal\":\"I "
              "won't\"}}]}\n\n" FINISH("stop") DONE},
     SF_ECONTENT,
     0,
     "I won't"},
    {{.status = 200,
      .type = SSE,
      .body = PIECE("{") "data: {\"error\":{\"message\":\"x\","
                         "\"type\":\"server_error\"}}\n\n"},
     SF_ETRANSIENT,
     0,
     "server_error"},
    {{.status = 200, .type = SSE, .body = "data: {\"error\":{\"code\":429}}\n\n"},
     SF_ERATE,
     0,
     "429"},
    {{.status = 200, .body = "{\"error\":{\"code\":402,\"message\":\"more credits\"}}"},
     SF_EACCOUNT,
     0,
     "more credits"},
    {{.status = 200, .type = SSE, .body = "data: {nonsense\n\n" DONE},
     SF_EINCOMPLETE,
     0,
     "no JSON"},
};

static void each_fault_has_its_class(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        struct fake_reply reply = faults[i].reply;
        struct fake f = {.respond = fixed, .arg = &reply};
        struct asked a = {.err = SF_OK};
        fake_start(&f);
        struct cloud *c = open_cloud(&provider_openai, &f, "gpt-4o-mini");
        ask(c, (struct gen_call){.seed = 1}, &a);
        if (a.err != faults[i].err || strstr(a.eb.text, faults[i].says) == NULL) {
            fail_msg("case %zu: %d %s", i, a.err, a.eb.text);
        }
        assert_int_equal(a.eb.retry_after_ms, faults[i].after);
        assert_null(strstr(a.eb.text, "sk-test"));
        assert_null(a.result.output);
        assert_int_equal(f.n, 1); /* a kind asks once */
        assert_int_equal(a.heard.usage.requests, 1);
        bool paid = reply.status == 0 || reply.status == 200;
        assert_int_equal(a.heard.usage.cost_usd > 0, paid);
        end(&a);
        cloud_close(c);
        fake_stop(&f);
    }
}

static void what_is_not_reached_is_not_paid(void **state)
{
    (void)state;
    struct fake_reply reply = {.status = 200, .body = ""};
    struct fake f = {.respond = fixed, .arg = &reply};
    struct asked a = {.err = SF_OK};
    fake_start(&f);
    fake_stop(&f);
    struct cloud *c = open_cloud(&provider_openai, &f, "gpt-4o-mini");
    ask(c, (struct gen_call){.seed = 1}, &a);
    assert_int_equal(a.err, SF_ETRANSIENT);
    assert_non_null(strstr(a.eb.text, "cannot connect"));
    assert_int_equal(a.heard.usage.requests, 0);
    assert_true(a.heard.usage.cost_usd <= 0);
    assert_int_equal(cloud_probe(c, &a.eb), SF_ETRANSIENT);
    cloud_close(c);
}

/* ---- cancel and deadline --------------------------------------------------------------------- */

static void what_was_written_before_a_cancel_is_counted(void **state)
{
    (void)state;
    struct fake_reply reply = {.status = 200,
                               .type = SSE,
                               .chunked = true,
                               .hang = true,
                               .body = PIECE("0123456789012345678901234567890123456789")};
    struct fake f = {.respond = fixed, .arg = &reply};
    atomic_bool cancel;
    atomic_init(&cancel, false);
    struct asked a = {.heard = {.cancel_at_text = &cancel}};
    fake_start(&f);
    struct cloud *c = open_cloud(&provider_openai, &f, "gpt-4o-mini");
    struct sf_time begun = sf_now();
    ask(c, (struct gen_call){.cancel = &cancel}, &a);
    assert_int_equal(a.err, SF_ECANCELED);
    assert_in_range(sf_between(begun, sf_now()), 0, 5000);
    assert_int_equal(a.heard.usage.requests, 1);
    assert_int_equal(a.heard.usage.generated_tokens, 10);
    assert_true(a.heard.usage.prompt_tokens > 50);
    assert_true(a.heard.usage.cost_usd > 0);
    end(&a);

    a.heard.cancel_at_text = NULL;
    atomic_store(&cancel, false);
    begun = sf_now();
    ask(c, (struct gen_call){.cancel = &cancel, .deadline = sf_after(sf_now(), 200)}, &a);
    assert_int_equal(a.err, SF_EDEADLINE);
    assert_in_range(sf_between(begun, sf_now()), 150, 3000);
    cloud_close(c);
    fake_stop(&f);
}

/* An answer that is whole counts, also when the server forgets to close. */
static void a_stream_that_lingers_after_its_end_is_left(void **state)
{
    (void)state;
    struct fake_reply reply = {
        .status = 200, .type = SSE, .chunked = true, .hang = true, .body = STREAM(HELLO)};
    struct fake f = {.respond = fixed, .arg = &reply};
    struct asked a = {.err = SF_OK};
    fake_start(&f);
    struct cloud *c = open_cloud(&provider_openai, &f, "gpt-4o-mini");
    ask(c, (struct gen_call){.seed = 1}, &a);
    assert_int_equal(a.err, SF_OK);
    end(&a);
    cloud_close(c);
    fake_stop(&f);
}

static bool move_thrice(void *arg)
{
    return ++*(int *)arg <= 3;
}

/* vLLM's metrics, say: what the connection does not show. */
static void progress_from_elsewhere_is_told(void **state)
{
    (void)state;
    struct fake_reply reply = {
        .status = 200, .type = SSE, .chunked = true, .hang = true, .body = ""};
    struct fake f = {.respond = fixed, .arg = &reply};
    struct heard heard[2] = {{.usages = 0}};
    struct story_request r = request_of(STORY_BLUEPRINT, 0);
    int looks = 0;
    fake_start(&f);
    struct cloud *c = open_cloud(&provider_openai, &f, "gpt-4o-mini");
    for (size_t i = 0; i < 2; i++) {
        struct cloud_progress progress = {move_thrice, &looks};
        struct gen_result result = {.output = NULL};
        struct gen_call call = {.request = &r,
                                .deadline = sf_after(sf_now(), 300),
                                .on_event = hear,
                                .event_arg = &heard[i]};
        assert_int_equal(cloud_generate(c, &call, i == 0 ? NULL : &progress, &result, NULL),
                         SF_EDEADLINE);
    }
    assert_int_equal(heard[1].heartbeats, heard[0].heartbeats + 3);
    free(r.user_input);
    cloud_close(c);
    fake_stop(&f);
}

/* ---- the ladder ------------------------------------------------------------------------------ */

/* An older server: no schema, no json_object, the old name of the token parameter, no temperature,
 * at most 4,096 tokens of answer. */
static struct fake_reply old_server(struct fake *f, const char *head, const json_t *body, int n)
{
    int64_t tokens = 0;
    (void)f;
    (void)head;
    (void)n;
    if (json_object_get(body, "response_format") != NULL) {
        return (struct fake_reply){.status = 400,
                                   .body = "{\"error\":{\"message\":\"not supported with this "
                                           "model\",\"param\":\"response_format\"}}"};
    }
    if (json_object_get(body, "max_completion_tokens") != NULL) {
        return (struct fake_reply){
            .status = 400,
            .body = "{\"error\":{\"message\":\"Unrecognized request argument supplied: "
                    "max_completion_tokens\",\"type\":\"invalid_request_error\"}}"};
    }
    if (json_object_get(body, "temperature") != NULL) {
        return (struct fake_reply){
            .status = 400,
            .body = "{\"error\":{\"message\":\"no\",\"param\":\"temperature\",\"code\":"
                    "\"unsupported_value\"}}"};
    }
    if (json_object_get(body, "stream_options") != NULL) {
        return (struct fake_reply){
            .status = 422,
            .body = "{\"detail\":[{\"loc\":[\"body\",\"stream_options\"],\"msg\":\"extra\"}]}"};
    }
    if (json_get_int(body, "max_tokens", &tokens) && tokens > 1000) {
        return (struct fake_reply){
            .status = 400,
            .body = "{\"error\":{\"message\":\"max_tokens is too large: 9000. This model supports "
                    "at most 1000 completion tokens\",\"param\":\"max_tokens\"}}"};
    }
    return (struct fake_reply){.status = 200, .body = WHOLE(HELLO)};
}

static void the_ladder_is_walked_once_and_remembered(void **state)
{
    (void)state;
    struct fake f = {.respond = old_server};
    struct asked a = {.err = SF_OK};
    int64_t tokens = 0;
    fake_start(&f);
    struct cloud *c = open_cloud(&provider_openai, &f, "an-old-model");
    struct story_request long_one = request_of(STORY_CHARACTERS, 0);
    ask(c, (struct gen_call){.request = &long_one}, &a);
    assert_string_equal(a.eb.text, "");
    assert_int_equal(a.err, SF_OK);
    assert_null(a.result.parameters); /* no temperature was sent */
    end(&a);
    int walked = f.n;
    assert_in_range(walked, 6, 7);
    assert_int_equal(a.heard.usage.requests, walked);
    ask(c, (struct gen_call){.request = &long_one}, &a);
    assert_int_equal(a.err, SF_OK);
    assert_int_equal(f.n, walked + 1);
    assert_true(json_get_int(f.bodies[walked], "max_tokens", &tokens));
    assert_int_equal(tokens, 1000);
    end(&a);
    free(long_one.user_input);
    cloud_close(c);
    fake_stop(&f);
}

static void what_nothing_helps_against_is_a_shape_error_and_nothing_is_learnt(void **state)
{
    (void)state;
    struct fake_reply reply = {.status = 400, .body = "{\"error\":{\"message\":\"no\"}}"};
    struct fake f = {.respond = fixed, .arg = &reply};
    struct asked a = {.err = SF_OK};
    fake_start(&f);
    struct cloud *c = open_cloud(&provider_openai, &f, "some-model");
    ask(c, (struct gen_call){.seed = 1}, &a);
    assert_int_equal(a.err, SF_ESHAPE);
    assert_int_equal(f.n, 4); /* schema, json_object, none, bare */
    assert_null(json_object_get(f.bodies[3], "temperature"));
    ask(c, (struct gen_call){.seed = 1}, &a);
    assert_int_equal(a.err, SF_ESHAPE);
    assert_int_equal(f.n, 5); /* not walked again so soon */
    reply = (struct fake_reply){.status = 200, .body = WHOLE(HELLO)};
    ask(c, (struct gen_call){.seed = 1}, &a);
    assert_int_equal(a.err, SF_OK);
    assert_non_null(json_object_get(f.bodies[5], "response_format"));
    end(&a);
    /* A parameter that is not ours to leave out: once is enough. */
    reply = (struct fake_reply){.status = 400,
                                .body = "{\"error\":{\"message\":\"no\",\"param\":\"messages\"}}"};
    ask(c, (struct gen_call){.seed = 1}, &a);
    assert_int_equal(a.err, SF_ESHAPE);
    assert_int_equal(f.n, 7);
    cloud_close(c);
    fake_stop(&f);
}

/* ---- parts ----------------------------------------------------------------------------------- */

/* Which chapter a request is about: its schema and text name the id. */
struct chapters {
    int asked_at_once, fails; /* the how-manieth request fails; 0 none */
    int status;
};

static struct fake_reply chapter_server(struct fake *f, const char *head, const json_t *body, int n)
{
    struct chapters *want = f->arg;
    (void)head;
    (void)body;
    if (n + 1 == want->fails || want->fails < 0) {
        return (struct fake_reply){.status = want->status, .body = "{}"};
    }
    return (struct fake_reply){
        .status = 200,
        .body = WHOLE("{\\\"chapters\\\":[{\\\"id\\\":1,\\\"title\\\":\\\"T\\\"}]}")};
}

static void chapters_go_out_side_by_side_and_come_back_in_order(void **state)
{
    (void)state;
    struct chapters want = {.fails = 0};
    struct fake f = {.respond = chapter_server, .arg = &want};
    struct asked a = {.err = SF_OK};
    struct story_request r = request_of(STORY_CHAPTERS_TASK, 5);
    fake_start(&f);
    struct cloud *c = open_cloud(&provider_openai, &f, "gpt-4o-mini");
    ask(c, (struct gen_call){.request = &r}, &a);
    assert_string_equal(a.eb.text, "");
    assert_int_equal(f.n, 5);
    assert_int_equal(a.result.usage.requests, 5);
    assert_int_equal(a.result.usage.prompt_tokens, 500);
    assert_in_range(f.connections, 1, 4); /* concurrency */
    const json_t *list = json_get_array(a.result.output, "chapters");
    assert_int_equal(json_array_size(list), 5);
    for (size_t i = 0; i < 5; i++) {
        int64_t id = 0;
        assert_true(json_get_int(json_array_get(list, i), "id", &id));
        assert_int_equal(id, i + 3);
    }
    end(&a);
    free(r.user_input);
    cloud_close(c);
    fake_stop(&f);
}

static void a_part_that_fails_is_left_out_and_asked_for_alone(void **state)
{
    (void)state;
    struct chapters want = {.fails = 2, .status = 503};
    struct fake f = {.respond = chapter_server, .arg = &want};
    struct asked a = {.err = SF_OK}, again = {.err = SF_OK};
    struct story_request r = request_of(STORY_CHAPTERS_TASK, 3);
    fake_start(&f);
    struct cloud *c = open_cloud(&provider_openai, &f, "gpt-4o-mini");
    ask(c, (struct gen_call){.request = &r}, &a);
    assert_int_equal(a.err, SF_OK);
    const json_t *list = json_get_array(a.result.output, "chapters");
    size_t missing = 9, n_missing = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (json_object_get(json_array_get(list, i), "title") == NULL) {
            missing = i;
            n_missing++;
        }
    }
    assert_int_equal(json_array_size(list), 3);
    assert_int_equal(n_missing, 1);

    char path[32];
    const char *wanted[] = {path};
    (void)snprintf(path, sizeof path, "/chapters/%zu/title", missing);
    ask(c,
        (struct gen_call){
            .request = &r, .wanted = wanted, .n_wanted = 1, .partial = a.result.output},
        &again);
    assert_string_equal(again.eb.text, "");
    assert_int_equal(f.n, 4); /* only what is missing */
    assert_non_null(json_at(again.result.output, path));
    end(&again);
    end(&a);

    want = (struct chapters){.fails = -1, .status = 401};
    ask(c, (struct gen_call){.request = &r}, &a);
    assert_int_equal(a.err, SF_EACCOUNT);
    assert_null(a.result.output);
    free(r.user_input);
    cloud_close(c);
    fake_stop(&f);
}

/* The owner's template speaks of all chapters: they are asked for together. */
static void an_owners_prompt_is_not_taken_apart(void **state)
{
    (void)state;
    struct chapters want = {.fails = 0};
    struct fake f = {.respond = chapter_server, .arg = &want};
    struct asked a = {.err = SF_OK};
    struct story_request r = request_of(STORY_CHAPTERS_TASK, 3);
    fake_start(&f);
    struct cloud *c = open_cloud(&provider_openai, &f, "gpt-4o-mini");
    ask(c, (struct gen_call){.request = &r, .prompt = "write all three"}, &a);
    assert_int_equal(a.err, SF_OK);
    assert_int_equal(f.n, 1);
    end(&a);
    free(r.user_input);
    cloud_close(c);
    fake_stop(&f);
}

/* Every allocation may fail: an error then, never an end, and all is well afterwards. */
static void out_of_memory_is_an_error(void **state)
{
    (void)state;
    struct chapters want = {.fails = 0};
    struct fake f = {.respond = chapter_server, .arg = &want};
    struct story_request r = request_of(STORY_CHAPTERS_TASK, 2);
    fake_start(&f);
    struct cloud *c = open_cloud(&provider_openai, &f, "gpt-4o-mini");
    for (long i = 0; i < 120; i++) {
        struct asked a = {.err = SF_OK};
        sf_mem_fail_after(i, 0);
        ask(c, (struct gen_call){.request = &r, .deadline = sf_after(sf_now(), 5000)}, &a);
        sf_mem_fail_after(-1, 0);
        if ((a.err == SF_OK) != (a.result.output != NULL)) {
            fail_msg("allocation %ld: %d %s", i, a.err, a.eb.text);
        }
        end(&a);
    }
    struct asked a = {.err = SF_OK};
    ask(c, (struct gen_call){.request = &r}, &a);
    assert_int_equal(a.err, SF_OK);
    end(&a);
    free(r.user_input);
    cloud_close(c);
    fake_stop(&f);
}

/* ---- models, probe, doctor ------------------------------------------------------------------- */

static struct fake_reply model_server(struct fake *f, const char *head, const json_t *body, int n)
{
    (void)n;
    if (strncmp(head, "GET /v1/models", 14) == 0) {
        return *(const struct fake_reply *)f->arg;
    }
    assert_non_null(body);
    return (struct fake_reply){.status = 200, .body = WHOLE(HELLO)};
}

static void a_model_that_is_not_named_is_asked_for_once(void **state)
{
    (void)state;
    struct fake_reply models = {.status = 200, .body = "{\"data\":[{\"id\":\"served\"}]}"};
    struct fake f = {.respond = model_server, .arg = &models};
    struct asked a = {.err = SF_OK};
    fake_start(&f);
    struct cloud *c = open_cloud(&provider_vllm, &f, "");
    for (int i = 0; i < 2; i++) {
        ask(c, (struct gen_call){.seed = 1}, &a);
        assert_int_equal(a.err, SF_OK);
        assert_string_equal(a.result.name, "served");
        end(&a);
    }
    assert_int_equal(f.n, 3);
    cloud_close(c);
    models.body = "{\"data\":[]}";
    c = open_cloud(&provider_vllm, &f, "");
    ask(c, (struct gen_call){.seed = 1}, &a);
    assert_int_equal(a.err, SF_EMODEL);
    cloud_close(c);
    fake_stop(&f);
}

static const struct gen_check *find_check(const struct gen_checks *all, const char *what)
{
    for (size_t i = 0; i < all->n; i++) {
        if (strcmp(all->list[i].what, what) == 0) {
            return &all->list[i];
        }
    }
    return NULL;
}

static int64_t november_2026(void)
{
    return 1796000000LL * 1000000000LL; /* 2026-11-30 */
}

static void doctor_says_what_is_wrong(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *body;
        enum sf_err probe;
        const char *what;
        enum gen_verdict verdict;
        const char *says;
    } cases[] = {
        {200, "{\"data\":[{\"id\":\"m\"}]}", SF_OK, "model listed", GEN_CHECK_OK, "m"},
        {200, "{\"data\":[{\"id\":\"m\",\"shutdown_date\":\"2026-12-10\"}]}", SF_OK, "model listed",
         GEN_CHECK_WARN, "about to be shut down (9 days)"},
        {200, "{\"data\":[{\"id\":\"m\",\"shutdown_date\":1700000000}]}", SF_OK, "model listed",
         GEN_CHECK_FAIL, "was shut down"},
        {200, "{\"data\":[{\"id\":\"mm\"},{\"id\":\"other\"}]}", SF_OK, "model listed",
         GEN_CHECK_FAIL, "nearest name is mm"},
        {401, "{\"error\":{\"message\":\"no\"}}", SF_EACCOUNT, "key accepted", GEN_CHECK_FAIL,
         "401"},
        {404, "nothing", SF_OK, "key accepted", GEN_CHECK_WARN, "no list of models"},
        {503, "", SF_ETRANSIENT, "models listed", GEN_CHECK_FAIL, "503"},
        {200, "<html>", SF_OK, "model listed", GEN_CHECK_FAIL, "no JSON"},
    };
    sf_clock_inject(NULL, november_2026);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fake_reply models = {.status = cases[i].status, .body = cases[i].body};
        struct fake f = {.respond = model_server, .arg = &models};
        struct gen_checks checks = {.n = 0};
        fake_start(&f);
        struct cloud *c = open_cloud(&provider_openai, &f, "m");
        assert_int_equal(cloud_probe(c, NULL), cases[i].probe);
        cloud_check(c, &checks);
        const struct gen_check *found = find_check(&checks, cases[i].what);
        if (found == NULL || found->verdict != cases[i].verdict ||
            strstr(found->text, cases[i].says) == NULL) {
            fail_msg("case %zu: %s", i, found == NULL ? "no such line" : found->text);
        }
        assert_string_equal(checks.list[0].text, "TEST_KEY is set (sk-…abcd)");
        cloud_close(c);
        fake_stop(&f);
    }
    sf_clock_inject(NULL, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stream_becomes_an_answer),
        cmocka_unit_test(a_server_that_does_not_stream_works_too),
        cmocka_unit_test(each_fault_has_its_class),
        cmocka_unit_test(what_is_not_reached_is_not_paid),
        cmocka_unit_test(what_was_written_before_a_cancel_is_counted),
        cmocka_unit_test(a_stream_that_lingers_after_its_end_is_left),
        cmocka_unit_test(progress_from_elsewhere_is_told),
        cmocka_unit_test(the_ladder_is_walked_once_and_remembered),
        cmocka_unit_test(what_nothing_helps_against_is_a_shape_error_and_nothing_is_learnt),
        cmocka_unit_test(chapters_go_out_side_by_side_and_come_back_in_order),
        cmocka_unit_test(a_part_that_fails_is_left_out_and_asked_for_alone),
        cmocka_unit_test(an_owners_prompt_is_not_taken_apart),
        cmocka_unit_test(out_of_memory_is_an_error),
        cmocka_unit_test(a_model_that_is_not_named_is_asked_for_once),
        cmocka_unit_test(doctor_says_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
