/* SPDX-License-Identifier: MIT */
#ifndef SF_GENERATOR_WATCH_H
#define SF_GENERATOR_WATCH_H

#include "generator/generator.h"

/* One thread that cancels calls which make no progress or whose caller canceled: generators poll a
 * flag of ours, and need no clock of their own. */
struct watch;

/* A call under watch, on the stack of whoever makes it. */
struct watched {
    struct watched *next;
    const struct gen_call *outer;
    sf_ms patience;
    _Atomic int64_t last_event_ms;
    atomic_bool cancel; /* what the generator polls */
    bool stalled;
};

SF_MUST_USE enum sf_err watch_open(struct watch **out);
void watch_close(struct watch *w);

/* Starts watching a call: `inner` (a copy of `outer`) gets the cancel flag and an event sink that
 * notes progress and passes on. */
void watch_begin(struct watch *w, struct watched *item, const struct gen_call *outer,
                 sf_ms patience, struct gen_call *inner);
/* Ends it; true when it was canceled for want of progress. */
bool watch_end(struct watch *w, struct watched *item);

#endif
