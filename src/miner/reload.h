/* SPDX-License-Identifier: MIT */
#ifndef SF_MINER_RELOAD_H
#define SF_MINER_RELOAD_H

#include "miner/axon.h"
#include "miner/miner.h"

/* A configuration taking over while the miner serves: its generators start beside the old ones,
 * which answer until then. One whose model is not here waits until it is. Main thread only. */
struct reload {
    struct app *fresh; /* starting, NULL none */
    struct sf_time until;
    bool for_model;   /* another model is asked for */
    bool needs_local; /* the local generator itself has to be ready */
    bool can_fetch;   /* somebody looks after `waiting`: set by the owner */
    /* Its model is to be downloaded first; NULL none. Whoever does that calls reload_go_on, or
     * reload_give_up. */
    const struct conf *waiting;
    unsigned taken; /* configurations taken over so far */
    enum reload_outcome {
        RELOAD_NONE,
        RELOAD_WAITING,
        RELOAD_LOADING,
        RELOAD_DONE,
        RELOAD_REFUSED
    } outcome;
    char why[400]; /* of a refusal */
};

/* Loads the configuration again, with `model` (NULL none) as generator.local.model_name whatever it
 * says, and starts its generators; one still starting or waiting is given up. What is wrong with it
 * is logged, and the old one stays. One that puts a model that is not here in the place of one that
 * answers waits for its download, or is refused when nothing will bring it. */
void reload_begin(struct reload *r, struct axon *axon, const struct miner_reload *reload,
                  const char *model);

/* Swaps when the new generators can answer; gives them up when they do not within two minutes
 * (another model: within load_timeout). */
void reload_tick(struct reload *r, struct axon *axon);

/* The model of r->waiting is here: its generators start. */
void reload_go_on(struct reload *r, struct axon *axon);
/* It will not come: the configuration is refused. */
void reload_give_up(struct reload *r, const char *why);

void reload_close(struct reload *r);

#endif
