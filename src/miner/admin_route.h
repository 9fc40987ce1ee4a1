/* SPDX-License-Identifier: MIT */
#ifndef SF_MINER_ADMIN_ROUTE_H
#define SF_MINER_ADMIN_ROUTE_H

#include "miner/admin.h"
#include "miner/query.h"
#include "miner/reply.h"

/* What the admin listener answers: each admin_x.c exports a table, which admin.c lists. When a
 * handler is called Host, Origin, token, method and, for POST, the content type are checked. */

/* Answers with reply_* or http_reply* exactly once, then or later. On an HTTP thread: must not
 * block, unless the route is ADMIN_SLOW. */
typedef void (*admin_handler)(struct admin *a, struct http_exchange *x,
                              const struct http_request *r);

enum admin_route_flag {
    ADMIN_OPEN = 1, /* needs no token */
    ADMIN_SLOW = 2, /* runs on a thread that may wait for the disk; 503 when many are waiting */
};

struct admin_route {
    const char *method; /* "GET", "POST" */
    const char *path;   /* a '*' at the end takes any rest */
    admin_handler handle;
    unsigned flags;
};

struct admin_routes {
    const struct admin_route *rows;
    size_t n;
};

#endif
