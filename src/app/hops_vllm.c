/* SPDX-License-Identifier: MIT */
#include "app/hops_internal.h"
#include "generator/vllm.h"

enum sf_err hops_add_vllm(struct hops *a)
{
    const struct conf_vllm *v = &a->conf->generator.vllm;
    const char *key = v->api_key_env[0] == '\0' ? NULL : conf_secret(a->conf, v->api_key_env);
    struct gen_chain_hop *hop = hops_new(a, &generator_vllm, "vllm",
                                         v->model_name[0] != '\0' ? v->model_name : v->endpoint);
    if (hop == NULL) {
        return SF_OK;
    }
    hop->progress_ms = v->timeout_ms;
    struct vllm_options o = {.endpoint = v->endpoint,
                             .model = v->model_name,
                             .key = key,
                             .key_variable = v->api_key_env,
                             .temperature = v->temperature,
                             .top_p = v->top_p,
                             .max_tokens = v->max_tokens};
    return hops_open_one(hop, &o);
}
