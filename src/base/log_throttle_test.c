/* SPDX-License-Identifier: MIT */
#include "base/log_throttle.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static int64_t now_ms;

static int64_t fake_now(void)
{
    return now_ms;
}

static void a_few_a_minute_and_then_the_count(void **state)
{
    static struct log_throttle t;
    uint64_t left_out = 99;
    (void)state;
    for (int i = 0; i < LOG_THROTTLE_PER_MINUTE; i++) {
        assert_true(log_throttle_pass(&t, &left_out));
        assert_int_equal(left_out, 0);
    }
    for (int i = 0; i < 1000; i++)
        assert_false(log_throttle_pass(&t, &left_out));
    now_ms += 60000;
    assert_true(log_throttle_pass(&t, &left_out));
    assert_int_equal(left_out, 1000);
    assert_true(log_throttle_pass(&t, &left_out));
    assert_int_equal(left_out, 0);
}

static void at_debug_nothing_is_left_out(void **state)
{
    static struct log_throttle t;
    uint64_t left_out = 99;
    (void)state;
    log_setup(LOG_DEBUG, LOG_FORMAT_LOGFMT);
    for (int i = 0; i < 1000; i++) {
        assert_true(log_throttle_pass(&t, &left_out));
        assert_int_equal(left_out, 0);
    }
    log_setup(LOG_WARN, LOG_FORMAT_LOGFMT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_few_a_minute_and_then_the_count),
        cmocka_unit_test(at_debug_nothing_is_left_out),
    };
    sf_clock_inject(fake_now, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
