/* SPDX-License-Identifier: MIT */
#include "generator/vllm.h"

#include "generator/cloud_test.h"
#include "generator/vllm_progress.h"

#define ANSWER                                                                                     \
    "{\"choices\":[{\"message\":{\"content\":\"{\\\"title\\\":\\\"Hello\\\"}\"},"                  \
    "\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":9}}"

static void metrics_are_read_and_summed(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool found;
        double tokens, waiting;
    } cases[] = {
        {"# HELP vllm:num_requests_waiting x\n"
         "vllm:num_requests_waiting{engine=\"0\",model_name=\"a b} c\"} 2.0\n"
         "vllm:num_requests_waiting{engine=\"1\"} 1\n"
         "vllm:iteration_tokens_total_bucket{le=\"8\"} 99\n"
         "vllm:iteration_tokens_total_sum{engine=\"0\"} 1.5e3\n"
         "vllm:iteration_tokens_total_count{engine=\"0\"} 7\n",
         true, 1500, 3},
        {"vllm:iteration_tokens_total 12 1700000000\n", true, 12, 0},
        {"vllm:num_requests_waiting{engine=\"0\"} nan\n", false, 0, 0},
        {"ollama_x 1\n", false, 0, 0},
        {"", false, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double tokens = -1, waiting = -1;
        assert_int_equal(vllm_read_metrics(sf_str(cases[i].text), &tokens, &waiting),
                         cases[i].found);
        assert_true(tokens >= cases[i].tokens && tokens <= cases[i].tokens);
        assert_true(waiting >= cases[i].waiting && waiting <= cases[i].waiting);
    }
}

/* ---- a server -------------------------------------------------------------------------------- */

struct vllm_server {
    const char *version; /* NULL: 404 */
    const char *refuses; /* a member of the body that is answered with 400 */
    int metrics;         /* looks so far; each shows more tokens */
    char text[256];
};

static struct fake_reply serve(struct fake *f, const char *head, const json_t *body, int n)
{
    struct vllm_server *s = f->arg;
    (void)n;
    if (strncmp(head, "GET /version ", 13) == 0) {
        return s->version == NULL ? (struct fake_reply){.status = 404, .body = ""}
                                  : (struct fake_reply){.status = 200, .body = s->version};
    }
    if (strncmp(head, "GET /metrics ", 13) == 0) {
        (void)snprintf(s->text, sizeof s->text, "vllm:iteration_tokens_total_sum{} %d\n",
                       ++s->metrics * 10);
        return (struct fake_reply){.status = 200, .type = "text/plain", .body = s->text};
    }
    if (strncmp(head, "GET /v1/models ", 15) == 0) {
        return (struct fake_reply){.status = 200, .body = "{\"data\":[{\"id\":\"served\"}]}"};
    }
    if (strncmp(head, "GET /health ", 12) == 0) {
        return (struct fake_reply){.status = 200, .body = ""};
    }
    if (s->refuses != NULL && json_object_get(body, s->refuses) != NULL) {
        return (struct fake_reply){.status = 400,
                                   .body = "{\"error\":{\"message\":\"[{'type': "
                                           "'extra_forbidden', 'loc': ('body', "
                                           "'structured_outputs')}]\",\"type\":"
                                           "\"BadRequestError\",\"param\":null,\"code\":400}}"};
    }
    return (struct fake_reply){.status = 200, .body = ANSWER};
}

static void *open_vllm(const struct fake *f)
{
    void *ctx = NULL;
    struct vllm_options o = {
        .endpoint = f->base, .model = "", .key_variable = "", .temperature = 0.5, .top_p = 0.9};
    assert_int_equal(generator_vllm.open(&o, &ctx, NULL), SF_OK);
    return ctx;
}

static const json_t *last_ask(const struct fake *f)
{
    for (int i = f->n - 1; i >= 0; i--) {
        if (json_object_get(f->bodies[i], "messages") != NULL) {
            return f->bodies[i];
        }
    }
    return NULL;
}

static void generate(void *ctx, struct gen_result *result)
{
    char input[] = "a lighthouse";
    struct story_request r = {.task = STORY_BLUEPRINT, .user_input = input};
    struct gen_call call = {.request = &r, .deadline = sf_after(sf_now(), 20000)};
    struct sf_errbuf eb = {.code = SF_OK};
    *result = (struct gen_result){.output = NULL};
    enum sf_err err = generator_vllm.generate(ctx, &call, result, &eb);
    assert_string_equal(eb.text, "");
    assert_int_equal(err, SF_OK);
}

