/* SPDX-License-Identifier: MIT */
#ifndef SF_MINER_NETWORK_FACTS_H
#define SF_MINER_NETWORK_FACTS_H

#include "base/clock.h"
#include "bittensor/metagraph_store.h"
#include "json/json.h"

/* What is known of this miner's place on the network, as plain data: the keeper fills it, /status
 * and the journal show it. */

/* What can be wrong, one text each. */
enum network_topic {
    NETWORK_CHAIN, /* no node answers */
    NETWORK_CLOCK,
    NETWORK_REGISTRATION,
    NETWORK_ADDRESS,
    NETWORK_ANNOUNCE,
    NETWORK_METAGRAPH,
    NETWORK_TOPICS
};

struct network_facts {
    int64_t netuid;
    char chain[64], endpoint[256]; /* of the last answer */
    bool reached;                  /* the last look at the chain worked */
    bool looked;                   /* one did */
    uint64_t block;                /* finalized, then */
    struct sf_time looked_at;
    bool subnet_exists, registered;
    uint16_t uid;
    struct axon_info announced; /* what the chain has; ip_type 0: nothing */
    struct axon_info wanted;    /* where validators should find it; ip_type 0: not known */

    bool has_graph, from_disk, lite;
    uint64_t graph_block;
    size_t neurons;
    struct sf_time graph_read_at;
    bool has_standing; /* the hotkey is in the metagraph: */
    uint64_t stake_rao;
    struct metagraph_standing standing;

    char problems[NETWORK_TOPICS][512]; /* cause and remedy; "" none */
};

/* Takes what a metagraph says of `hotkey` and of itself. */
void network_facts_read(struct network_facts *f, const struct metagraph *g,
                        const uint8_t hotkey[static 32]);

/* Whether it earns, in one line, and as 1 yes, 0 no, -1 not known. */
#define NETWORK_EARNING_MAX 256
int network_facts_earning(const struct network_facts *f, char out[static NETWORK_EARNING_MAX]);

/* As /status shows it; a metagraph older than `max_stale_ms` is "stale". NULL: out of memory.
 * Caller owns. */
json_t *network_facts_json(const struct network_facts *f, sf_ms max_stale_ms);

#endif
