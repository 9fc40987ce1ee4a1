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
    bool for_model; /* another model is asked for: the local generator itself has to be ready */
    enum reload_outcome { RELOAD_NONE, RELOAD_LOADING, RELOAD_DONE, RELOAD_REFUSED } outcome;
    char why[400]; /* of a refusal */
};

/* Loads the configuration again, with `model` (NULL none) as generator.local.model_name whatever it
 * says, and starts its generators; one still starting is given up. What is wrong with it is logged,
 * and the old one stays. */
void reload_begin(struct reload *r, struct axon *axon, const struct miner_reload *reload,
                  const char *model);

/* Swaps when the new generators can answer; gives them up when they do not within two minutes
 * (another model: within load_timeout). */
void reload_tick(struct reload *r, struct axon *axon);

void reload_close(struct reload *r);

#endif
