/* SPDX-License-Identifier: MIT */
#ifndef SF_GENERATOR_LOCAL_H
#define SF_GENERATOR_LOCAL_H

#include "engine/engine.h"
#include "generator/generator.h"

/* A model on this machine, run by storyfi-engine. */
struct local_options {
    struct engine_options engine;
    const char *model_name; /* as people know it: model_info.name */
    const char *languages[4];
    size_t n_languages;
    bool instruct, small;
};

extern const struct generator_type generator_local;

#endif
