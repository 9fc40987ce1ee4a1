/* SPDX-License-Identifier: MIT */
#include "cmd/error_guide.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void every_error_has_cause_and_remedy(void **state)
{
    static const enum sf_err codes[] = {
#define CODE(name, ...) SF_##name,
        SF_ERR_TABLE(CODE)
#undef CODE
    };
    (void)state;
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        assert_non_null(error_guide_cause(codes[i]));
        assert_non_null(error_guide_remedy(codes[i]));
    }
}

static void the_page_names_all(void **state)
{
    struct sf_buf out;
    (void)state;
    sf_buf_init(&out, 1U << 20);
    error_guide_markdown(&out);
    assert_int_equal(out.err, SF_OK);
#define CHECK(name, ...)                                                                           \
    assert_true(SF_##name == SF_OK || strstr(sf_buf_z(&out), "`SF_" #name "`") != NULL);
    SF_ERR_TABLE(CHECK)
#undef CHECK
    sf_buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_error_has_cause_and_remedy),
        cmocka_unit_test(the_page_names_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
