/* SPDX-License-Identifier: MIT */
#ifndef SF_APP_ORIGIN_H
#define SF_APP_ORIGIN_H

/* Who a request came from. The journal keeps the names: they never change. */
enum request_origin { ORIGIN_VALIDATOR, ORIGIN_PLAYGROUND, ORIGIN_CLI, ORIGIN_SERVE };
#define ORIGIN_COUNT 4

/* "validator", "playground", "cli", "serve". */
const char *request_origin_name(enum request_origin origin);

#endif
