/* SPDX-License-Identifier: MIT */
#ifndef SF_GENERATOR_LOCAL_CHECK_H
#define SF_GENERATOR_LOCAL_CHECK_H

#include "generator/check.h"
#include "generator/machine.h"

#include <stdbool.h>

/* What a model of this machine needs before its engine is started: its files, memory, GPU. */
struct local_place {
    const char *engine_path; /* the helper program */
    const char *lib_dir;     /* the llama.cpp libraries; "" as linked */
    const char *model_path;
    const char *device; /* "auto" "cpu" "cuda" "cuda:N" */
    bool loaded;        /* another process of ours has the model in memory: none is needed again */
};

/* Looks at the files and compares them with `m`; starts nothing. */
void local_check_place(const struct local_place *p, const struct machine *m,
                       struct gen_checks *out);

#endif
