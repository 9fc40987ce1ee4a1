/* SPDX-License-Identifier: MIT */
#ifndef SF_GENERATOR_CLOUD_H
#define SF_GENERATOR_CLOUD_H

#include "generator/check.h"
#include "generator/generator.h"
#include "generator/provider.h"

/* One model of one provider at one endpoint: what the kinds `api` and `vllm` share. */
struct cloud_options {
    const struct provider *provider;
    const char *provider_name;        /* for people and model_info: "openai", "custom", "vllm" */
    const char *endpoint;             /* base address; "" the provider's own */
    const char *key;                  /* "" none; kept in memory until closed, then wiped */
    const char *key_variable;         /* where the key comes from, for error texts; "" none */
    const char *model;                /* "" the catalogue's, else the first that the server lists */
    double temperature, top_p;        /* negative: not sent */
    int64_t max_tokens;               /* 0 as the task needs */
    int64_t concurrency;              /* requests under way at once, of all calls together */
    double price_input, price_output; /* US dollars a million tokens; negative: the catalogue's */
};

struct cloud;
SF_MUST_USE enum sf_err cloud_open(const struct cloud_options *o, struct cloud **out,
                                   struct sf_errbuf *eb);
void cloud_close(struct cloud *c); /* ends calls under way and waits for them; NULL ok */

/* Looked at while a call waits: true when there is progress that the connection does not show. */
struct cloud_progress {
    bool (*moved)(void *arg);
    void *arg;
};

/* As generator_type.generate. Chapters go out as requests of their own, side by side; where some
 * fail, the answer holds the others (an object with only the id in the place of a missing one), and
 * only when all fail is it an error, that of the first. `progress` may be NULL. */
SF_MUST_USE enum sf_err cloud_generate(struct cloud *c, const struct gen_call *call,
                                       const struct cloud_progress *progress,
                                       struct gen_result *result, struct sf_errbuf *eb);

/* Asks for the list of models (free). */
SF_MUST_USE enum sf_err cloud_probe(struct cloud *c, struct sf_errbuf *eb);
/* Key present, endpoint reachable, key accepted, model listed and not about to be shut down. */
void cloud_check(struct cloud *c, struct gen_checks *out);

/* The model that is asked: from the options, the catalogue, or the server (asked once). */
SF_MUST_USE enum sf_err cloud_model(struct cloud *c, char out[static 128], struct sf_errbuf *eb);
/* GET of the endpoint's host with another path ("/metrics"): SF_OK with status 200 only. */
SF_MUST_USE enum sf_err cloud_get_root(struct cloud *c, const char *path, sf_ms within,
                                       struct sf_buf *body, struct sf_errbuf *eb);
/* Calls begin with this of the provider's formats from now on. */
void cloud_set_format(struct cloud *c, unsigned format);

#endif
