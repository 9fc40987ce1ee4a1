/* SPDX-License-Identifier: MIT */
#include "service.c"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static enum sf_err judged(int status, const char *head, const char *body, struct sf_errbuf *eb)
{
    struct http_answer a = {.status = status};
    sf_buf_init(&a.head, 1000);
    sf_buf_init(&a.body, 1000);
    sf_buf_puts(&a.head, head);
    sf_buf_puts(&a.body, body);
    *eb = (struct sf_errbuf){.code = SF_OK};
    enum sf_err err = service_judge("the service", &a, eb);
    http_answer_fini(&a);
    return err;
}

static void each_status_has_its_class(void **state)
{
    static const struct {
        int status;
        enum sf_err code;
    } rows[] = {{204, SF_EINCOMPLETE}, {301, SF_ECONFIG},    {400, SF_ESHAPE},
                {401, SF_EACCOUNT},    {402, SF_EACCOUNT},   {403, SF_EACCOUNT},
                {404, SF_ECONFIG},     {405, SF_ECONFIG},    {408, SF_ETRANSIENT},
                {422, SF_ESHAPE},      {429, SF_ERATE},      {500, SF_ETRANSIENT},
                {503, SF_ETRANSIENT},  {529, SF_ETRANSIENT}, {508, SF_ECONFIG},
                {999, SF_ETRANSIENT},  {0, SF_ETRANSIENT}};
    struct sf_errbuf eb;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(judged(rows[i].status, "", "", &eb), rows[i].code);
        assert_int_equal(eb.code, rows[i].code);
        assert_non_null(strstr(eb.text, "the service: HTTP "));
    }
}

static void the_pause_of_a_rate_limit_is_taken_over(void **state)
{
    struct sf_errbuf eb;
    (void)state;
    assert_int_equal(judged(429, "Retry-After: 7\n", "", &eb), SF_ERATE);
    assert_int_equal(eb.retry_after_ms, 7000);
    assert_int_equal(judged(429, "Retry-After: soon\n", "", &eb), SF_ERATE);
    assert_int_equal(eb.retry_after_ms, 0);
    assert_int_equal(judged(503, "Retry-After: 7\n", "", &eb), SF_ETRANSIENT);
    assert_int_equal(eb.retry_after_ms, 0);
}

static void what_the_body_says_is_said_on(void **state)
{
    struct sf_errbuf eb;
    (void)state;
    (void)judged(500, "", "{\"message\":\"no\\nroom\"}", &eb);
    assert_string_equal(eb.text, "the service: HTTP 500: it failed: no room");
    (void)judged(500, "", "{\"error\":{\"message\":\"boom\"}}", &eb);
    assert_string_equal(eb.text, "the service: HTTP 500: it failed: boom");
    (void)judged(500, "", "<html>", &eb);
    assert_string_equal(eb.text, "the service: HTTP 500: it failed");
}

static void the_health_route_stands_beside_generate(void **state)
{
    static const struct {
        const char *url, *health;
    } rows[] = {
        {"http://h:1/generate", "http://h:1/health"},
        {"http://h/api/generate?k=v", "http://h/api/health?k=v"},
        {"http://h/generate/generate", "http://h/generate/health"},
        {"http://h/story", "http://h/story"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *url = health_url(rows[i].url);
        assert_string_equal(url, rows[i].health);
        free(url);
    }
}

static void an_unusable_address_or_token_is_refused(void **state)
{
    static const struct {
        const char *url, *token, *words;
    } rows[] = {
        {"http://me:pw@h/generate", NULL, "no user or password"},
        {"http://h/gene rate", NULL, "spaces"},
        {"http://h/generate", "a\r\nX: y", "line ends"},
    };
    struct service *s = NULL;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sf_errbuf eb = {.code = SF_OK};
        struct service_options o = {
            .what = "w", .key = "k", .url = rows[i].url, .token = rows[i].token};
        assert_int_equal(service_open(&o, &s, &eb), SF_ECONFIG);
        assert_non_null(strstr(eb.text, rows[i].words));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_status_has_its_class),
        cmocka_unit_test(the_pause_of_a_rate_limit_is_taken_over),
        cmocka_unit_test(what_the_body_says_is_said_on),
        cmocka_unit_test(the_health_route_stands_beside_generate),
        cmocka_unit_test(an_unusable_address_or_token_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
