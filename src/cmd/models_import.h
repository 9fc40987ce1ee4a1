/* SPDX-License-Identifier: MIT */
#ifndef SF_CMD_MODELS_IMPORT_H
#define SF_CMD_MODELS_IMPORT_H

#include "app/model_catalogue.h"
#include "cmd/args.h"

/* storyfi models import DIR|NAME. Returns the exit code. */
int models_import(const struct args *a, const struct conf *conf, const struct model_catalogue *c);

#endif
