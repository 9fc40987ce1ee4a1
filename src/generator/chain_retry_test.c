/* SPDX-License-Identifier: MIT */
#include "generator/fake_test.h"

/* The retry table, row by row: how often the same target is asked and after which wait, what the
 * step says, what becomes of the breaker, and who answers. */
static const struct row {
    const char *name;
    enum sf_err fails[3];
    sf_ms retry_after_ms;
    int calls;
    sf_ms wait_min, wait_max; /* between the first two calls */
    enum sf_err code;         /* of the step; SF_OK: it answered */
    enum gen_gate gate;
    sf_ms gate_left; /* about; 0 not looked at */
} rows[] = {
    {"a temporary failure", {SF_ETRANSIENT}, 0, 2, 50, 600, SF_OK, GEN_GATE_CLOSED, 0},
    {"two temporary failures",
     {SF_ETRANSIENT, SF_ETRANSIENT},
     0,
     2,
     50,
     600,
     SF_ETRANSIENT,
     GEN_GATE_CLOSED,
     0},
    {"a rate limit that fits", {SF_ERATE}, 300, 2, 300, 900, SF_OK, GEN_GATE_CLOSED, 0},
    {"a rate limit that fits, twice",
     {SF_ERATE, SF_ERATE},
     300,
     2,
     300,
     900,
     SF_ERATE,
     GEN_GATE_BENCHED,
     300},
    {"a rate limit that does not fit",
     {SF_ERATE},
     60000,
     1,
     0,
     0,
     SF_ERATE,
     GEN_GATE_BENCHED,
     60000},
    {"a rate limit that names no delay", {SF_ERATE}, 0, 1, 0, 0, SF_ERATE, GEN_GATE_BENCHED, 5000},
    {"a refused account", {SF_EACCOUNT}, 0, 1, 0, 0, SF_EACCOUNT, GEN_GATE_CLOSED, 0},
    {"a refused shape", {SF_ESHAPE}, 0, 2, 0, 300, SF_OK, GEN_GATE_CLOSED, 0},
    {"a shape refused twice", {SF_ESHAPE, SF_ESHAPE}, 0, 2, 0, 300, SF_ESHAPE, GEN_GATE_CLOSED, 0},
    {"a missing model", {SF_EMODEL}, 0, 1, 0, 0, SF_EMODEL, GEN_GATE_RELOAD, -1},
    {"a wrong configuration", {SF_ECONFIG}, 0, 1, 0, 0, SF_ECONFIG, GEN_GATE_RELOAD, -1},
    {"a refusal", {SF_ECONTENT}, 0, 1, 0, 0, SF_ECONTENT, GEN_GATE_CLOSED, 0},
    {"a cut answer", {SF_EINCOMPLETE}, 0, 2, 0, 300, SF_OK, GEN_GATE_CLOSED, 0},
    {"two cut answers",
     {SF_EINCOMPLETE, SF_EINCOMPLETE},
     0,
     2,
     0,
     300,
     SF_EINCOMPLETE,
     GEN_GATE_CLOSED,
     0},
    {"a slow one", {SF_ESLOW}, 0, 1, 0, 0, SF_ESLOW, GEN_GATE_CLOSED, 0},
    {"a crash", {SF_ECRASH}, 0, 1, 0, 0, SF_ECRASH, GEN_GATE_CLOSED, 0},
    {"an overloaded one", {SF_EBUSY}, 0, 1, 0, 0, SF_EBUSY, GEN_GATE_CLOSED, 0},
    {"a code that stops a walk", {SF_EINVAL}, 0, 1, 0, 0, SF_EINTERNAL, GEN_GATE_CLOSED, 0},
    {"a cancellation nobody asked for",
     {SF_ECANCELED},
     0,
     1,
     0,
     0,
     SF_EINTERNAL,
     GEN_GATE_CLOSED,
     0},
    {"one failure of each kind",
     {SF_ETRANSIENT, SF_ESHAPE, SF_EINCOMPLETE},
     0,
     4,
     50,
     600,
     SF_OK,
     GEN_GATE_CLOSED,
     0},
};

