/* SPDX-License-Identifier: MIT */
#ifndef SF_MINER_ANSWER_H
#define SF_MINER_ANSWER_H

#include "bittensor/synapse_body.h"
#include "http/server.h"
#include "miner/callers.h"

/* Who answers. */
struct answer_identity {
    char hotkey[SS58_MAX];
    char uuid[37];
};

/* What every answer needs to know of its request. */
struct answer_to {
    struct http_exchange *exchange;
    const struct synapse *synapse;
    const char *route; /* "StoryGenerationSynapse" */
    int64_t id;        /* what `storyfi trail` takes; 0 none */
    const char *peer_ip;
    unsigned peer_port;
    enum caller_standing standing;
    struct sf_time received;
};

/* {"message": …} with the whole bt_header_* set. */
void answer_error(const struct answer_identity *me, const struct answer_to *to, int status,
                  const char *message);
/* 200 with the synapse's body; `a` NULL for the ping. Falls to 503 when out of memory. */
void answer_success(const struct answer_identity *me, const struct answer_to *to,
                    const json_t *request, const struct synapse_answer *a);

#endif
