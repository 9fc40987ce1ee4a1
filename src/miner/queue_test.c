/* SPDX-License-Identifier: MIT */
#include "miner/queue.h"

#include "base/mem.h"

#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct job *job_of(int64_t id, double priority)
{
    struct job *j = sf_xalloc(sizeof *j);
    j->id = id;
    j->priority = priority;
    return j;
}

static void highest_priority_first_then_the_oldest(void **state)
{
    static const struct {
        int64_t id;
        double priority;
    } in[] = {{1, 0}, {2, 5}, {3, 0}, {4, 9}, {5, 5}};
    static const int64_t out[] = {4, 2, 5, 1, 3};
    struct queue *q = NULL;
    (void)state;
    assert_int_equal(queue_open(8, &q), SF_OK);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(queue_push(q, job_of(in[i].id, in[i].priority)), SF_OK);
    for (size_t i = 0; i < 5; i++) {
        struct job *j = queue_pop(q);
        assert_int_equal(j->id, out[i]);
        queue_done(q, j);
        free(j);
    }
    queue_close(q);
}

static struct job *job_at(int64_t id, double priority, int64_t ms)
{
    struct job *j = job_of(id, priority);
    j->received.ms = ms;
    return j;
}

/* One worker that takes a second for each, and a new request of the highest stake every second. */
static void a_poor_one_is_served_within_the_head_start(void **state)
{
    struct queue *q = NULL;
    (void)state;
    assert_int_equal(queue_open(64, &q), SF_OK);
    for (int64_t i = 0; i < 3; i++)
        assert_int_equal(queue_push(q, job_at(100 + i, 1e9, i)), SF_OK);
    assert_int_equal(queue_push(q, job_at(1, 0, 10)), SF_OK);
    int64_t now = 10, served_at = 0;
    for (int64_t i = 0; i < 60 && served_at == 0; i++, now += 1000) {
        assert_int_equal(queue_push(q, job_at(200 + i, 1e9, now)), SF_OK);
        struct job *j = queue_pop(q);
        served_at = j->id == 1 ? now : 0;
        queue_done(q, j);
        free(j);
    }
    /* behind three that were there and four that came within the head start; the fifth is too late
     */
    assert_int_equal(served_at, 10 + (3 + 4) * 1000);
    for (size_t left = queue_count(q).depth; left > 0; left--) {
        struct job *j = queue_pop(q);
        queue_done(q, j);
        free(j);
    }
    queue_close(q);
}

static void stake_is_a_head_start_by_its_logarithm(void **state)
{
    static const struct {
        int64_t id;
        double stake;
        int64_t ms;
        int64_t place;
    } in[] = {
        {1, 0, 0, 3},      /* waits for nobody who comes after 4 s */
        {2, 1e6, 3900, 1}, /* the whole head start */
        {3, 1e6, 4100, 4}, /* too late to pass the first */
        {4, 999, 1900, 2}, /* half of it */
        {5, 1e12, 4200, 5} /* never more than the whole */
    };
    struct queue *q = NULL;
    (void)state;
    assert_int_equal(queue_open(8, &q), SF_OK);
    for (size_t i = 0; i < sizeof in / sizeof in[0]; i++)
        assert_int_equal(queue_push(q, job_at(in[i].id, in[i].stake, in[i].ms)), SF_OK);
    assert_int_equal(queue_push(q, job_at(6, JOB_PRIORITY_GUEST, 0)), SF_OK);
    for (int64_t place = 1; place <= 6; place++) {
        struct job *j = queue_pop(q);
        assert_int_equal(place, j->id == 6 ? 6 : in[j->id - 1].place);
        queue_done(q, j);
        free(j);
    }
    queue_close(q);
}

static void a_full_queue_refuses_and_keeps_its_jobs(void **state)
{
    struct queue *q = NULL;
    struct job *third = job_of(3, 99);
    (void)state;
    assert_int_equal(queue_open(2, &q), SF_OK);
    assert_int_equal(queue_push(q, job_of(1, 0)), SF_OK);
    assert_int_equal(queue_push(q, job_of(2, 0)), SF_OK);
    assert_int_equal(queue_push(q, third), SF_EBUSY);
    struct queue_counts n = queue_count(q);
    assert_true(n.depth == 2 && n.in_flight == 0 && n.size == 2);
    struct job *j = queue_pop(q);
    n = queue_count(q);
    assert_true(n.depth == 1 && n.in_flight == 1);
    assert_int_equal(queue_push(q, third), SF_OK); /* what is in flight takes no place */
    queue_done(q, j);
    free(j);
    for (int i = 0; i < 2; i++) {
        j = queue_pop(q);
        queue_done(q, j);
        free(j);
    }
    queue_close(q);
}

static void *pop_one(void *arg)
{
    return queue_pop(arg);
}

static void draining_wakes_who_waits_and_takes_nothing_in(void **state)
{
    struct queue *q = NULL;
    pthread_t waiting;
    void *got = &waiting;
    struct job *late = job_of(1, 0);
    (void)state;
    assert_int_equal(queue_open(2, &q), SF_OK);
    assert_int_equal(pthread_create(&waiting, NULL, pop_one, q), 0);
    (void)poll(NULL, 0, 20);
    queue_drain(q);
    (void)pthread_join(waiting, &got);
    assert_null(got);
    assert_int_equal(queue_push(q, late), SF_EBUSY);
    free(late);
    queue_close(q);
}

