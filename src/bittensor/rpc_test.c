/* SPDX-License-Identifier: MIT */
#include "bittensor/rpc.h"

#include "base/mem.h"
#include "http/server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* One listener plays the nodes: the path says how it answers. */
static atomic_int asked;

static void reply(struct http_exchange *x, int status, const char *body)
{
    http_reply(x, status, NULL, 0, sf_str(body));
}

static void play(void *arg, struct http_exchange *x, const struct http_request *request)
{
    json_t *call = NULL;
    char body[512];
    int64_t id = -1;
    (void)arg;
    atomic_fetch_add(&asked, 1);
    if (json_parse(request->body, JSON_LIMITS_DEFAULT, &call, NULL) != SF_OK) {
        reply(x, 400, "");
        return;
    }
    (void)json_get_int(call, "id", &id);
    const char *method = json_get_string(call, "method");
    static const struct {
        const char *path, *form; /* what stands behind the id */
    } ways[] = {
        {"/good", "\"result\":\"0x0102ff\"}"},
        {"/null", "\"result\":null}"},
        {"/refuses",
         "\"error\":{\"code\":1010,\"message\":\"Invalid Transaction\",\"data\":\"why\"}}"},
        {"/object", "\"error\":{\"code\":4003,\"message\":\"m\",\"data\":{\"a\":[1]}}}"},
        {"/limits", "\"error\":{\"code\":-32005,\"message\":\"slow down\"}}"},
        {"/shapeless", "\"error\":{\"code\":\"x\"}}"},
        {"/empty", "\"jsonrpc\":\"2.0\"}"},
    };
    if (strcmp(request->path, "/echo") == 0) {
        (void)snprintf(body, sizeof body, "{\"id\":%lld,\"result\":\"%s\"}", (long long)id, method);
        reply(x, 200, body);
    } else if (strcmp(request->path, "/down") == 0) {
        reply(x, 503, "");
    } else if (strcmp(request->path, "/later") == 0) {
        static const struct http_header later = {{"Retry-After", 11},
                                                 {"Fri, 06 Nov 2099 08:01:30 GMT", 29}};
        http_reply(x, 429, &later, 1, SF_STR(""));
    } else if (strcmp(request->path, "/stranger") == 0) {
        reply(x, 200, "{\"id\":123456,\"result\":1}");
    } else {
        for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
            if (strcmp(request->path, ways[i].path) == 0) {
                (void)snprintf(body, sizeof body, "{\"id\":%lld,%s", (long long)id, ways[i].form);
                reply(x, 200, body);
            }
        }
    }
    json_decref(call);
}

static uint16_t port;

static struct rpc *open_at(const char *first, const char *second)
{
    char urls[2][128];
    const char *list[2] = {urls[0], urls[1]};
    struct rpc *r = NULL;
    (void)snprintf(urls[0], sizeof urls[0], "http://127.0.0.1:%u%s", port, first);
    (void)snprintf(urls[1], sizeof urls[1], "http://127.0.0.1:%u%s", port,
                   second == NULL ? "" : second);
    assert_int_equal(rpc_open(&(struct rpc_options){.endpoints = list,
                                                    .n_endpoints = second == NULL ? 1 : 2,
                                                    .rest_min_ms = 3600000,
                                                    .rest_max_ms = 7200000},
                              &r, NULL),
                     SF_OK);
    return r;
}

static enum sf_err ask(struct rpc *r, json_t **result, struct rpc_error *error,
                       struct sf_errbuf *eb)
{
    *result = NULL;
    return rpc_call(r,
                    &(struct rpc_call){.method = "a_method",
                                       .params_own = json_array(),
                                       .deadline = sf_after(sf_now(), 2000),
                                       .error = error},
                    result, eb);
}

static void a_result_a_refusal_and_rubbish_are_told_apart(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        enum sf_err err;
        const char *text;
    } rows[] = {
        {"/good", SF_OK, ""},
        {"/null", SF_OK, ""},
        {"/refuses", SF_ENEGATIVE, "a_method: Invalid Transaction (1010): why"},
        {"/object", SF_ENEGATIVE, "{\"a\":[1]}"},
        {"/limits", SF_ERATE, "slow down"},
        {"/shapeless", SF_ETRANSIENT, "no JSON-RPC"},
        {"/empty", SF_ETRANSIENT, "neither result nor error"},
        {"/down", SF_ETRANSIENT, "HTTP 503"},
        {"/stranger", SF_ETRANSIENT, "another question"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rpc *r = open_at(rows[i].path, NULL);
        struct rpc_error error = {.code = 0};
        struct sf_errbuf eb = {.code = SF_OK};
        json_t *result;
        assert_int_equal(ask(r, &result, &error, &eb), rows[i].err);
        assert_non_null(strstr(eb.text, rows[i].text));
        assert_int_equal(result != NULL, rows[i].err == SF_OK);
        assert_int_equal(error.code != 0, rows[i].err == SF_ENEGATIVE);
        json_decref(result);
        rpc_close(r);
    }
}

