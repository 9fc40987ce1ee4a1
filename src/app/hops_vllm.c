/* SPDX-License-Identifier: MIT */
#include "app/hops_internal.h"
#include "generator/registry.h"

enum sf_err hops_add_vllm(struct hops *a)
{
    struct gen_chain_hop *hop =
        hops_new(a, registry_find("vllm"), "vllm", a->conf->generator.vllm.endpoint);
    if (hop != NULL) {
        (void)snprintf(hop->reason, sizeof hop->reason,
                       "vllm is not in this version: use local, or a custom script_path");
    }
    return SF_OK;
}
