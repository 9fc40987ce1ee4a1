/* SPDX-License-Identifier: MIT */
#ifndef SF_MINER_RELOAD_H
#define SF_MINER_RELOAD_H

#include "miner/axon.h"
#include "miner/miner.h"

/* A configuration taking over while the miner serves: its generators start beside the old ones,
 * which answer until then. Main thread only. */
struct reload {
    struct app *fresh; /* starting, NULL none */
    struct sf_time until;
};

/* Loads the configuration again and starts its generators; one still starting is given up. What is
 * wrong with it is logged, and the old one stays. */
void reload_begin(struct reload *r, struct axon *axon, miner_reload_fn reload, void *arg);

/* Swaps when the new generators can answer; gives them up when they do not within two minutes. */
void reload_tick(struct reload *r, struct axon *axon);

void reload_close(struct reload *r);

#endif
