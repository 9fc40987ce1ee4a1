/* SPDX-License-Identifier: MIT */
#include "generator/breaker.h"

struct breaker_options breaker_options_default(void)
{
    return (struct breaker_options){.failures = 3,
                                    .window = 20,
                                    .min_samples = 6,
                                    .share = 0.5,
                                    .open_ms = 5000,
                                    .open_max_ms = 300000,
                                    .bench_ms = 5000};
}

void breaker_init(struct breaker *b, const struct breaker_options *o)
{
    *b = (struct breaker){.options = *o, .pause = o->open_ms, .bench_pause = o->bench_ms};
    if (b->options.window > BREAKER_WINDOW_MAX) {
        b->options.window = BREAKER_WINDOW_MAX;
    }
}

static bool is_benched(const struct breaker *b)
{
    return b->bench_until.ms != 0 && sf_until(b->bench_until) > 0;
}

bool breaker_is_open(const struct breaker *b)
{
    return b->until_reload || is_benched(b) || (b->open && (b->probing || sf_until(b->until) > 0));
}

bool breaker_admits(struct breaker *b, bool *probe)
{
    *probe = false;
    if (breaker_is_open(b)) {
        return false;
    }
    b->probing = b->open;
    *probe = b->open;
    return true;
}

enum breaker_state breaker_state(const struct breaker *b, sf_ms *left_ms)
{
    sf_ms bench = is_benched(b) ? sf_until(b->bench_until) : 0;
    sf_ms open = b->open && !b->probing ? sf_until(b->until) : 0;
    *left_ms = b->until_reload ? -1 : 0;
    if (b->until_reload) {
        return BREAKER_RELOAD;
    }
    if (bench > 0 && bench >= open) {
        *left_ms = bench;
        return BREAKER_BENCHED;
    }
    if (open > 0) {
        *left_ms = open;
        return BREAKER_OPEN;
    }
    return b->open ? BREAKER_HALF_OPEN : BREAKER_CLOSED;
}

void breaker_half_open(struct breaker *b)
{
    if (b->open && !b->probing) {
        b->until = sf_now();
    }
}

static sf_ms doubled(const struct breaker *b, sf_ms pause)
{
    return pause > b->options.open_max_ms / 2 ? b->options.open_max_ms : pause * 2;
}

static void open_for(struct breaker *b, sf_ms pause)
{
    b->open = true;
    b->probing = false;
    b->until = sf_after(sf_now(), pause);
}

/* No server may send itself away for longer by what it says. */
#define BENCH_MAX_MS 3600000

/* Several calls that were under way together are one event: only the first one that names no delay
 * lengthens the next pause. */
static void bench(struct breaker *b, sf_ms retry_after)
{
    bool already = is_benched(b);
    if (retry_after <= 0 && already) {
        return;
    }
    sf_ms named = retry_after < BENCH_MAX_MS ? retry_after : BENCH_MAX_MS;
    struct sf_time until = sf_after(sf_now(), named > 0 ? named : b->bench_pause);
    if (retry_after <= 0) {
        b->bench_pause = doubled(b, b->bench_pause);
    }
    if (!already || until.ms > b->bench_until.ms) {
        b->bench_until = until;
    }
}

static bool too_many(const struct breaker *b)
{
    int sum = 0;
    for (int i = 0; i < b->n; i++) {
        sum += b->halves[i];
    }
    bool by_share =
        b->n >= b->options.min_samples && (double)sum / 2.0 >= b->options.share * (double)b->n;
    return b->in_a_row_halves >= 2 * b->options.failures || by_share;
}

static void record(struct breaker *b, unsigned char halves)
{
    b->halves[b->next] = halves;
    b->next = (b->next + 1) % b->options.window;
    b->n = b->n < b->options.window ? b->n + 1 : b->n;
    b->in_a_row_halves = halves == 0 ? 0 : b->in_a_row_halves + halves;
}

static void succeed(struct breaker *b)
{
    struct breaker_options o = b->options;
    bool until_reload = b->until_reload;
    struct sf_time bench_until = b->bench_until;
    if (b->open) {
        breaker_init(b, &o);
        b->until_reload = until_reload;
        b->bench_until = bench_until;
    }
    b->bench_pause = o.bench_ms;
    record(b, 0);
}

static void fail(struct breaker *b, unsigned char halves, bool probe)
{
    record(b, halves);
    if (b->open && probe) {
        b->pause = doubled(b, b->pause);
        open_for(b, b->pause);
    } else if (!b->open && too_many(b)) {
        open_for(b, b->pause);
    }
}

void breaker_note(struct breaker *b, enum sf_err outcome, bool probe, sf_ms retry_after)
{
    if (outcome == SF_OK) {
        succeed(b);
        return;
    }
    switch (sf_err_info(outcome)->breaker) {
    case SF_BREAKER_COUNT:
        fail(b, 2, probe);
        break;
    case SF_BREAKER_SOFT:
        fail(b, 1, probe);
        break;
    case SF_BREAKER_BENCH:
        bench(b, retry_after);
        break;
    case SF_BREAKER_RELOAD:
        b->until_reload = true;
        break;
    case SF_BREAKER_ACCOUNT: /* the account's, not the target's */
    case SF_BREAKER_NONE:
        break;
    }
    if (probe) {
        b->probing = false;
    }
}
