/* SPDX-License-Identifier: MIT */
#ifndef SF_BITTENSOR_CHAIN_CLIENT_H
#define SF_BITTENSOR_CHAIN_CLIENT_H

#include "bittensor/metagraph.h"
#include "bittensor/networks.h"
#include "bittensor/rpc.h"
#include "bittensor/sr25519.h"

/* What a miner asks of the chain. Everything is read live; only the metadata of a runtime version
 * and the chain's genesis are kept. One thread at a time; calls block until `deadline`.
 *
 * Errors of all calls: SF_ETRANSIENT, SF_ERATE, SF_EDEADLINE, SF_ECANCELED (no node answers, see
 * rpc_call), SF_EPARSE (a node answers rubbish), SF_ENEGATIVE (it refuses), SF_ENOMEM. */
struct chain_client;

struct chain_client_options {
    const struct networks_choice *nodes; /* copied */
    const atomic_bool *cancel;           /* ends waits; may be NULL */
    sf_ms attempt_ms;                    /* per node and call; 0: 20 s */
    sf_ms poll_ms;                       /* between looks at the chain; 0: 3 s */
};
SF_MUST_USE enum sf_err chain_client_open(const struct chain_client_options *o,
                                          struct chain_client **out, struct sf_errbuf *eb);
void chain_client_close(struct chain_client *c);
const char *chain_client_endpoint(struct chain_client *c); /* the node that answered last */

struct chain_versions {
    char chain[64]; /* "Bittensor" */
    char spec_name[64];
    uint32_t spec_version, transaction_version;
    uint8_t genesis_hash[32];
    uint64_t finalized_block;
    int64_t block_time_ms; /* of the finalized block, since the Unix epoch; 0 unknown */
};
SF_MUST_USE enum sf_err chain_client_versions(struct chain_client *c, struct sf_time deadline,
                                              struct chain_versions *out, struct sf_errbuf *eb);

/* What the chain says of one hotkey on one subnet, at the finalized block. */
struct chain_registration {
    bool subnet_exists;
    bool registered;
    uint16_t uid;
    bool served; /* `axon` is there */
    struct axon_info axon;
    uint64_t rate_limit_blocks; /* between two announcements */
    uint64_t block;
};
SF_MUST_USE enum sf_err chain_client_registration(struct chain_client *c, uint16_t netuid,
                                                  const uint8_t hotkey[static 32],
                                                  struct sf_time deadline,
                                                  struct chain_registration *out,
                                                  struct sf_errbuf *eb);

/* Announces where the axon listens. */
struct chain_serve {
    uint16_t netuid;
    struct axon_info axon;     /* block is not looked at */
    struct sf_str certificate; /* empty: none; with one it is sent whatever the chain has */
    const struct sr25519_keypair *key;
    struct sf_time deadline; /* two minutes are enough on a chain that runs well */
};
struct chain_served {
    bool unchanged; /* the chain had it already: nothing was sent */
    bool sent;      /* a transaction may be on its way, also after an error */
    uint16_t uid;
    uint64_t block;          /* where the chain has it */
    uint8_t transaction[32]; /* hash, when sent */
};
/* Sends only when the chain has something else, and returns when a finalized block has it. What may
 * be tried again at once is (three times): a nonce that was used, a runtime that changed, a
 * transaction that was dropped. Further errors: SF_ENEGATIVE not registered; SF_ERATE (with
 * retry_after_ms) the subnet's limit is not over; SF_EINVAL address or port that the chain refuses;
 * SF_ESHAPE a runtime that is not understood, nothing was signed; SF_ETRANSIENT not included. */
SF_MUST_USE enum sf_err chain_client_serve(struct chain_client *c, const struct chain_serve *s,
                                           struct chain_served *out, struct sf_errbuf *eb);

/* SF_ENOTFOUND: no such subnet. The caller ends *out with metagraph_fini. */
SF_MUST_USE enum sf_err chain_client_metagraph(struct chain_client *c, uint16_t netuid,
                                               struct sf_time deadline, struct metagraph *out,
                                               struct sf_errbuf *eb);

#endif
