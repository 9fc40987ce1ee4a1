/* SPDX-License-Identifier: MIT */
#ifndef SF_GENERATOR_REPLAY_EVENTS_H
#define SF_GENERATOR_REPLAY_EVENTS_H

#include "generator/generator.h"

/* What a listener has heard of an answer so far, slot by slot, so that in the end it can be told
 * exactly what is missing or was mended: then the events of an answer concatenate to it, whatever
 * kind wrote it. A listener empties a slot at its slot_started, and all of them at hop_started.
 * Bounded: of what does not fit, only the end is told. Used by one thread. */
struct replay;

struct replay *replay_open(gen_event_fn to, void *arg); /* NULL: out of memory */
void replay_close(struct replay *r);

/* Passes an event on, and remembers it. */
void replay_pass(struct replay *r, const struct gen_event *event);
/* Tells what of the valid answer `output` the listener does not have yet. */
void replay_finish(struct replay *r, const struct story_request *request, const json_t *output);

#endif
