/* SPDX-License-Identifier: MIT */
#include "miner/live.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct generator_type type = {.kind = "custom"};
static const struct generator generators[] = {
    {.type = &type, .name = "a"}, {.type = &type, .name = "b"}, {.type = &type, .name = "c"}};
static const struct gen_hop_status chain[] = {
    {.generator = &generators[0]}, {.generator = &generators[1]}, {.generator = &generators[2]}};

/* What was told last, and how many. */
struct told {
    json_t *last;
    size_t n;
};

static void take(void *arg, const json_t *request)
{
    struct told *t = arg;
    json_decref(t->last);
    t->last = json_deep_copy(request);
    t->n++;
}

static size_t changes(struct live *l, uint64_t *seen, struct told *t)
{
    t->n = 0;
    *seen = live_changes(l, *seen, chain, 3, take, t);
    return t->n;
}

static int begin(struct live *l, int64_t id)
{
    struct sf_time now = sf_now();
    return live_begin(l, &(struct live_start){.id = id,
                                              .task = "blueprint",
                                              .origin = "validator",
                                              .caller = "5Grw",
                                              .only = "",
                                              .received = sf_after(now, -500),
                                              .deadline = sf_after(now, 11500)});
}

static void step(struct gen_trail *t, const char *name, enum gen_step_outcome outcome,
                 const char *reason)
{
    struct gen_step *s = &t->steps[t->n++];
    *s = (struct gen_step){.outcome = outcome};
    (void)snprintf(s->name, sizeof s->name, "%s", name);
    (void)snprintf(s->kind, sizeof s->kind, "custom");
    (void)snprintf(s->reason, sizeof s->reason, "%s", reason);
}

static const char *hop(const struct told *t, size_t i, const char *key)
{
    return json_get_string(json_array_get(json_get_array(t->last, "hops"), i), key);
}

static void a_request_is_told_as_it_goes_on(void **state)
{
    (void)state;
    struct live *l = NULL;
    struct told t = {.last = NULL};
    struct gen_trail trail = {.n = 0};
    uint64_t seen = 0;
    assert_int_equal(live_open(&l), SF_OK);
    assert_int_equal(changes(l, &seen, &t), 0);
    int at = begin(l, 7);
    assert_int_equal(changes(l, &seen, &t), 1);
    assert_string_equal(json_get_string(t.last, "caller"), "5Grw");
    assert_true(json_number_value(json_object_get(t.last, "queued_s")) >= 0.5);
    assert_true(json_number_value(json_object_get(t.last, "deadline_s")) == 12.0);
    assert_string_equal(hop(&t, 0, "state"), "waiting");
    assert_int_equal(json_array_size(json_get_array(t.last, "hops")), 3);
    assert_true(json_is_null(json_object_get(t.last, "status")));
    assert_int_equal(changes(l, &seen, &t), 0); /* nothing new */
    step(&trail, "a", GEN_STEP_SKIPPED, "not up");
    step(&trail, "b", GEN_STEP_SKIPPED, "");
    live_trail(l, at, &trail);
    assert_int_equal(changes(l, &seen, &t), 1);
    assert_string_equal(hop(&t, 0, "state"), "skipped");
    assert_string_equal(hop(&t, 0, "reason"), "not up");
    assert_string_equal(hop(&t, 1, "state"), "asked");
    assert_string_equal(hop(&t, 2, "state"), "waiting");
    atomic_store(live_tokens(l, at), 42);
    assert_int_equal(changes(l, &seen, &t), 1); /* tokens alone */
    assert_int_equal(json_integer_value(json_object_get(t.last, "tokens")), 42);
    trail.steps[1].outcome = GEN_STEP_OK;
    live_end(l, at, 200, &trail);
    assert_int_equal(changes(l, &seen, &t), 1);
    assert_string_equal(hop(&t, 1, "state"), "answered");
    assert_int_equal(json_array_size(json_get_array(t.last, "hops")), 2); /* none waits any more */
    assert_true(json_get_bool(t.last, "done", false));
    assert_int_equal(json_integer_value(json_object_get(t.last, "status")), 200);
    seen = 0; /* somebody new: nothing is in flight */
    assert_int_equal(changes(l, &seen, &t), 0);
    json_decref(t.last);
    live_close(l);
}

