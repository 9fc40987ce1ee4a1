/* SPDX-License-Identifier: MIT */
#include "generator/chain.h"

#include "base/file.h"

#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* A generator that behaves as its test says. */
struct fake {
    enum sf_err fails[4]; /* of the calls in order; after them SF_OK */
    const char *lacks;    /* top-level field left out of the first answer */
    bool hangs;           /* until canceled */
    bool beats;           /* while it hangs */
    enum gen_state state;
    int calls, closed;
    size_t wanted_n;
    char wanted[64];
    sf_ms had; /* until the deadline, at the last call */
};

static json_t *answer(void)
{
    struct sf_buf b;
    json_t *v = NULL;
    sf_buf_init(&b, 1U << 20);
    assert_int_equal(sf_file_read(SOURCE_DIR "/tests/data/story/blueprint.json", &b, NULL), SF_OK);
    assert_int_equal(json_parse(sf_buf_str(&b), JSON_LIMITS_DEFAULT, &v, NULL), SF_OK);
    sf_buf_fini(&b);
    return v;
}

static enum sf_err hang(const struct fake *f, const struct gen_call *call, struct sf_errbuf *eb)
{
    struct gen_event beat = {.kind = GEN_EVENT_HEARTBEAT};
    while (!atomic_load(call->cancel) && sf_until(call->deadline) > 0) {
        if (f->beats) {
            call->on_event(call->event_arg, &beat);
        }
        (void)poll(NULL, 0, 5);
    }
    enum sf_err err = atomic_load(call->cancel) ? SF_ECANCELED : SF_EDEADLINE;
    return sf_fail(eb, err, "stopped");
}

static enum sf_err fake_generate(void *ctx, const struct gen_call *call, struct gen_result *result,
                                 struct sf_errbuf *eb)
{
    struct fake *f = ctx;
    int turn = f->calls++;
    f->had = sf_until(call->deadline);
    f->wanted_n = call->n_wanted;
    if (call->n_wanted > 0) {
        (void)snprintf(f->wanted, sizeof f->wanted, "%s", call->wanted[0]);
    }
    if (f->hangs) {
        return hang(f, call, eb);
    }
    if (turn < 4 && f->fails[turn] != SF_OK) {
        return sf_fail(eb, f->fails[turn], "as the test asked");
    }
    result->output = answer();
    if (f->lacks != NULL && turn == 0) {
        (void)json_object_del(result->output, f->lacks);
    }
    return SF_OK;
}

static void fake_health(void *ctx, struct gen_health *out)
{
    const struct fake *f = ctx;
    out->state = f->state;
    (void)snprintf(out->reason, sizeof out->reason, "%s", f->state == GEN_READY ? "" : "not up");
}

static void fake_close(void *ctx)
{
    struct fake *f = ctx;
    f->closed++;
}

static const struct generator_type fake_type = {.kind = "custom",
                                                .multiplier = 1,
                                                .generate = fake_generate,
                                                .health = fake_health,
                                                .close = fake_close};

static struct gen_chain *chain_of(struct fake *const fakes[], size_t n, struct gen_chain_options o)
{
    struct gen_chain_hop hops[4] = {{.reason = ""}};
    struct gen_chain *c = NULL;
    for (size_t i = 0; i < n; i++) {
        fakes[i]->state = fakes[i]->state == GEN_STARTING ? GEN_READY : fakes[i]->state;
        hops[i].generator = (struct generator){.type = &fake_type, .ctx = fakes[i]};
        (void)snprintf(hops[i].generator.name, sizeof hops[i].generator.name, "g%zu", i);
    }
    assert_int_equal(gen_chain_open(&o, hops, n, &c, NULL), SF_OK);
    return c;
}

static enum sf_err ask(struct gen_chain *c, sf_ms within, const atomic_bool *cancel,
                       struct gen_trail *trail, struct sf_errbuf *eb)
{
    json_t *body = NULL;
    struct story_request request;
    struct gen_result result = {.output = NULL};
    assert_int_equal(json_parse(sf_str("{\"task_type\":\"blueprint\",\"user_input\":\"sea\"}"),
                                JSON_LIMITS_DEFAULT, &body, NULL),
                     SF_OK);
    assert_int_equal(story_request_init(&request, body, NULL), SF_OK);
    json_decref(body);
    struct sf_time until = sf_after(sf_now(), within);
    struct gen_call call = {
        .request = &request, .deadline = until, .target = until, .seed = 1, .cancel = cancel};
    enum sf_err err = gen_chain_generate(c, &call, &result, trail, eb);
    if (err == SF_OK) {
        gen_result_fini(&result);
    }
    story_request_fini(&request);
    return err;
}

