/* SPDX-License-Identifier: MIT */
#include "generator/account.h"

#include <stdio.h>

bool account_is_out(const struct account *a, char *why, size_t size, sf_ms *left_ms)
{
    char span[24];
    *left_ms = a->refused && !a->probing ? sf_until(a->until) : 0;
    if (*left_ms > 0) {
        budget_span(*left_ms, span);
        (void)snprintf(why, size, "account refused, asked again in %s: %.180s", span, a->reason);
        return true;
    }
    *left_ms = 0;
    if (a->refused && a->probing) {
        (void)snprintf(why, size, "account refused, one call is trying it: %.180s", a->reason);
        return true;
    }
    return budget_is_spent(&a->budget, why, size, left_ms);
}

bool account_take_probe(struct account *a)
{
    a->probing = a->refused;
    return a->refused;
}

void account_refuse(struct account *a, sf_ms span, const char *reason)
{
    a->refused = true;
    a->probing = false;
    a->until = sf_after(sf_now(), span);
    (void)snprintf(a->reason, sizeof a->reason, "%s", reason);
}

void account_answered(struct account *a)
{
    a->refused = false;
    a->probing = false;
}

void account_drop_probe(struct account *a)
{
    a->probing = false;
}
