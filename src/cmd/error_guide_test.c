/* SPDX-License-Identifier: MIT */
#include "base/file.h"
#include "cmd/error_guide.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void the_page_names_every_error(void **state)
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

static void the_printed_page_is_this_one(void **state)
{
    struct sf_buf out, printed;
    (void)state;
    sf_buf_init(&out, 1U << 20);
    sf_buf_init(&printed, 1U << 20);
    error_guide_markdown(&out);
    assert_int_equal(sf_file_read(SOURCE_DIR "/doc/guide/errors.md", &printed, NULL), SF_OK);
    assert_string_equal(sf_buf_z(&printed), sf_buf_z(&out));
    sf_buf_fini(&printed);
    sf_buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_names_every_error),
        cmocka_unit_test(the_printed_page_is_this_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
