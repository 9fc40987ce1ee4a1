/* SPDX-License-Identifier: MIT */
#ifndef SF_CONF_ENVIRONMENT_H
#define SF_CONF_ENVIRONMENT_H

#include "conf/conf.h"

/* A list of "NAME=value", NULL at the end, for a child process: of this process's environment the
 * variables in `names` ("CUDA_*" takes all that start so), then `extra`. Caller frees with
 * conf_environment_free, which wipes. NULL: out of memory. */
char **conf_environment_pick(const char *const *names, size_t n, const struct conf_pairs *extra);
void conf_environment_free(char **list);

/* Writes the names of variables that conf_environment_pick leaves out and that look like settings a
 * script may want (…_KEY, …_TOKEN, …_API…), separated by ", ". */
void conf_environment_withheld(const char *const *names, size_t n, struct sf_buf *out);

#endif
