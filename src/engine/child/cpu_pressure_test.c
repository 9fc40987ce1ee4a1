/* SPDX-License-Identifier: MIT */
#include "engine/child/cpu_pressure.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void threads_are_as_many_as_cpus_are_free(void **state)
{
    (void)state;
    assert_int_equal(cpu_pressure_free(200000, 100000, 2), 2);
    assert_int_equal(cpu_pressure_free(180000, 100000, 2), 2);
    assert_int_equal(cpu_pressure_free(100000, 100000, 2), 1);
    assert_int_equal(cpu_pressure_free(0, 100000, 2), 1); /* one always */
    assert_int_equal(cpu_pressure_free(6300000, 100000, 64), 63);
    assert_int_equal(cpu_pressure_free(9900000, 100000, 64),
                     64); /* of a machine larger than ours */
}

static void the_first_look_gives_one_thread_at_least(void **state)
{
    struct cpu_pressure p;
    (void)state;
    cpu_pressure_init(&p, 4);
    assert_true(p.threads >= 1 && p.threads <= 4);
    cpu_pressure_init(&p, 1);
    assert_int_equal(p.threads, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_are_as_many_as_cpus_are_free),
        cmocka_unit_test(the_first_look_gives_one_thread_at_least),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
