/* SPDX-License-Identifier: MIT */
#include "generator/budget.h"

#include <stdio.h>
#include <string.h>

#define HOUR_SLOT_MS 10000
#define DAY_SLOT_MS 60000
/* The monotonic clock may be younger than what the journal remembers. */
#define ORIGIN_MS (2 * (sf_ms)86400000)

/* One window: slots of an array, `n` of them, `width` ms each. */
struct window {
    struct budget_slot *slots;
    int64_t n, width_ms;
};

static struct window hour_of(const struct budget *b)
{
    return (struct window){(struct budget_slot *)(uintptr_t)b->hour, BUDGET_HOUR_SLOTS,
                           HOUR_SLOT_MS};
}

static struct window day_of(const struct budget *b)
{
    return (struct window){(struct budget_slot *)(uintptr_t)b->day, BUDGET_DAY_SLOTS, DAY_SLOT_MS};
}

static int64_t index_at(struct window w, sf_ms age_ms)
{
    return (sf_now().ms - age_ms + ORIGIN_MS) / w.width_ms;
}

static void add(struct window w, sf_ms age_ms, double amount)
{
    int64_t now = index_at(w, 0), at = index_at(w, age_ms);
    if (at < 0 || at <= now - w.n || at > now) {
        return;
    }
    struct budget_slot *slot = &w.slots[at % w.n];
    if (slot->index != at) {
        *slot = (struct budget_slot){.index = at};
    }
    slot->amount += amount;
}

static double sum(struct window w)
{
    int64_t now = index_at(w, 0);
    double total = 0;
    for (int64_t i = 0; i < w.n; i++) {
        total += w.slots[i].index > now - w.n ? w.slots[i].amount : 0;
    }
    return total;
}

/* When the sum will have fallen below `limit`, if nothing is added. */
static sf_ms free_in(struct window w, double limit)
{
    int64_t now = index_at(w, 0);
    double total = sum(w);
    for (int64_t at = now - w.n + 1; at <= now; at++) {
        const struct budget_slot *slot = &w.slots[(at + w.n) % w.n];
        if (slot->index == at && slot->amount > 0) {
            total -= slot->amount;
            if (total < limit) {
                return (at + w.n) * w.width_ms - ORIGIN_MS - sf_now().ms;
            }
        }
    }
    return 0;
}

void budget_init(struct budget *b, int64_t requests_per_hour, double cost_per_day)
{
    *b = (struct budget){.requests_per_hour = requests_per_hour, .cost_per_day = cost_per_day};
}

bool budget_reserve(struct budget *b, int64_t requests, struct budget_hold *hold)
{
    double spent = b->requests_per_hour > 0 ? sum(hour_of(b)) + (double)b->held_requests : 0;
    double cost = b->cost_per_day > 0 ? sum(day_of(b)) + b->held_cost : 0;
    if (requests > b->requests_per_hour) {
        requests = b->requests_per_hour;
    }
    if (b->requests_per_hour > 0 && spent + (double)requests > (double)b->requests_per_hour) {
        return false;
    }
    if (b->cost_per_day > 0 && cost >= b->cost_per_day) {
        return false;
    }
    *hold = (struct budget_hold){.requests = requests, .cost = b->dearest};
    b->held_requests += hold->requests;
    b->held_cost += hold->cost;
    return true;
}

void budget_count(struct budget *b, sf_ms age_ms, int64_t requests, double cost,
                  struct budget_hold *hold)
{
    sf_ms age = age_ms < 0 ? 0 : age_ms;
    if (requests > 0) {
        add(hour_of(b), age, (double)requests);
    }
    if (cost > 0) {
        add(day_of(b), age, cost);
    }
    if (hold != NULL) {
        int64_t used = requests < hold->requests ? requests : hold->requests;
        double paid = cost < hold->cost ? cost : hold->cost;
        hold->requests -= used, b->held_requests -= used;
        hold->cost -= paid, b->held_cost -= paid;
    }
}

void budget_inherit(struct budget *b, const struct budget *from)
{
    memcpy(b->hour, from->hour, sizeof b->hour);
    memcpy(b->day, from->day, sizeof b->day);
    b->dearest = from->dearest;
}

void budget_release(struct budget *b, struct budget_hold *hold, double cost)
{
    b->dearest = cost > b->dearest ? cost : b->dearest;
    b->held_requests -= hold->requests;
    b->held_cost -= hold->cost;
    *hold = (struct budget_hold){.requests = 0};
    if (b->held_requests == 0) {
        b->held_cost = 0; /* sums of floats do not come back to zero by themselves */
    }
}

void budget_span(sf_ms span, char out[static 24])
{
    static const struct {
        sf_ms under, unit;
        const char *name;
    } units[] = {{120000, 1000, "s"}, {7200000, 60000, "min"}, {INT64_MAX, 3600000, "h"}};
    size_t i = 0;
    while (span >= units[i].under) {
        i++;
    }
    (void)snprintf(out, 24, "%lld %s", (long long)((span + units[i].unit - 1) / units[i].unit),
                   units[i].name);
}

static void explain(char *why, size_t size, const char *limit, sf_ms left_ms)
{
    char span[24];
    budget_span(left_ms, span);
    if (left_ms > 0) {
        (void)snprintf(why, size, "budget: %s reached, free in %s", limit, span);
    } else {
        (void)snprintf(why, size, "budget: %s reached with the calls under way", limit);
    }
}

bool budget_is_spent(const struct budget *b, char *why, size_t size, sf_ms *left_ms)
{
    char limit[64];
    *left_ms = 0;
    if (b->requests_per_hour > 0 &&
        sum(hour_of(b)) + (double)b->held_requests >= (double)b->requests_per_hour) {
        *left_ms = sum(hour_of(b)) < (double)b->requests_per_hour
                       ? 0
                       : free_in(hour_of(b), (double)b->requests_per_hour);
        (void)snprintf(limit, sizeof limit, "%lld requests an hour",
                       (long long)b->requests_per_hour);
        explain(why, size, limit, *left_ms);
        return true;
    }
    double cost = b->cost_per_day > 0 ? sum(day_of(b)) : 0;
    if (b->cost_per_day > 0 && cost + b->held_cost >= b->cost_per_day) {
        *left_ms = cost < b->cost_per_day ? 0 : free_in(day_of(b), b->cost_per_day);
        (void)snprintf(limit, sizeof limit, "%.2f dollars a day", b->cost_per_day);
        explain(why, size, limit, *left_ms);
        return true;
    }
    return false;
}
