/* SPDX-License-Identifier: MIT */
#ifndef SF_GENERATOR_ENDPOINT_H
#define SF_GENERATOR_ENDPOINT_H

#include "generator/generator.h"

/* The owner's own service: the documented JSON by POST, {"content": …} back. */
struct endpoint_options {
    const char *name; /* for model_info.name, unless the answer brings one */
    const char *url, *token;
    sf_ms timeout_ms;
    size_t max_output_bytes;
    int64_t concurrency;
};

extern const struct generator_type generator_endpoint;

#endif
