/* SPDX-License-Identifier: MIT */
#ifndef SF_GENERATOR_VLLM_H
#define SF_GENERATOR_VLLM_H

#include "generator/vllm_spawn.h"

/* A vLLM server: one that runs somewhere, or one that is started and supervised here. */
struct vllm_options {
    const char *endpoint;     /* "http://127.0.0.1:8000/v1" */
    const char *model;        /* "" what the server lists first */
    const char *key;          /* NULL not set: refused, unless no variable is named */
    const char *key_variable; /* "" no key is needed */
    double temperature, top_p;
    int64_t max_tokens;                     /* 0 as the task needs */
    sf_ms patience_ms;                      /* the chain's: progress is looked for more often */
    const struct vllm_spawn_options *spawn; /* NULL: it runs already; else `endpoint` is not used */
};

extern const struct generator_type generator_vllm;

#endif
