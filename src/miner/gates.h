/* SPDX-License-Identifier: MIT */
#ifndef SF_MINER_GATES_H
#define SF_MINER_GATES_H

#include "miner/axon.h"

/* What a request has to pass before anything is done for it, cheapest first. Hotkeys travel in
 * clear, so nothing that stands before the signature remembers the hotkey. All of it goes by the
 * head: the body of a caller that is not answered is not kept. */
struct admission {
    struct synapse synapse; /* filled as far as it went: good enough to answer with */
    uint8_t caller[32];     /* the public key, verified once all passed */
    double stake_tao;       /* 0 when not known */
    enum caller_standing standing;
    enum sf_err err; /* SF_OK: it may come in */
    struct sf_errbuf why;
    const char *gate; /* the one that refused: of a small fixed set, for a metric's label */
    int64_t took_ns;
};

void gates_pass(struct axon *axon, const struct http_request *head, struct admission *out);

/* The `judge` of the axon's listener: the judgement of a POST is a struct admission, NULL when out
 * of memory. `arg` is the struct axon. */
bool gates_judge(void *arg, struct http_request *head);

/* The `accept` of the axon's listener: the last quarter of its connections is for addresses that a
 * verified request came from. `arg` is the struct axon. */
bool gates_may_connect(void *arg, const char *peer_ip, unsigned n_open);

#endif
