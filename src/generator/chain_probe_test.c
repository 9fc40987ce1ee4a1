/* SPDX-License-Identifier: MIT */
#include "generator/fake_test.h"

static struct gen_chain_options probing(sf_ms interval)
{
    struct gen_chain_options o = gen_chain_options_default();
    o.probe_interval_ms = interval;
    return o;
}

static enum gen_gate gate_of(struct gen_chain *c, size_t i)
{
    struct gen_hop_status status[GEN_CHAIN_MAX];
    (void)gen_chain_status(c, status);
    return status[i].gate;
}

/* False after five seconds. */
static bool comes_to(struct gen_chain *c, size_t i, enum gen_gate gate)
{
    for (int k = 0; k < 1000 && gate_of(c, i) != gate; k++) {
        (void)poll(NULL, 0, 5);
    }
    return gate_of(c, i) == gate;
}

static bool comes_to_count(const atomic_int *count, int n)
{
    for (int k = 0; k < 1000 && atomic_load(count) < n; k++) {
        (void)poll(NULL, 0, 5);
    }
    return atomic_load(count) >= n;
}

static void fail_until_open(struct gen_chain *c)
{
    struct gen_trail trail;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ask(c, 10000, NULL, &trail, NULL), SF_OK);
    }
    assert_int_equal(gate_of(c, 0), GEN_GATE_OPEN);
}

static void the_primary_is_back_soon_after_its_return(void **state)
{
    (void)state;
    struct fake a = {.fails = {SF_ECRASH, SF_ECRASH, SF_ECRASH}}, b = {.probe_ok = true};
    struct gen_trail trail;
    struct gen_chain_options o = probing(30);
    o.breaker.open_ms = o.breaker.open_max_ms = 300000;
    struct gen_chain *c = chain_of((struct fake *[]){&a, &b}, 2, o);
    fail_until_open(c);
    assert_true(comes_to_count(&a.probes, 3));
    assert_int_equal(gate_of(c, 0), GEN_GATE_OPEN);
    assert_int_equal(a.calls, 3); /* the looks are free ones */
    atomic_store(&a.probe_ok, true);
    assert_true(comes_to(c, 0, GEN_GATE_HALF_OPEN));
    assert_int_equal(ask(c, 10000, NULL, &trail, NULL), SF_OK);
    assert_string_equal(trail.answered->name, "g0");
    assert_int_equal(gate_of(c, 0), GEN_GATE_CLOSED);
    assert_int_equal(b.probes, 1); /* at the start; nobody looks after one that works */
    gen_chain_close(c);
}

static void a_look_at_one_does_not_delay_another(void **state)
{
    (void)state;
    struct fake a = {.state = GEN_DOWN, .probe_takes_ms = 1500}, b = {.state = GEN_DOWN};
    struct fake d = {.calls = 0};
    struct gen_chain *c = chain_of((struct fake *[]){&a, &b, &d}, 3, probing(10));
    assert_true(comes_to_count(&a.probes, 1));
    assert_true(comes_to_count(&b.probes, 10));
    assert_int_equal(a.probes, 1);
    gen_chain_close(c);
}

static void one_hop_is_looked_at_by_one_at_a_time(void **state)
{
    (void)state;
    struct fake a = {.state = GEN_DOWN, .probe_takes_ms = 50};
    struct gen_chain *c = chain_of((struct fake *[]){&a}, 1, probing(5));
    assert_true(comes_to_count(&a.probes, 4));
    assert_int_equal(a.most_at_once, 1);
    gen_chain_close(c);
}

static void a_target_that_hangs_behind_a_healthy_face_is_not_believed(void **state)
{
    (void)state;
    struct fake a = {.always = SF_ESLOW, .probe_ok = true}, b = {.calls = 0};
    struct gen_chain_options o = probing(20);
    o.breaker.open_ms = o.breaker.open_max_ms = 300000;
    struct gen_chain *c = chain_of((struct fake *[]){&a, &b}, 2, o);
    fail_until_open(c);
    int before = atomic_load(&a.probes);
    assert_true(comes_to_count(&a.probes, before + 4));
    assert_int_equal(gate_of(c, 0), GEN_GATE_OPEN);
    atomic_store(&a.probe_ok, false); /* it is restarted */
    assert_true(comes_to_count(&a.probes, atomic_load(&a.probes) + 2));
    atomic_store(&a.probe_ok, true);
    assert_true(comes_to(c, 0, GEN_GATE_HALF_OPEN));
    gen_chain_close(c);
}

static void a_look_frees_neither_a_rate_limit_nor_a_missing_model(void **state)
{
    (void)state;
    struct fake a = {.always = SF_ERATE, .probe_ok = true};
    struct fake b = {.always = SF_EMODEL, .probe_ok = true, .state = GEN_DEGRADED};
    struct fake d = {.calls = 0};
    struct gen_trail trail;
    struct gen_chain *c = chain_of((struct fake *[]){&a, &b, &d}, 3, probing(10));
    assert_int_equal(ask(c, 10000, NULL, &trail, NULL), SF_OK);
    assert_true(comes_to_count(&b.probes, 3));
    assert_int_equal(gate_of(c, 0), GEN_GATE_BENCHED);
    assert_int_equal(gate_of(c, 1), GEN_GATE_RELOAD);
    gen_chain_close(c);
}

