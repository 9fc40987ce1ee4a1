/* SPDX-License-Identifier: MIT */
#include "miner/clock_watch.h"

#include "base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static int64_t monotonic_ms = 1000, boot_ms = 5000, wall_ns = INT64_C(1800000000000000000);

static int64_t read_monotonic(void)
{
    return monotonic_ms;
}

static int64_t read_boot(void)
{
    return boot_ms;
}

static int64_t read_wall(void)
{
    return wall_ns;
}

/* All clocks go on together, then each by itself. */
static bool tick(struct clock_watch *w, int64_t all_ms, int64_t slept_ms, int64_t set_ms)
{
    monotonic_ms += all_ms;
    boot_ms += all_ms + slept_ms;
    wall_ns += (all_ms + slept_ms + set_ms) * 1000000;
    return clock_watch_tick(w);
}

static void time_as_usual_is_nothing(void **state)
{
    struct clock_watch w = {.begun = false};
    (void)state;
    assert_false(clock_watch_tick(&w));
    for (int i = 0; i < 1000; i++) {
        assert_false(tick(&w, 50 + i, 0, i % 2 == 0 ? 20 : -20));
    }
}

static void each_kind_of_jump_is_noticed_once(void **state)
{
    static const struct {
        int64_t ran, slept, set;
    } rows[] = {{50, 7200000, 0}, {50, 0, 3600000},     {50, 0, -3600000},
                {8000, 0, 0},     {50, 7200000, -1500}, {8000, 3000, 5000}};
    struct clock_watch w = {.begun = false};
    (void)state;
    assert_false(clock_watch_tick(&w));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_true(tick(&w, rows[i].ran, rows[i].slept, rows[i].set));
        assert_false(tick(&w, 50, 0, 0));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(time_as_usual_is_nothing),
        cmocka_unit_test(each_kind_of_jump_is_noticed_once),
    };
    log_set_level(LOG_ERROR);
    sf_clock_inject(read_monotonic, read_wall);
    sf_clock_inject_boot(read_boot);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    sf_clock_inject(NULL, NULL);
    sf_clock_inject_boot(NULL);
    return failed;
}
