/* SPDX-License-Identifier: MIT */
#include "miner/query.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void arguments_are_decoded_or_refused(void **state)
{
    static const struct {
        const char *query, *value; /* NULL: false */
    } cases[] = {
        {"q=abc", "abc"},
        {"a=1&q=%E6%B5%B7+x%26", "\xE6\xB5\xB7 x&"},
        {"q=first&q=second", "first"},
        {"q", ""},
        {"q=", ""},
        {"&&q=1", "1"},
        {"q=1=2", "1=2"},
        {"", NULL},
        {"qq=1", NULL},
        {"Q=1", NULL},
        {"q=%", NULL},
        {"q=%4", NULL},
        {"q=%zz", NULL},
        {"q=a%00b", NULL},
        {"q=123456789", NULL}, /* one too many */
        {"q=12345678", "12345678"},
        {"q=%31%32%33%34%35%36%37%38", "12345678"},
    };
    char out[9];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct http_request r = {.query = cases[i].query};
        bool ok = request_argument(&r, "q", out, sizeof out);
        print_message("%s\n", cases[i].query);
        assert_int_equal(ok, cases[i].value != NULL);
        assert_string_equal(out, ok ? cases[i].value : "");
    }
}

static void cookies_are_found_by_their_name(void **state)
{
    (void)state;
    assert_true(sf_str_is(cookie_value(SF_STR("a=1; s=xyz; b=2"), "s"), "xyz"));
    assert_true(sf_str_is(cookie_value(SF_STR("s=x=y"), "s"), "x=y"));
    assert_true(sf_str_is(cookie_value(SF_STR("xs=1;s=2"), "s"), "2"));
    assert_int_equal(cookie_value(SF_STR("ss=1; S=2; ;="), "s").n, 0);
    assert_int_equal(cookie_value(SF_STR(""), "s").n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arguments_are_decoded_or_refused),
        cmocka_unit_test(cookies_are_found_by_their_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
