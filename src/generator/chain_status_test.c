/* SPDX-License-Identifier: MIT */
#include "base/log.h"
#include "generator/fake_test.h"

#include <unistd.h>

static const struct gen_limits no_limits = {.requests_per_hour = 0};

/* ---- what was said ------------------------------------------------------------------------------
 */

/* stderr while it is held. */
static int held = -1;
static FILE *said;

static void hold_log(void)
{
    said = tmpfile();
    assert_non_null(said);
    held = dup(STDERR_FILENO);
    (void)fflush(stderr);
    assert_true(dup2(fileno(said), STDERR_FILENO) >= 0);
}

/* How often the log said `what`; lets it go. */
static int release_log(const char *what)
{
    char line[2048];
    int n = 0;
    (void)fflush(stderr);
    assert_true(dup2(held, STDERR_FILENO) >= 0);
    (void)close(held);
    rewind(said);
    while (fgets(line, sizeof line, said) != NULL) {
        n += strstr(line, what) != NULL ? 1 : 0;
    }
    (void)fclose(said);
    return n;
}

/* ---- budgets
 * ------------------------------------------------------------------------------------- */

static void a_budget_benches_the_account_and_says_so_once(void **state)
{
    (void)state;
    struct fake a = {.spends = {.requests = 1}}, b = {.calls = 0}, d = {.calls = 0};
    struct gen_trail trail;
    struct gen_chain_options o = gen_chain_options_default();
    struct gen_chain *c =
        chain_with((struct fake *[]){&a, &b, &d}, (const char *const[]){"acme", "acme", ""},
                   (struct gen_limits){.requests_per_hour = 3}, 3, &o);
    hold_log();
    for (int i = 0; i < 6; i++) {
        assert_int_equal(ask(c, 10000, NULL, &trail, NULL), SF_OK);
    }
    assert_int_equal(release_log("account benched by its budget"), 1);
    assert_int_equal(a.calls, 3);
    assert_int_equal(b.calls, 0);
    assert_non_null(strstr(trail.steps[0].reason, "budget: 3 requests an hour reached, free in 6"));
    assert_non_null(strstr(trail.steps[1].reason, "budget: 3 requests an hour"));
    put_forward(3620000);
    assert_int_equal(ask(c, 10000, NULL, &trail, NULL), SF_OK);
    assert_string_equal(trail.answered->name, "g0");
    hold_log();
    for (int i = 0; i < 4; i++) {
        assert_int_equal(ask(c, 10000, NULL, &trail, NULL), SF_OK);
    }
    assert_int_equal(release_log("account benched by its budget"), 1); /* the next bench */
    gen_chain_close(c);
}

static void failed_calls_cost_as_well(void **state)
{
    (void)state;
    struct fake a = {.spends = {.requests = 1, .cost_usd = 0.004}, .always = SF_ECONTENT};
    struct fake b = {.calls = 0};
    struct gen_trail trail;
    struct gen_chain_options o = gen_chain_options_default();
    struct gen_chain *c = chain_with((struct fake *[]){&a, &b}, NULL,
                                     (struct gen_limits){.cost_per_day = 0.01}, 2, &o);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(ask(c, 10000, NULL, &trail, NULL), SF_OK);
    }
    assert_int_equal(a.calls, 3);
    assert_non_null(strstr(trail.steps[0].reason, "budget: 0.01 dollars a day reached"));
    gen_chain_close(c);
}

static void *ask_once(void *chain)
{
    struct gen_trail trail;
    return ask(chain, 10000, NULL, &trail, NULL) == SF_OK ? NULL : chain;
}

static void requests_side_by_side_do_not_go_over(void **state)
{
    (void)state;
    struct fake a = {.spends = {.requests = 1}, .takes_ms = 50}, b = {.calls = 0};
    struct gen_chain_options o = gen_chain_options_default();
    struct gen_chain *c = chain_with((struct fake *[]){&a, &b}, (const char *const[]){"x", ""},
                                     (struct gen_limits){.requests_per_hour = 4}, 2, &o);
    pthread_t threads[10];
    b.spends.requests = 0;
    for (size_t round = 0; round < 2; round++) {
        for (size_t i = 0; i < 4 + round * 6; i++) {
            assert_int_equal(pthread_create(&threads[i], NULL, ask_once, c), 0);
        }
        for (size_t i = 0; i < 4 + round * 6; i++) {
            (void)pthread_join(threads[i], NULL);
        }
        assert_int_equal(a.calls, 4);
    }
    gen_chain_close(c);
}

