/* SPDX-License-Identifier: MIT */
#ifndef SF_GENERATOR_BUDGET_H
#define SF_GENERATOR_BUDGET_H

#include "base/clock.h"

#include <stdbool.h>
#include <stddef.h>

/* What one provider account may spend: requests in any hour, dollars in any day. What calls under
 * way may still need is held back, so that calls side by side cannot go over. Counted in slots of
 * 10 s and 60 s, each kept a slot longer than the window: never over, at most a slot late. Not
 * thread-safe: the chain locks. */
#define BUDGET_HOUR_SLOTS 361
#define BUDGET_DAY_SLOTS 1441

struct budget_slot {
    int64_t index; /* absolute number of the slot */
    double amount;
};

struct budget {
    int64_t requests_per_hour; /* 0 no limit */
    double cost_per_day;       /* dollars; 0 no limit */
    struct budget_slot hour[BUDGET_HOUR_SLOTS];
    struct budget_slot day[BUDGET_DAY_SLOTS];
    int64_t held_requests;
    double held_cost;
    double dearest; /* call so far: what one under way is taken to cost */
};

/* What one call holds back until its requests are counted. */
struct budget_hold {
    int64_t requests;
    double cost;
};

void budget_init(struct budget *b, int64_t requests_per_hour, double cost_per_day);
/* Holds back `requests` and what the dearest call so far cost; false when a limit is reached (hold
 * unchanged and not to be given back). The cost is known only behind a call: the last one may end
 * over the limit, by itself alone. */
bool budget_reserve(struct budget *b, int64_t requests, struct budget_hold *hold);
/* Counts what was spent `age_ms` ago; what the call had held back (NULL: nothing) shrinks. */
void budget_count(struct budget *b, sf_ms age_ms, int64_t requests, double cost,
                  struct budget_hold *hold);
/* Takes over what another one has counted, in place of what this one has; the limits stay. */
void budget_inherit(struct budget *b, const struct budget *from);
/* Gives back what is still held at the end of a call that cost `cost` in all. */
void budget_release(struct budget *b, struct budget_hold *hold, double cost);
/* Whether a call would be refused now, with the limit and when it is free again in words: "budget:
 * 60 requests an hour reached, free in 3 min". `left_ms`: until then, 0 when only calls under way
 * are in the way. */
bool budget_is_spent(const struct budget *b, char *why, size_t size, sf_ms *left_ms);

/* "12 s", "3 min", "2 h" */
void budget_span(sf_ms span, char out[static 24]);

#endif
