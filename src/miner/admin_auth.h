/* SPDX-License-Identifier: MIT */
#ifndef SF_MINER_ADMIN_AUTH_H
#define SF_MINER_ADMIN_AUTH_H

#include "conf/conf.h"
#include "miner/admin_route.h"

/* Who may look: the owner's token, shown with each request or once at the login page, which gives a
 * cookie. Without a token (loopback only) everybody on this machine may. Thread-safe. */
struct admin_auth;

/* Reads what the configuration says of it. SF_ECONFIG: cause and remedy in `eb`; SF_ENOMEM. */
SF_MUST_USE enum sf_err admin_auth_open(const struct conf *conf, struct admin_auth **out,
                                        struct sf_errbuf *eb);
void admin_auth_close(struct admin_auth *a);

enum admin_verdict { ADMIN_WELCOME, ADMIN_STRANGER, ADMIN_TOO_OFTEN };
/* By its cookie or its Authorization header. Wrong tokens are counted: after five in a minute an
 * address gets ADMIN_TOO_OFTEN for a minute, whatever it shows but a cookie. */
enum admin_verdict admin_auth_judge(struct admin_auth *a, const struct http_request *r);
/* Answers one that may not: 401, 429, or the way to the login page. */
void admin_auth_refuse(enum admin_verdict v, struct http_exchange *x, const struct http_request *r);

/* GET and POST /login, POST /logout, GET /api/session. */
extern const struct admin_routes admin_auth_routes;

#endif
