/* SPDX-License-Identifier: MIT */
#include "generator/listener_test.h"

static struct gen_chain_options hedging(sf_ms after)
{
    struct gen_chain_options o = gen_chain_options_default();
    o.hedge_after_ms = after;
    return o;
}

/* Asks and listens; what was heard is the answer. */
static enum sf_err ask_listening(struct gen_chain *c, struct listener *l, struct gen_trail *trail)
{
    struct asking a = {.within = 10000, .on_event = listen, .event_arg = l, .keeps = true};
    listener_init(l);
    enum sf_err err = ask_with(c, &a, trail, NULL);
    if (err == SF_OK) {
        assert_heard(l, a.output, blueprint_texts(a.output));
    }
    json_decref(a.output);
    listener_fini(l);
    return err;
}

static void a_late_first_is_overtaken(void **state)
{
    (void)state;
    struct fake a = {.hangs = true, .beats = true, .streams_first = true, .numbered = true};
    struct fake b = {.streams = true};
    struct gen_trail trail;
    struct listener l;
    struct gen_hop_status status[GEN_CHAIN_MAX];
    a.spends = (struct gen_usage){.requests = 1, .cost_usd = 0.25};
    struct gen_chain *c = chain_of((struct fake *[]){&a, &b}, 2, hedging(100));
    struct sf_time started = sf_now();
    assert_int_equal(ask_listening(c, &l, &trail), SF_OK);
    assert_in_range(sf_between(started, sf_now()), 100, 2000);
    assert_string_equal(trail.answered->name, "g1");
    assert_string_equal(l.hops, "g0 g1 ");
    assert_int_equal(trail.n, 2);
    assert_int_equal(trail.steps[0].code, SF_ECANCELED);
    assert_false(trail.steps[0].hedged);
    assert_string_equal(trail.steps[0].reason, "canceled: g1 answered first");
    assert_int_equal(trail.steps[0].list[0].usage.requests, 1);
    assert_true(trail.steps[1].hedged);
    assert_int_equal(trail.steps[1].outcome, GEN_STEP_OK);
    (void)gen_chain_status(c, status);
    assert_int_equal(status[0].usage.requests, 1);
    gen_chain_close(c);
    assert_int_equal(a.canceled, 1);
    assert_int_equal(a.closed, 1);
}

/* What a provider's call cost in the end is known only behind its cancellation. */
static void the_bill_of_a_loser_stands_in_its_step(void **state)
{
    (void)state;
    struct fake a = {.hangs = true, .beats = true}, b = {.calls = 0};
    struct gen_trail trail;
    a.bill = (struct gen_usage){.requests = 1, .prompt_tokens = 700, .cost_usd = 0.5};
    struct gen_chain_options o = gen_chain_options_default();
    o.hedge_after_ms = 20;
    struct gen_chain *c = chain_with((struct fake *[]){&a, &b}, (const char *const[]){"acme", ""},
                                     (struct gen_limits){.requests_per_hour = 0}, 2, &o);
    assert_int_equal(ask(c, 10000, NULL, &trail, NULL), SF_OK);
    assert_string_equal(trail.answered->name, "g1");
    assert_int_equal(trail.steps[0].code, SF_ECANCELED);
    assert_string_equal(trail.steps[0].reason, "canceled: g1 answered first");
    assert_int_equal(trail.steps[0].list[0].usage.prompt_tokens, 700);
    assert_true(trail.steps[0].list[0].usage.cost_usd > 0.49);
    gen_chain_close(c);
}

static void a_first_in_time_is_alone(void **state)
{
    (void)state;
    struct fake a = {.takes_ms = 50, .streams = true}, b = {.calls = 0};
    struct gen_trail trail;
    struct listener l;
    struct gen_chain *c = chain_of((struct fake *[]){&a, &b}, 2, hedging(5000));
    assert_int_equal(ask_listening(c, &l, &trail), SF_OK);
    assert_int_equal(b.calls, 0);
    assert_string_equal(l.hops, "g0 ");
    assert_int_equal(trail.n, 1);
    gen_chain_close(c);
}

static void a_late_first_may_still_win(void **state)
{
    (void)state;
    struct fake a = {.takes_ms = 300, .streams = true};
    struct fake b = {.hangs = true, .beats = true, .streams_first = true};
    struct gen_trail trail;
    struct listener l;
    struct gen_chain *c = chain_of((struct fake *[]){&a, &b}, 2, hedging(50));
    assert_int_equal(ask_listening(c, &l, &trail), SF_OK);
    assert_string_equal(trail.answered->name, "g0");
    assert_string_equal(l.hops, "g0 ");
    assert_int_equal(trail.steps[1].code, SF_ECANCELED);
    gen_chain_close(c);
    assert_int_equal(b.canceled, 1);
}

/* What it wrote before it led was held back; in the end the listener has all of it. */
static void the_second_takes_the_lead_when_the_first_fails(void **state)
{
    (void)state;
    struct fake a = {.takes_ms = 200, .always = SF_ECRASH, .streams_first = true, .numbered = true};
    struct fake b = {.takes_ms = 400, .streams_first = true, .streams = true};
    struct gen_trail trail;
    struct listener l;
    struct gen_chain *c = chain_of((struct fake *[]){&a, &b}, 2, hedging(50));
    assert_int_equal(ask_listening(c, &l, &trail), SF_OK);
    assert_string_equal(trail.answered->name, "g1");
    assert_string_equal(l.hops, "g0 g1 ");
    assert_int_equal(trail.steps[0].code, SF_ECRASH);
    gen_chain_close(c);
}

