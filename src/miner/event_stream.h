/* SPDX-License-Identifier: MIT */
#ifndef SF_MINER_EVENT_STREAM_H
#define SF_MINER_EVENT_STREAM_H

#include "http/server.h"
#include "json/json.h"

/* Server-sent events over an answer that stays open. */

/* Answers with the head of an event stream; NULL as http_reply_open. */
struct http_stream *event_stream_open(struct http_exchange *x);
/* Appends "event: NAME\ndata: …\n\n"; sticky error there. */
void event_stream_print(struct sf_buf *out, const char *event, const json_t *data);
/* One event; takes the data over (NULL: out of memory, false). False as http_stream_write. */
bool event_stream_send(struct http_stream *s, const char *event, json_t *data_own);

#endif
