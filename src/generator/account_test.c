/* SPDX-License-Identifier: MIT */
#include "generator/account.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static int64_t now_ms = 5000000;

static int64_t clock_ms(void)
{
    return now_ms;
}

static void a_refused_account_is_out_then_tried_by_one(void **state)
{
    (void)state;
    static struct account a;
    char why[256] = "";
    sf_ms left;
    assert_false(account_is_out(&a, why, sizeof why, &left));
    assert_false(account_take_probe(&a));
    account_refuse(&a, 900000, "key revoked");
    assert_true(account_is_out(&a, why, sizeof why, &left));
    assert_int_equal(left, 900000);
    assert_string_equal(why, "account refused, asked again in 15 min: key revoked");
    now_ms += 900000;
    assert_false(account_is_out(&a, why, sizeof why, &left));
    assert_true(account_take_probe(&a));
    assert_true(account_is_out(&a, why, sizeof why, &left));
    assert_string_equal(why, "account refused, one call is trying it: key revoked");
    account_drop_probe(&a);
    assert_false(account_is_out(&a, why, sizeof why, &left));
    assert_true(account_take_probe(&a));
    account_answered(&a);
    assert_false(account_is_out(&a, why, sizeof why, &left));
    assert_false(account_take_probe(&a));
}

static void a_spent_budget_is_told_in_its_own_words(void **state)
{
    (void)state;
    static struct account a;
    char why[256] = "";
    sf_ms left;
    budget_init(&a.budget, 1, 0);
    budget_count(&a.budget, 0, 1, 0, NULL);
    assert_true(account_is_out(&a, why, sizeof why, &left));
    assert_memory_equal(why, "budget: 1 requests an hour reached", 34);
    assert_in_range(left, 3600000, 3610000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refused_account_is_out_then_tried_by_one),
        cmocka_unit_test(a_spent_budget_is_told_in_its_own_words),
    };
    sf_clock_inject(clock_ms, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
