/* SPDX-License-Identifier: MIT */
#include "generator/chain.h"

#include "generator/listener_test.h"

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

static void a_stall_is_slow_whatever_the_kind_calls_its_end(void **state)
{
    (void)state;
    struct fake a = {.hangs = true, .canceled_as = SF_ETRANSIENT}, b = {.calls = 0};
    struct gen_chain_options o = gen_chain_options_default();
    o.progress_ms = 100;
    struct gen_chain *c = chain_of((struct fake *[]){&a, &b}, 2, o);
    struct gen_trail trail;
    assert_int_equal(ask(c, 10000, NULL, &trail, NULL), SF_OK);
    assert_int_equal(trail.steps[0].code, SF_ESLOW);
    assert_string_equal(trail.steps[0].reason, "no progress for 0.1 s");
    assert_int_equal(a.calls, 1);
    gen_chain_close(c);
}

static void a_hop_that_shows_progress_has_its_whole_share(void **state)
{
    (void)state;
    struct fake a = {.hangs = true, .beats = true}, b = {.calls = 0};
    struct gen_chain_options o = gen_chain_options_default();
    o.progress_ms = 400;
    o.reserve_ms = 500;
    struct gen_chain *c = chain_of((struct fake *[]){&a, &b}, 2, o);
    struct gen_trail trail;
    assert_int_equal(ask(c, 1500, NULL, &trail, NULL), SF_OK);
    assert_int_equal(trail.steps[0].code, SF_ESLOW);
    assert_in_range(trail.steps[0].took_ms, 950, 1400);
    gen_chain_close(c);
}

