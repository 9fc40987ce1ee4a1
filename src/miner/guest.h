/* SPDX-License-Identifier: MIT */
#ifndef SF_MINER_GUEST_H
#define SF_MINER_GUEST_H

#include "miner/axon.h"

/* Requests by the documented contract of custom generators, from somebody who is no validator:
 * POST /generate of `storyfi serve` and of the admin listener. They wait behind every validator.
 *
 * Headers: X-Storyfi-Timeout (seconds; or "timeout" in the body), X-Storyfi-Mode (only this kind or
 * name of generator), X-Storyfi-Hops (serves that passed the request on), X-Storyfi-Seed.
 * 200 is {"content", "model_info", "usage"}; everything else {"message"}. */

#define GUEST_HOPS_MAX 4

struct guest_options {
    enum request_origin origin;
    sf_ms deadline_max_ms; /* also for a request that names none */
};

/* Reads the request and queues it, or answers at once: 400, 413, 415, 503 (queue full), 508. */
void guest_handle(struct axon *a, const struct guest_options *o, struct http_exchange *x,
                  const struct http_request *r);

/* In two steps, for those who ask in another way. The job of a request that is not answered yet,
 * without what is asked; NULL: out of memory. Caller owns. */
struct job *guest_job(struct axon *a, enum request_origin origin, struct http_exchange *x,
                      const struct http_request *r);
/* With request, deadline, only, seed and listener filled: gives it a number, and queues it or ends
 * it with 503. Takes it over. */
void guest_queue(struct axon *a, struct job *j_own);

/* The ends of a guest's job; whoever calls has set `answered`. */
void guest_succeed(const struct job *j, const struct gen_trail *trail,
                   const struct gen_result *result);
void guest_fail(const struct job *j, int status, const char *message);
/* Answers, records and frees a job that nobody will work on: 503, it may be tried again. */
void guest_turn_away(struct job *j_own, const char *message);

#endif
