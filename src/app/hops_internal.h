/* SPDX-License-Identifier: MIT */
#ifndef SF_APP_HOPS_INTERNAL_H
#define SF_APP_HOPS_INTERNAL_H

#include "app/hops.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

/* A target that may compute in silence is bounded by its timeout, which the kind itself keeps and
 * explains; the chain's watch comes that much later. */
#define HOPS_TIMEOUT_SLACK_MS 2000

/* The chain while it is put together. One file per kind adds its hops: hops_local.c and so on. */
struct hops {
    const struct conf *conf;
    struct gen_chain_hop *list;
    size_t n;
    bool only_named; /* hops_open_one leaves them alone ... */
    const char *but; /* ... but the one of this name; NULL nobody */
};

/* A new hop at the end; NULL when there is one of this name, or no room. */
struct gen_chain_hop *hops_new(struct hops *a, const struct generator_type *type, const char *name,
                               const char *target);
/* Opens it with its kind's options; a hop that cannot be opened stays, with its reason. Only
 * SF_ENOMEM is an error. */
SF_MUST_USE enum sf_err hops_open_one(struct gen_chain_hop *hop, const void *options);

/* The token in the variable `name` ("": none is wanted, *token NULL). False when it is named but
 * not set: the hop has its reason then, and stays unopened. Borrowed from the configuration. */
bool hops_take_token(struct hops *a, const char *name, struct gen_chain_hop *hop,
                     const char **token);

SF_MUST_USE enum sf_err hops_add_local(struct hops *a);
SF_MUST_USE enum sf_err hops_add_vllm(struct hops *a);
/* All custom generators ("custom"), or the one of a name: SF_ENOTFOUND when nobody has it. */
SF_MUST_USE enum sf_err hops_add_custom(struct hops *a, const char *name);
SF_MUST_USE enum sf_err hops_add_api(struct hops *a);
/* An `api:` section is there, or a provider's key is set ("set an API key as backup"). */
bool hops_has_api(const struct conf *conf);

#endif
