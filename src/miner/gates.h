/* SPDX-License-Identifier: MIT */
#ifndef SF_MINER_GATES_H
#define SF_MINER_GATES_H

#include "miner/axon.h"

/* What a request has to pass before anything is done for it, cheapest first. Hotkeys travel in
 * clear, so nothing that stands before the signature remembers the hotkey. */
struct admission {
    struct axon *axon;
    const struct conf *conf;
    const struct http_request *request;
    struct synapse *synapse; /* filled as far as it went: good enough to answer with */
    int64_t began_ns;        /* when the listener had the whole request, on the monotonic clock */
    uint8_t caller[32];      /* the public key, verified once all passed */
    double stake_tao;        /* 0 when not known */
    const char *gate;        /* the one that refused: of a small fixed set, for a metric's label */
};

SF_MUST_USE enum sf_err gates_pass(struct admission *a, struct sf_errbuf *eb);

/* The `accept` of the axon's listener: the last quarter of its connections is for addresses that a
 * verified request came from. `arg` is the struct axon. */
bool gates_may_connect(void *arg, const char *peer_ip, unsigned n_open);

#endif
