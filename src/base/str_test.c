/* SPDX-License-Identifier: MIT */
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void a_slice_without_memory_is_the_empty_text(void **state)
{
    (void)state;
    struct sf_str nothing = {NULL, 0};
    assert_true(sf_str_is(nothing, ""));
    assert_true(sf_str_is_nocase(nothing, ""));
    assert_true(sf_str_has_prefix(nothing, ""));
    assert_false(sf_str_is(nothing, "a"));
    assert_false(sf_str_is_nocase(nothing, "a"));
    assert_false(sf_str_has_prefix(nothing, "a"));
    assert_int_equal(sf_str_trim(nothing).n, 0);
    assert_int_equal(sf_str_find(nothing, SF_STR("a")), 0);
}

static void slices_compare_by_their_bytes(void **state)
{
    (void)state;
    assert_true(sf_str_is(SF_STR("Ab"), "Ab"));
    assert_false(sf_str_is(SF_STR("Ab"), "ab"));
    assert_true(sf_str_is_nocase(SF_STR("Ab"), "aB"));
    assert_true(sf_str_has_prefix(SF_STR("abc"), "ab"));
    assert_false(sf_str_has_prefix(SF_STR("a"), "ab"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slice_without_memory_is_the_empty_text),
        cmocka_unit_test(slices_compare_by_their_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
