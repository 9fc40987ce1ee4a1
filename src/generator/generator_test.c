/* SPDX-License-Identifier: MIT */
#include "generator/generator.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void a_call_for_one_generator_is_for_its_kind_or_name(void **state)
{
    static const struct generator_type type = {.kind = "custom"};
    static const struct {
        const char *only;
        bool is;
    } rows[] = {{NULL, true},           {"custom", true}, {"poet", true}, {"poet.endpoint", true},
                {"poet.script", false}, {"poe", false},   {"", false},    {"local", false}};
    struct generator g = {.type = &type, .name = "poet.endpoint"};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(generator_is(&g, rows[i].only), rows[i].is);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_for_one_generator_is_for_its_kind_or_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
