/* SPDX-License-Identifier: MIT */
#ifndef SF_MINER_ADMIN_H
#define SF_MINER_ADMIN_H

#include "miner/axon.h"

/* The owner's side, on loopback: /health, /ready, /status, and POST /generate. Changes nothing. */
struct admin {
    struct axon *axon;
    struct network *network; /* NULL offline */
    struct sf_time started;
    const char *axon_ip;
    _Atomic uint16_t axon_port; /* 0 until the axon's listener is open */
    atomic_bool serving;        /* the axon's listener is open */
};

void admin_handle(void *arg, struct http_exchange *x, const struct http_request *request);

/* The state of the miner as /status shows it. NULL: out of memory. Caller owns. */
json_t *admin_status(struct admin *a);

#endif
