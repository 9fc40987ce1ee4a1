/* SPDX-License-Identifier: MIT */
#include "generator/watch.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

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

/* Writes `rate` tokens a second for so long, or until canceled; returns for how long it did. */
static sf_ms write_tokens(struct scene *s, double rate, sf_ms span)
{
    struct sf_time started = sf_now();
    while (sf_between(started, sf_now()) < span && !atomic_load(s->inner.cancel)) {
        double so_far = 1 + rate * sf_seconds(sf_between(started, sf_now()));
        tell(s, GEN_EVENT_TOKENS, (int64_t)so_far);
        (void)poll(NULL, 0, 2);
    }
    return sf_between(started, sf_now());
}

static void silence_is_stalling(void **state)
{
    (void)state;
    struct scene s;
    begin(&s, 60000, &rules);
    struct sf_time started = sf_now();
    while (!atomic_load(s.inner.cancel) && sf_between(started, sf_now()) < 5000) {
        (void)poll(NULL, 0, 2);
    }
    assert_in_range(sf_between(started, sf_now()), 150, 2000);
    assert_int_equal(end(&s), WATCH_STALLED);
}

static void any_event_is_progress(void **state)
{
    (void)state;
    struct scene s;
    begin(&s, 60000, &rules);
    for (int i = 0; i < 100; i++) {
        tell(&s, GEN_EVENT_HEARTBEAT, 0);
        (void)poll(NULL, 0, 4);
    }
    assert_false(atomic_load(s.inner.cancel));
    assert_int_equal(end(&s), WATCH_FINE);
}

static void under_the_floor_is_slow(void **state)
{
    (void)state;
    struct scene s;
    begin(&s, 60000, &rules);
    assert_in_range(write_tokens(&s, 40, 5000), 200, 2000);
    assert_int_equal(end(&s), WATCH_SLOW);
}

static void over_the_floor_is_fine(void **state)
{
    (void)state;
    struct scene s;
    begin(&s, 60000, &rules);
    assert_in_range(write_tokens(&s, 300, 700), 700, 5000);
    assert_int_equal(end(&s), WATCH_FINE);
}

static void one_that_writes_fast_and_then_crawls_is_slow(void **state)
{
    (void)state;
    struct scene s;
    begin(&s, 60000, &rules);
    (void)write_tokens(&s, 1000, 400);
    struct sf_time slowed = sf_now();
    while (!atomic_load(s.inner.cancel) && sf_between(slowed, sf_now()) < 5000) {
        tell(&s, GEN_EVENT_HEARTBEAT, 0); /* alive, but no tokens */
        (void)poll(NULL, 0, 2);
    }
    assert_in_range(sf_between(slowed, sf_now()), 150, 2000);
    assert_int_equal(end(&s), WATCH_SLOW);
}

static void before_the_first_token_there_is_no_floor(void **state)
{
    (void)state;
    struct scene s;
    begin(&s, 60000, &rules);
    for (int i = 0; i < 150; i++) {
        tell(&s, GEN_EVENT_PREFILL, i);
        (void)poll(NULL, 0, 4);
    }
    assert_int_equal(end(&s), WATCH_FINE);
}

static void no_floor_when_none_is_set(void **state)
{
    (void)state;
    struct scene s;
    struct watch_rules none = rules;
    none.min_tokens_per_second = 0;
    begin(&s, 60000, &none);
    (void)write_tokens(&s, 1, 600);
    assert_int_equal(end(&s), WATCH_FINE);
}

static void one_that_forgets_its_deadline_is_reminded(void **state)
{
    (void)state;
    struct scene s;
    begin(&s, 100, &rules);
    struct sf_time started = sf_now();
    while (!atomic_load(s.inner.cancel) && sf_between(started, sf_now()) < 5000) {
        tell(&s, GEN_EVENT_HEARTBEAT, 0);
        (void)poll(NULL, 0, 2);
    }
    assert_in_range(sf_between(started, sf_now()), 200, 2000);
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
    return cmocka_run_group_tests(tests, NULL, NULL);
}
