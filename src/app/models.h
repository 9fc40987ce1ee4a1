/* SPDX-License-Identifier: MIT */
#ifndef SF_APP_MODELS_H
#define SF_APP_MODELS_H

#include "app/model_catalogue.h"

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

/* Looks the configured model up: a path to a .gguf, "auto", "default", or a name of the catalogue
 * or of a file, in models_dir, the installed share/storyfi/models, the set-up cache and what
 * Python's huggingface_hub keeps. The path is filled also when no file is there, with the first
 * place looked at. "auto" asks the machine for its devices, which may take seconds. */
void model_find(const struct conf *conf, struct model_place *out);

/* The same for a name that is not the configured one. */
void model_find_named(const struct conf *conf, const char *name, struct model_place *out);

/* "<models' folder>/FILE.tuned.gguf" of a model's file: the same in the layout that this CPU reads
 * fastest (model_tune.h). A model that is looked up by name is that file when it is there and not
 * older than the original; model_find_original leaves it out. */
void model_tuned_path(const struct conf *conf, const char *path, char *out, size_t n);
void model_find_original(const struct conf *conf, const char *name, struct model_place *out);

/* The same places for one entry of the catalogue, in the configured quantization; false: none has
 * it, and `out` has the first place. */
bool model_find_file(const struct conf *conf, const struct model_entry *e, char *out, size_t n);

/* A file of a repository ("sub/x.gguf") in what Python's huggingface_hub keeps; false: none. */
bool model_find_kept(const struct conf *conf, const char *repo, const char *file, char *out,
                     size_t n);
/* The folder where Python's huggingface_hub keeps a repository with a config.json; false: none. */
bool model_find_snapshot(const struct conf *conf, const char *repo, char *out, size_t n);

/* Fills engine_path and lib_dir alone. */
void model_find_programs(const struct conf *conf, struct model_place *out);

#endif