static void the_first_that_works_answers(void **state)
{
    (void)state;
    struct fake a = {.state = GEN_DOWN}, b = {.fails = {SF_ECRASH}}, d = {.calls = 0};
    struct gen_chain *c = chain_of((struct fake *[]){&a, &b, &d}, 3, gen_chain_options_default());
    struct gen_trail trail;
    assert_int_equal(ask(c, 10000, NULL, &trail, NULL), SF_OK);
    assert_int_equal(trail.n, 3);
    assert_int_equal(trail.steps[0].outcome, GEN_STEP_SKIPPED);
    assert_string_equal(trail.steps[0].reason, "not up");
    assert_int_equal(trail.steps[1].outcome, GEN_STEP_FAILED);
    assert_int_equal(trail.steps[1].code, SF_ECRASH);
    assert_string_equal(trail.answered->name, "g2");
    assert_int_equal(a.calls, 0);
    gen_chain_close(c);
    assert_int_equal(a.closed + b.closed + d.closed, 3);
}

static void each_hop_leaves_time_for_those_behind_it(void **state)
{
    (void)state;
    struct fake a = {.fails = {SF_ECRASH}}, b = {.fails = {SF_ECRASH}}, d = {.calls = 0};
    struct gen_chain_options o = gen_chain_options_default();
    o.reserve_ms = 2000;
    struct gen_chain *c = chain_of((struct fake *[]){&a, &b, &d}, 3, o);
    struct gen_trail trail;
    assert_int_equal(ask(c, 10000, NULL, &trail, NULL), SF_OK);
    assert_in_range(a.had, 5500, 6000);
    assert_in_range(b.had, 7500, 8000);
    assert_in_range(d.had, 9500, 10000);
    gen_chain_close(c);
}

static void a_silent_hop_is_left_for_the_next(void **state)
{
    (void)state;
    struct fake a = {.hangs = true}, b = {.calls = 0};
    struct gen_chain_options o = gen_chain_options_default();
    o.progress_ms = 100;
    struct gen_chain *c = chain_of((struct fake *[]){&a, &b}, 2, o);
    struct gen_trail trail;
    assert_int_equal(ask(c, 10000, NULL, &trail, NULL), SF_OK);
    assert_int_equal(trail.steps[0].code, SF_ESLOW);
    assert_in_range(trail.steps[0].took_ms, 100, 2000);
    assert_string_equal(trail.answered->name, "g1");
    gen_chain_close(c);
}

static void a_hop_that_shows_progress_has_its_whole_share(void **state)
{
    (void)state;
    struct fake a = {.hangs = true, .beats = true}, b = {.calls = 0};
    struct gen_chain_options o = gen_chain_options_default();
    o.progress_ms = 100;
    o.reserve_ms = 500;
    struct gen_chain *c = chain_of((struct fake *[]){&a, &b}, 2, o);
    struct gen_trail trail;
    assert_int_equal(ask(c, 1200, NULL, &trail, NULL), SF_OK);
    assert_int_equal(trail.steps[0].code, SF_ESLOW);
    assert_in_range(trail.steps[0].took_ms, 600, 900);
    gen_chain_close(c);
}

static void what_is_missing_is_asked_for_once_more(void **state)
{
    (void)state;
    struct fake a = {.lacks = "core_conflict"};
    struct gen_chain *c = chain_of((struct fake *[]){&a}, 1, gen_chain_options_default());
    struct gen_trail trail;
    assert_int_equal(ask(c, 10000, NULL, &trail, NULL), SF_OK);
    assert_int_equal(a.calls, 2);
    assert_int_equal(a.wanted_n, 1);
    assert_string_equal(a.wanted, "/core_conflict");
    assert_int_equal(trail.steps[0].attempts, 2);
    gen_chain_close(c);
}

