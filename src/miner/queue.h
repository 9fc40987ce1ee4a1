/* SPDX-License-Identifier: MIT */
#ifndef SF_MINER_QUEUE_H
#define SF_MINER_QUEUE_H

#include "miner/job.h"

/* The bounded queue between the axon and its workers. First come, first served, but that stake is
 * a head start: a job stands where it would stand had it come up to QUEUE_HEAD_START_MS earlier, by
 * the logarithm of its stake. So nobody is passed by what comes more than that later, however high
 * its stake, and however much of it there is. Guests stand behind all of them. */
#define QUEUE_HEAD_START_MS 4000
#define QUEUE_STAKE_FULL 1e6 /* TAO: from here on it is the whole head start */
struct queue;

SF_MUST_USE enum sf_err queue_open(size_t size, struct queue **out);
/* Must be empty and without waiting workers. */
void queue_close(struct queue *q);

/* From here on at most `n` guests (jobs that are not a validator's) are in work at once, and one in
 * work is canceled (`displaced`) when a validator's job would have to wait. 0: guests are like all.
 */
void queue_limit_guests(struct queue *q, size_t n);
/* Takes the youngest waiting guest out of a full queue, to make room; NULL when it is not full or
 * none waits. Owned by the caller, who answers it. */
struct job *queue_evict_guest(struct queue *q);

/* SF_EBUSY when it is full or draining: the job stays the caller's. */
SF_MUST_USE enum sf_err queue_push(struct queue *q, struct job *j);
/* Waits for a job; NULL when the queue is draining and empty: the worker ends. Owned by the caller,
 * and counted as in flight until queue_done. */
struct job *queue_pop(struct queue *q);
void queue_done(struct queue *q, struct job *j);

/* Nothing new is taken in; workers end when it is empty. */
void queue_drain(struct queue *q);

struct queue_counts {
    size_t depth, in_flight, size;
};
struct queue_counts queue_count(struct queue *q);

/* Calls `fn` for every job that is queued or in flight, under the lock: it must not block. */
void queue_each(struct queue *q, void (*fn)(void *arg, struct job *j), void *arg);

#endif
