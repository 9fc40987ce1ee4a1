/* SPDX-License-Identifier: MIT */
#ifndef SF_MINER_NETWORK_H
#define SF_MINER_NETWORK_H

#include "bittensor/sr25519.h"
#include "miner/axon.h"
#include "miner/network_facts.h"

/* The miner's place on the network, kept by one thread: is the hotkey registered, does the chain
 * say where it is reached, who else is on the subnet. Whatever fails is said, tried again, and
 * never stops the answers. */
struct network;

struct network_options {
    struct axon *axon; /* its app has configuration and journal; outlives the network */
    struct sr25519_keypair *key_own; /* of crypto_secret_alloc */
    /* Gets each metagraph, on the keeper's thread (the one from disk: the caller's), and takes what
     * is in it; an empty one is of a subnet that is not there. `read_at` is when the chain was
     * asked. */
    void (*on_graph)(void *arg, struct metagraph *graph, struct sf_time read_at);
    void *arg;
};

/* Loads the metagraph of the last run and starts the thread. The key is taken over also on failure.
 * SF_ECONFIG: no such network or endpoint; SF_ENOMEM. */
SF_MUST_USE enum sf_err network_open(const struct network_options *o, struct network **out,
                                     struct sf_errbuf *eb);
/* The axon's listener is open on `port`: from now on it is announced. */
void network_listening(struct network *n, uint16_t port);
/* A copy of what is known; any thread. */
void network_read(struct network *n, struct network_facts *out);
/* As /status shows it; any thread. NULL: out of memory. Caller owns. */
/* Everything is looked at anew, within a second: the machine has slept, its clock was set. */
void network_hurry(struct network *n);

json_t *network_json(struct network *n);
/* Gives up what is under way, wipes the key. NULL is fine. */
void network_close(struct network *n);

#endif
