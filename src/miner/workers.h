/* SPDX-License-Identifier: MIT */
#ifndef SF_MINER_WORKERS_H
#define SF_MINER_WORKERS_H

#include "miner/axon.h"

/* Threads that take requests off the queue and walk the chain for them. */
struct workers;

SF_MUST_USE enum sf_err workers_open(struct axon *axon, size_t n, struct workers **out);
/* After queue_drain: waits until the queue is empty and all are done. */
void workers_close(struct workers *w);

/* Answers 408 for requests whose deadline has passed although their generator still runs. */
void workers_sweep(struct axon *axon);
/* Cancels and answers 503 whatever is still there. */
void workers_cancel_all(struct axon *axon);

#endif
