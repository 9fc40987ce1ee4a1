/* SPDX-License-Identifier: MIT */
#ifndef SF_CMD_REQUEST_ARGS_H
#define SF_CMD_REQUEST_ARGS_H

#include "cmd/args.h"
#include "story/task.h"

/* The request that --task, --input and --context describe; ends the program with 100 when they do
 * not make one. */
void request_args_read(const struct args *a, struct story_request *out);
/* The same as the JSON fields of a synapse; caller owns. */
json_t *request_args_fields(const struct args *a);
/* --seed, or a random one. */
uint64_t request_args_seed(const struct args *a);

#endif