static void the_schema_goes_in_the_field_that_the_version_knows(void **state)
{
    (void)state;
    static const struct {
        const char *version, *refuses, *field;
    } cases[] = {{"{\"version\":\"0.11.0\"}", NULL, "structured_outputs"},
                 {"{\"version\":\"0.12.1rc2+cu128\"}", NULL, "structured_outputs"},
                 {"{\"version\":\"1.0.0\"}", NULL, "structured_outputs"},
                 {"{\"version\":\"0.10.2\"}", NULL, "guided_json"},
                 {"{\"version\":\"0.6.3.post1\"}", NULL, "guided_json"},
                 {NULL, NULL, "structured_outputs"},
                 {NULL, "structured_outputs", "guided_json"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct vllm_server s = {.version = cases[i].version, .refuses = cases[i].refuses};
        struct fake f = {.respond = serve, .arg = &s};
        struct gen_result result;
        fake_start(&f);
        void *ctx = open_vllm(&f);
        generate(ctx, &result);
        assert_string_equal(result.name, "served");
        assert_string_equal(result.provider, "vllm");
        assert_true(result.usage.cost_usd <= 0);
        if (json_object_get(last_ask(&f), cases[i].field) == NULL) {
            fail_msg("case %zu: no %s", i, cases[i].field);
        }
        assert_non_null(json_object_get(last_ask(&f), "top_p"));
        gen_result_fini(&result);
        generator_vllm.close(ctx);
        fake_stop(&f);
    }
}

/* ---- progress -------------------------------------------------------------------------------- */

static void tokens_that_the_server_writes_for_others_are_progress(void **state)
{
    (void)state;
    struct vllm_server s = {.version = NULL};
    struct fake f = {.respond = serve, .arg = &s};
    struct vllm_progress *p = NULL;
    struct vllm_watching w;
    struct cloud *c = NULL;
    struct cloud_options o = {.provider = &provider_vllm,
                              .provider_name = "vllm",
                              .endpoint = "",
                              .key = "",
                              .key_variable = "",
                              .model = "m"};
    fake_start(&f);
    o.endpoint = f.base;
    assert_int_equal(cloud_open(&o, &c, NULL), SF_OK);
    assert_int_equal(vllm_progress_open(c, 10, &p), SF_OK);
    vllm_progress_begin(p, &w);
    struct sf_time late = sf_after(sf_now(), 10000);
    while (!vllm_progress_moved(&w) && sf_until(late) > 0) {
        (void)poll(NULL, 0, 2);
    }
    assert_true(sf_until(late) > 0);
    assert_true(s.metrics >= 2);
    vllm_progress_end(&w);
    vllm_progress_close(p);
    cloud_close(c);
    fake_stop(&f);
}

static void doctor_looks_at_health_and_metrics(void **state)
{
    (void)state;
    struct vllm_server s = {.version = NULL};
    struct fake f = {.respond = serve, .arg = &s};
    struct gen_checks checks = {.n = 0};
    struct gen_health health;
    size_t good = 0;
    fake_start(&f);
    void *ctx = open_vllm(&f);
    generator_vllm.health(ctx, &health);
    assert_int_equal(health.state, GEN_READY);
    assert_int_equal(generator_vllm.probe(ctx, NULL), SF_OK);
    generator_vllm.check(ctx, &checks);
    for (size_t i = 0; i < checks.n; i++) {
        good += checks.list[i].verdict == GEN_CHECK_OK ? 1 : 0;
    }
    assert_int_equal(checks.n, 6);
    assert_int_equal(good, 6);
    generator_vllm.close(ctx);
    fake_stop(&f);
}

static void a_key_that_is_named_has_to_be_set(void **state)
{
    (void)state;
    void *ctx = NULL;
    struct sf_errbuf eb = {.code = SF_OK};
    struct vllm_options o = {.endpoint = "http://127.0.0.1:1/v1", .model = "", .key_variable = "K"};
    assert_int_equal(generator_vllm.open(&o, &ctx, &eb), SF_ECONFIG);
    assert_non_null(strstr(eb.text, "K is not set"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(metrics_are_read_and_summed),
        cmocka_unit_test(the_schema_goes_in_the_field_that_the_version_knows),
        cmocka_unit_test(tokens_that_the_server_writes_for_others_are_progress),
        cmocka_unit_test(doctor_looks_at_health_and_metrics),
        cmocka_unit_test(a_key_that_is_named_has_to_be_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
