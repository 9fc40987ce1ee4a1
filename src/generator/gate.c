/* SPDX-License-Identifier: MIT */
#include "generator/gate.h"

#include <poll.h>

#define POLL_MS 20

void gate_init(struct gate *g, int64_t places)
{
    g->places = places;
    atomic_init(&g->free, places);
}

static bool take(struct gate *g)
{
    long long free = atomic_load(&g->free);
    while (free > 0) {
        if (atomic_compare_exchange_weak(&g->free, &free, free - 1)) {
            return true;
        }
    }
    return false;
}

enum sf_err gate_enter(struct gate *g, const struct gen_call *call, struct sf_errbuf *eb)
{
    struct gen_event queued = {.kind = GEN_EVENT_QUEUED};
    while (!take(g)) {
        if (call->cancel != NULL && atomic_load(call->cancel)) {
            return sf_fail(eb, SF_ECANCELED, "canceled");
        }
        if (sf_until(call->deadline) <= 0) {
            return sf_fail(eb, SF_EBUSY,
                           "all %lld calls that may run at once were at work: raise concurrency if "
                           "the target can do more",
                           (long long)g->places);
        }
        if (call->on_event != NULL) {
            call->on_event(call->event_arg, &queued);
        }
        (void)poll(NULL, 0, POLL_MS);
    }
    return SF_OK;
}

void gate_leave(struct gate *g)
{
    (void)atomic_fetch_add(&g->free, 1);
}