/* Half a slot was held back: the other half alone would be no text of it. */
static void no_slot_begins_in_its_middle(void **state)
{
    (void)state;
    struct fake a = {.takes_ms = 200, .always = SF_ECRASH}, b = {.takes_ms = 400};
    struct gen_trail trail;
    struct listener l;
    b.streams_across = true;
    struct gen_chain *c = chain_of((struct fake *[]){&a, &b}, 2, hedging(50));
    assert_int_equal(ask_listening(c, &l, &trail), SF_OK);
    assert_string_equal(l.hops, "g0 g1 ");
    gen_chain_close(c);
}

static void a_failure_starts_the_next_at_once(void **state)
{
    (void)state;
    struct fake a = {.always = SF_ECRASH}, b = {.always = SF_ECRASH}, d = {.streams = true};
    struct gen_trail trail;
    struct listener l;
    struct gen_chain *c = chain_of((struct fake *[]){&a, &b, &d}, 3, hedging(5000));
    struct sf_time started = sf_now();
    assert_int_equal(ask_listening(c, &l, &trail), SF_OK);
    assert_in_range(sf_between(started, sf_now()), 0, 1000);
    assert_string_equal(l.hops, "g0 g1 g2 ");
    assert_false(trail.steps[1].hedged);
    gen_chain_close(c);
}

static void only_two_are_at_work(void **state)
{
    (void)state;
    struct fake a = {.hangs = true, .beats = true}, b = {.hangs = true, .beats = true};
    struct fake d = {.calls = 0};
    struct gen_trail trail;
    struct gen_chain_options o = hedging(30);
    o.reserve_ms = 0;
    struct gen_chain *c = chain_of((struct fake *[]){&a, &b, &d}, 3, o);
    assert_int_equal(ask(c, 500, NULL, &trail, NULL), SF_EDEADLINE);
    assert_int_equal(a.calls + b.calls, 2);
    assert_int_equal(d.calls, 0);
    gen_chain_close(c);
}

static void a_loser_that_does_not_give_way_holds_nobody_up(void **state)
{
    (void)state;
    struct fake a = {.takes_ms = 1500, .deaf = true}, b = {.calls = 0};
    struct gen_trail trail;
    struct gen_chain *c = chain_of((struct fake *[]){&a, &b}, 2, hedging(50));
    struct sf_time started = sf_now();
    assert_int_equal(ask(c, 10000, NULL, &trail, NULL), SF_OK);
    assert_in_range(sf_between(started, sf_now()), 50, 1000);
    gen_chain_close(c); /* waits for it */
    assert_in_range(sf_between(started, sf_now()), 1500, 8000);
    assert_int_equal(a.closed, 1);
}

static void all_may_fail(void **state)
{
    (void)state;
    struct fake a = {.takes_ms = 100, .always = SF_ECRASH}, b = {.always = SF_ECONTENT};
    struct gen_trail trail;
    struct sf_errbuf eb = {.code = SF_OK};
    struct gen_chain *c = chain_of((struct fake *[]){&a, &b}, 2, hedging(20));
    assert_int_equal(ask(c, 10000, NULL, &trail, &eb), SF_EUNAVAILABLE);
    assert_string_equal(eb.text,
                        "No generator available: g0: as the test asked; g1: as the test asked");
    gen_chain_close(c);
}

static void *cancel_soon(void *flag)
{
    (void)poll(NULL, 0, 150);
    atomic_store((atomic_bool *)flag, true);
    return NULL;
}

static void a_cancellation_ends_both(void **state)
{
    (void)state;
    struct fake a = {.hangs = true, .beats = true}, b = {.hangs = true, .beats = true};
    struct gen_trail trail;
    atomic_bool cancel = false;
    pthread_t thread;
    struct gen_chain *c = chain_of((struct fake *[]){&a, &b}, 2, hedging(30));
    assert_int_equal(pthread_create(&thread, NULL, cancel_soon, &cancel), 0);
    assert_int_equal(ask(c, 10000, &cancel, &trail, NULL), SF_ECANCELED);
    (void)pthread_join(thread, NULL);
    gen_chain_close(c);
    assert_int_equal(a.canceled + b.canceled, 2);
}

static void *race_often(void *chain)
{
    struct gen_trail trail;
    struct listener l;
    for (int i = 0; i < 20; i++) {
        if (ask_listening(chain, &l, &trail) != SF_OK) {
            return chain;
        }
    }
    return NULL;
}

static void many_races_at_once(void **state)
{
    (void)state;
    struct fake a = {.takes_ms = 8, .streams_first = true}, b = {.takes_ms = 4, .streams = true};
    pthread_t threads[8];
    struct gen_chain *c = chain_of((struct fake *[]){&a, &b}, 2, hedging(4));
    for (size_t i = 0; i < 8; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, race_often, c), 0);
    }
    for (size_t i = 0; i < 8; i++) {
        void *failed = NULL;
        (void)pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    gen_chain_close(c);
    assert_int_equal(a.at_once + b.at_once, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_late_first_is_overtaken),
        cmocka_unit_test(the_bill_of_a_loser_stands_in_its_step),
        cmocka_unit_test(a_first_in_time_is_alone),
        cmocka_unit_test(a_late_first_may_still_win),
        cmocka_unit_test(the_second_takes_the_lead_when_the_first_fails),
        cmocka_unit_test(no_slot_begins_in_its_middle),
        cmocka_unit_test(a_failure_starts_the_next_at_once),
        cmocka_unit_test(only_two_are_at_work),
        cmocka_unit_test(a_loser_that_does_not_give_way_holds_nobody_up),
        cmocka_unit_test(all_may_fail),
        cmocka_unit_test(a_cancellation_ends_both),
        cmocka_unit_test(many_races_at_once),
    };
    return cmocka_run_group_tests(tests, fake_clock_setup, NULL);
}
