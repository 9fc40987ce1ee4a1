/* SPDX-License-Identifier: MIT */
#ifndef SF_MINER_QUERY_H
#define SF_MINER_QUERY_H

#include "http/server.h"

/* What callers put behind a path's '?' and into the Cookie header: pure functions over their bytes.
 */

/* The first value of `name` in "a=1&b=%C3%A9+x" (names compare as written), decoded, into `out` of
 * `room` bytes. False, and "" in `out`: it is not there, does not fit, is encoded wrongly, or holds
 * a NUL. */
bool query_argument(struct sf_str query, const char *name, char *out, size_t room);
/* The same of a request. */
bool request_argument(const struct http_request *r, const char *name, char *out, size_t room);

/* The first value of `name` in a Cookie header; empty when absent. */
struct sf_str cookie_value(struct sf_str header, const char *name);

#endif
