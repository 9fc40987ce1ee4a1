/* SPDX-License-Identifier: MIT */
#include "generator/registry.h"

#include <string.h>

static const struct generator_type *const types[] = {
    &generator_local,    &generator_remote, &generator_vllm, &generator_script,
    &generator_endpoint, &generator_plugin, &generator_api,
};

const struct generator_type *registry_find(const char *kind)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (strcmp(types[i]->kind, kind) == 0) {
            return types[i];
        }
    }
    return NULL;
}
