/* SPDX-License-Identifier: MIT */
#include "generator/breaker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static int64_t now_ms;

static int64_t clock_ms(void)
{
    return now_ms;
}

static bool admits(struct breaker *b)
{
    bool probe;
    return breaker_admits(b, &probe);
}

static struct breaker fresh(void)
{
    struct breaker b;
    struct breaker_options o = breaker_options_default();
    breaker_init(&b, &o);
    return b;
}

static void note_times(struct breaker *b, enum sf_err outcome, int times)
{
    for (int i = 0; i < times; i++) {
        breaker_note(b, outcome, b->probing, 0);
    }
}

static void three_failures_in_a_row_open_it(void **state)
{
    (void)state;
    struct breaker b = fresh();
    note_times(&b, SF_ETRANSIENT, 2);
    assert_false(breaker_is_open(&b));
    breaker_note(&b, SF_ETRANSIENT, b.probing, 0);
    assert_true(breaker_is_open(&b));
    assert_false(admits(&b));
}

static void a_success_between_starts_the_count_again(void **state)
{
    (void)state;
    struct breaker b = fresh();
    note_times(&b, SF_OK, 6);
    for (int i = 0; i < 3; i++) {
        note_times(&b, SF_ESLOW, 2);
        note_times(&b, SF_OK, 4);
    }
    assert_false(breaker_is_open(&b));
}

static void half_of_the_last_ones_open_it(void **state)
{
    (void)state;
    struct breaker b = fresh();
    for (int i = 0; i < 2; i++) {
        breaker_note(&b, SF_ECRASH, b.probing, 0);
        breaker_note(&b, SF_OK, b.probing, 0);
    }
    breaker_note(&b, SF_OK, b.probing, 0);
    assert_false(breaker_is_open(&b));
    breaker_note(&b, SF_ECRASH, b.probing, 0); /* three of six */
    assert_true(breaker_is_open(&b));
}

static void soft_failures_count_half(void **state)
{
    (void)state;
    struct breaker b = fresh();
    note_times(&b, SF_EINCOMPLETE, 5);
    assert_false(breaker_is_open(&b));
    breaker_note(&b, SF_EINCOMPLETE, b.probing, 0);
    assert_true(breaker_is_open(&b));
}

static void what_says_nothing_about_the_target_does_not_count(void **state)
{
    (void)state;
    struct breaker b = fresh();
    note_times(&b, SF_ECANCELED, 30);
    note_times(&b, SF_EBUSY, 30);
    note_times(&b, SF_ECONTENT, 30);
    assert_false(breaker_is_open(&b));
}

static void one_probe_goes_through_when_the_pause_is_over(void **state)
{
    (void)state;
    struct breaker b = fresh();
    note_times(&b, SF_ETRANSIENT, 3);
    now_ms += 4999;
    assert_false(admits(&b));
    now_ms += 1;
    assert_false(breaker_is_open(&b)); /* the next call would be admitted ... */
    assert_true(admits(&b));
    assert_true(breaker_is_open(&b)); /* ... and no other beside it */
    assert_false(admits(&b));
}

static void a_failed_probe_doubles_the_pause_up_to_its_bound(void **state)
{
    (void)state;
    struct breaker b = fresh();
    note_times(&b, SF_ETRANSIENT, 3);
    sf_ms pause = 5000;
    for (int i = 0; i < 10; i++) {
        now_ms += pause - 1;
        assert_false(admits(&b));
        now_ms += 1;
        assert_true(admits(&b));
        breaker_note(&b, SF_ETRANSIENT, b.probing, 0);
        pause = pause * 2 > 300000 ? 300000 : pause * 2;
    }
    assert_int_equal(pause, 300000);
}

static void a_probe_that_says_nothing_lets_the_next_one_try(void **state)
{
    (void)state;
    struct breaker b = fresh();
    note_times(&b, SF_ETRANSIENT, 3);
    now_ms += 5000;
    assert_true(admits(&b));
    breaker_note(&b, SF_ECANCELED, b.probing, 0);
    assert_true(admits(&b));
}

static void one_success_closes_it_and_forgets(void **state)
{
    (void)state;
    struct breaker b = fresh();
    note_times(&b, SF_ETRANSIENT, 3);
    now_ms += 5000;
    assert_true(admits(&b));
    breaker_note(&b, SF_OK, b.probing, 0);
    note_times(&b, SF_ETRANSIENT, 2);
    assert_false(breaker_is_open(&b));
    breaker_note(&b, SF_ETRANSIENT, b.probing, 0);
    now_ms += 5000;
    assert_true(admits(&b)); /* the pause is the first one again */
}

static void a_late_failure_does_not_lengthen_the_pause(void **state)
{
    (void)state;
    struct breaker b = fresh();
    note_times(&b, SF_ETRANSIENT, 3);
    for (int i = 0; i < 5; i++) { /* calls that began before it opened */
        breaker_note(&b, SF_ETRANSIENT, false, 0);
    }
    now_ms += 5000;
    assert_true(admits(&b));
}

static void a_late_success_closes_it(void **state)
{
    (void)state;
    struct breaker b = fresh();
    note_times(&b, SF_ETRANSIENT, 3);
    breaker_note(&b, SF_OK, false, 0);
    assert_true(admits(&b));
}

