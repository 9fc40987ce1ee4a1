/* SPDX-License-Identifier: MIT */
#include "app/hops_internal.h"
#include "app/hops_key.h"
#include "generator/api.h"
#include "generator/prices.h"

#include <string.h>

/* Where the key is looked up; "" none is needed. Servers that only speak OpenAI's language (Ollama,
 * llama-server) mostly need none: there the usual variable may be unset. A placeholder says that
 * one is meant. */
static const char *variable_of(const struct conf *conf, const struct conf_api *api)
{
    const char *value = conf_env(conf, api->api_key_env);
    bool foreign = strcmp(api->provider, "openai") == 0 && api->endpoint[0] != '\0';
    bool unset = value == NULL || value[0] == '\0';
    return foreign && unset && strcmp(api->api_key_env, "OPENAI_API_KEY") == 0 ? ""
                                                                               : api->api_key_env;
}

static enum sf_err add_one(struct hops *a, const struct conf_api *api, const char *wish)
{
    char name[64];
    const char *usual = price_default_model(api->provider);
    const char *model = api->model[0] != '\0' ? api->model : usual == NULL ? "" : usual;
    const char *key = api->api_key_env[0] == '\0' ? NULL : conf_secret(a->conf, api->api_key_env);
    hops_unique_name(a, api->name[0] != '\0' ? api->name : wish, name);
    struct gen_chain_hop *hop =
        hops_new(a, &generator_api, name, model[0] != '\0' ? model : api->endpoint);
    if (hop == NULL) {
        return SF_OK;
    }
    hops_account(api->provider, api->endpoint, key, hop->account);
    hop->limits = (struct gen_limits){.requests_per_hour = api->limits.requests_per_hour,
                                      .cost_per_day = api->limits.cost_per_day};
    hop->progress_ms = api->timeout_ms;
    struct api_options o = {.provider = api->provider,
                            .endpoint = api->endpoint,
                            .key = key,
                            .key_variable = variable_of(a->conf, api),
                            .model = model,
                            .temperature = api->temperature,
                            .max_tokens = api->max_tokens,
                            .concurrency = api->concurrency,
                            .price_input = api->price.input,
                            .price_output = api->price.output};
    return hops_open_one(hop, &o);
}

enum sf_err hops_add_api(struct hops *a)
{
    const struct conf_api *api = &a->conf->generator.api;
    for (size_t i = 0; i < a->n; i++) {
        if (a->list[i].generator.type == &generator_api) {
            return SF_OK; /* named twice in mode and fallback */
        }
    }
    enum sf_err err = add_one(a, api, "api");
    for (size_t i = 0; i < api->fallbacks.n && err == SF_OK; i++) {
        err = add_one(a, &api->fallbacks.v[i], api->fallbacks.v[i].provider);
    }
    return err;
}

bool hops_has_api(const struct conf *conf)
{
    const struct conf_api *api = &conf->generator.api;
    return api->present ||
           (api->api_key_env[0] != '\0' && conf_secret(conf, api->api_key_env) != NULL);
}