static void count_seen(void *arg, struct job *j)
{
    int64_t *sum = arg;
    *sum += j->id;
}

static void each_sees_what_waits_and_what_is_in_flight(void **state)
{
    struct queue *q = NULL;
    int64_t sum = 0;
    (void)state;
    assert_int_equal(queue_open(4, &q), SF_OK);
    for (int64_t id = 1; id <= 4; id *= 2)
        assert_int_equal(queue_push(q, job_of(id, 0)), SF_OK);
    struct job *j = queue_pop(q);
    queue_each(q, count_seen, &sum);
    assert_int_equal(sum, 7);
    queue_done(q, j);
    free(j);
    sum = 0;
    queue_each(q, count_seen, &sum);
    assert_int_equal(sum, 6);
    for (int i = 0; i < 2; i++) {
        j = queue_pop(q);
        queue_done(q, j);
        free(j);
    }
    queue_close(q);
}

static struct job *guest_of(int64_t id)
{
    struct job *j = job_of(id, JOB_PRIORITY_GUEST);
    j->origin = ORIGIN_CLI;
    return j;
}

static void done(struct queue *q, struct job *j)
{
    queue_done(q, j);
    free(j);
}

static void guests_wait_behind_validators_and_keep_to_their_limit(void **state)
{
    struct queue *q = NULL;
    (void)state;
    assert_int_equal(queue_open(8, &q), SF_OK);
    queue_limit_guests(q, 1);
    assert_int_equal(queue_push(q, guest_of(1)), SF_OK);
    assert_int_equal(queue_push(q, guest_of(2)), SF_OK);
    assert_int_equal(queue_push(q, job_of(3, 0)), SF_OK);
    struct job *validator = queue_pop(q), *guest = queue_pop(q);
    assert_int_equal(validator->id, 3);
    assert_int_equal(guest->id, 1);
    assert_false(atomic_load(&guest->displaced));
    assert_int_equal(queue_push(q, job_of(4, 0)), SF_OK); /* nobody is idle: the guest gives way */
    assert_true(atomic_load(&guest->displaced) && atomic_load(&guest->cancel));
    struct job *next = queue_pop(q);
    assert_int_equal(next->id, 4); /* not guest 2: one guest is at work still */
    done(q, guest);
    guest = queue_pop(q);
    assert_int_equal(guest->id, 2);
    assert_int_equal(queue_count(q).in_flight, 3);
    done(q, guest);
    done(q, next);
    done(q, validator);
    queue_close(q);
}

static void a_full_queue_lets_its_youngest_guest_go(void **state)
{
    struct queue *q = NULL;
    (void)state;
    assert_int_equal(queue_open(3, &q), SF_OK);
    assert_int_equal(queue_push(q, guest_of(1)), SF_OK);
    assert_int_equal(queue_push(q, guest_of(2)), SF_OK);
    assert_null(queue_evict_guest(q)); /* not full */
    assert_int_equal(queue_push(q, job_of(3, 0)), SF_OK);
    struct job *out = queue_evict_guest(q);
    assert_int_equal(out->id, 2);
    free(out);
    assert_int_equal(queue_push(q, job_of(4, 0)), SF_OK);
    out = queue_evict_guest(q);
    assert_int_equal(out->id, 1);
    free(out);
    assert_int_equal(queue_push(q, job_of(5, 0)), SF_OK);
    assert_null(queue_evict_guest(q)); /* validators stay */
    for (int64_t id = 3; id <= 5; id++) {
        struct job *j = queue_pop(q);
        assert_int_equal(j->id, id);
        done(q, j);
    }
    queue_close(q);
}

static void a_draining_queue_finishes_its_guests(void **state)
{
    struct queue *q = NULL;
    (void)state;
    assert_int_equal(queue_open(3, &q), SF_OK);
    queue_limit_guests(q, 2);
    assert_int_equal(queue_push(q, guest_of(1)), SF_OK);
    queue_drain(q);
    assert_null(queue_evict_guest(q));
    struct job *j = queue_pop(q);
    assert_int_equal(j->id, 1);
    assert_null(queue_pop(q));
    done(q, j);
    queue_close(q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(highest_priority_first_then_the_oldest),
        cmocka_unit_test(a_poor_one_is_served_within_the_head_start),
        cmocka_unit_test(stake_is_a_head_start_by_its_logarithm),
        cmocka_unit_test(a_full_queue_refuses_and_keeps_its_jobs),
        cmocka_unit_test(draining_wakes_who_waits_and_takes_nothing_in),
        cmocka_unit_test(each_sees_what_waits_and_what_is_in_flight),
        cmocka_unit_test(guests_wait_behind_validators_and_keep_to_their_limit),
        cmocka_unit_test(a_full_queue_lets_its_youngest_guest_go),
        cmocka_unit_test(a_draining_queue_finishes_its_guests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
