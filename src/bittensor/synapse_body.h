/* SPDX-License-Identifier: MIT */
#ifndef SF_BITTENSOR_SYNAPSE_BODY_H
#define SF_BITTENSOR_SYNAPSE_BODY_H

#include "bittensor/synapse.h"
#include "json/json.h"

/* What the miner fills into the StoryGenerationSynapse. */
struct synapse_answer {
    json_t *output_data; /* NULL for the ping */
    json_t *model_info;
    double generation_seconds;
    const char *miner_version;
};

/* The answer's body: every field of the request echoed, the miner's filled, and the base fields of
 * types the SDK's client accepts whatever the request held (never a null timeout, dendrite or axon:
 * those crash callers). Values of `a` are referenced. NULL: out of memory. Caller owns. */
json_t *synapse_body_answer(const json_t *request, const struct synapse *s, const char *route,
                            const struct synapse_status *status, const struct synapse_answer *a);

/* The ping's: the base fields and what came with it. */
json_t *synapse_body_ping(const json_t *request, const struct synapse *s,
                          const struct synapse_status *status);

/* A request's body as the SDK's dendrite would send it: base fields, then `fields` (taken over). */
json_t *synapse_body_request(const struct synapse *s, json_t *fields_own);

#endif
