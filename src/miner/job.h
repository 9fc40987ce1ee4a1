/* SPDX-License-Identifier: MIT */
#ifndef SF_MINER_JOB_H
#define SF_MINER_JOB_H

#include "app/app.h"
#include "bittensor/synapse.h"
#include "http/server.h"

/* One verified request on its way through queue and worker. Who sets `answered` first replies; the
 * worker frees. */
struct job {
    struct job *next;
    uint64_t id;
    struct http_exchange *exchange;
    struct synapse synapse;
    json_t *body;
    struct story_request request;
    struct app *app; /* the configuration it started with */
    struct sf_time received, deadline, target;
    char peer_ip[46];
    unsigned peer_port;
    double priority; /* higher first; the older first among equals */
    atomic_bool answered, cancel;
};

void job_free(struct job *j);

#endif
