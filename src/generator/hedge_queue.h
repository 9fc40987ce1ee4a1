/* SPDX-License-Identifier: MIT */
#ifndef SF_GENERATOR_HEDGE_QUEUE_H
#define SF_GENERATOR_HEDGE_QUEUE_H

#include "generator/generator.h"

/* Events on their way from the thread of a hop to the caller's: copies, in order, bounded. The
 * owner locks. */
struct hedge_note;

struct hedge_queue {
    struct hedge_note *first, **end;
    size_t bytes;
};

void hedge_queue_init(struct hedge_queue *q);
/* False: no room, nothing was added. */
bool hedge_queue_put(struct hedge_queue *q, const struct gen_event *event);
/* Moves all notes out; tell or free them with hedge_notes_tell (`to` NULL: only free). */
struct hedge_note *hedge_queue_take(struct hedge_queue *q);
void hedge_notes_tell(struct hedge_note *notes_own, gen_event_fn to, void *arg);

#endif
