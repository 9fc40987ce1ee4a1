/* SPDX-License-Identifier: MIT */
#ifndef SF_BITTENSOR_EXTRINSIC_H
#define SF_BITTENSOR_EXTRINSIC_H

#include "bittensor/metadata.h"
#include "bittensor/scale.h"
#include "bittensor/sr25519.h"

/* A signed transaction, format version 4: the one that announces where an axon listens.
 * source: opentensor/subtensor@14bc6f9 pallets/subtensor/src/macros/dispatches.rs,
 * runtime/src/lib.rs; polkadot-sdk unchecked_extrinsic.rs, generic/era.rs. */

/* What SubtensorModule.Axons holds, and serve_axon sets. */
struct axon_info {
    uint64_t block; /* when it was set; only read */
    uint32_t version;
    struct scale_u128 ip; /* the address as a number: 8.8.8.8 is 0x08080808 */
    uint16_t port;
    uint8_t ip_type; /* 4 or 6; 0 never served */
    uint8_t protocol;
    uint8_t placeholder1, placeholder2;
};
#define AXON_INFO_LEN 34
void axon_info_read(struct scale_in *in, struct axon_info *out);
/* All but the block. */
bool axon_info_same(const struct axon_info *a, const struct axon_info *b);
/* "8.8.8.8" or IPv6 to number and type; SF_EINVAL. And back ("" for type 0). */
SF_MUST_USE enum sf_err axon_ip_parse(const char *text, struct axon_info *out,
                                      struct sf_errbuf *eb);
#define AXON_IP_MAX 46
void axon_ip_print(const struct axon_info *a, char out[static AXON_IP_MAX]);

/* Appends the call. `certificate` empty: serve_axon, else serve_axon_tls (1 to 65 bytes). SF_ESHAPE
 * when the runtime's call has other fields than the ones that are known: nothing is signed then. */
SF_MUST_USE enum sf_err extrinsic_serve_axon(const struct metadata *m, uint16_t netuid,
                                             const struct axon_info *axon,
                                             struct sf_str certificate, struct sf_buf *call,
                                             struct sf_errbuf *eb);

/* For how long a transaction is good: `period` blocks (a power of two, 4 to 2048) from `birth`. */
struct era {
    uint8_t bytes[2];
    uint64_t birth, death;
};
struct era era_mortal(uint64_t period, uint64_t current_block);

struct extrinsic_terms {
    uint32_t spec_version, transaction_version;
    uint8_t genesis_hash[32];
    struct era era;
    uint8_t birth_hash[32]; /* of block era.birth */
    uint32_t nonce;
    uint64_t tip;
    const uint8_t *entropy; /* 32 bytes, for vectors; NULL: random ones */
};

/* Appends the whole transaction. SF_ESHAPE names an extension that is not known
 * and not empty, or a transaction format that is not 4: nothing is signed then. */
SF_MUST_USE enum sf_err extrinsic_sign(const struct metadata *m, const struct extrinsic_terms *t,
                                       struct sf_str call, const struct sr25519_keypair *key,
                                       struct sf_buf *out, struct sf_errbuf *eb);
void extrinsic_hash(struct sf_str extrinsic, uint8_t hash[static 32]);

#endif