static void check_row(const struct row *row)
{
    struct fake a = {.retry_after_ms = row->retry_after_ms}, b = {.calls = 0};
    struct gen_trail trail;
    struct gen_hop_status status[GEN_CHAIN_MAX];
    print_message("    %s\n", row->name);
    memcpy(a.fails, row->fails, sizeof row->fails);
    struct gen_chain *c = chain_of((struct fake *[]){&a, &b}, 2, gen_chain_options_default());
    assert_int_equal(ask(c, 10000, NULL, &trail, NULL), SF_OK);
    assert_int_equal(a.calls, row->calls);
    assert_int_equal(trail.steps[0].attempts, row->calls);
    assert_int_equal(trail.steps[0].code, row->code);
    assert_string_equal(trail.answered->name, row->code == SF_OK ? "g0" : "g1");
    if (row->calls > 1) {
        assert_in_range(a.called_ms[1] - a.called_ms[0], row->wait_min, row->wait_max);
    }
    for (int i = 0; i < row->calls && i < 3; i++) {
        bool foreign = row->fails[i] == SF_EINVAL || row->fails[i] == SF_ECANCELED;
        assert_int_equal(trail.steps[0].list[i].code, foreign ? SF_EINTERNAL : row->fails[i]);
    }
    (void)gen_chain_status(c, status);
    assert_int_equal(status[0].gate, row->gate);
    if (row->gate_left > 0) {
        assert_in_range(status[0].gate_left_ms, row->gate_left - 150, row->gate_left);
    }
    gen_chain_close(c);
}

static void every_row_of_the_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        check_row(&rows[i]);
    }
}

/* How many requests that all fail in one way open the breaker, and with how many calls. */
static void what_counts_opens_the_breaker(void **state)
{
    (void)state;
    static const struct {
        enum sf_err code;
        int requests, calls; /* 0: never */
    } counts[] = {{SF_ETRANSIENT, 2, 3}, {SF_ESLOW, 3, 3},        {SF_ECRASH, 3, 3},
                  {SF_EINTERNAL, 3, 3},  {SF_EIO, 3, 3},          {SF_EINCOMPLETE, 3, 6},
                  {SF_ENOMEM, 6, 6},     {SF_ECONTENT, 0, 12},    {SF_ESHAPE, 0, 24},
                  {SF_EBUSY, 0, 12},     {SF_EUNAVAILABLE, 0, 12}};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        struct fake a = {.always = counts[i].code}, b = {.calls = 0};
        struct gen_trail trail;
        struct gen_hop_status status[GEN_CHAIN_MAX];
        struct gen_chain_options o = gen_chain_options_default();
        int requests = 0;
        o.jitter_min_ms = o.jitter_max_ms = 1;
        struct gen_chain *c = chain_of((struct fake *[]){&a, &b}, 2, o);
        do {
            assert_int_equal(ask(c, 10000, NULL, &trail, NULL), SF_OK);
            requests++;
            (void)gen_chain_status(c, status);
        } while (!status[0].breaker_open && requests < 12);
        assert_int_equal(status[0].breaker_open, counts[i].requests > 0);
        assert_int_equal(requests, counts[i].requests > 0 ? counts[i].requests : 12);
        assert_int_equal(a.calls, counts[i].calls);
        gen_chain_close(c);
    }
}

static void a_slow_failure_leaves_no_retry(void **state)
{
    (void)state;
    struct fake a = {.always = SF_ETRANSIENT, .takes_ms = 150}, b = {.calls = 0};
    struct gen_trail trail;
    struct gen_chain_options o = gen_chain_options_default();
    o.progress_ms = 200;
    struct gen_chain *c = chain_of((struct fake *[]){&a, &b}, 2, o);
    assert_int_equal(ask(c, 10000, NULL, &trail, NULL), SF_OK);
    assert_int_equal(a.calls, 1);
    gen_chain_close(c);
}

