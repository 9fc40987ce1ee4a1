/* SPDX-License-Identifier: MIT */
#ifndef SF_APP_DENDRITE_H
#define SF_APP_DENDRITE_H

#include "bittensor/synapse.h"
#include "http/client.h"
#include "json/json.h"

/* A validator's side: one signed request to an axon. */
struct dendrite_request {
    const char *name; /* "StoryGenerationSynapse", "Synapse" (the ping) */
    const char *ip;   /* IPv6 without brackets */
    uint16_t port;
    const char *axon_hotkey;
    const struct sr25519_keypair *key; /* who asks */
    double timeout_seconds;
    json_t *fields_own; /* beside the base fields; NULL none */
};
/* Signs and sends; errors as http_client_call. The answer is to be fini'd in any case. */
SF_MUST_USE enum sf_err dendrite_call(const struct dendrite_request *q, struct http_answer *answer,
                                      struct sf_errbuf *eb);

#endif
