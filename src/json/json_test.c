/* SPDX-License-Identifier: MIT */
#include "json.c"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void numbers_are_printed_as_people_write_them(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "0.08",
        "[0.08,0.25,1.0]",
        "{\"a\":{\"storyProgress\":0.17}}",
        "0.1",
        "-2.5e-7",
        "1e300",
        "3",
        "30.5",
        "0.30000000000000004",
    };
    static const char *const printed[] = {
        "0.08",
        "[0.08,0.25,1.0]",
        "{\"a\":{\"storyProgress\":0.17}}",
        "0.1",
        "-2.5e-7",
        "1e300",
        "3",
        "30.5",
        "0.30000000000000004",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        json_t *v = NULL;
        struct sf_buf b;
        sf_buf_init(&b, 4096);
        assert_int_equal(json_parse(sf_str(texts[i]), JSON_LIMITS_DEFAULT, &v, NULL), SF_OK);
        json_print(v, &b);
        assert_string_equal(sf_buf_z(&b), printed[i]);
        sf_buf_fini(&b);
        json_decref(v);
    }
}

static void every_number_survives_printing(void **state)
{
    (void)state;
    uint64_t random = 7;
    for (int i = 0; i < 2000; i++) {
        json_t *back = NULL;
        struct sf_buf b;
        sf_buf_init(&b, 4096);
        random = random * 6364136223846793005U + 1442695040888963407U;
        double real = (double)(random >> 11) / 9007199254740992.0 * (i % 2 == 0 ? 1 : 1e9);
        json_t *v = json_real(real);
        json_print(v, &b);
        assert_int_equal(json_parse(sf_buf_str(&b), JSON_LIMITS_DEFAULT, &back, NULL), SF_OK);
        assert_true(json_equal(v, back));
        sf_buf_fini(&b);
        json_decref(v);
        json_decref(back);
    }
}

/* The library's own word on the same value. */
static void assert_printed_as_the_library_does(const json_t *v)
{
    char *theirs = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
    struct sf_buf b;
    sf_buf_init(&b, 1U << 20);
    json_print(v, &b);
    assert_non_null(theirs);
    assert_string_equal(sf_buf_z(&b), theirs);
    sf_buf_fini(&b);
    free(theirs);
}

static void values_are_printed_as_the_library_does(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{}",
        "[]",
        "\"\"",
        "null",
        "[true,false,null,-9223372036854775808,9223372036854775807,-0.0,1e-7,1e21,123456.5]",
        "{\"b\":{\"a\":[[],[{}],{\"x\":[1,2,[3]]}]},\"a\":\"/<>&\",\"\":0,\"\\n\\\"\":1}",
        "\"\\u007f\\u0080\\u2028\\ud83d\\ude00 \xe6\xb5\xb7\"",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        json_t *v = NULL;
        assert_int_equal(json_parse(sf_str(texts[i]), JSON_LIMITS_DEFAULT, &v, NULL), SF_OK);
        assert_printed_as_the_library_does(v);
        json_decref(v);
    }
    for (int c = 1; c < 256; c++) { /* each below U+0100, alone and between others */
        struct sf_buf s;
        sf_buf_init(&s, 64);
        sf_utf8_put(&s, (uint32_t)c);
        sf_buf_puts(&s, "ab");
        sf_utf8_put(&s, (uint32_t)c);
        json_t *v = json_stringn(sf_buf_z(&s), s.n);
        assert_printed_as_the_library_does(v);
        json_decref(v);
        sf_buf_fini(&s);
    }
}

static void what_cannot_be_printed_leaves_an_error(void **state)
{
    (void)state;
    struct sf_buf b;
    json_t *v = json_array();
    for (int i = 0; i < 600; i++) {
        json_t *outer = json_array();
        (void)json_array_append_new(outer, v);
        v = outer;
    }
    sf_buf_init(&b, 1U << 20);
    json_print(v, &b);
    assert_int_equal(b.err, SF_ELIMIT);
    sf_buf_fini(&b);
    sf_buf_init(&b, 10);
    json_decref(v);
    v = json_string("longer than that");
    json_print(v, &b);
    assert_int_equal(b.err, SF_ELIMIT);
    sf_buf_fini(&b);
    json_decref(v);
}

static void zero_characters_are_dropped(void **state)
{
    (void)state;
    json_t *v = NULL;
    const char *text = "[\"\\u0000a\\u0000b\\\\u0000\",\"\\u0000\"]";
    assert_int_equal(json_parse(sf_str(text), JSON_LIMITS_DEFAULT, &v, NULL), SF_OK);
    assert_string_equal(json_string_value(json_array_get(v, 0)), "ab\\u0000");
    assert_int_equal(json_string_length(json_array_get(v, 1)), 0);
    json_decref(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_printed_as_people_write_them),
        cmocka_unit_test(every_number_survives_printing),
        cmocka_unit_test(values_are_printed_as_the_library_does),
        cmocka_unit_test(what_cannot_be_printed_leaves_an_error),
        cmocka_unit_test(zero_characters_are_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
