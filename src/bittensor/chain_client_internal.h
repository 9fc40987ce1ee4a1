/* SPDX-License-Identifier: MIT */
#ifndef SF_BITTENSOR_CHAIN_CLIENT_INTERNAL_H
#define SF_BITTENSOR_CHAIN_CLIENT_INTERNAL_H

#include "bittensor/chain_client.h"
#include "bittensor/metadata.h"

/* Between the files of the chain client. */
#define CHAIN_BLOCK_MS 12000

struct chain_client {
    struct rpc *rpc;
    sf_ms poll_ms;
    const atomic_bool *cancel;
    bool genesis_known;
    uint8_t genesis_hash[32];
    const char *checked; /* the endpoint whose genesis was compared */
    struct metadata *metadata;
    uint32_t metadata_spec; /* the runtime version it belongs to */
};

struct chain_head {
    uint64_t number;
    uint8_t hash[32];
};

/* Every call's beginning: the node that answers belongs to the chain that we talked to before. */
SF_MUST_USE enum sf_err chain_check_node(struct chain_client *c, struct sf_time deadline,
                                         struct sf_errbuf *eb);
/* A question without parameters. */
SF_MUST_USE enum sf_err chain_ask(struct chain_client *c, const char *method,
                                  struct sf_time deadline, json_t **result, struct sf_errbuf *eb);
SF_MUST_USE enum sf_err chain_finalized(struct chain_client *c, struct sf_time deadline,
                                        struct chain_head *out, struct sf_errbuf *eb);
SF_MUST_USE enum sf_err chain_block_hash(struct chain_client *c, uint64_t number,
                                         struct sf_time deadline, uint8_t out[static 32],
                                         struct sf_errbuf *eb);
struct chain_place {
    const struct sf_buf *key;
    const struct chain_head *at; /* the block */
    struct sf_time deadline;
};
/* The bytes that lie there; `present` false when there are none. */
SF_MUST_USE enum sf_err chain_storage(struct chain_client *c, const struct chain_place *place,
                                      struct sf_buf *value, bool *present, struct sf_errbuf *eb);
/* SubtensorModule.Axons. */
SF_MUST_USE enum sf_err chain_read_axon(struct chain_client *c, const struct chain_serve *s,
                                        const struct chain_head *at, struct axon_info *out,
                                        bool *served, struct sf_errbuf *eb);
/* Runtime versions, and c->metadata for them. */
SF_MUST_USE enum sf_err chain_runtime(struct chain_client *c, struct sf_time deadline,
                                      uint32_t *spec, uint32_t *transaction, struct sf_errbuf *eb);
/* Waits before the look number `n`: longer from one to the next, up to poll_ms, or to the deadline.
 * SF_EDEADLINE, SF_ECANCELED. */
SF_MUST_USE enum sf_err chain_pause(struct chain_client *c, unsigned n, struct sf_time deadline,
                                    struct sf_errbuf *eb);

#endif
