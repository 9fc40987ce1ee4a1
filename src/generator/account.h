/* SPDX-License-Identifier: MIT */
#ifndef SF_GENERATOR_ACCOUNT_H
#define SF_GENERATOR_ACCOUNT_H

#include "generator/budget.h"

/* One provider account: what its hops share. Refused (401, 402, 403, quota) it is out for long,
 * then one call decides; over its budget it is out until that is free again. Not thread-safe: the
 * chain locks. */
struct account {
    char name[96]; /* "" of a hop that shares nothing */
    struct budget budget;
    bool refused, probing;
    struct sf_time until; /* while refused */
    char reason[256];     /* what the provider said */
    bool budget_said;     /* this bench by the budget was logged */
};

/* Why no call may go out now; false when one may. `left_ms`: for how long. */
bool account_is_out(const struct account *a, char *why, size_t size, sf_ms *left_ms);
/* The next call would decide whether a refused account is back: it is taken as that. */
bool account_take_probe(struct account *a);
void account_refuse(struct account *a, sf_ms span, const char *reason);
void account_answered(struct account *a);
/* The call that was to decide said nothing about the account. */
void account_drop_probe(struct account *a);

#endif
