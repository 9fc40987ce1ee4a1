/* SPDX-License-Identifier: MIT */
#ifndef SF_GENERATOR_GATE_H
#define SF_GENERATOR_GATE_H

#include "generator/generator.h"

/* At most so many calls of one target at once; the others wait within their deadline. */
struct gate {
    atomic_llong free;
    int64_t places;
};

void gate_init(struct gate *g, int64_t places);

/* Waits for a place; the caller's watch is told that the call is queued. On SF_OK gate_leave is
 * due. SF_ECANCELED; SF_EBUSY: none before the deadline. Thread-safe; blocks. */
SF_MUST_USE enum sf_err gate_enter(struct gate *g, const struct gen_call *call,
                                   struct sf_errbuf *eb);
void gate_leave(struct gate *g);

#endif
