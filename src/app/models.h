/* SPDX-License-Identifier: MIT */
#ifndef SF_APP_MODELS_H
#define SF_APP_MODELS_H

#include "conf/conf.h"

/* A model by the name people use, and where its file lies on this machine. */
struct model_place {
    char name[128]; /* model_info.name */
    char path[1024];
    char lib_dir[1024];     /* of libllama and its variants */
    char engine_path[1024]; /* the helper program */
    const char *languages[4];
    size_t n_languages;
    bool instruct, small;
};

/* Looks the configured model up: a path to a .gguf, "default", or a known name, in models_dir, the
 * installed share/storyfi/models and the set-up cache. The path is filled also when no file is
 * there, with the first place looked at. SF_ENOMEM only. */
void model_find(const struct conf *conf, struct model_place *out);

#endif