static void a_retry_that_does_not_fit_is_left_out(void **state)
{
    (void)state;
    struct fake a = {.always = SF_ETRANSIENT}, b = {.calls = 0};
    struct gen_trail trail;
    struct gen_chain *c = chain_of((struct fake *[]){&a, &b}, 2, gen_chain_options_default());
    assert_int_equal(ask(c, 1000, NULL, &trail, NULL), SF_OK); /* 500 ms for it, 500 must remain */
    assert_int_equal(a.calls, 1);
    assert_string_equal(trail.answered->name, "g1");
    gen_chain_close(c);
}

static void a_retry_has_another_seed(void **state)
{
    (void)state;
    struct fake a = {.fails = {SF_EINCOMPLETE}};
    struct gen_trail trail;
    struct gen_chain *c = chain_of((struct fake *[]){&a}, 1, gen_chain_options_default());
    assert_int_equal(ask(c, 10000, NULL, &trail, NULL), SF_OK);
    assert_true(a.seeds[0] != a.seeds[1]);
    gen_chain_close(c);
}

/* The best of three: the machine may be busy, the chain must not be. */
static void falling_through_takes_no_time(void **state)
{
    (void)state;
    sf_ms best = 1000;
    for (int i = 0; i < 3; i++) {
        struct fake a = {.always = SF_ECRASH}, b = {.calls = 0};
        struct gen_trail trail;
        struct gen_chain *c = chain_of((struct fake *[]){&a, &b}, 2, gen_chain_options_default());
        assert_int_equal(ask(c, 10000, NULL, &trail, NULL), SF_OK);
        sf_ms took = b.called_ms[0] - a.ended_ms;
        best = took < best ? took : best;
        gen_chain_close(c);
    }
    print_message("    %lld ms\n", (long long)best);
    assert_in_range(best, 0, 49);
}

static void an_account_is_out_for_all_its_hops(void **state)
{
    (void)state;
    static const char *const accounts[] = {"acme", "acme", "other"};
    struct fake a = {.always = SF_EACCOUNT}, b = {.calls = 0}, d = {.calls = 0};
    struct gen_trail trail;
    struct gen_hop_status status[GEN_CHAIN_MAX];
    struct gen_chain_options o = gen_chain_options_default();
    struct gen_chain *c = chain_with((struct fake *[]){&a, &b, &d}, accounts,
                                     (struct gen_limits){.requests_per_hour = 0}, 3, &o);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(ask(c, 10000, NULL, &trail, NULL), SF_OK);
        assert_string_equal(trail.answered->name, "g2");
    }
    assert_int_equal(a.calls, 1);
    assert_int_equal(b.calls, 0);
    assert_string_equal(trail.steps[1].account, "acme");
    assert_non_null(
        strstr(trail.steps[1].reason, "account refused, asked again in 15 min: as the"));
    (void)gen_chain_status(c, status);
    assert_in_range(status[1].account_left_ms, 890000, 900000);
    assert_false(status[1].can_answer);
    assert_true(status[2].can_answer);
    put_forward(900000);
    assert_int_equal(ask(c, 10000, NULL, &trail, NULL), SF_OK); /* one call tries it again */
    assert_int_equal(a.calls, 2);
    assert_int_equal(b.calls, 0);
    a.always = SF_OK;
    put_forward(900000);
    assert_int_equal(ask(c, 10000, NULL, &trail, NULL), SF_OK);
    assert_string_equal(trail.answered->name, "g0");
    gen_chain_close(c);
}

static void *ask_once(void *chain)
{
    struct gen_trail trail;
    return ask(chain, 10000, NULL, &trail, NULL) == SF_OK ? NULL : chain;
}

