/* SPDX-License-Identifier: MIT */
#include "generator/watch.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* The time is the test's; the watch looks at it every few ms of real time. */
static _Atomic int64_t now_ms = 1000000;

static int64_t clock_ms(void)
{
    return atomic_load(&now_ms);
}

static const struct watch_rules rules = {
    .patience_ms = 150, .min_tokens_per_second = 100, .window_ms = 200};

struct scene {
    struct watch *watch;
    struct watched item;
    struct gen_call outer, inner;
};

static void begin(struct scene *s, sf_ms within, const struct watch_rules *r)
{
    assert_int_equal(watch_open(&s->watch), SF_OK);
    s->outer = (struct gen_call){.deadline = sf_after(sf_now(), within)};
    s->inner = s->outer;
    watch_begin(s->watch, &s->item, &s->outer, r, &s->inner);
}

static enum watch_verdict end(struct scene *s)
{
    enum watch_verdict verdict = watch_end(s->watch, &s->item);
    watch_close(s->watch);
    return verdict;
}

static void tell(struct scene *s, enum gen_event_kind kind, int64_t done)
{
    struct gen_event e = {.kind = kind, .done = done};
    s->inner.on_event(s->inner.event_arg, &e);
}

/* Puts the clock forward in steps, tells an event at each, and lets the watch look, until `span` is
 * over or the call canceled. Returns how long that took. */
static sf_ms go_on(struct scene *s, enum gen_event_kind kind, double rate, sf_ms span)
{
    const sf_ms step = 20;
    int64_t before = atomic_load(&s->item.tokens);
    sf_ms passed = 0;
    while (passed < span && !atomic_load(s->inner.cancel)) {
        (void)atomic_fetch_add(&now_ms, step);
        passed += step;
        if (rate >= 0) {
            tell(s, kind, before + 1 + (int64_t)(rate * sf_seconds(passed)));
        }
        (void)poll(NULL, 0, 12);
    }
    return passed;
}

static void silence_is_stalling(void **state)
{
    (void)state;
    struct scene s;
    begin(&s, 60000, &rules);
    assert_in_range(go_on(&s, GEN_EVENT_HEARTBEAT, -1, 50000), 160, 49999);
    assert_int_equal(end(&s), WATCH_STALLED);
}

static void any_event_is_progress(void **state)
{
    (void)state;
    struct scene s;
    begin(&s, 60000, &rules);
    assert_int_equal(go_on(&s, GEN_EVENT_HEARTBEAT, 0, 1000), 1000);
    assert_int_equal(end(&s), WATCH_FINE);
}

static void under_the_floor_is_slow(void **state)
{
    (void)state;
    struct scene s;
    begin(&s, 600000, &rules);
    assert_in_range(go_on(&s, GEN_EVENT_TOKENS, 40, 50000), 200, 49999);
    assert_int_equal(end(&s), WATCH_SLOW);
}

static void over_the_floor_is_fine(void **state)
{
    (void)state;
    struct scene s;
    begin(&s, 60000, &rules);
    assert_int_equal(go_on(&s, GEN_EVENT_TOKENS, 300, 1200), 1200);
    assert_int_equal(end(&s), WATCH_FINE);
}

static void one_that_writes_fast_and_then_crawls_is_slow(void **state)
{
    (void)state;
    struct scene s;
    begin(&s, 600000, &rules);
    assert_int_equal(go_on(&s, GEN_EVENT_TOKENS, 1000, 600), 600);
    assert_in_range(go_on(&s, GEN_EVENT_HEARTBEAT, 0, 50000), 100, 49999); /* alive, no tokens */
    assert_int_equal(end(&s), WATCH_SLOW);
}

static void before_the_first_token_there_is_no_floor(void **state)
{
    (void)state;
    struct scene s;
    begin(&s, 60000, &rules);
    assert_int_equal(go_on(&s, GEN_EVENT_PREFILL, 1, 1200), 1200);
    assert_int_equal(end(&s), WATCH_FINE);
}

static void no_floor_when_none_is_set(void **state)
{
    (void)state;
    struct scene s;
    struct watch_rules none = rules;
    none.min_tokens_per_second = 0;
    begin(&s, 60000, &none);
    assert_int_equal(go_on(&s, GEN_EVENT_TOKENS, 1, 1200), 1200);
    assert_int_equal(end(&s), WATCH_FINE);
}

static void one_that_forgets_its_deadline_is_reminded(void **state)
{
    (void)state;
    struct scene s;
    begin(&s, 100, &rules);
    assert_in_range(go_on(&s, GEN_EVENT_HEARTBEAT, 0, 50000), 200, 49999);
    assert_int_equal(end(&s), WATCH_LATE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(silence_is_stalling),
        cmocka_unit_test(any_event_is_progress),
        cmocka_unit_test(under_the_floor_is_slow),
        cmocka_unit_test(over_the_floor_is_fine),
        cmocka_unit_test(one_that_writes_fast_and_then_crawls_is_slow),
        cmocka_unit_test(before_the_first_token_there_is_no_floor),
        cmocka_unit_test(no_floor_when_none_is_set),
        cmocka_unit_test(one_that_forgets_its_deadline_is_reminded),
    };
    sf_clock_inject(clock_ms, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
