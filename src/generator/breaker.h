/* SPDX-License-Identifier: MIT */
#ifndef SF_GENERATOR_BREAKER_H
#define SF_GENERATOR_BREAKER_H

#include "base/clock.h"
#include "base/err.h"

/* A circuit breaker of one target: opens after failures in a row or a share of the last ones, lets
 * one probe through when its time is over, closes after a success. Not thread-safe: the chain
 * locks. */
struct breaker_options {
    int failures;            /* in a row */
    int window, min_samples; /* or `share` of the last `window`, at least so many */
    double share;
    sf_ms open_ms, open_max_ms; /* doubles */
};
struct breaker_options breaker_options_default(void);

#define BREAKER_WINDOW_MAX 32

struct breaker {
    struct breaker_options options;
    unsigned char halves[BREAKER_WINDOW_MAX]; /* half failures of the last calls: 0, 1 or 2 */
    int n, next, in_a_row_halves;
    bool open, probing;
    struct sf_time until;
    sf_ms pause;
};

void breaker_init(struct breaker *b, const struct breaker_options *o);
/* May a call go out now? True for one probe when the pause is over. */
bool breaker_admits(struct breaker *b);
/* The outcome of a call that was admitted. */
void breaker_note(struct breaker *b, enum sf_err outcome);
/* Would a call be refused now? No once the pause is over: the next call is the probe. */
bool breaker_is_open(const struct breaker *b);

#endif
