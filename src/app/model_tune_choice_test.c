/* SPDX-License-Identifier: MIT */
#include "app/model_tune_choice.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A row that wrote this many characters in a second of each round, `mended` of 20 texts unfit. */
static struct tune_row row(size_t rounds, int64_t characters, int mended)
{
    struct tune_row r = {.n_samples = rounds};
    for (size_t i = 0; i < rounds; i++) {
        r.samples[i] = (struct tune_sample){characters, 1000, 20, mended, true};
    }
    return r;
}

static void the_fastest_is_kept(void **state)
{
    struct tune_row rows[] = {row(3, 200, 1), row(3, 300, 1), row(3, 500, 2), row(3, 400, 0)};
    (void)state;
    assert_int_equal(tune_choice_make(rows, 4), 2);
    assert_true(rows[2].kept && !rows[0].kept && !rows[1].kept && !rows[3].kept);
    assert_true(rows[2].gain > 2.49 && rows[2].gain < 2.51 && rows[0].gain == 1);
    assert_true(tune_choice_speed(&rows[2]) > 499 && tune_choice_speed(&rows[2]) < 501);
}

static void less_than_a_tenth_is_not_worth_a_file(void **state)
{
    struct tune_row rows[] = {row(3, 200, 0), row(3, 219, 0)};
    (void)state;
    assert_int_equal(tune_choice_make(rows, 2), 0);
    assert_false(rows[0].kept || rows[1].kept);
    rows[1] = row(3, 221, 0);
    assert_int_equal(tune_choice_make(rows, 2), 1);
    assert_int_equal(tune_choice_make(rows, 1), 0); /* nothing else was tried */
}

static void what_writes_worse_makes_way_for_the_next(void **state)
{
    struct tune_row rows[] = {row(1, 200, 3), row(1, 600, 6), row(1, 500, 5), row(1, 400, 0)};
    (void)state;
    /* A tenth of 20 texts more than the original's 3 is the most. */
    assert_int_equal(tune_choice_make(rows, 4), 2);
    assert_string_equal(rows[1].why, "writes worse: 6 of 20 texts unfit, was 3");
    assert_string_equal(rows[2].why, "");
    rows[2].samples[0].valid = false;
    rows[1].why[0] = '\0';
    rows[2].kept = false;
    assert_int_equal(tune_choice_make(rows, 4), 3);
    assert_string_equal(rows[2].why, "an answer was not valid");
}

static void what_failed_is_never_kept(void **state)
{
    struct tune_row rows[] = {row(2, 200, 0), row(1, 900, 0), row(2, 300, 0)};
    (void)state;
    rows[1].out = rows[1].failed = true;
    assert_int_equal(tune_choice_make(rows, 3), 2);
    rows[2] = (struct tune_row){.out = true, .failed = true}; /* not even written */
    assert_int_equal(tune_choice_make(rows, 3), 0);
    assert_true(rows[2].gain == 0 && tune_choice_speed(&rows[2]) == 0);
}

static void what_was_dropped_does_not_come_back_for_speed(void **state)
{
    struct tune_row rows[] = {row(2, 200, 0), row(2, 205, 0), row(1, 240, 0)};
    (void)state;
    assert_int_equal(tune_choice_make(rows, 3), 0);
    rows[1] = row(2, 300, 9); /* but it does when the other one writes worse */
    assert_int_equal(tune_choice_make(rows, 3), 2);
}

/* Rounds have different tasks: only those that both did are compared. */
static void rounds_are_compared_pair_by_pair(void **state)
{
    struct tune_row rows[] = {row(2, 100, 0), row(2, 200, 0), row(1, 90, 0)};
    (void)state;
    rows[0].samples[0] = (struct tune_sample){50, 1000, 3, 0, true};
    rows[1].samples[0] = (struct tune_sample){100, 1000, 3, 0, true};
    rows[2].samples[0] = (struct tune_sample){110, 1000, 3, 0, true};
    assert_int_equal(tune_choice_make(rows, 3), 1); /* the one that got further */
    assert_true(rows[1].gain == 2);
    assert_true(rows[2].gain > 2.1); /* 110 to 50, not to 150 in two seconds */
}

static size_t out_of(const struct tune_row *rows, size_t n)
{
    size_t set = 0;
    for (size_t i = 0; i < n; i++) {
        set |= rows[i].out ? (size_t)1 << i : 0;
    }
    return set;
}

static void each_round_drops_the_slower_half(void **state)
{
    struct tune_row rows[] = {row(1, 200, 0), row(1, 250, 0), row(1, 500, 0), row(1, 400, 0),
                              row(1, 300, 0)};
    (void)state;
    assert_int_equal(tune_choice_halve(rows, 5), 2);
    assert_int_equal(out_of(rows, 5), 1U << 1 | 1U << 4);
    rows[0] = row(2, 200, 0);
    rows[2] = row(2, 400, 0);
    rows[3] = row(2, 450, 0);
    assert_int_equal(tune_choice_halve(rows, 5), 1);
    assert_int_equal(out_of(rows, 5), 1U << 1 | 1U << 2 | 1U << 4);
    assert_int_equal(tune_choice_halve(rows, 5), 1); /* the last one stays in */
}

static void what_is_slower_than_the_file_is_dropped_at_once(void **state)
{
    struct tune_row rows[] = {row(1, 200, 0), row(1, 199, 0), row(1, 100, 0), row(1, 220, 0),
                              row(1, 210, 0)};
    (void)state;
    assert_int_equal(tune_choice_halve(rows, 5), 1);
    assert_int_equal(out_of(rows, 5), 1U << 1 | 1U << 2 | 1U << 4);
    struct tune_row slow[] = {row(1, 200, 0), row(1, 150, 0)};
    assert_int_equal(tune_choice_halve(slow, 2), 0);
    assert_false(slow[0].out); /* the file as it is */
    struct tune_row none[] = {row(1, 200, 0), row(0, 0, 0), row(0, 0, 0)};
    assert_int_equal(tune_choice_halve(none, 3), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_fastest_is_kept),
        cmocka_unit_test(less_than_a_tenth_is_not_worth_a_file),
        cmocka_unit_test(what_writes_worse_makes_way_for_the_next),
        cmocka_unit_test(what_failed_is_never_kept),
        cmocka_unit_test(what_was_dropped_does_not_come_back_for_speed),
        cmocka_unit_test(rounds_are_compared_pair_by_pair),
        cmocka_unit_test(each_round_drops_the_slower_half),
        cmocka_unit_test(what_is_slower_than_the_file_is_dropped_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