static void nobody_looks_where_nobody_was_told_to(void **state)
{
    (void)state;
    struct fake a = {.state = GEN_DOWN};
    struct gen_chain *c = chain_of((struct fake *[]){&a}, 1, gen_chain_options_default());
    (void)poll(NULL, 0, 50);
    assert_int_equal(a.probes, 0);
    gen_chain_close(c);
}

/* ---- one that calls itself ready ---------------------------------------------------------------
 */

static enum gen_state comes_to_state(struct gen_chain *c, enum gen_state wanted)
{
    struct gen_hop_status status[GEN_CHAIN_MAX];
    (void)gen_chain_status(c, status);
    for (int k = 0; k < 1000 && status[0].health.state != wanted; k++) {
        (void)poll(NULL, 0, 5);
        (void)gen_chain_status(c, status);
    }
    return status[0].health.state;
}

static void readiness_is_not_taken_on_trust(void **state)
{
    (void)state;
    struct fake a = {.probe_takes_ms = 100};
    struct gen_trail trail;
    struct gen_chain *c = chain_of((struct fake *[]){&a}, 1, probing(20));
    assert_int_equal(comes_to_state(c, GEN_STARTING), GEN_STARTING);
    assert_int_equal(comes_to_state(c, GEN_DEGRADED), GEN_DEGRADED);
    assert_false(gen_chain_is_ready(c));
    atomic_store(&a.probe_ok, true);
    assert_int_equal(comes_to_state(c, GEN_READY), GEN_READY);
    assert_true(gen_chain_is_ready(c));
    gen_chain_close(c);
    struct fake b = {.calls = 0}; /* looks are refused there, calls are not */
    c = chain_of((struct fake *[]){&b}, 1, probing(60000));
    assert_int_equal(comes_to_state(c, GEN_DEGRADED), GEN_DEGRADED);
    assert_int_equal(ask(c, 10000, NULL, &trail, NULL), SF_OK);
    assert_true(gen_chain_is_ready(c));
    gen_chain_close(c);
}

/* ---- one that could not be opened --------------------------------------------------------------
 */

struct absent {
    struct fake fake;
    atomic_int tries;
    atomic_bool there;
};

static bool open_if_there(void *arg, struct gen_chain_hop *hop)
{
    struct absent *a = arg;
    (void)atomic_fetch_add(&a->tries, 1);
    (void)snprintf(hop->reason, sizeof hop->reason, "still absent");
    hop->generator.ctx = atomic_load(&a->there) ? &a->fake : NULL;
    return hop->generator.ctx != NULL;
}

static void what_could_not_be_opened_is_opened_when_it_can_be(void **state)
{
    (void)state;
    struct absent a = {.tries = 0};
    struct gen_chain_hop hop = {.generator = {.type = &fake_type, .name = "g0"}};
    struct gen_chain_options o = probing(20);
    struct gen_hop_status status[GEN_CHAIN_MAX];
    struct gen_chain *c = NULL;
    struct gen_trail trail;
    o.reopen = open_if_there;
    o.reopen_arg = &a;
    atomic_store(&a.fake.state, GEN_READY);
    (void)snprintf(hop.reason, sizeof hop.reason, "absent at the start");
    assert_int_equal(gen_chain_open(&o, &hop, 1, &c, NULL), SF_OK);
    assert_int_equal(ask(c, 1000, NULL, &trail, NULL), SF_EUNAVAILABLE);
    assert_true(comes_to_count(&a.tries, 2));
    assert_int_equal(gen_chain_status(c, status), 1);
    assert_string_equal(status[0].health.reason, "still absent");
    assert_false(gen_chain_is_ready(c));
    atomic_store(&a.there, true);
    for (int i = 0; i < 1000 && !gen_chain_is_ready(c); i++) {
        (void)poll(NULL, 0, 5);
    }
    assert_int_equal(ask(c, 10000, NULL, &trail, NULL), SF_OK);
    int tries = atomic_load(&a.tries);
    (void)poll(NULL, 0, 100);
    assert_int_equal(a.tries, tries); /* an open one is not opened again */
    gen_chain_close(c);
    assert_int_equal(a.fake.closed, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_primary_is_back_soon_after_its_return),
        cmocka_unit_test(a_look_at_one_does_not_delay_another),
        cmocka_unit_test(one_hop_is_looked_at_by_one_at_a_time),
        cmocka_unit_test(a_target_that_hangs_behind_a_healthy_face_is_not_believed),
        cmocka_unit_test(a_look_frees_neither_a_rate_limit_nor_a_missing_model),
        cmocka_unit_test(readiness_is_not_taken_on_trust),
        cmocka_unit_test(what_could_not_be_opened_is_opened_when_it_can_be),
        cmocka_unit_test(nobody_looks_where_nobody_was_told_to),
    };
    return cmocka_run_group_tests(tests, fake_clock_setup, NULL);
}
