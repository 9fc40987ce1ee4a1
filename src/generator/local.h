/* SPDX-License-Identifier: MIT */
#ifndef SF_GENERATOR_LOCAL_H
#define SF_GENERATOR_LOCAL_H

#include "engine/engine.h"
#include "generator/generator.h"

/* A model on this machine, run by storyfi-engine. */
struct local_copy { /* of the model: one engine, on one GPU or over all */
    const struct engine_size *sizes;
    size_t n_sizes;
};
struct local_options {
    struct engine_options engine; /* of every copy, but for the sizes */
    const struct local_copy *copies;
    size_t n_copies;        /* 1 to ENGINE_GPUS_MAX */
    const char *model_name; /* as people know it: model_info.name */
    int64_t model_bytes;    /* of all its files; 0 unknown */
    const char *languages[4];
    size_t n_languages;
    bool instruct, small;
    bool sequential; /* one text after the other */
};

extern const struct generator_type generator_local;

#endif