static void only_what_may_be_asked_waits(void **state)
{
    (void)state;
    struct live *l = NULL;
    struct told t = {.last = NULL};
    uint64_t seen = 0;
    assert_int_equal(live_open(&l), SF_OK);
    (void)live_begin(l,
                     &(struct live_start){.task = "chapters", .origin = "playground", .only = "b"});
    assert_int_equal(changes(l, &seen, &t), 1);
    assert_int_equal(json_array_size(json_get_array(t.last, "hops")), 1);
    assert_string_equal(hop(&t, 0, "name"), "b");
    json_decref(t.last);
    live_close(l);
}

static void a_full_table_leaves_out_and_the_oldest_end_goes_first(void **state)
{
    (void)state;
    struct live *l = NULL;
    struct told t = {.last = NULL};
    static int at[LIVE_MAX];
    uint64_t seen = 1;
    assert_int_equal(live_open(&l), SF_OK);
    for (int i = 0; i < LIVE_MAX; i++) {
        at[i] = begin(l, i + 1);
        assert_true(at[i] >= 0);
    }
    assert_int_equal(begin(l, 9999), LIVE_NONE);
    live_trail(l, LIVE_NONE, NULL);
    live_end(l, LIVE_NONE, 200, NULL);
    assert_null(live_tokens(l, LIVE_NONE));
    assert_int_equal(changes(l, &seen, &t), LIVE_MAX);
    live_end(l, at[5], 200, NULL);
    live_end(l, at[3], 503, NULL);
    assert_int_equal(begin(l, 1000), at[5]);
    assert_int_equal(changes(l, &seen, &t), 2); /* 1000, and the end of 4 */
    json_decref(t.last);
    live_close(l);
}

static void nobody_may_look_on(void **state)
{
    (void)state;
    assert_int_equal(begin(NULL, 1), LIVE_NONE);
    live_trail(NULL, 0, NULL);
    live_end(NULL, 0, 200, NULL);
    assert_null(live_tokens(NULL, 0));
    assert_int_equal(live_changes(NULL, 5, NULL, 0, NULL, NULL), 5);
    live_close(NULL);
}

/* ---- threads --------------------------------------------------------------------------------- */

static void *work(void *arg)
{
    struct gen_trail trail = {.n = 0};
    step(&trail, "a", GEN_STEP_SKIPPED, "");
    for (int i = 0; i < 2000; i++) {
        int at = begin(arg, i);
        live_trail(arg, at, &trail);
        if (at != LIVE_NONE) {
            atomic_store(live_tokens(arg, at), i);
        }
        live_end(arg, at, 200, &trail);
    }
    return NULL;
}

static void workers_and_lookers_meet(void **state)
{
    (void)state;
    pthread_t threads[4];
    struct live *l = NULL;
    struct told t = {.last = NULL};
    uint64_t seen = 0;
    assert_int_equal(live_open(&l), SF_OK);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, work, l), 0);
    }
    for (int i = 0; i < 50; i++) {
        (void)changes(l, &seen, &t);
    }
    for (size_t i = 0; i < 4; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    (void)changes(l, &seen, &t);
    assert_int_equal(changes(l, &seen, &t), 0);
    assert_int_equal(l->n_free, LIVE_MAX);
    json_decref(t.last);
    live_close(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_told_as_it_goes_on),
        cmocka_unit_test(only_what_may_be_asked_waits),
        cmocka_unit_test(a_full_table_leaves_out_and_the_oldest_end_goes_first),
        cmocka_unit_test(nobody_may_look_on),
        cmocka_unit_test(workers_and_lookers_meet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
