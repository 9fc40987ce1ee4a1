/* SPDX-License-Identifier: MIT */
#ifndef SF_APP_MODEL_SIZES_H
#define SF_APP_MODEL_SIZES_H

#include "app/model_devices.h"
#include "app/models.h"
#include "generator/local.h"

/* From a plan to what the engines are told. */
struct model_sizes {
    struct engine_size *v;
    struct local_copy copies[ENGINE_GPUS_MAX]; /* parts of `v`: one GPU each, or all together */
    size_t n_copies;
    bool fits;      /* else `text` says why not */
    char text[400]; /* the plan, for people */
    char note[240]; /* GPUs that are there and cannot be used, with the remedy; "" none */
};

/* Plans for the file at place->path on these devices, as the owner's keys say. Of a file whose head
 * tells nothing one size is made, in which the engine decides. SF_ENOMEM only; the caller ends *out
 * with model_sizes_fini. Reads the file's head and looks for the libraries in place->lib_dir. */
SF_MUST_USE enum sf_err model_sizes_make(const struct conf *conf, const struct model_place *place,
                                         const struct model_devices *devices,
                                         struct model_sizes *out);
void model_sizes_fini(struct model_sizes *s);

/* Of "x-00001-of-00003.gguf" all three together; 0: there is none. */
int64_t model_bytes(const char *path);

/* What the planner asks of a model whose head was read; all parts of a split one are counted. */
struct gguf_head;
void model_plan_of_head(const struct gguf_head *h, const char *path, struct plan_model *out);

#endif
