/* SPDX-License-Identifier: MIT */
#include "generator/breaker.h"

struct breaker_options breaker_options_default(void)
{
    return (struct breaker_options){.failures = 3,
                                    .window = 20,
                                    .min_samples = 6,
                                    .share = 0.5,
                                    .open_ms = 5000,
                                    .open_max_ms = 300000};
}

void breaker_init(struct breaker *b, const struct breaker_options *o)
{
    *b = (struct breaker){.options = *o, .pause = o->open_ms};
    if (b->options.window > BREAKER_WINDOW_MAX) {
        b->options.window = BREAKER_WINDOW_MAX;
    }
}

bool breaker_is_open(const struct breaker *b)
{
    return b->open && (b->probing || sf_until(b->until) > 0);
}

bool breaker_admits(struct breaker *b)
{
    if (breaker_is_open(b)) {
        return false;
    }
    b->probing = b->open;
    return true;
}

static void open_for(struct breaker *b, sf_ms pause)
{
    b->open = true;
    b->probing = false;
    b->until = sf_after(sf_now(), pause);
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

void breaker_note(struct breaker *b, enum sf_err outcome)
{
    enum sf_breaker_effect effect = sf_err_info(outcome)->breaker;
    bool fails = effect == SF_BREAKER_COUNT || effect == SF_BREAKER_SOFT;
    if (outcome == SF_OK) {
        struct breaker_options o = b->options;
        bool was_open = b->open;
        if (was_open) {
            breaker_init(b, &o);
        }
        record(b, 0);
        return;
    }
    if (!fails) {
        b->probing = false;
        return;
    }
    record(b, effect == SF_BREAKER_COUNT ? 2 : 1);
    if (b->open) { /* the probe failed */
        b->pause = b->pause * 2 > b->options.open_max_ms ? b->options.open_max_ms : b->pause * 2;
        open_for(b, b->pause);
    } else if (too_many(b)) {
        open_for(b, b->pause);
    }
}
