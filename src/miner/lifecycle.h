/* SPDX-License-Identifier: MIT */
#ifndef SF_MINER_LIFECYCLE_H
#define SF_MINER_LIFECYCLE_H

#include "miner/clock_watch.h"
#include "miner/hop_state.h"
#include "miner/model_desk.h"
#include "miner/notify.h"
#include "miner/reload.h"

#include <signal.h>

/* What the programs that serve until they are told to stop have in common: `miner` and `serve`.
 * Main thread only. */
struct lifecycle {
    struct axon *axon;
    struct miner_reload reload; /* on SIGHUP */
    struct model_desk *models;  /* NULL: models are not changed while it runs */
    void (*on_jump)(void *arg); /* time did not go on as usual; NULL: nobody cares */
    void *jump_arg;
    /* its own: */
    sigset_t signals;
    struct reload reloading;
    struct hop_states states;
    struct sf_time weigh_at;
    struct notify notify;
    struct clock_watch clocks;
    bool listening; /* from lifecycle_serve to lifecycle_finish: ready is said to systemd then only
                     */
};

/* Blocks SIGTERM, SIGINT, SIGHUP and SIGUSR1 for this thread and those it starts. */
void lifecycle_init(struct lifecycle *l, const struct conf *conf);
void lifecycle_fini(struct lifecycle *l);

/* Waits for the preferred generator (at most two minutes) and prints which one answers; true when
 * the program is to end. */
bool lifecycle_wait_ready(struct lifecycle *l);

/* With an open listener: reloads on SIGHUP, opens the log's file anew on SIGUSR1, answers what is
 * past its deadline, notes how the generators are, until SIGTERM or SIGINT. */
void lifecycle_serve(struct lifecycle *l);

/* Takes nothing new in; what is in flight is finished within a minute, the rest is answered 503. A
 * second signal ends the program at once. `server` may be NULL. */
void lifecycle_finish(struct lifecycle *l, struct http_server *server);

#endif
