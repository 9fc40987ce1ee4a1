/* SPDX-License-Identifier: MIT */
#ifndef SF_GENERATOR_REMOTE_H
#define SF_GENERATOR_REMOTE_H

#include "generator/generator.h"

/* The engine of another machine of the owner's, behind its `storyfi serve`. Kind local: an answer
 * counts only when it says that local wrote it. */
struct remote_options {
    const char *url, *token;
    sf_ms timeout_ms;
    size_t max_output_bytes;
    int64_t concurrency;
};

extern const struct generator_type generator_remote;

#endif