static void what_the_journal_remembers_is_spent(void **state)
{
    (void)state;
    struct fake a = {.spends = {.requests = 1}}, b = {.calls = 0};
    struct gen_trail trail;
    struct gen_chain_options o = gen_chain_options_default();
    struct gen_chain *c = chain_with((struct fake *[]){&a, &b}, (const char *const[]){"acme", ""},
                                     (struct gen_limits){.requests_per_hour = 5}, 2, &o);
    gen_chain_charge(c, "acme", sf_wall_ns() - 1800LL * 1000000000, 4, 0.1);
    gen_chain_charge(c, "acme", sf_wall_ns() - 4000LL * 1000000000, 4, 0.1);
    gen_chain_charge(c, "another", sf_wall_ns(), 4, 0.1);
    assert_int_equal(ask(c, 10000, NULL, &trail, NULL), SF_OK);
    assert_string_equal(trail.answered->name, "g0");
    assert_int_equal(ask(c, 10000, NULL, &trail, NULL), SF_OK);
    assert_string_equal(trail.answered->name, "g1");
    assert_non_null(strstr(trail.steps[0].reason, "free in 31 min"));
    gen_chain_close(c);
}

/* ---- words
 * --------------------------------------------------------------------------------------- */

static void a_skipped_hop_says_why_and_for_how_long(void **state)
{
    (void)state;
    static const struct {
        enum sf_err code;
        int requests;
        const char *reason;
    } cases[] = {
        {SF_ECRASH, 3, "circuit breaker open for 5 s after: as the test asked"},
        {SF_ERATE, 1, "rate limited, free in 42 s: as the test asked"},
        {SF_EACCOUNT, 1, "account refused, asked again in 15 min: as the test asked"},
        {SF_EMODEL, 1, "out until the configuration is loaded again: as the test asked"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fake a = {.always = cases[i].code, .retry_after_ms = 42000}, b = {.calls = 0};
        struct gen_trail trail;
        struct gen_chain *c = chain_of((struct fake *[]){&a, &b}, 2, gen_chain_options_default());
        for (int k = 0; k <= cases[i].requests; k++) {
            assert_int_equal(ask(c, 10000, NULL, &trail, NULL), SF_OK);
        }
        assert_int_equal(trail.steps[0].outcome, GEN_STEP_SKIPPED);
        assert_string_equal(trail.steps[0].reason, cases[i].reason);
        assert_int_equal(trail.steps[0].attempts, 0);
        gen_chain_close(c);
    }
}

static void a_missing_model_is_said_loudly_and_once(void **state)
{
    (void)state;
    struct fake a = {.always = SF_EMODEL}, b = {.calls = 0};
    struct gen_trail trail;
    struct gen_chain *c = chain_of((struct fake *[]){&a, &b}, 2, gen_chain_options_default());
    hold_log();
    for (int i = 0; i < 4; i++) {
        assert_int_equal(ask(c, 10000, NULL, &trail, NULL), SF_OK);
    }
    assert_int_equal(release_log("error chain msg=\"generator is out until"), 1);
    assert_int_equal(a.calls, 1);
    gen_chain_close(c);
}

static void one_that_starts_says_so(void **state)
{
    (void)state;
    struct fake a = {.calls = 0}, b = {.calls = 0};
    struct gen_trail trail;
    struct gen_chain *c = chain_of((struct fake *[]){&a, &b}, 2, gen_chain_options_default());
    atomic_store(&a.state, GEN_STARTING);
    assert_int_equal(ask(c, 10000, NULL, &trail, NULL), SF_OK);
    assert_string_equal(trail.steps[0].reason, "not started yet");
    gen_chain_close(c);
}

/* ---- status
 * --------------------------------------------------------------------------------------- */

static void the_status_tells_all_of_a_hop(void **state)
{
    (void)state;
    struct fake a = {.takes_ms = 20,
                     .spends = {.requests = 1, .prompt_tokens = 10, .cost_usd = 0.5},
                     .fails = {SF_OK, SF_ECONTENT, SF_OK, SF_OK}};
    struct gen_trail trail;
    struct gen_hop_status s[GEN_CHAIN_MAX];
    struct gen_chain_options o = gen_chain_options_default();
    struct gen_chain *c =
        chain_with((struct fake *[]){&a}, (const char *const[]){"acme"}, no_limits, 1, &o);
    assert_int_equal(gen_chain_status(c, s), 1);
    assert_true(s[0].success_share < 0);
    assert_int_equal(s[0].last_error_wall_ns, 0);
    int64_t began = sf_wall_ns();
    for (int i = 0; i < 4; i++) {
        (void)ask(c, 10000, NULL, &trail, NULL);
    }
    assert_int_equal(gen_chain_status(c, s), 1);
    assert_int_equal(s[0].answers, 3);
    assert_int_equal(s[0].failures, 1);
    assert_true(s[0].success_share > 0.74 && s[0].success_share < 0.76);
    assert_in_range(s[0].latency_p50_ms, 20, 2000);
    assert_in_range(s[0].latency_p95_ms, s[0].latency_p50_ms, 5000);
    assert_int_equal(s[0].usage.requests, 4);
    assert_int_equal(s[0].usage.prompt_tokens, 40);
    assert_true(s[0].usage.cost_usd > 1.99 && s[0].usage.cost_usd < 2.01);
    assert_int_equal(s[0].last_code, SF_ECONTENT);
    assert_string_equal(s[0].last_error, "as the test asked");
    assert_true(s[0].last_error_wall_ns >= began);
    assert_string_equal(s[0].account, "acme");
    assert_true(s[0].can_answer);
    assert_true(s[0].worth < 0);
    gen_chain_close(c);
}

static void an_answer_is_told_with_what_all_its_attempts_cost(void **state)
{
    (void)state;
    struct fake a = {.spends = {.requests = 1, .generated_tokens = 7},
                     .fails = {SF_EINCOMPLETE},
                     .lacks = "tone",
                     .lacks_times = 0};
    struct gen_trail trail;
    struct asking asking = {.within = 10000};
    struct gen_chain *c = chain_of((struct fake *[]){&a}, 1, gen_chain_options_default());
    assert_int_equal(ask_with(c, &asking, &trail, NULL), SF_OK);
    assert_int_equal(asking.usage.requests, 2);
    assert_int_equal(asking.usage.generated_tokens, 14);
    assert_int_equal(trail.steps[0].list[0].usage.requests, 1);
    assert_int_equal(trail.steps[0].list[1].usage.requests, 1);
    gen_chain_close(c);
}

/* Ready is who can really answer: neither a closed door nor an empty purse. */
static void ready_means_that_somebody_can_answer(void **state)
{
    (void)state;
    static const struct {
        enum sf_err code;
        enum gen_state state;
        bool ready;
    } cases[] = {{SF_OK, GEN_READY, true},      {SF_OK, GEN_DOWN, false},
                 {SF_OK, GEN_STARTING, false},  {SF_OK, GEN_DEGRADED, false},
                 {SF_ERATE, GEN_READY, false},  {SF_EACCOUNT, GEN_READY, false},
                 {SF_EMODEL, GEN_READY, false}, {SF_ECRASH, GEN_READY, true},
                 {SF_ECONTENT, GEN_READY, true}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fake a = {.always = cases[i].code, .retry_after_ms = 60000};
        struct gen_trail trail;
        struct gen_chain *c = chain_of((struct fake *[]){&a}, 1, gen_chain_options_default());
        if (cases[i].code != SF_OK) {
            (void)ask(c, 10000, NULL, &trail, NULL);
        }
        atomic_store(&a.state, (int)cases[i].state);
        assert_int_equal(gen_chain_is_ready(c), cases[i].ready);
        gen_chain_close(c);
    }
    struct fake a = {.spends = {.requests = 1}};
    struct gen_trail trail;
    struct gen_chain_options o = gen_chain_options_default();
    struct gen_chain *c =
        chain_with((struct fake *[]){&a}, NULL, (struct gen_limits){.requests_per_hour = 1}, 1, &o);
    assert_true(gen_chain_is_ready(c));
    assert_int_equal(ask(c, 10000, NULL, &trail, NULL), SF_OK);
    assert_false(gen_chain_is_ready(c));
    gen_chain_close(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_budget_benches_the_account_and_says_so_once),
        cmocka_unit_test(failed_calls_cost_as_well),
        cmocka_unit_test(requests_side_by_side_do_not_go_over),
        cmocka_unit_test(what_the_journal_remembers_is_spent),
        cmocka_unit_test(a_skipped_hop_says_why_and_for_how_long),
        cmocka_unit_test(a_missing_model_is_said_loudly_and_once),
        cmocka_unit_test(one_that_starts_says_so),
        cmocka_unit_test(the_status_tells_all_of_a_hop),
        cmocka_unit_test(an_answer_is_told_with_what_all_its_attempts_cost),
        cmocka_unit_test(ready_means_that_somebody_can_answer),
    };
    return cmocka_run_group_tests(tests, fake_clock_setup, NULL);
}
