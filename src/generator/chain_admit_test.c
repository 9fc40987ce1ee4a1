/* SPDX-License-Identifier: MIT */
#include "generator/chain_internal.h"
#include "generator/fake_test.h"

static const struct story_request blueprint = {.task = STORY_BLUEPRINT};
static const struct story_request five_chapters = {.task = STORY_CHAPTERS_TASK, .n_chapter_ids = 5};

static struct gen_chain *chain_limited(struct fake *f, int64_t requests_per_hour)
{
    struct gen_chain_options o = gen_chain_options_default();
    return chain_with((struct fake *[]){f}, (const char *const[]){"acme"},
                      (struct gen_limits){.requests_per_hour = requests_per_hour}, 1, &o);
}

static bool admit(struct gen_chain *c, const struct story_request *r, struct ticket *t)
{
    char why[256];
    sf_ms bench_ms;
    struct gen_call call = {.request = r, .deadline = sf_after(sf_now(), 10000)};
    return hop_admit(c, &c->hops[0], &call, t, why, &bench_ms);
}

static void note(struct gen_chain *c, struct ticket *t, enum sf_err code)
{
    struct hop_outcome o = {.code = code, .reason = "as the test asked"};
    hop_note(c, &c->hops[0], t, &o);
}

/* A target that asks for each chapter by itself needs as many requests of the budget. */
static void chapters_that_go_out_one_by_one_are_held_back_one_by_one(void **state)
{
    (void)state;
    struct fake f = {.calls = 0};
    struct ticket one, two;
    struct gen_chain *c = chain_limited(&f, 7);
    assert_true(admit(c, &five_chapters, &one));
    assert_int_equal(one.hold.requests, 1); /* nothing is known of it yet */
    note(c, &one, SF_OK);
    c->hops[0].fans_out = true;
    assert_true(admit(c, &five_chapters, &one));
    assert_int_equal(one.hold.requests, 5);
    assert_false(admit(c, &five_chapters, &two));
    assert_true(admit(c, &blueprint, &two));
    hop_spend(c, &c->hops[0], &one, &(struct gen_usage){.requests = 2});
    assert_int_equal(one.hold.requests, 3);
    note(c, &one, SF_ETRANSIENT);
    note(c, &two, SF_OK);
    assert_int_equal(c->accounts[0].budget.held_requests, 0);
    assert_true(admit(c, &five_chapters, &one)); /* two of seven are spent */
    note(c, &one, SF_ECANCELED);
    gen_chain_close(c);
}

/* A limit under what one request needs is no lock: it may be spent to its end. */
static void a_small_budget_can_be_spent(void **state)
{
    (void)state;
    struct fake f = {.calls = 0};
    struct ticket t;
    struct gen_chain *c = chain_limited(&f, 3);
    c->hops[0].fans_out = true;
    assert_true(admit(c, &five_chapters, &t));
    assert_int_equal(t.hold.requests, 3);
    note(c, &t, SF_OK);
    gen_chain_close(c);
}

static void asking_whether_takes_nothing(void **state)
{
    (void)state;
    struct fake f = {.calls = 0};
    struct ticket t;
    struct gen_chain *c = chain_limited(&f, 1);
    char why[256];
    for (int i = 0; i < 3; i++) {
        assert_true(hop_can_be_asked(c, &c->hops[0], NULL, why));
    }
    assert_true(admit(c, &blueprint, &t));
    assert_false(hop_can_be_asked(c, &c->hops[0], NULL, why));
    assert_string_equal(why, "budget: 1 requests an hour reached with the calls under way");
    note(c, &t, SF_OK);
    atomic_store(&f.state, GEN_DOWN);
    assert_false(hop_can_be_asked(c, &c->hops[0], NULL, why));
    assert_string_equal(why, "not up");
    gen_chain_close(c);
}

/* A reload: what was spent, and what calls still under way spend, counts for the new chain. */
static void a_successor_goes_on_with_the_books(void **state)
{
    (void)state;
    struct fake f = {.calls = 0}, g = {.calls = 0}, k = {.calls = 0};
    struct ticket under_way, t;
    struct gen_chain *old = chain_limited(&f, 0), *c = chain_limited(&g, 3);
    assert_true(admit(old, &blueprint, &t));
    hop_spend(old, &old->hops[0], &t, &(struct gen_usage){.requests = 1, .cost_usd = 1});
    note(old, &t, SF_OK);
    assert_true(admit(old, &blueprint, &under_way));
    gen_chain_charge(c, "acme", sf_wall_ns(), 1, 1); /* the journal knows the same one */
    gen_chain_inherit(c, old);
    hop_spend(old, &old->hops[0], &under_way, &(struct gen_usage){.requests = 1, .cost_usd = 1});
    note(old, &under_way, SF_OK);
    assert_true(admit(c, &blueprint, &t)); /* the third of three */
    hop_spend(c, &c->hops[0], &t, &(struct gen_usage){.requests = 1});
    note(c, &t, SF_OK);
    assert_false(admit(c, &blueprint, &t));
    struct gen_chain *newest = chain_limited(&k, 4);
    gen_chain_inherit(newest, c);
    gen_chain_charge(old, "acme", sf_wall_ns(), 1, 0); /* over two generations */
    assert_false(admit(newest, &blueprint, &t));
    gen_chain_close(old);
    gen_chain_close(c);
    gen_chain_close(newest);
}

static void hops_of_one_account_keep_the_stricter_limits(void **state)
{
    (void)state;
    struct fake f[3] = {{.calls = 0}};
    struct gen_chain_hop hops[3] = {{.reason = ""}};
    static const struct gen_limits limits[] = {{.requests_per_hour = 0, .cost_per_day = 5},
                                               {.requests_per_hour = 60},
                                               {.requests_per_hour = 90, .cost_per_day = 2}};
    struct gen_chain_options o = gen_chain_options_default();
    struct gen_chain *c = NULL;
    for (size_t i = 0; i < 3; i++) {
        hops[i].generator = (struct generator){.type = &fake_type, .ctx = &f[i]};
        hops[i].limits = limits[i];
        (void)snprintf(hops[i].account, sizeof hops[i].account, "acme");
    }
    assert_int_equal(gen_chain_open(&o, hops, 3, &c, NULL), SF_OK);
    assert_ptr_equal(c->hops[2].account, c->hops[0].account);
    assert_int_equal(c->hops[0].account->budget.requests_per_hour, 60);
    assert_true(c->hops[0].account->budget.cost_per_day < 2.01);
    gen_chain_close(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chapters_that_go_out_one_by_one_are_held_back_one_by_one),
        cmocka_unit_test(a_small_budget_can_be_spent),
        cmocka_unit_test(asking_whether_takes_nothing),
        cmocka_unit_test(a_successor_goes_on_with_the_books),
        cmocka_unit_test(hops_of_one_account_keep_the_stricter_limits),
    };
    return cmocka_run_group_tests(tests, fake_clock_setup, NULL);
}
