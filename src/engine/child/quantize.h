/* SPDX-License-Identifier: MIT */
#ifndef SF_ENGINE_CHILD_QUANTIZE_H
#define SF_ENGINE_CHILD_QUANTIZE_H

#include "engine/child/model.h"

struct quantize_order {
    const char *input, *output; /* .gguf */
    const char *type;           /* "Q4_K_M", "Q8_0", "F16" … */
    const char *output_type; /* of the embeddings and the output matrix; NULL: as `type` has it */
    const char *lib_dir;
    int threads; /* 0: as many CPUs as the process may use */
};

/* Writes a model in another type; what is there at `output` is overwritten, what is written on an
 * error is of no use. SF_EINVAL: no such type; SF_ECONFIG: libraries; SF_EMODEL: not read or not
 * written, with what the library says. One at a time. */
SF_MUST_USE enum sf_err quantize_run(const struct quantize_order *o, model_progress_fn progress,
                                     void *arg, struct sf_errbuf *eb);

#endif
