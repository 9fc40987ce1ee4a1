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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_printed_as_people_write_them),
        cmocka_unit_test(every_number_survives_printing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
