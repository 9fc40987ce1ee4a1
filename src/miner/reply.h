/* SPDX-License-Identifier: MIT */
#ifndef SF_MINER_REPLY_H
#define SF_MINER_REPLY_H

#include "http/server.h"
#include "json/json.h"

/* What the listeners that are not the axon's share: JSON answers, and who is on this machine. */

/* Answers with JSON (NULL: 503, out of memory). Takes the body over. */
void reply_json(struct http_exchange *x, int status, json_t *body_own);
/* {"message": …}. */
void reply_message(struct http_exchange *x, int status, const char *message);
/* JSON to one whose request has the number `id` (X-Storyfi-Request: what `storyfi trail`
 * takes; 0 none). `again`: with Retry-After. */
void reply_to_request(struct http_exchange *x, int64_t id, int status, bool again,
                      json_t *body_own);

/* The value of a request's header (case ignored); empty when absent. */
struct sf_str request_header(const struct http_request *r, const char *name);

/* Whether Host and Origin (if any) name this machine: a page elsewhere must not reach us by a name
 * that it points here (DNS rebinding), nor by a form. */
bool request_is_local(const struct http_request *r);
/* Whether the body is said to be JSON: a page elsewhere cannot say so without asking first. */
bool request_is_json(const struct http_request *r);

/* Whether an address ("127.0.0.1", "::1") is loopback. */
bool address_is_loopback(const char *ip);

#endif
