/* SPDX-License-Identifier: MIT */
#ifndef SF_BITTENSOR_METAGRAPH_H
#define SF_BITTENSOR_METAGRAPH_H

#include "bittensor/extrinsic.h"

/* Who is on a subnet, as one block had it. Amounts in rao (10^-9); 0 for what the fallback does not
 * tell. source: opentensor/subtensor@14bc6f9 pallets/subtensor/src/rpc_info/{metagraph,
 * neuron_info}.rs. */
struct metagraph_neuron {
    uint8_t hotkey[32];
    struct axon_info axon; /* ip_type 0: never served */
    uint64_t total_stake_rao, alpha_stake_rao;
    uint64_t last_update;   /* block */
    uint64_t registered_at; /* block */
    uint64_t emission_rao;  /* of the last epoch */
    uint16_t incentive;     /* share of 65535 */
    bool validator_permit;
};

struct metagraph {
    uint16_t netuid;
    uint64_t block;
    uint64_t immunity_blocks;
    uint64_t serving_rate_limit_blocks;
    bool lite; /* from the fallback: no registered_at, immunity and rate limit */
    struct metagraph_neuron *neurons; /* the uid is the index */
    size_t n;
};
void metagraph_fini(struct metagraph *g);
/* The uid of a hotkey, -1 when it is not there. */
int metagraph_find(const struct metagraph *g, const uint8_t hotkey[static 32]);

/* What asks for it. Selective: `SubnetInfoRuntimeApi_get_selective_metagraph`; lite:
 * `NeuronInfoRuntimeApi_get_neurons_lite`. */
void metagraph_selective_args(uint16_t netuid, struct sf_buf *out);
void metagraph_lite_args(uint16_t netuid, struct sf_buf *out);

/* The answers. SF_ENOTFOUND: no such subnet; SF_EPARSE: not as known; SF_ENOMEM. Fields that a
 * later runtime appends to the selective answer are left alone. On failure *out is empty. */
SF_MUST_USE enum sf_err metagraph_read_selective(struct sf_str answer, uint16_t netuid,
                                                 struct metagraph *out, struct sf_errbuf *eb);
/* `block` is where it was asked. */
SF_MUST_USE enum sf_err metagraph_read_lite(struct sf_str answer, uint16_t netuid, uint64_t block,
                                            struct metagraph *out, struct sf_errbuf *eb);

#endif
