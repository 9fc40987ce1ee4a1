/* SPDX-License-Identifier: MIT */
#include "engine/child/prefill_pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* Feeds a prompt at so many microseconds a token; the longest step behind the first ones. */
static int64_t longest_step(int64_t us_per_token, int tokens, int *steps)
{
    struct prefill_pace p;
    int64_t longest = 0;
    prefill_pace_init(&p, 128);
    for (*steps = 0; tokens > 0; ++*steps) {
        int fed = tokens < p.tokens ? tokens : p.tokens;
        int64_t us = fed * us_per_token;
        longest = us > longest ? us : longest;
        tokens -= fed;
        prefill_pace_step(&p, fed, us);
    }
    return longest;
}

static void a_step_is_short_at_any_speed(void **state)
{
    int steps;
    (void)state;
    assert_true(longest_step(500, 1000, &steps) <= 128 * 500); /* as large as can be */
    assert_int_equal(steps, 3 + 7);                            /* 16 32 64, then 128 each */
    assert_true(longest_step(10000, 1000, &steps) < 1000000);
    assert_true(longest_step(100000, 1000, &steps) <= 1600000); /* a 70B model: 10 tokens/s */
    assert_true(longest_step(200000, 1000, &steps) <= 3200000);
}

static void it_follows_what_happens(void **state)
{
    struct prefill_pace p;
    (void)state;
    prefill_pace_init(&p, 64);
    assert_int_equal(p.tokens, 16);
    prefill_pace_step(&p, 16, 1000);
    prefill_pace_step(&p, 32, 1000);
    prefill_pace_step(&p, 64, 1000);
    assert_int_equal(p.tokens, 64);
    prefill_pace_step(&p, 0, 9000000); /* only decoding: says nothing */
    prefill_pace_step(&p, 64, 1000000);
    assert_int_equal(p.tokens, 64);
    for (int i = 0; i < 9; i++) {
        prefill_pace_step(&p, 16, 2000000); /* something else takes the CPUs */
    }
    assert_int_equal(p.tokens, 16);
    prefill_pace_step(&p, 3, 1000); /* too little to judge by */
    assert_int_equal(p.tokens, 16);
    prefill_pace_step(&p, 16, 1000);
    assert_int_equal(p.tokens, 32);
    prefill_pace_init(&p, 4);
    assert_int_equal(p.tokens, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_step_is_short_at_any_speed),
        cmocka_unit_test(it_follows_what_happens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