static void ask_at_once(struct gen_chain *c, size_t n)
{
    pthread_t threads[16];
    assert_true(n <= 16);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, ask_once, c), 0);
    }
    for (size_t i = 0; i < n; i++) {
        void *failed = NULL;
        (void)pthread_join(threads[i], &failed);
        assert_null(failed);
    }
}

static void one_request_alone_tries_a_breaker_whose_time_is_over(void **state)
{
    (void)state;
    struct fake a = {.fails = {SF_ECRASH, SF_ECRASH, SF_ECRASH}}, b = {.calls = 0};
    struct gen_trail trail;
    struct gen_chain *c = chain_of((struct fake *[]){&a, &b}, 2, gen_chain_options_default());
    for (int i = 0; i < 4; i++) {
        assert_int_equal(ask(c, 10000, NULL, &trail, NULL), SF_OK);
    }
    assert_int_equal(a.calls, 3);
    put_forward(5000);
    a.takes_ms = 300;
    ask_at_once(c, 8);
    assert_int_equal(a.calls, 4);
    assert_int_equal(b.calls, 4 + 7);
    ask_at_once(c, 4); /* its success closed it */
    assert_int_equal(a.calls, 8);
    gen_chain_close(c);
}

static void one_request_alone_tries_an_account_whose_time_is_over(void **state)
{
    (void)state;
    static const char *const accounts[] = {"acme", "acme", "other"};
    struct fake a = {.fails = {SF_EACCOUNT, SF_ECONTENT}}, b = {.takes_ms = 300}, d = {.calls = 0};
    struct gen_trail trail;
    struct gen_chain_options o = gen_chain_options_default();
    struct gen_chain *c = chain_with((struct fake *[]){&a, &b, &d}, accounts,
                                     (struct gen_limits){.requests_per_hour = 0}, 3, &o);
    assert_int_equal(ask(c, 10000, NULL, &trail, NULL), SF_OK);
    put_forward(900000);
    assert_int_equal(ask(c, 10000, NULL, &trail, NULL), SF_OK); /* a refusal decides nothing */
    assert_int_equal(a.calls, 2);
    assert_string_equal(trail.answered->name, "g1"); /* the next one of the account does */
    assert_int_equal(ask(c, 10000, NULL, &trail, NULL), SF_OK);
    assert_string_equal(trail.answered->name, "g0");
    a.fails[3] = SF_EACCOUNT;
    assert_int_equal(ask(c, 10000, NULL, &trail, NULL), SF_OK);
    put_forward(900000);
    a.takes_ms = 300;
    int before = a.calls + b.calls;
    ask_at_once(c, 6);
    assert_int_equal(a.calls + b.calls, before + 1);
    gen_chain_close(c);
}

static void a_fallback_is_benched_like_a_primary(void **state)
{
    (void)state;
    struct fake a = {.state = GEN_DOWN}, b = {.always = SF_ECRASH}, d = {.calls = 0};
    struct gen_trail trail;
    struct gen_chain *c = chain_of((struct fake *[]){&a, &b, &d}, 3, gen_chain_options_default());
    for (int i = 0; i < 15; i++) {
        assert_int_equal(ask(c, 10000, NULL, &trail, NULL), SF_OK);
    }
    assert_int_equal(b.calls, 3);
    assert_int_equal(d.calls, 15);
    gen_chain_close(c);
}

static void a_rate_limit_is_waited_for_where_nobody_else_is_left(void **state)
{
    (void)state;
    struct fake a = {.fails = {SF_ERATE}, .retry_after_ms = 400};
    struct gen_trail trail;
    struct gen_chain *c = chain_of((struct fake *[]){&a}, 1, gen_chain_options_default());
    assert_int_equal(ask(c, 700, NULL, &trail, NULL), SF_EUNAVAILABLE);
    assert_int_equal(ask(c, 10000, NULL, &trail, NULL), SF_OK);
    assert_int_equal(a.calls, 2);
    assert_in_range(a.called_ms[1] - a.called_ms[0], 400, 600);
    gen_chain_close(c);
}

