/* SPDX-License-Identifier: MIT */
#ifndef SF_CMD_MODELS_TUNE_H
#define SF_CMD_MODELS_TUNE_H

#include "app/model_catalogue.h"
#include "cmd/args.h"

/* storyfi models tune [NAME]. Returns the exit code. */
int models_tune(const struct args *a, const struct conf *conf, const struct model_catalogue *c);

#endif
