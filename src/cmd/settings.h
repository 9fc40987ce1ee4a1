/* SPDX-License-Identifier: MIT */
#ifndef SF_CMD_SETTINGS_H
#define SF_CMD_SETTINGS_H

#include "cmd/args.h"
#include "conf/conf.h"

/* Teaches args_parse the configuration's flags and --config; main calls it once. */
void settings_use(void);

/* What the command line says about the configuration. Borrows from `a`; other fields of `source`
 * stay as they are. */
void settings_source(const struct args *a, struct conf_source *source);

/* Loads the configuration, sets the log up as it says and logs the findings. Errors go to stderr,
 * all of them, and end the program with their exit code (100 for a mistake). The caller owns one
 * reference. */
const struct conf *settings_load(const struct args *a);

/* Loads it again while the program runs, with `model` (NULL none) as generator.local.model_name:
 * NULL, and why in `eb` and the log, when it is wrong. `args` is the struct args of the start. For
 * struct miner_reload. */
const struct conf *settings_reload(void *args, const char *model, struct sf_errbuf *eb);

/* Reads it only, for struct miner_reload: nothing is logged. */
const struct conf *settings_examine(void *args, struct conf_diagnostics *found,
                                    struct sf_errbuf *eb);

#endif
