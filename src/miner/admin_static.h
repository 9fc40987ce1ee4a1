/* SPDX-License-Identifier: MIT */
#ifndef SF_MINER_ADMIN_STATIC_H
#define SF_MINER_ADMIN_STATIC_H

#include "miner/admin_route.h"

/* The pages: every file of web/ as it was built into the program. cmake/storyfi.cmake makes the
 * table (web_assets) from the folder. */
struct web_asset {
    const char *name; /* "app.js" */
    const struct sf_str *content;
};
extern const struct web_asset web_assets[];
extern const size_t n_web_assets;

extern const struct admin_routes admin_static_routes;

/* Answers with a file: 200, 304 when the caller has it, 404 when there is none. */
void admin_static_reply(struct http_exchange *x, const struct http_request *r, const char *name);

#endif
