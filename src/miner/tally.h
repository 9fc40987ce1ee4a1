/* SPDX-License-Identifier: MIT */
#ifndef SF_MINER_TALLY_H
#define SF_MINER_TALLY_H

#include "miner/job.h"

/* What becomes of requests, counted for /metrics where it happens. Handles are looked up once and
 * held; what is counted here costs a request less than a microsecond. Any thread. */

/* One that was answered or refused, in the axon's or a guest's name; `task` "" when it never had
 * one, "ping". */
void tally_answer(const char *task, int status, enum caller_standing standing);
/* One that did not reach the queue, by the gate that refused it. */
void tally_refused(const char *gate);
/* From the whole request at the door: `gates_ns` of it for verifying, all of it until it was
 * queued. */
void tally_verified(int64_t gates_ns);
/* A worker takes it. */
void tally_waited(const struct job *j);
/* One that was in the queue, when its answer has left: how long it took, what the generators did.
 * `trail` and `result` may be NULL: nobody was asked, nobody answered. */
void tally_done(const struct job *j, const struct gen_trail *trail,
                const struct gen_result *result);

/* Puts what is likely to be counted on the page at 0: what appears with a 1 is no increase to who
 * reads it. */
void tally_begin(void);
void tally_expect(const struct generator *g);

#endif
