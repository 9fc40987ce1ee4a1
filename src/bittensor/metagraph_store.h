/* SPDX-License-Identifier: MIT */
#ifndef SF_BITTENSOR_METAGRAPH_STORE_H
#define SF_BITTENSOR_METAGRAPH_STORE_H

#include "bittensor/metagraph.h"

/* The last metagraph on disk, for a start while the chain is away; and what it says of oneself. */

/* A file: "SFMETA1\n", then SCALE: genesis (32), netuid u16, when it was read in ms since the Unix
 * epoch u64, block u64, immunity u64, rate limit u64, lite u8, Vec of neurons, and BLAKE2b-256 of
 * all before it. */
struct metagraph_stamp {
    uint8_t genesis_hash[32];
    int64_t read_at_ms;
};
SF_MUST_USE enum sf_err metagraph_save(const char *path, const struct metagraph *g,
                                       const struct metagraph_stamp *stamp, struct sf_errbuf *eb);
/* SF_ENOTFOUND: no file; SF_EPARSE: damaged, or of another subnet. The caller compares the genesis
 * with the chain's once it answers. On failure *out is empty. */
SF_MUST_USE enum sf_err metagraph_load(const char *path, uint16_t netuid, struct metagraph *out,
                                       struct metagraph_stamp *stamp, struct sf_errbuf *eb);
/* The bytes of such a file. */
SF_MUST_USE enum sf_err metagraph_parse(struct sf_str content, uint16_t netuid,
                                        struct metagraph *out, struct metagraph_stamp *stamp,
                                        struct sf_errbuf *eb);

/* Whether a miner earns. */
struct metagraph_standing {
    uint64_t emission_rao; /* of the last epoch */
    uint16_t incentive;    /* share of 65535 */
    size_t position;       /* 1 is the miner with the highest incentive; equal ones share it */
    size_t miners;         /* those without a validator permit */
    bool immune;           /* newly registered: cannot be pushed out yet */
    uint64_t immunity_left_blocks;
};
void metagraph_stand(const struct metagraph *g, size_t uid, struct metagraph_standing *out);

#endif
