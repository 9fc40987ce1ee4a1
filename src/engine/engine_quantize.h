/* SPDX-License-Identifier: MIT */
#ifndef SF_ENGINE_ENGINE_QUANTIZE_H
#define SF_ENGINE_ENGINE_QUANTIZE_H

#include "base/err.h"

#include <stdatomic.h>

/* A model file in another type, written by a storyfi-engine that is started for it. */
struct engine_quantize_order {
    const char *engine_path, *lib_dir;
    const char *const *environment;
    const char *input, *output;
    const char *type;        /* "Q4_K_M" */
    const char *output_type; /* of embeddings and output matrix; NULL: as the type has it */
    void (*on_progress)(void *arg, int permille); /* may be NULL */
    void *arg;
    const atomic_bool *cancel; /* NULL never */
};

/* Blocks until it is written; what is at `output` after an error is of no use. SF_EUNAVAILABLE: no
 * helper program; SF_EINVAL: no such type; SF_EMODEL, SF_ECRASH, SF_ESLOW, SF_ECANCELED. */
SF_MUST_USE enum sf_err engine_quantize(const struct engine_quantize_order *o,
                                        struct sf_errbuf *eb);

#endif
