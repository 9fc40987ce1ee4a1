/* SPDX-License-Identifier: MIT */
#include "miner/rates.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static int64_t now_ms = 1000000;

static int64_t injected(void)
{
    return now_ms;
}

static int inject(void **state)
{
    (void)state;
    sf_clock_inject(injected, NULL);
    return 0;
}

static double number(const json_t *o, const char *key)
{
    double v = -1;
    assert_true(json_get_number(o, key, &v));
    return v;
}

static void without_answers_there_is_nothing_to_say(void **state)
{
    (void)state;
    struct rates *r = NULL;
    assert_int_equal(rates_open(&r), SF_OK);
    json_t *o = rates_json(r);
    assert_int_equal(number(o, "answers_total"), 0);
    assert_true(json_is_null(json_object_get(o, "p50_seconds")));
    assert_true(json_is_null(json_object_get(o, "tokens_per_second")));
    json_decref(o);
    rates_close(r);
    assert_null(rates_json(NULL));
    rates_note(NULL, &(struct rates_answer){.took_ms = 1});
}

static void the_last_hour_is_summed_up(void **state)
{
    (void)state;
    struct rates *r = NULL;
    assert_int_equal(rates_open(&r), SF_OK);
    rates_note(r, &(struct rates_answer){.took_ms = 90000, .multiplier = 0.5}); /* soon too old */
    now_ms += SPAN_MS + 1;
    for (int i = 1; i <= 100; i++) {
        rates_note(r, &(struct rates_answer){.took_ms = i * 100,
                                             .margin_ms = 20000 - i * 100,
                                             .multiplier = i <= 60 ? 1.5 : 1.0,
                                             .tokens = i <= 60 ? i * 10 : 0});
    }
    json_t *o = rates_json(r);
    const json_t *by = json_get_object(o, "by_multiplier");
    assert_int_equal(number(o, "answers_total"), 101);
    assert_int_equal(number(by, "1.5"), 60);
    assert_int_equal(number(by, "1.0"), 40);
    assert_int_equal(number(by, "0.5"), 0);
    assert_true(number(o, "p50_seconds") == 5.0);
    assert_true(number(o, "deadline_margin_p5_seconds") == 10.4);
    assert_true(number(o, "tokens_per_second") == 100.0);
    json_decref(o);
    rates_close(r);
}

static void a_busy_hour_keeps_its_latest(void **state)
{
    (void)state;
    struct rates *r = NULL;
    assert_int_equal(rates_open(&r), SF_OK);
    for (int i = 0; i < RATES_MAX + 500; i++) {
        rates_note(r, &(struct rates_answer){.took_ms = i < 500 ? 1000 : 2000, .multiplier = 1.0});
    }
    json_t *o = rates_json(r);
    assert_int_equal(number(o, "answers_total"), RATES_MAX + 500);
    assert_int_equal(number(json_get_object(o, "by_multiplier"), "1.0"), RATES_MAX);
    assert_true(number(o, "p50_seconds") == 2.0);
    json_decref(o);
    rates_close(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(without_answers_there_is_nothing_to_say, inject),
        cmocka_unit_test_setup(the_last_hour_is_summed_up, inject),
        cmocka_unit_test_setup(a_busy_hour_keeps_its_latest, inject),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
