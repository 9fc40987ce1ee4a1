/* SPDX-License-Identifier: MIT */
#include "base/rate.h"

#include "base/mem.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static _Atomic int64_t now_ms = 1000000;

static int64_t fake_now(void)
{
    return now_ms;
}

static void key_of(uint64_t number, uint8_t key[RATE_KEY_LEN])
{
    memset(key, 0, RATE_KEY_LEN);
    memcpy(key, &number, sizeof number);
}

static bool take(struct rate_table *t, uint64_t number, int64_t per_minute)
{
    uint8_t key[RATE_KEY_LEN];
    key_of(number, key);
    return rate_take(t, key, per_minute);
}

static void a_minute_s_worth_at_once_then_evenly(void **state)
{
    struct rate_table *t = NULL;
    (void)state;
    assert_int_equal(rate_table_open(64, &t), SF_OK);
    for (int i = 0; i < 60; i++)
        assert_true(take(t, 1, 60));
    assert_false(take(t, 1, 60));
    assert_true(take(t, 2, 60)); /* another key has its own */
    for (int i = 0; i < 100; i++)
        assert_false(take(t, 1, 60)); /* refusals cost nothing: */
    now_ms += 1000;
    assert_true(take(t, 1, 60));
    assert_false(take(t, 1, 60));
    now_ms += 3600000; /* never more than a minute's worth */
    for (int i = 0; i < 60; i++)
        assert_true(take(t, 1, 60));
    assert_false(take(t, 1, 60));
    rate_table_close(t);
}

static void no_limit_takes_all(void **state)
{
    struct rate_table *t = NULL;
    (void)state;
    assert_int_equal(rate_table_open(8, &t), SF_OK);
    for (int i = 0; i < 10000; i++)
        assert_true(take(t, 1, 0));
    rate_table_close(t);
}

static void a_flood_of_keys_holds_nobody_back_and_takes_no_memory(void **state)
{
    struct rate_table *t = NULL;
    (void)state;
    assert_int_equal(rate_table_open(1024, &t), SF_OK);
    sf_mem_fail_after(0, 1); /* whoever allocates now fails */
    for (uint64_t i = 1; i <= 100000; i++) {
        assert_true(take(t, i, 10));
        if (i % 10000 == 0) {
            now_ms += 6000;
            assert_true(take(t, UINT64_MAX, 10)); /* within its own limit all along */
        }
    }
    sf_mem_fail_after(-1, 0);
    rate_table_close(t);
}

static void the_idle_are_forgotten_first(void **state)
{
    struct rate_table *t = NULL;
    (void)state;
    assert_int_equal(rate_table_open(8, &t), SF_OK); /* one set */
    for (int i = 0; i < 10; i++)
        assert_true(take(t, 1, 10));
    for (uint64_t i = 2; i < 100; i++)
        assert_true(take(t, i, 10)); /* each with one of ten taken */
    assert_false(take(t, 1, 10));    /* the busy one is known still */
    rate_table_close(t);
}

static void *take_many(void *arg)
{
    size_t *n = sf_xalloc(sizeof *n);
    for (int i = 0; i < 5000; i++)
        *n += take(arg, 7, 1000) ? 1 : 0;
    return n;
}

static void threads_share_one_limit(void **state)
{
    struct rate_table *t = NULL;
    pthread_t threads[4];
    size_t sum = 0;
    (void)state;
    assert_int_equal(rate_table_open(64, &t), SF_OK);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_many, t), 0);
    for (size_t i = 0; i < 4; i++) {
        void *n = NULL;
        (void)pthread_join(threads[i], &n);
        sum += *(size_t *)n;
        free(n);
    }
    assert_int_equal(sum, 1000);
    rate_table_close(t);
}

static void a_mark_lasts_its_time(void **state)
{
    struct rate_table *t = NULL;
    uint8_t key[RATE_KEY_LEN], other[RATE_KEY_LEN];
    (void)state;
    key_of(1, key);
    key_of(2, other);
    assert_int_equal(rate_table_open(64, &t), SF_OK);
    assert_false(rate_is_marked(t, key));
    rate_mark(t, key, 1000);
    assert_true(rate_is_marked(t, key));
    assert_false(rate_is_marked(t, other));
    now_ms += 999;
    assert_true(rate_is_marked(t, key));
    now_ms += 1;
    assert_false(rate_is_marked(t, key));
    rate_table_close(t);
}

static void out_of_memory_is_said(void **state)
{
    struct rate_table *t = NULL;
    (void)state;
    sf_mem_fail_after(0, 1);
    assert_int_equal(rate_table_open(64, &t), SF_ENOMEM);
    sf_mem_fail_after(-1, 0);
    rate_table_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_minute_s_worth_at_once_then_evenly),
        cmocka_unit_test(no_limit_takes_all),
        cmocka_unit_test(a_flood_of_keys_holds_nobody_back_and_takes_no_memory),
        cmocka_unit_test(the_idle_are_forgotten_first),
        cmocka_unit_test(threads_share_one_limit),
        cmocka_unit_test(a_mark_lasts_its_time),
        cmocka_unit_test(out_of_memory_is_said),
    };
    sf_clock_inject(fake_now, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
