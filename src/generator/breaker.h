/* SPDX-License-Identifier: MIT */
#ifndef SF_GENERATOR_BREAKER_H
#define SF_GENERATOR_BREAKER_H

#include "base/clock.h"
#include "base/err.h"

/* A circuit breaker of one target: opens after failures in a row or a share of the last ones, lets
 * one probe through when its time is over, closes after a success. Beside that a target is benched
 * for as long as a rate limit says, or out until the configuration is loaded again. Not
 * thread-safe: the chain locks. */
struct breaker_options {
    int failures;            /* in a row */
    int window, min_samples; /* or `share` of the last `window`, at least so many */
    double share;
    sf_ms open_ms, open_max_ms; /* doubles */
    sf_ms bench_ms;             /* a rate limit that names no delay; doubles up to open_max_ms */
};
struct breaker_options breaker_options_default(void);

#define BREAKER_WINDOW_MAX 1000

struct breaker {
    struct breaker_options options;
    unsigned char halves[BREAKER_WINDOW_MAX]; /* half failures of the last calls: 0, 1 or 2 */
    int n, next, in_a_row_halves;
    bool open, probing, until_reload;
    struct sf_time until; /* while open */
    sf_ms pause;
    struct sf_time bench_until;
    sf_ms bench_pause;
};

enum breaker_state {
    BREAKER_CLOSED,
    BREAKER_HALF_OPEN, /* its time is over: one probe is under way, or the next call is it */
    BREAKER_OPEN,
    BREAKER_BENCHED, /* by a rate limit */
    BREAKER_RELOAD,  /* until the configuration is loaded again */
};

void breaker_init(struct breaker *b, const struct breaker_options *o);
/* May a call go out now? `probe`: it is the one that decides whether the breaker closes, to be
 * handed to breaker_note. */
bool breaker_admits(struct breaker *b, bool *probe);
/* The outcome of a call that was admitted, by its row in the table of errors. A late failure of a
 * call that began before the breaker opened does not lengthen its pause. `retry_after` is for
 * SF_ERATE: the pause that the target named, 0 none. */
void breaker_note(struct breaker *b, enum sf_err outcome, bool probe, sf_ms retry_after);
/* Would a call be refused now? No once the pause is over: the next call is the probe. */
bool breaker_is_open(const struct breaker *b);
/* What it is doing; `left_ms` of open and benched, -1 until a reload. */
enum breaker_state breaker_state(const struct breaker *b, sf_ms *left_ms);
/* A free look says that the target is back: the next call is the probe. */
void breaker_half_open(struct breaker *b);

#endif
