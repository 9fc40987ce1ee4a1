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
        breaker_note(b, outcome);
    }
}

static void three_failures_in_a_row_open_it(void **state)
{
    (void)state;
    struct breaker b = fresh();
    note_times(&b, SF_ETRANSIENT, 2);
    assert_false(breaker_is_open(&b));
    breaker_note(&b, SF_ETRANSIENT);
    assert_true(breaker_is_open(&b));
    assert_false(breaker_admits(&b));
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
        breaker_note(&b, SF_ECRASH);
        breaker_note(&b, SF_OK);
    }
    breaker_note(&b, SF_OK);
    assert_false(breaker_is_open(&b));
    breaker_note(&b, SF_ECRASH); /* three of six */
    assert_true(breaker_is_open(&b));
}

static void soft_failures_count_half(void **state)
{
    (void)state;
    struct breaker b = fresh();
    note_times(&b, SF_EINCOMPLETE, 5);
    assert_false(breaker_is_open(&b));
    breaker_note(&b, SF_EINCOMPLETE);
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
    assert_false(breaker_admits(&b));
    now_ms += 1;
    assert_false(breaker_is_open(&b)); /* the next call would be admitted ... */
    assert_true(breaker_admits(&b));
    assert_true(breaker_is_open(&b)); /* ... and no other beside it */
    assert_false(breaker_admits(&b));
}

static void a_failed_probe_doubles_the_pause_up_to_its_bound(void **state)
{
    (void)state;
    struct breaker b = fresh();
    note_times(&b, SF_ETRANSIENT, 3);
    sf_ms pause = 5000;
    for (int i = 0; i < 10; i++) {
        now_ms += pause - 1;
        assert_false(breaker_admits(&b));
        now_ms += 1;
        assert_true(breaker_admits(&b));
        breaker_note(&b, SF_ETRANSIENT);
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
    assert_true(breaker_admits(&b));
    breaker_note(&b, SF_ECANCELED);
    assert_true(breaker_admits(&b));
}

static void one_success_closes_it_and_forgets(void **state)
{
    (void)state;
    struct breaker b = fresh();
    note_times(&b, SF_ETRANSIENT, 3);
    now_ms += 5000;
    assert_true(breaker_admits(&b));
    breaker_note(&b, SF_OK);
    note_times(&b, SF_ETRANSIENT, 2);
    assert_false(breaker_is_open(&b));
    breaker_note(&b, SF_ETRANSIENT);
    now_ms += 5000;
    assert_true(breaker_admits(&b)); /* the pause is the first one again */
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
    };
    now_ms = 1000000;
    sf_clock_inject(clock_ms, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
