/* SPDX-License-Identifier: MIT */
#include "app/hops_key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct opened {
    const struct conf *conf;
    struct gen_chain_hop hops[GEN_CHAIN_MAX];
    size_t n;
};

static void open_hops(const char *yaml, const char *const *environment, const char *only,
                      struct opened *o)
{
    struct conf_source source = {
        .no_file = true, .environment = environment, .yaml = sf_str(yaml), .cwd = "/nonexistent"};
    struct sf_errbuf eb = {.code = SF_OK};
    *o = (struct opened){.n = 0};
    if (conf_load(&source, &o->conf, NULL, &eb) != SF_OK ||
        hops_open(o->conf, only, o->hops, &o->n, &eb) != SF_OK) {
        fail_msg("%s", eb.text);
    }
}

static void close_hops(struct opened *o)
{
    hops_close(o->hops, o->n);
    conf_unref(o->conf);
}

#define OPENAI_KEY "OPENAI_API_KEY=sk-proj-0123456789abcdefghij"
#define GEMINI_KEY "GEMINI_API_KEY=AIza-0123456789abcdefghij"

static void api_and_its_fallbacks_are_hops_with_accounts(void **state)
{
    (void)state;
    static const char *const environment[] = {OPENAI_KEY, GEMINI_KEY, NULL};
    static const char yaml[] =
        "generator:\n"
        "  mode: api\n"
        "  fallback: []\n"
        "  api:\n"
        "    timeout: 4\n"
        "    limits: {requests_per_hour: 50, cost_per_day: 1.5}\n"
        "    fallbacks:\n"
        "      - {provider: openai, model: gpt-4o}\n"
        "      - {provider: gemini}\n"
        "      - {provider: gemini, endpoint: 'http://127.0.0.1:9/v1beta'}\n"
        "      - {provider: custom, name: mine, endpoint: 'http://127.0.0.1:9/v1', model: m}\n"
        "      - {provider: anthropic}\n";
    static const struct {
        const char *name, *target, *account;
    } want[] = {
        {"api", "gpt-4o-mini", "openai #"},
        {"openai", "gpt-4o", "openai #"},
        {"gemini", NULL, "gemini #"},
        {"gemini-2", NULL, "gemini 127.0.0.1:9 #"},
        {"mine", "m", "custom 127.0.0.1:9 #none"},
        {"anthropic", NULL, "anthropic #none"},
    };
    struct opened o;
    open_hops(yaml, environment, NULL, &o);
    assert_int_equal(o.n, 6);
    for (size_t i = 0; i < o.n; i++) {
        const struct gen_chain_hop *hop = &o.hops[i];
        assert_string_equal(hop->generator.name, want[i].name);
        assert_string_equal(hop->generator.type->kind, "api");
        if (want[i].target != NULL) {
            assert_string_equal(hop->generator.target, want[i].target);
        }
        if (strncmp(hop->account, want[i].account, strlen(want[i].account)) != 0) {
            fail_msg("account of %s: %s", want[i].name, hop->account);
        }
        assert_null(strstr(hop->account, "0123"));
    }
    assert_string_equal(o.hops[0].account, o.hops[1].account);
    assert_string_not_equal(o.hops[2].account, o.hops[3].account);
    assert_int_equal(o.hops[0].limits.requests_per_hour, 50);
    assert_int_equal(o.hops[0].progress_ms, 4000);
    assert_int_equal(o.hops[1].progress_ms, 0);
    assert_non_null(o.hops[4].generator.ctx); /* needs no key */
    assert_null(o.hops[5].generator.ctx);
    assert_non_null(strstr(o.hops[5].reason, "ANTHROPIC_API_KEY is not set"));
    close_hops(&o);
}

