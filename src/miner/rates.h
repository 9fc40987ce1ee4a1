/* SPDX-License-Identifier: MIT */
#ifndef SF_MINER_RATES_H
#define SF_MINER_RATES_H

#include "base/clock.h"
#include "json/json.h"

/* What the answers to validators in the last hour were like; any thread, a leaf lock. NULL:
 * nothing. */
struct rates;

SF_MUST_USE enum sf_err rates_open(struct rates **out);
void rates_close(struct rates *r);

struct rates_answer {
    sf_ms took_ms;
    sf_ms margin_ms; /* left of the deadline */
    double multiplier;
    int64_t tokens; /* generated; 0 unknown */
};
void rates_note(struct rates *r, const struct rates_answer *a);

/* {"answers_total" (since the start), "by_multiplier":{"1.5","1.0","0.5"}, "tokens_per_second" (of
 * an answer), "p50_seconds", "deadline_margin_p5_seconds"}, null where there was no answer in the
 * last hour. NULL: out of memory. Caller owns. */
json_t *rates_json(struct rates *r);

#endif
