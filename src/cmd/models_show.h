/* SPDX-License-Identifier: MIT */
#ifndef SF_CMD_MODELS_SHOW_H
#define SF_CMD_MODELS_SHOW_H

#include "app/model_catalogue.h"
#include "cmd/args.h"

/* The parts of `storyfi models` that only look. Each prints a table, or JSON with --json. */
int models_list(const struct args *a, const struct conf *conf, const struct model_catalogue *c);
int models_show(const struct args *a, const struct conf *conf, const struct model_catalogue *c);
int models_recommend(const struct args *a, const struct conf *conf,
                     const struct model_catalogue *c);

/* Prints an object or list to stdout and frees it. */
void models_print_json(json_t *value_own);

#endif
