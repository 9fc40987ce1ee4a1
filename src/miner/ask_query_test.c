/* SPDX-License-Identifier: MIT */
#include "miner/ask_query.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define MINUS_ONE INT64_C(-1)

static void numbers_words_and_texts_are_read(void **state)
{
    (void)state;
    static const char *const tasks[] = {"blueprint", "chapters"};
    const struct http_request r = {.query = "limit=20&task=chapters&q=%E6%B5%B7+x&empty=&all=true"};
    struct ask q = {.request = &r};
    char text[32];
    assert_int_equal(ask_number(&q, "limit", 1, 500, 7), 20);
    assert_int_equal(ask_number(&q, "before_id", 1, 500, 7), 7);
    assert_string_equal(ask_word(&q, "task", tasks, 2), "chapters");
    assert_string_equal(ask_text(&q, "q", text, sizeof text), "海 x");
    assert_null(ask_text(&q, "empty", text, sizeof text));
    assert_null(ask_text(&q, "mit", text, sizeof text));
    assert_true(ask_flag(&q, "all"));
    assert_false(ask_flag(&q, "none"));
    assert_string_equal(q.wrong, "");
}

static void what_is_wrong_is_named_with_what_it_takes(void **state)
{
    (void)state;
    static const struct {
        const char *query, *said;
    } cases[] = {
        {"limit=0", "limit: takes a whole number from 1 to 500"},
        {"limit=99999999999999999999999", "limit: takes a whole number from 1 to 500"},
        {"limit=-5", "limit: takes a whole number from 1 to 500"},
        {"limit=ten", "limit: takes a whole number from 1 to 500"},
        {"limit=%zz", "limit: takes at most 47 bytes of encoded text"},
        {"task=poem", "task: takes one of blueprint chapters"},
        {"since=yesterday", "since: takes seconds since the epoch"},
        {"since=2026-13-01", "since: takes seconds since the epoch"},
        {"since=2026-11-24T23", "since: takes seconds since the epoch"},
        {"since=2026-11-24T23:50:00+", "since: takes seconds since the epoch"},
        {"since=1e300", "since: takes seconds since the epoch"},
        {"since=-1", "since: takes seconds since the epoch"},
        {"limit=0&task=poem", "limit: takes"}, /* the first one */
    };
    static const char *const tasks[] = {"blueprint", "chapters"};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct http_request r = {.query = cases[i].query};
        struct ask q = {.request = &r};
        (void)ask_number(&q, "limit", 1, 500, 7);
        (void)ask_word(&q, "task", tasks, 2);
        (void)ask_time_ns(&q, "since", 0);
        if (strstr(q.wrong, cases[i].said) != q.wrong) {
            fail_msg("%s: %s", cases[i].query, q.wrong);
        }
    }
}

static void times_are_seconds_or_iso(void **state)
{
    (void)state;
    static const struct {
        const char *query;
        int64_t ns;
    } cases[] = {
        {"since=1800000000", INT64_C(1800000000000000000)},
        {"since=1800000000.25", INT64_C(1800000000250000000)},
        {"since=2027-01-15T08:00:00Z", INT64_C(1800000000000000000)},
        {"since=2027-01-15T08:00", INT64_C(1800000000000000000)},
        {"since=2027-01-15", INT64_C(1799971200000000000)},
        {"", MINUS_ONE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct http_request r = {.query = cases[i].query};
        struct ask q = {.request = &r};
        assert_int_equal(ask_time_ns(&q, "since", MINUS_ONE), cases[i].ns);
        assert_string_equal(q.wrong, "");
    }
}

static void a_path_ends_in_a_number(void **state)
{
    (void)state;
    int64_t id = 0;
    const char *rest = NULL;
    assert_true(ask_path_id("/api/stories/12/book", "/api/stories/", &id, &rest));
    assert_int_equal(id, 12);
    assert_string_equal(rest, "/book");
    assert_false(ask_path_id("/api/stories/", "/api/stories/", &id, &rest));
    assert_false(ask_path_id("/api/stories/0", "/api/stories/", &id, &rest));
    assert_false(ask_path_id("/api/stories/-1", "/api/stories/", &id, &rest));
    assert_false(ask_path_id("/api/stories/99999999999999999999", "/api/stories/", &id, &rest));
    assert_false(ask_path_id("/api/other/1", "/api/stories/", &id, &rest));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_words_and_texts_are_read),
        cmocka_unit_test(what_is_wrong_is_named_with_what_it_takes),
        cmocka_unit_test(times_are_seconds_or_iso),
        cmocka_unit_test(a_path_ends_in_a_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
