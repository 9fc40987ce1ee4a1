/* SPDX-License-Identifier: MIT */
#ifndef SF_MINER_AXON_H
#define SF_MINER_AXON_H

#include "base/metric.h"
#include "bittensor/verify.h"
#include "miner/answer.h"
#include "miner/callers.h"
#include "miner/live.h"
#include "miner/queue.h"
#include "miner/rates.h"

#include <pthread.h>

/* The public side: routes, cheap gates, verification, then the queue. */
struct axon {
    struct answer_identity me;
    struct nonce_table *nonces;
    struct callers *callers; /* NULL: there is no axon (serve.h) */
    unsigned crowded_at;     /* open connections */
    struct live *live;       /* NULL: nobody can look on */
    struct rates *rates;     /* NULL: not kept */
    struct metric *door;     /* seconds from the whole request to the queue */
    struct queue *queue;
    pthread_mutex_t lock;        /* of `app` */
    struct app *app;             /* the current one: requests take a reference */
    _Atomic uint64_t n_requests; /* verified, since the start */
};

/* The http_handler of the axon's listener, behind gates_judge; `arg` is the struct axon. */
void axon_handle(void *arg, struct http_exchange *x, const struct http_request *request);

/* The name of the synapse that a path asks for; NULL none. */
const char *axon_route_name(const char *path);

/* The histogram for `door`; NULL when out of memory. */
struct metric *axon_door_metric(void);

/* The current app, with a reference for the caller. */
struct app *axon_take_app(struct axon *a);
/* Puts another in its place (taken over); the old one closes when its requests are done. */
void axon_swap_app(struct axon *a, struct app *app_own);

/* Absolute deadline and target of a request by its timeout header and the configuration. */
struct sf_time axon_deadline(const struct conf *conf, struct sf_time received,
                             double timeout_seconds);

/* One line and one count for an answered request; task "" when it never had one. With status 200 a
 * message is the line of an answer that the preferred generator did not give: a warning. */
void axon_note(const struct answer_to *to, const char *task, int status, const char *generator,
               const char *message);

#endif