static void only_the_probe_gives_the_probe_back(void **state)
{
    (void)state;
    struct breaker b = fresh();
    bool probe = false;
    note_times(&b, SF_ETRANSIENT, 3);
    now_ms += 5000;
    assert_true(breaker_admits(&b, &probe));
    assert_true(probe);
    breaker_note(&b, SF_ECANCELED, false, 0); /* another one's */
    assert_false(admits(&b));
    breaker_note(&b, SF_OK, probe, 0);
    assert_true(breaker_admits(&b, &probe));
    assert_false(probe);
}

static void a_named_delay_benches_for_exactly_that_long(void **state)
{
    (void)state;
    struct breaker b = fresh();
    sf_ms left;
    breaker_note(&b, SF_ERATE, false, 1700);
    assert_int_equal(breaker_state(&b, &left), BREAKER_BENCHED);
    assert_int_equal(left, 1700);
    now_ms += 1699;
    assert_false(admits(&b));
    now_ms += 1;
    assert_true(admits(&b));
    assert_true(admits(&b)); /* a limit that is over is over for all */
    assert_int_equal(b.n, 0);
}

static void a_rate_limit_without_a_delay_doubles_once_per_bench(void **state)
{
    (void)state;
    struct breaker b = fresh();
    sf_ms left, expected = 5000;
    for (int i = 0; i < 9; i++) {
        for (int k = 0; k < 4; k++) { /* calls that were under way together */
            breaker_note(&b, SF_ERATE, false, 0);
        }
        assert_int_equal(breaker_state(&b, &left), BREAKER_BENCHED);
        assert_int_equal(left, expected);
        now_ms += left;
        expected = expected * 2 > 300000 ? 300000 : expected * 2;
    }
    breaker_note(&b, SF_OK, false, 0);
    breaker_note(&b, SF_ERATE, false, 0);
    (void)breaker_state(&b, &left);
    assert_int_equal(left, 5000);
}

static void a_delay_beyond_reason_is_cut_to_an_hour(void **state)
{
    (void)state;
    struct breaker b = fresh();
    sf_ms left;
    breaker_note(&b, SF_ERATE, false, INT64_MAX);
    assert_int_equal(breaker_state(&b, &left), BREAKER_BENCHED);
    assert_int_equal(left, 3600000);
}

static void a_missing_model_is_out_until_the_reload(void **state)
{
    (void)state;
    struct breaker b = fresh();
    sf_ms left;
    breaker_note(&b, SF_EMODEL, false, 0);
    now_ms += 86400000;
    breaker_half_open(&b);
    assert_false(admits(&b));
    breaker_note(&b, SF_OK, false, 0); /* a call that began before */
    assert_false(admits(&b));
    assert_int_equal(breaker_state(&b, &left), BREAKER_RELOAD);
    assert_int_equal(left, -1);
}

static void a_free_look_makes_the_next_call_the_probe(void **state)
{
    (void)state;
    struct breaker b = fresh();
    bool probe = false;
    note_times(&b, SF_ETRANSIENT, 3);
    breaker_half_open(&b);
    assert_true(breaker_admits(&b, &probe));
    assert_true(probe);
    assert_false(admits(&b));
    breaker_half_open(&b); /* does not let a second one beside it */
    assert_false(admits(&b));
}

static void the_window_is_as_long_as_configured(void **state)
{
    (void)state;
    struct breaker b;
    struct breaker_options o = breaker_options_default();
    o.window = 500;
    o.min_samples = 400;
    o.failures = 1000;
    breaker_init(&b, &o);
    note_times(&b, SF_OK, 200);
    note_times(&b, SF_ETRANSIENT, 199);
    assert_false(breaker_is_open(&b));
    breaker_note(&b, SF_ETRANSIENT, false, 0);
    assert_true(breaker_is_open(&b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_failures_in_a_row_open_it),
        cmocka_unit_test(a_success_between_starts_the_count_again),
        cmocka_unit_test(half_of_the_last_ones_open_it),
        cmocka_unit_test(soft_failures_count_half),
        cmocka_unit_test(what_says_nothing_about_the_target_does_not_count),
        cmocka_unit_test(one_probe_goes_through_when_the_pause_is_over),
        cmocka_unit_test(a_failed_probe_doubles_the_pause_up_to_its_bound),
        cmocka_unit_test(a_probe_that_says_nothing_lets_the_next_one_try),
        cmocka_unit_test(one_success_closes_it_and_forgets),
        cmocka_unit_test(a_late_failure_does_not_lengthen_the_pause),
        cmocka_unit_test(a_late_success_closes_it),
        cmocka_unit_test(only_the_probe_gives_the_probe_back),
        cmocka_unit_test(a_named_delay_benches_for_exactly_that_long),
        cmocka_unit_test(a_rate_limit_without_a_delay_doubles_once_per_bench),
        cmocka_unit_test(a_delay_beyond_reason_is_cut_to_an_hour),
        cmocka_unit_test(a_missing_model_is_out_until_the_reload),
        cmocka_unit_test(a_free_look_makes_the_next_call_the_probe),
        cmocka_unit_test(the_window_is_as_long_as_configured),
    };
    now_ms = 1000000;
    sf_clock_inject(clock_ms, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
