/* SPDX-License-Identifier: MIT */
#ifndef SF_CMD_MODELS_USE_H
#define SF_CMD_MODELS_USE_H

#include "app/model_catalogue.h"
#include "cmd/args.h"

/* storyfi models use NAME: the running miner changes to it, with a bar until it has; without one,
 * the line for the configuration is printed. Returns the exit code. */
int models_use(const struct args *a, const struct conf *conf, const struct model_catalogue *c);

#endif
