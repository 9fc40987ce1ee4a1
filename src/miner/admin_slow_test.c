/* SPDX-License-Identifier: MIT */
#include "miner/admin_slow.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* Handlers that wait for the test; exchanges are never touched by them. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int at_work, done;
static bool open_gate;

static void wait_at_gate(struct admin *a, struct http_exchange *x, const struct http_request *r)
{
    (void)a, (void)x, (void)r;
    (void)pthread_mutex_lock(&lock);
    at_work++;
    (void)pthread_cond_broadcast(&changed);
    while (!open_gate) {
        (void)pthread_cond_wait(&changed, &lock);
    }
    done++;
    (void)pthread_cond_broadcast(&changed);
    (void)pthread_mutex_unlock(&lock);
}

static void wait_for(const int *what, int n)
{
    (void)pthread_mutex_lock(&lock);
    while (*what < n) {
        (void)pthread_cond_wait(&changed, &lock);
    }
    (void)pthread_mutex_unlock(&lock);
}

static void two_work_a_bounded_number_waits_the_rest_is_refused(void **state)
{
    struct admin_slow *s = NULL;
    int taken = 2;
    (void)state;
    assert_int_equal(admin_slow_open(&s), SF_OK);
    assert_true(admin_slow_put(s, wait_at_gate, NULL, NULL, NULL));
    assert_true(admin_slow_put(s, wait_at_gate, NULL, NULL, NULL));
    wait_for(&at_work, 2);
    while (admin_slow_put(s, wait_at_gate, NULL, NULL, NULL)) {
        taken++;
        assert_true(taken < 1000);
    }
    assert_int_equal(at_work, 2);
    assert_true(taken > 2);
    (void)pthread_mutex_lock(&lock);
    open_gate = true;
    (void)pthread_cond_broadcast(&changed);
    (void)pthread_mutex_unlock(&lock);
    wait_for(&done, taken);
    assert_true(admin_slow_put(s, wait_at_gate, NULL, NULL, NULL));
    wait_for(&done, taken + 1);
    admin_slow_stop(s);
    assert_false(admin_slow_put(s, wait_at_gate, NULL, NULL, NULL));
    admin_slow_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_work_a_bounded_number_waits_the_rest_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