static void a_compatible_server_may_need_no_key(void **state)
{
    (void)state;
    static const char *const environment[] = {"X=", NULL};
    struct opened o;
    open_hops("generator:\n"
              "  mode: api\n"
              "  fallback: []\n"
              "  api:\n"
              "    endpoint: http://127.0.0.1:11434/v1\n"
              "    fallbacks:\n"
              "      - {provider: openai}\n"
              "      - {endpoint: 'http://127.0.0.1:9/v1', api_key_env: MY_KEY}\n",
              environment, NULL, &o);
    assert_non_null(o.hops[0].generator.ctx);
    assert_non_null(strstr(o.hops[1].reason, "OPENAI_API_KEY is not set"));
    assert_non_null(strstr(o.hops[2].reason, "MY_KEY is not set"));
    close_hops(&o);
}

static void a_key_that_is_set_is_a_backup(void **state)
{
    (void)state;
    static const char *const none[] = {"OPENAI_API_KEY=sk-your-key-here", NULL};
    static const char *const gemini[] = {"OPENAI_API_KEY=sk-your-key-here", GEMINI_KEY, NULL};
    static const char *const both[] = {OPENAI_KEY, GEMINI_KEY, NULL};
    static const struct {
        const char *const *environment;
        const char *yaml, *account; /* NULL: no such hop */
    } cases[] = {
        {none, "generator: {mode: custom, custom: {script_path: /bin/true}}", NULL},
        {gemini, "generator: {mode: custom, custom: {script_path: /bin/true}}", "gemini #"},
        {both, "generator: {mode: custom, custom: {script_path: /bin/true}}", "openai #"},
        {both, "generator: {mode: custom, custom: {script_path: /bin/true}, fallback: []}", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct opened o;
        open_hops(cases[i].yaml, cases[i].environment, NULL, &o);
        const struct gen_chain_hop *last = &o.hops[o.n - 1];
        bool is_api = strcmp(last->generator.type->kind, "api") == 0;
        if (is_api != (cases[i].account != NULL) ||
            (is_api && strncmp(last->account, cases[i].account, strlen(cases[i].account)) != 0)) {
            fail_msg("case %zu: the last hop is %s of \"%s\"", i, last->generator.name,
                     last->account);
        }
        close_hops(&o);
    }
}

static void vllm_is_a_hop(void **state)
{
    (void)state;
    static const char *const environment[] = {"VLLM_KEY=", NULL};
    static const struct {
        const char *yaml, *target, *reason;
    } cases[] = {
        {"generator: {mode: vllm, vllm: {model_name: m, timeout: 3}}", "m", NULL},
        {"generator: {mode: vllm, vllm: {timeout: 3}}", "http://127.0.0.1:8000/v1", NULL},
        {"generator: {mode: vllm, vllm: {timeout: 3, api_key_env: VLLM_KEY}}",
         "http://127.0.0.1:8000/v1", "VLLM_KEY is not set"},
        {"generator: {mode: vllm, vllm: {timeout: 3, spawn: true}}", "http://127.0.0.1:8000/v1",
         "set generator.vllm.model_name"},
        {"generator: {mode: vllm, vllm: {timeout: 3, spawn: true, model_name: m, command: "
         "no-such-vllm}}",
         "m", "no-such-vllm"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct opened o;
        open_hops(cases[i].yaml, environment, "vllm", &o);
        assert_int_equal(o.n, 1);
        assert_string_equal(o.hops[0].generator.target, cases[i].target);
        assert_int_equal(o.hops[0].progress_ms, 3000);
        assert_int_equal(o.hops[0].generator.ctx == NULL, cases[i].reason != NULL);
        if (cases[i].reason != NULL && strstr(o.hops[0].reason, cases[i].reason) == NULL) {
            fail_msg("case %zu: %s", i, o.hops[0].reason);
        }
        close_hops(&o);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(api_and_its_fallbacks_are_hops_with_accounts),
        cmocka_unit_test(a_compatible_server_may_need_no_key),
        cmocka_unit_test(a_key_that_is_set_is_a_backup),
        cmocka_unit_test(vllm_is_a_hop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