static void an_open_breaker_costs_nothing_and_says_why(void **state)
{
    (void)state;
    struct fake a = {.fails = {SF_ECRASH, SF_ECRASH, SF_ECRASH}}, b = {.calls = 0};
    struct gen_chain_options o = gen_chain_options_default();
    o.breaker.open_ms = 200;
    struct gen_chain *c = chain_of((struct fake *[]){&a, &b}, 2, o);
    struct gen_trail trail;
    struct gen_hop_status status[GEN_CHAIN_MAX];
    for (int i = 0; i < 4; i++) {
        assert_int_equal(ask(c, 10000, NULL, &trail, NULL), SF_OK);
    }
    assert_int_equal(a.calls, 3);
    assert_int_equal(trail.steps[0].outcome, GEN_STEP_SKIPPED);
    assert_non_null(strstr(trail.steps[0].reason, "after: as the test asked"));
    assert_int_equal(gen_chain_status(c, status), 2);
    assert_true(status[0].breaker_open);
    (void)poll(NULL, 0, 220);
    (void)gen_chain_status(c, status);
    assert_false(status[0].breaker_open);
    assert_int_equal(ask(c, 10000, NULL, &trail, NULL), SF_OK);
    assert_string_equal(trail.answered->name, "g0");
    gen_chain_close(c);
}

static void nobody_left_is_said_with_every_reason(void **state)
{
    (void)state;
    struct fake a = {.fails = {SF_ECRASH}}, b = {.state = GEN_DOWN};
    struct gen_chain *c = chain_of((struct fake *[]){&a, &b}, 2, gen_chain_options_default());
    struct gen_trail trail;
    struct sf_errbuf eb = {.code = SF_OK};
    assert_int_equal(ask(c, 10000, NULL, &trail, &eb), SF_EUNAVAILABLE);
    assert_string_equal(eb.text, "No generator available: g0: as the test asked; g1: not up");
    assert_null(trail.answered);
    gen_chain_close(c);
}

static void a_passed_deadline_is_the_callers_not_the_hops(void **state)
{
    (void)state;
    struct fake a = {.hangs = true, .beats = true};
    struct gen_chain *c = chain_of((struct fake *[]){&a}, 1, gen_chain_options_default());
    struct gen_trail trail;
    assert_int_equal(ask(c, 200, NULL, &trail, NULL), SF_EDEADLINE);
    assert_int_equal(ask(c, 0, NULL, &trail, NULL), SF_EDEADLINE);
    assert_int_equal(a.calls, 1);
    gen_chain_close(c);
}

static void *cancel_soon(void *flag)
{
    (void)poll(NULL, 0, 100);
    atomic_store((atomic_bool *)flag, true);
    return NULL;
}

static void a_canceled_request_tries_nobody_else(void **state)
{
    (void)state;
    struct fake a = {.hangs = true, .beats = true}, b = {.calls = 0};
    struct gen_chain *c = chain_of((struct fake *[]){&a, &b}, 2, gen_chain_options_default());
    struct gen_trail trail;
    atomic_bool cancel = false;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, cancel_soon, &cancel), 0);
    assert_int_equal(ask(c, 10000, &cancel, &trail, NULL), SF_ECANCELED);
    (void)pthread_join(thread, NULL);
    assert_int_equal(b.calls, 0);
    gen_chain_close(c);
}

static void *ask_ten_times(void *chain)
{
    struct gen_trail trail;
    for (int i = 0; i < 10; i++) {
        if (ask(chain, 10000, NULL, &trail, NULL) != SF_EUNAVAILABLE || trail.n != 2) {
            return chain;
        }
    }
    return NULL;
}

static void many_threads_walk_it_at_once(void **state)
{
    (void)state;
    struct fake a = {.state = GEN_DOWN}, b = {.state = GEN_DOWN};
    struct gen_chain *c = chain_of((struct fake *[]){&a, &b}, 2, gen_chain_options_default());
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, ask_ten_times, c), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        void *failed = NULL;
        (void)pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    gen_chain_close(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_that_works_answers),
        cmocka_unit_test(each_hop_leaves_time_for_those_behind_it),
        cmocka_unit_test(a_silent_hop_is_left_for_the_next),
        cmocka_unit_test(a_hop_that_shows_progress_has_its_whole_share),
        cmocka_unit_test(what_is_missing_is_asked_for_once_more),
        cmocka_unit_test(an_open_breaker_costs_nothing_and_says_why),
        cmocka_unit_test(nobody_left_is_said_with_every_reason),
        cmocka_unit_test(a_passed_deadline_is_the_callers_not_the_hops),
        cmocka_unit_test(a_canceled_request_tries_nobody_else),
        cmocka_unit_test(many_threads_walk_it_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
