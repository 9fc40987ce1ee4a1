/* SPDX-License-Identifier: MIT */
#ifndef SF_ENGINE_ENGINE_INTERNAL_H
#define SF_ENGINE_ENGINE_INTERNAL_H

#include "engine/engine.h"

#include <pthread.h>

/* Supervision (engine.c) and calls (engine_call.c) share the object. */
struct queued {
    struct queued *next;
    json_t *message;
};

/* One call of engine_generate under way; lives on that caller's stack. */
struct call {
    struct call *next;
    int64_t id;
    struct queued *first, **last; /* messages to hand to the caller */
    size_t n_queued;
    enum sf_err failed; /* not SF_OK: the child is gone; the text is in engine.reason */
};

struct engine {
    struct engine_options options; /* strings owned */
    int program_fd;
    pthread_t thread;
    bool has_thread;
    struct metric *memory, *restarts;
    int64_t memory_shown;  /* our part of it; this and the next: the thread's own */
    unsigned failed_loads; /* in a row, not for want of memory */

    pthread_mutex_t lock; /* of all below */
    pthread_cond_t changed;
    struct engine_status status;
    struct call *calls;
    int64_t last_id;
    int fd; /* our end of the child's socket, -1 none */
    bool closing;
    bool probed;                        /* asked for a sign of life, which has not come */
    struct sf_time last_event, started; /* started: this child */
    pthread_mutex_t write_lock;         /* taken without `lock` */
};

/* Waits for a change, a short while at most: cancel flags and deadlines are polled. Locked. */
void engine_wait_change(struct engine *e);

#endif