static void a_node_that_failed_rests_and_the_next_is_asked(void **state)
{
    (void)state;
    struct rpc *r = open_at("/down", "/echo");
    struct sf_errbuf eb;
    json_t *result;
    atomic_store(&asked, 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ask(r, &result, NULL, &eb), SF_OK);
        assert_string_equal(json_string_value(result), "a_method");
        json_decref(result);
    }
    assert_int_equal(atomic_load(&asked), 4); /* the broken one only once */
    assert_non_null(strstr(rpc_endpoint(r), "/echo"));
    rpc_bench(r, 0);
    /* Both rest for an hour: nothing is asked, and it is told at once. */
    struct sf_time before = sf_now();
    assert_int_equal(rpc_call(r,
                              &(struct rpc_call){.method = "m",
                                                 .params_own = json_array(),
                                                 .deadline = sf_after(sf_now(), 60)},
                              &result, &eb),
                     SF_ETRANSIENT);
    assert_true(sf_between(before, sf_now()) < 2000);
    assert_int_equal(atomic_load(&asked), 4);
    rpc_close(r);
}

static void a_node_may_name_a_date_to_rest_until(void **state)
{
    (void)state;
    struct rpc *r = open_at("/later", NULL);
    struct sf_errbuf eb = {.code = SF_OK};
    json_t *result;
    assert_int_equal(ask(r, &result, NULL, &eb), SF_ERATE);
    assert_int_equal(eb.retry_after_ms, 86400000); /* at most a day */
    rpc_close(r);
}

static void a_wait_can_be_called_off(void **state)
{
    (void)state;
    static const char *const nobody[] = {"http://127.0.0.1:1/"};
    atomic_bool cancel = true;
    struct rpc *r = NULL;
    struct sf_errbuf eb;
    json_t *result = NULL;
    assert_int_equal(rpc_open(&(struct rpc_options){.endpoints = nobody,
                                                    .n_endpoints = 1,
                                                    .rest_min_ms = 3600000,
                                                    .rest_max_ms = 3600000,
                                                    .cancel = &cancel},
                              &r, NULL),
                     SF_OK);
    assert_int_equal(ask(r, &result, NULL, &eb), SF_ETRANSIENT); /* asked, and rests now */
    struct sf_time before = sf_now();
    assert_int_not_equal(rpc_call(r,
                                  &(struct rpc_call){.method = "m",
                                                     .params_own = json_array(),
                                                     .deadline = sf_after(sf_now(), 60000)},
                                  &result, &eb),
                         SF_OK);
    assert_true(sf_between(before, sf_now()) < 30000);
    rpc_close(r);
}

static void hex_goes_both_ways(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "0102", "0x1", "0xzz", "0X01"};
    uint8_t bytes[1000];
    struct sf_buf out;
    sf_buf_init(&out, 2000);
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)i;
    }
    json_t *value = rpc_hex_new(bytes, sizeof bytes);
    assert_int_equal(rpc_hex(value, &out, NULL), SF_OK);
    assert_int_equal(out.n, sizeof bytes);
    assert_memory_equal(out.p, bytes, sizeof bytes);
    json_decref(value);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct sf_errbuf eb;
        value = json_string(bad[i]);
        assert_int_equal(rpc_hex(value, &out, &eb), SF_EPARSE);
        json_decref(value);
    }
    assert_int_equal(rpc_hex(NULL, &out, NULL), SF_EPARSE);
    sf_buf_fini(&out);
}

static void missing_parameters_are_no_memory(void **state)
{
    (void)state;
    struct rpc *r = open_at("/good", NULL);
    json_t *result = NULL;
    assert_int_equal(
        rpc_call(r, &(struct rpc_call){.method = "m", .deadline = sf_after(sf_now(), 100)}, &result,
                 NULL),
        SF_ENOMEM);
    rpc_close(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_result_a_refusal_and_rubbish_are_told_apart),
        cmocka_unit_test(a_node_that_failed_rests_and_the_next_is_asked),
        cmocka_unit_test(a_node_may_name_a_date_to_rest_until),
        cmocka_unit_test(a_wait_can_be_called_off),
        cmocka_unit_test(hex_goes_both_ways),
        cmocka_unit_test(missing_parameters_are_no_memory),
    };
    struct http_server_options o = http_server_options_default();
    struct http_server *server = NULL;
    o.ip = "127.0.0.1";
    o.port = 0;
    o.handler = play;
    if (http_server_open(&o, &server, NULL) != SF_OK) {
        return 1;
    }
    port = http_server_port(server);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    http_server_close(server);
    return failed;
}
