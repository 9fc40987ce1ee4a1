/* SPDX-License-Identifier: MIT */
#ifndef SF_ENGINE_CHILD_SYNTHETIC_H
#define SF_ENGINE_CHILD_SYNTHETIC_H

#include "base/err.h"

#include <llama.h>
#include <stdbool.h>

/* A model with random weights in the shape of a known one, made in memory: what a machine does with
 * it, it does with the real one, without a download. Weights are Q4_K, some Q6_K, as in a Q4_K_M
 * file; the vocabulary is another model's, filled up to the shape's size. */

/* A path like "synthetic:llama-3.1-8b@FILE", or with fewer layers "synthetic:llama-3.1-8b:4@FILE";
 * FILE is the model whose vocabulary and chat template are used. */
bool synthetic_is(const char *path);

/* SF_EMODEL: no such shape, FILE cannot be read; SF_ENOMEM. The caller frees *out with
 * llama_model_free. */
SF_MUST_USE enum sf_err synthetic_open(const char *path, struct llama_model_params params,
                                       struct llama_model **out, struct sf_errbuf *eb);

#endif
