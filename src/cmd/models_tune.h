/* SPDX-License-Identifier: MIT */
#ifndef SF_CMD_MODELS_TUNE_H
#define SF_CMD_MODELS_TUNE_H

#include "app/model_catalogue.h"
#include "cmd/args.h"

#include <stdatomic.h>

/* storyfi models tune [NAME]. Returns the exit code. */
int models_tune(const struct args *a, const struct conf *conf, const struct model_catalogue *c);

/* The quick form for a model or file, unasked: where it is sensible, generator.local.auto_tune is
 * on and no miner runs here; else says why not. What comes out is a line on stdout, or "tuning" in
 * `result` when that is not NULL. No failure of its own: the model is here, as it came. */
void models_tune_by_itself(const struct conf *conf, const char *name, const atomic_bool *cancel,
                           json_t *result);

#endif
