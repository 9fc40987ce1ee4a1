/* SPDX-License-Identifier: MIT */
#ifndef SF_MINER_ADMIN_API_H
#define SF_MINER_ADMIN_API_H

#include "miner/admin_route.h"
#include "miner/ask_query.h"

/* The dashboard's questions, by file; doc/admin-api.md describes them. */
extern const struct admin_routes admin_history_routes; /* journal: requests, series, states */
extern const struct admin_routes admin_stories_routes;
extern const struct admin_routes admin_play_routes;
extern const struct admin_routes admin_doctor_routes;
extern const struct admin_routes admin_config_routes;
extern const struct admin_routes admin_events_routes; /* and /api/status */

/* What the files of the dashboard share. */

/* A reader of the miner's journal. NULL: answered already, with an error, or with `nothing_own`
 * when nothing was recorded yet. */
struct journal_reader;
struct journal_reader *admin_journal(struct admin *a, struct http_exchange *x, json_t *nothing_own);
/* Answers with `err` in words. */
void admin_fail(struct http_exchange *x, enum sf_err err, const struct sf_errbuf *eb);
/* The body as an object, which the caller owns; NULL: answered already. */
json_t *admin_body(struct http_exchange *x, const struct http_request *r);

/* The argument "origin"; NULL any. */
const char *admin_origin(struct ask *q);
/* True: what was asked for is wrong, and that was answered. */
bool admin_refuse(struct http_exchange *x, const struct ask *q);
/* Answers 200 with the body, or `err` without it. */
void admin_answer(struct http_exchange *x, enum sf_err err, const struct sf_errbuf *eb,
                  json_t *body_own);
/* {NAME: list, "next_before_id": the last one's `key`, or null when the list is not full}. */
json_t *admin_page(const char *name, json_t *list_own, const char *key, int64_t limit);

#endif
