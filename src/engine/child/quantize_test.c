/* SPDX-License-Identifier: MIT */
/* What the parent checks a type by is what the child can write. */
#include "engine/child/quantize.c"

#include "engine/protocol.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void parent_and_child_know_the_same_types(void **state)
{
    size_t n = 0;
    (void)state;
    for (; engine_quantize_types[n]; n++)
        assert_true(find_type(engine_quantize_types[n]) < N_TYPES);
    assert_int_equal(n, N_TYPES);
    assert_string_equal(engine_quantize_type("q4_k_m"), "Q4_K_M");
    assert_null(engine_quantize_type("Q9"));
    assert_null(engine_quantize_type(""));
}

static void a_type_that_is_none_is_refused_before_anything_is_opened(void **state)
{
    struct sf_errbuf eb = {0};
    struct quantize_order o = {.input = "/nowhere", .output = "/nowhere", .type = "Q9"};
    (void)state;
    assert_int_equal(quantize_run(&o, NULL, NULL, &eb), SF_EINVAL);
    assert_non_null(strstr(eb.text, "Q9"));
    o.type = "Q8_0";
    o.output_type = "Q5_K_M"; /* a mixture is nothing for one matrix */
    assert_int_equal(quantize_run(&o, NULL, NULL, &eb), SF_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parent_and_child_know_the_same_types),
        cmocka_unit_test(a_type_that_is_none_is_refused_before_anything_is_opened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
