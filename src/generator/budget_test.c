/* SPDX-License-Identifier: MIT */
#include "generator/budget.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static int64_t now_ms;

static int64_t clock_ms(void)
{
    return now_ms;
}

static bool is_spent(const struct budget *b, sf_ms *left_ms)
{
    char why[256];
    return budget_is_spent(b, why, sizeof why, left_ms);
}

/* One request as the chain makes it. */
static bool spend(struct budget *b, double cost)
{
    struct budget_hold hold;
    if (!budget_reserve(b, 1, &hold)) {
        return false;
    }
    budget_count(b, 0, 1, cost, &hold);
    budget_release(b, &hold, cost);
    return true;
}

static void so_many_requests_in_any_hour(void **state)
{
    (void)state;
    static struct budget b;
    sf_ms left;
    budget_init(&b, 3, 0);
    assert_true(spend(&b, 0));
    now_ms += 1800000;
    assert_true(spend(&b, 0));
    assert_true(spend(&b, 0));
    assert_false(spend(&b, 0));
    assert_true(is_spent(&b, &left));
    assert_in_range(left, 1800000, 1800000 + 10000); /* never early, a slot late at most */
    now_ms += 1800000 - 1;
    assert_false(spend(&b, 0));
    now_ms += 10001;
    assert_false(is_spent(&b, &left));
    assert_true(spend(&b, 0));
    assert_false(spend(&b, 0));
}

static void so_many_dollars_in_any_day(void **state)
{
    (void)state;
    static struct budget b;
    char why[256];
    sf_ms left;
    budget_init(&b, 0, 0.01);
    assert_true(spend(&b, 0.006));
    now_ms += 3600000;
    assert_true(spend(&b, 0.006));
    assert_false(spend(&b, 0.006));
    assert_true(budget_is_spent(&b, why, sizeof why, &left));
    assert_string_equal(why, "budget: 0.01 dollars a day reached, free in 24 h");
    assert_in_range(left, 23 * 3600000, 23 * 3600000 + 60000);
    now_ms += 86400000 - 3600000 + 60000;
    assert_true(spend(&b, 0.001));
}

static void what_is_under_way_counts(void **state)
{
    (void)state;
    static struct budget b;
    struct budget_hold one, two;
    char why[256];
    sf_ms left;
    budget_init(&b, 2, 0);
    assert_true(budget_reserve(&b, 1, &one));
    assert_true(budget_reserve(&b, 1, &two));
    assert_false(budget_reserve(&b, 1, &two));
    assert_true(budget_is_spent(&b, why, sizeof why, &left));
    assert_string_equal(why, "budget: 2 requests an hour reached with the calls under way");
    assert_int_equal(left, 0);
    budget_count(&b, 0, 1, 0, &one);
    budget_release(&b, &one, 0);
    budget_release(&b, &two, 0); /* it was never sent */
    assert_true(spend(&b, 0));
    assert_false(spend(&b, 0));
}

static void calls_side_by_side_are_taken_to_cost_what_the_dearest_did(void **state)
{
    (void)state;
    static struct budget b;
    struct budget_hold hold;
    budget_init(&b, 0, 0.01);
    assert_true(spend(&b, 0.004));
    assert_true(budget_reserve(&b, 1, &hold)); /* 0.004 + 0.004 */
    assert_true(budget_reserve(&b, 1, &hold)); /* + 0.004 */
    assert_false(budget_reserve(&b, 1, &hold));
}

static void what_the_journal_remembers_counts_where_it_belongs(void **state)
{
    (void)state;
    static struct budget b;
    sf_ms left;
    budget_init(&b, 5, 1);
    budget_count(&b, 3700000, 5, 0.4, NULL); /* over an hour ago, in the day */
    assert_false(is_spent(&b, &left));
    budget_count(&b, 3000000, 5, 0, NULL);
    assert_true(is_spent(&b, &left));
    assert_in_range(left, 600000, 610000);
    budget_count(&b, 90000000, 0, 5, NULL); /* over a day ago */
    now_ms += 610000;
    assert_false(is_spent(&b, &left));
    budget_count(&b, -5000, 0, 0.6, NULL); /* a clock that was put back */
    assert_true(is_spent(&b, &left));
}

static void no_limit_is_no_limit(void **state)
{
    (void)state;
    static struct budget b;
    sf_ms left;
    budget_init(&b, 0, 0);
    for (int i = 0; i < 1000; i++) {
        assert_true(spend(&b, 10));
    }
    assert_false(is_spent(&b, &left));
}

static void spans_in_words(void **state)
{
    (void)state;
    char out[24];
    static const struct {
        sf_ms span;
        const char *words;
    } cases[] = {{1, "1 s"}, {119000, "119 s"}, {121000, "3 min"}, {7200000, "2 h"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        budget_span(cases[i].span, out);
        assert_string_equal(out, cases[i].words);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(so_many_requests_in_any_hour),
        cmocka_unit_test(so_many_dollars_in_any_day),
        cmocka_unit_test(what_is_under_way_counts),
        cmocka_unit_test(calls_side_by_side_are_taken_to_cost_what_the_dearest_did),
        cmocka_unit_test(what_the_journal_remembers_counts_where_it_belongs),
        cmocka_unit_test(no_limit_is_no_limit),
        cmocka_unit_test(spans_in_words),
    };
    now_ms = 123456;
    sf_clock_inject(clock_ms, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