static void what_is_missing_is_asked_for_once_more(void **state)
{
    (void)state;
    struct fake a = {.lacks = "core_conflict", .lacks_times = 1, .parts = true};
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
    put_forward(200);
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

static void a_hop_that_cannot_be_asked_needs_no_reserve(void **state)
{
    (void)state;
    struct fake a = {.fails = {SF_ECRASH}}, b = {.state = GEN_DOWN}, d = {.calls = 0};
    struct fake e = {.always = SF_EMODEL};
    struct gen_chain_options o = gen_chain_options_default();
    o.reserve_ms = 2000;
    struct gen_chain *c = chain_of((struct fake *[]){&e, &a, &b, &d}, 4, o);
    struct gen_trail trail;
    assert_int_equal(ask(c, 10000, NULL, &trail, NULL), SF_OK);
    assert_in_range(e.had, 5500, 6000); /* two behind it work */
    assert_in_range(a.had, 7500, 8000);
    assert_in_range(d.had, 9000, 10000);
    gen_chain_close(c);
}

/* A kind that always answers whole: its second answer is taken as it is, not patched into the
 * first. */
static void a_second_whole_answer_is_taken_whole(void **state)
{
    (void)state;
    struct fake a = {.lacks = "core_conflict", .lacks_times = 1, .numbered = true};
    struct gen_chain *c = chain_of((struct fake *[]){&a}, 1, gen_chain_options_default());
    struct gen_trail trail;
    struct asking asking = {.within = 10000, .keeps = true};
    assert_int_equal(ask_with(c, &asking, &trail, NULL), SF_OK);
    assert_int_equal(a.calls, 2);
    assert_true(trail.steps[0].list[1].repair);
    assert_string_equal(json_get_string(asking.output, "title"), "Answer 1");
    json_decref(asking.output);
    gen_chain_close(c);
}

static void parts_are_put_into_the_first_answer(void **state)
{
    (void)state;
    struct fake a = {.lacks = "core_conflict", .lacks_times = 1, .parts = true, .numbered = true};
    struct gen_chain *c = chain_of((struct fake *[]){&a}, 1, gen_chain_options_default());
    struct gen_trail trail;
    struct asking asking = {.within = 10000, .keeps = true};
    assert_int_equal(ask_with(c, &asking, &trail, NULL), SF_OK);
    assert_string_equal(json_get_string(asking.output, "title"), "Answer 0");
    json_decref(asking.output);
    gen_chain_close(c);
}

static void what_is_missing_twice_is_the_next_hops(void **state)
{
    (void)state;
    struct fake a = {.lacks = "tone", .lacks_times = 9}, b = {.calls = 0};
    struct gen_chain *c = chain_of((struct fake *[]){&a, &b}, 2, gen_chain_options_default());
    struct gen_trail trail;
    assert_int_equal(ask(c, 10000, NULL, &trail, NULL), SF_OK);
    assert_int_equal(a.calls, 2);
    assert_int_equal(trail.steps[0].code, SF_EINCOMPLETE);
    assert_non_null(strstr(trail.steps[0].reason, "answer still not valid: /tone"));
    gen_chain_close(c);
}

/* The repair belongs to the call that decides: a target that needs one comes back nevertheless. */
static void a_repair_may_close_a_breaker(void **state)
{
    (void)state;
    struct fake a = {.fails = {SF_ECRASH, SF_ECRASH, SF_ECRASH},
                     .lacks = "tone",
                     .lacks_times = 1,
                     .parts = true};
    struct fake b = {.calls = 0};
    struct gen_chain *c = chain_of((struct fake *[]){&a, &b}, 2, gen_chain_options_default());
    struct gen_trail trail;
    struct gen_hop_status status[GEN_CHAIN_MAX];
    for (int i = 0; i < 3; i++) {
        a.lacks_times = 1;
        assert_int_equal(ask(c, 10000, NULL, &trail, NULL), SF_OK);
    }
    a.lacks_times = 1;
    put_forward(5000);
    assert_int_equal(ask(c, 10000, NULL, &trail, NULL), SF_OK);
    assert_string_equal(trail.answered->name, "g0");
    assert_int_equal(trail.steps[0].attempts, 2);
    (void)gen_chain_status(c, status);
    assert_int_equal(status[0].gate, GEN_GATE_CLOSED);
    gen_chain_close(c);
}

static void tokens_under_the_floor_are_slow(void **state)
{
    (void)state;
    struct fake a = {.hangs = true, .tokens_a_beat = 1}, b = {.calls = 0};
    struct gen_chain_options o = gen_chain_options_default();
    o.min_tokens_per_second = 5000;
    o.min_tokens_window_ms = 200;
    struct gen_chain *c = chain_of((struct fake *[]){&a, &b}, 2, o);
    struct gen_trail trail;
    assert_int_equal(ask(c, 10000, NULL, &trail, NULL), SF_OK);
    assert_int_equal(trail.steps[0].code, SF_ESLOW);
    assert_string_equal(trail.steps[0].reason, "under 5000.0 tokens/s for 0.2 s");
    assert_int_equal(a.calls, 1);
    gen_chain_close(c);
}

static void a_hop_has_its_own_patience(void **state)
{
    (void)state;
    struct fake a = {.hangs = true}, b = {.calls = 0};
    struct gen_chain_hop hops[2] = {
        {.generator = {.type = &fake_type, .ctx = &a, .name = "a"}, .progress_ms = 80},
        {.generator = {.type = &fake_type, .ctx = &b, .name = "b"}}};
    struct gen_chain_options o = gen_chain_options_default();
    struct gen_chain *c = NULL;
    struct gen_trail trail;
    atomic_store(&a.state, GEN_READY);
    atomic_store(&b.state, GEN_READY);
    assert_int_equal(gen_chain_open(&o, hops, 2, &c, NULL), SF_OK);
    assert_int_equal(ask(c, 20000, NULL, &trail, NULL), SF_OK);
    assert_in_range(trail.steps[0].took_ms, 80, 2000);
    gen_chain_close(c);
}

/* A moment is no chance: the target is not to blame. */
static void slowness_within_a_moment_does_not_count(void **state)
{
    (void)state;
    struct fake a = {.hangs = true};
    struct gen_chain *c = chain_of((struct fake *[]){&a}, 1, gen_chain_options_default());
    struct gen_trail trail;
    struct gen_hop_status status[GEN_CHAIN_MAX];
    for (int i = 0; i < 4; i++) {
        assert_int_equal(ask(c, 60, NULL, &trail, NULL), SF_EDEADLINE);
    }
    (void)gen_chain_status(c, status);
    assert_false(status[0].breaker_open);
    assert_int_equal(a.calls, 4);
    gen_chain_close(c);
}

static void what_is_worth_more_is_asked_first(void **state)
{
    (void)state;
    struct fake a = {.calls = 0}, b = {.calls = 0}, d = {.calls = 0};
    struct gen_chain *c = chain_of((struct fake *[]){&a, &b, &d}, 3, gen_chain_options_default());
    struct gen_trail trail;
    static const struct {
        const char *name;
        double worth;
        const char *first;
    } turns[] = {{"g1", 0.5, "g1"}, {"g2", 0.5, "g1"},   {"g0", 0.5, "g0"},
                 {"g2", 1.4, "g2"}, {"nobody", 9, "g2"}, {"g2", 0.1, "g0"}};
    for (size_t i = 0; i < sizeof turns / sizeof turns[0]; i++) {
        gen_chain_set_worth(c, turns[i].name, turns[i].worth);
        assert_int_equal(ask(c, 10000, NULL, &trail, NULL), SF_OK);
        assert_string_equal(trail.answered->name, turns[i].first);
    }
    gen_chain_close(c);
}

static void the_trail_names_who_failed_first(void **state)
{
    (void)state;
    struct fake a = {.fails = {SF_EACCOUNT}}, b = {.calls = 0};
    struct gen_chain *c = chain_of((struct fake *[]){&a, &b}, 2, gen_chain_options_default());
    struct gen_trail trail;
    assert_int_equal(ask(c, 10000, NULL, &trail, NULL), SF_OK);
    assert_ptr_equal(gen_trail_first_failure(&trail), &trail.steps[0]);
    put_forward(900000);
    assert_int_equal(ask(c, 10000, NULL, &trail, NULL), SF_OK);
    assert_null(gen_trail_first_failure(&trail));
    gen_chain_close(c);
}

/* Whichever allocation fails: an answer or an error, and nothing lost. */
static void out_of_memory_is_an_error_like_another(void **state)
{
    (void)state;
    for (int hedged = 0; hedged < 2; hedged++) {
        struct fake a = {.lacks = "tone", .parts = true, .streams = true}, b = {.streams = true};
        struct gen_chain_options o = gen_chain_options_default();
        o.hedge_after_ms = hedged * 5000;
        o.breaker.failures = 1000;
        o.breaker.min_samples = o.breaker.window = 1000;
        int answers = 0;
        for (long n = 1; n < 150; n++) {
            struct gen_chain *c = chain_of((struct fake *[]){&a, &b}, 2, o);
            struct gen_trail trail;
            struct listener l;
            listener_init(&l);
            struct asking asking = {
                .within = 10000, .fail_after = n, .on_event = listen, .event_arg = &l};
            a.lacks_times = 1;
            json_decref(fake_answer());
            enum sf_err err = ask_with(c, &asking, &trail, NULL);
            assert_true(err == SF_OK || err == SF_ENOMEM || err == SF_EUNAVAILABLE);
            answers += err == SF_OK ? 1 : 0;
            listener_fini(&l);
            gen_chain_close(c);
        }
        assert_in_range(answers, 1, 148);
    }
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
        cmocka_unit_test(a_stall_is_slow_whatever_the_kind_calls_its_end),
        cmocka_unit_test(a_hop_that_shows_progress_has_its_whole_share),
        cmocka_unit_test(what_is_missing_is_asked_for_once_more),
        cmocka_unit_test(an_open_breaker_costs_nothing_and_says_why),
        cmocka_unit_test(nobody_left_is_said_with_every_reason),
        cmocka_unit_test(a_passed_deadline_is_the_callers_not_the_hops),
        cmocka_unit_test(a_canceled_request_tries_nobody_else),
        cmocka_unit_test(a_hop_that_cannot_be_asked_needs_no_reserve),
        cmocka_unit_test(a_second_whole_answer_is_taken_whole),
        cmocka_unit_test(parts_are_put_into_the_first_answer),
        cmocka_unit_test(what_is_missing_twice_is_the_next_hops),
        cmocka_unit_test(a_repair_may_close_a_breaker),
        cmocka_unit_test(tokens_under_the_floor_are_slow),
        cmocka_unit_test(a_hop_has_its_own_patience),
        cmocka_unit_test(slowness_within_a_moment_does_not_count),
        cmocka_unit_test(what_is_worth_more_is_asked_first),
        cmocka_unit_test(the_trail_names_who_failed_first),
        cmocka_unit_test(out_of_memory_is_an_error_like_another),
        cmocka_unit_test(many_threads_walk_it_at_once),
    };
    return cmocka_run_group_tests(tests, fake_clock_setup, NULL);
}
