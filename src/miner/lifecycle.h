/* SPDX-License-Identifier: MIT */
#ifndef SF_MINER_LIFECYCLE_H
#define SF_MINER_LIFECYCLE_H

#include "miner/reload.h"

#include <signal.h>

/* What the programs that serve until they are told to stop have in common: `miner` and `serve`.
 * Main thread only. */

/* Blocks SIGTERM, SIGINT and SIGHUP for this thread and those it starts; they are taken by
 * lifecycle_next_signal. */
void lifecycle_block_signals(sigset_t *signals);
/* The signal that arrived within `wait`, 0 for none. */
int lifecycle_next_signal(const sigset_t *signals, sf_ms wait);

/* Waits for the preferred generator (at most two minutes) and prints which one answers; true when
 * the program is to end. */
bool lifecycle_wait_ready(struct axon *axon, const sigset_t *signals);

/* Reloads on SIGHUP and answers what is past its deadline, until SIGTERM or SIGINT. */
void lifecycle_serve(struct axon *axon, const sigset_t *signals, miner_reload_fn reload, void *arg,
                     struct reload *state);

/* Takes nothing new in; what is in flight is finished within a minute, the rest is answered 503. A
 * second signal ends the program at once. `server` may be NULL. */
void lifecycle_finish(struct axon *axon, struct http_server *server, const sigset_t *signals);

#endif