static void a_pause_that_leaves_no_time_for_an_answer_is_not_waited_for(void **state)
{
    (void)state;
    struct fake a = {.takes_ms = 700, .fails = {SF_OK, SF_ERATE}, .retry_after_ms = 300};
    struct fake b = {.calls = 0};
    struct gen_trail trail;
    struct gen_chain_options o = gen_chain_options_default();
    o.reserve_ms = 100;
    struct gen_chain *c = chain_of((struct fake *[]){&a, &b}, 2, o);
    assert_int_equal(ask(c, 10000, NULL, &trail, NULL), SF_OK);
    assert_int_equal(ask(c, 1900, NULL, &trail, NULL), SF_OK); /* 1100 left, 300 + 700 + 500 due */
    assert_int_equal(a.calls, 2);
    assert_string_equal(trail.answered->name, "g1");
    gen_chain_close(c);
}

struct canceling {
    atomic_bool flag;
    const struct fake *when; /* so many ms after its first call */
    sf_ms after, at;
};

static void *cancel_later(void *arg)
{
    struct canceling *k = arg;
    while (atomic_load(&k->when->calls) == 0) {
        (void)poll(NULL, 0, 1);
    }
    (void)poll(NULL, 0, (int)k->after);
    k->at = sf_now().ms;
    atomic_store(&k->flag, true);
    return NULL;
}

static void a_cancellation_ends_every_wait(void **state)
{
    (void)state;
    static const enum sf_err waits[] = {SF_ERATE, SF_ETRANSIENT};
    for (size_t i = 0; i < 2; i++) {
        sf_ms best = 1000;
        for (int k = 0; k < 3; k++) {
            struct fake a = {.always = waits[i], .retry_after_ms = 5000}, b = {.calls = 0};
            struct gen_trail trail;
            struct gen_chain_options o = gen_chain_options_default();
            struct canceling cancel = {.when = &a, .after = 60};
            pthread_t thread;
            o.jitter_min_ms = o.jitter_max_ms = 3000;
            struct gen_chain *c = chain_of((struct fake *[]){&a, &b}, 2, o);
            assert_int_equal(pthread_create(&thread, NULL, cancel_later, &cancel), 0);
            assert_int_equal(ask(c, 20000, &cancel.flag, &trail, NULL), SF_ECANCELED);
            sf_ms took = sf_now().ms;
            (void)pthread_join(thread, NULL);
            took -= cancel.at;
            best = took < best ? took : best;
            assert_int_equal(a.calls, 1);
            assert_int_equal(b.calls, 0);
            gen_chain_close(c);
        }
        assert_in_range(best, 0, 50);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_of_the_table),
        cmocka_unit_test(what_counts_opens_the_breaker),
        cmocka_unit_test(a_slow_failure_leaves_no_retry),
        cmocka_unit_test(a_retry_that_does_not_fit_is_left_out),
        cmocka_unit_test(a_retry_has_another_seed),
        cmocka_unit_test(falling_through_takes_no_time),
        cmocka_unit_test(an_account_is_out_for_all_its_hops),
        cmocka_unit_test(one_request_alone_tries_a_breaker_whose_time_is_over),
        cmocka_unit_test(one_request_alone_tries_an_account_whose_time_is_over),
        cmocka_unit_test(a_fallback_is_benched_like_a_primary),
        cmocka_unit_test(a_rate_limit_is_waited_for_where_nobody_else_is_left),
        cmocka_unit_test(a_pause_that_leaves_no_time_for_an_answer_is_not_waited_for),
        cmocka_unit_test(a_cancellation_ends_every_wait),
    };
    return cmocka_run_group_tests(tests, fake_clock_setup, NULL);
}
