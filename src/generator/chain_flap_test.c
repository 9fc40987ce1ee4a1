/* SPDX-License-Identifier: MIT */
#include "base/log.h"
#include "generator/listener_test.h"

#include <dirent.h>
#include <malloc.h>

/* Ten thousand requests through generators that come and go, with a clock that is put forward
 * between them: every one is answered, and neither memory nor descriptors grow. */

static size_t open_descriptors(void)
{
    size_t n = 0;
    DIR *d = opendir("/proc/self/fd");
    assert_non_null(d);
    while (readdir(d) != NULL) { // NOLINT(concurrency-mt-unsafe)
        n++;
    }
    (void)closedir(d);
    return n;
}

static size_t bytes_in_use(void)
{
    return mallinfo2().uordblks; /* 0 under a sanitizer, which looks for leaks itself */
}

static const enum sf_err moods[] = {SF_OK,          SF_ETRANSIENT, SF_OK,       SF_ESLOW,
                                    SF_EINCOMPLETE, SF_OK,         SF_ERATE,    SF_ECONTENT,
                                    SF_OK,          SF_ECRASH,     SF_EACCOUNT, SF_ESHAPE};

static void flap(struct fake *a, struct fake *b, int i)
{
    a->always = moods[i / 17 % 12];
    b->always = moods[i / 29 % 12];
    a->retry_after_ms = i % 2 == 0 ? 0 : 4000;
    b->retry_after_ms = 60000;
    a->lacks_times = i % 5 == 0 ? 1 : 0;
    atomic_store(&b->state, i / 500 % 4 == 3 ? GEN_DOWN : GEN_READY);
    put_forward(700);
}

static void flapping(struct gen_chain_options o, int requests)
{
    struct fake a = {.lacks = "tone", .parts = true, .streams = true}, b = {.numbered = true};
    struct fake d = {.streams = true};
    struct gen_trail trail;
    size_t memory = 0, descriptors = 0;
    int by[3] = {0};
    o.jitter_min_ms = o.jitter_max_ms = 0;
    o.account_open_ms = 3000;
    o.breaker.open_max_ms = 10000;
    struct gen_chain *c =
        chain_with((struct fake *[]){&a, &b, &d}, (const char *const[]){"x", "y", ""},
                   (struct gen_limits){.requests_per_hour = 100000}, 3, &o);
    for (int i = 0; i < requests; i++) {
        struct listener l;
        listener_init(&l);
        struct asking asking = {
            .within = 3000, .seed = (uint64_t)i, .on_event = listen, .event_arg = &l};
        flap(&a, &b, i);
        assert_int_equal(ask_with(c, &asking, &trail, NULL), SF_OK);
        assert_int_equal(l.wrong, 0);
        by[trail.answered->name[1] - '0']++;
        listener_fini(&l);
        if (i == requests / 10) {
            memory = bytes_in_use();
            descriptors = open_descriptors();
        }
    }
    assert_in_range(bytes_in_use(), 0, memory + 65536);
    assert_int_equal(open_descriptors(), descriptors);
    for (int i = 0; i < 3; i++) {
        assert_true(by[i] > requests / 20); /* each had its time */
    }
    print_message("    answered by %d, %d, %d; calls %d, %d, %d\n", by[0], by[1], by[2], a.calls,
                  b.calls, d.calls);
    gen_chain_close(c);
}

static void ten_thousand_requests_are_all_answered(void **state)
{
    (void)state;
    flapping(gen_chain_options_default(), 10000);
}

static void while_free_looks_go_on(void **state)
{
    (void)state;
    struct gen_chain_options o = gen_chain_options_default();
    o.probe_interval_ms = 2;
    flapping(o, 2000);
}

/* Races leave nothing behind either: the losers' threads have ended when the chain is closed. */
static void a_thousand_races(void **state)
{
    (void)state;
    struct gen_trail trail;
    struct gen_chain_options o = gen_chain_options_default();
    size_t memory = 0, descriptors = 0;
    o.hedge_after_ms = 1;
    o.jitter_min_ms = o.jitter_max_ms = 0;
    for (int round = 0; round < 10; round++) {
        struct fake a = {.takes_ms = 3, .fails = {SF_OK, SF_ECRASH, SF_ETRANSIENT}};
        struct fake b = {.takes_ms = 1, .streams = true};
        struct gen_chain *c = chain_of((struct fake *[]){&a, &b}, 2, o);
        for (int i = 0; i < 100; i++) {
            assert_int_equal(ask(c, 5000, NULL, &trail, NULL), SF_OK);
        }
        gen_chain_close(c);
        assert_int_equal(a.at_once + b.at_once, 0);
        if (round == 4) {
            memory = bytes_in_use();
            descriptors = open_descriptors();
        }
    }
    assert_in_range(bytes_in_use(), 0, memory + 262144);
    assert_int_equal(open_descriptors(), descriptors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ten_thousand_requests_are_all_answered),
        cmocka_unit_test(while_free_looks_go_on),
        cmocka_unit_test(a_thousand_races),
    };
    log_setup(LOG_ERROR, LOG_FORMAT_LOGFMT);
    return cmocka_run_group_tests(tests, fake_clock_setup, NULL);
}
