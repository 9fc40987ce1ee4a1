/* SPDX-License-Identifier: MIT */
#ifndef SF_GENERATOR_API_H
#define SF_GENERATOR_API_H

#include "generator/generator.h"

/* A cloud provider, or anything that speaks one's language. */
struct api_options {
    const char *provider;     /* "openai" "gemini" "anthropic" "custom" (OpenAI-compatible) */
    const char *endpoint;     /* "" the provider's own; needed for "custom" */
    const char *key;          /* NULL not set: refused, unless no variable is named */
    const char *key_variable; /* "" no key is needed */
    const char *model;        /* "" the catalogue's, for "custom" what the server lists first */
    double temperature;
    int64_t max_tokens; /* 0 as the task needs */
    int64_t concurrency;
    double price_input, price_output; /* US dollars a million tokens; negative: the catalogue's */
};

extern const struct generator_type generator_api;

#endif
