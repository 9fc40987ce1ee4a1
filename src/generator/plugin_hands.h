/* SPDX-License-Identifier: MIT */
#ifndef SF_GENERATOR_PLUGIN_HANDS_H
#define SF_GENERATOR_PLUGIN_HANDS_H

#include "base/err.h"

#include <pthread.h>

/* Threads for a plugin's calls. One that is through waits for the next call: making a thread costs
 * more than all else that a call of a quick plugin does. */
struct plugin_hand;
struct plugin_hands {
    pthread_mutex_t lock;
    struct plugin_hand *idle; /* the one that came last is taken first */
    size_t n_idle;
};

void plugin_hands_init(struct plugin_hands *h);
/* Ends those that wait, and returns when they are gone: no destructor of theirs runs later. May be
 * called on a hand that has parked; that one ends with its job. No job may be started meanwhile. */
void plugin_hands_fini(struct plugin_hands *h);

/* Runs job(arg, hand) on a thread that does nothing else. The job calls plugin_hand_park once the
 * plugin's code has returned. SF_ENOMEM: no thread to be had, nothing was run. */
SF_MUST_USE enum sf_err plugin_hands_start(struct plugin_hands *h,
                                           void (*job)(void *arg, struct plugin_hand *hand),
                                           void *arg);
/* From here on the hand may be given its next job, which begins when this one returns. */
void plugin_hand_park(struct plugin_hand *hand);

#endif
