/* SPDX-License-Identifier: MIT */
#include "cmd/history_export.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void fields_are_quoted_where_they_must_be(void **state)
{
    static const struct {
        const char *text;
        const char *field;
    } rows[] = {
        {"", ""},
        {"the sea", "the sea"},
        {"a, b", "\"a, b\""},
        {"say \"x\"", "\"say \"\"x\"\"\""},
        {"two\nlines", "\"two\nlines\""},
        {"海", "海"},
        {"=1+1", "\"'=1+1\""},
        {"@SUM(A1)", "\"'@SUM(A1)\""},
        {"-1", "\"'-1\""},
        {"+1", "\"'+1\""},
        {"\t=1", "\"'\t=1\""},
        {"1=1", "1=1"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sf_buf b;
        sf_buf_init(&b, 1000);
        history_csv_field(&b, sf_str(rows[i].text));
        assert_string_equal(sf_buf_z(&b), rows[i].field);
        sf_buf_fini(&b);
    }
}

static void two_formats_are_known(void **state)
{
    enum history_format f;
    (void)state;
    assert_true(history_format_parse("csv", &f) && f == HISTORY_CSV);
    assert_true(history_format_parse("jsonl", &f) && f == HISTORY_JSONL);
    assert_false(history_format_parse("json", &f));
    assert_false(history_format_parse("", &f));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_quoted_where_they_must_be),
        cmocka_unit_test(two_formats_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
