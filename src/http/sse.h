/* SPDX-License-Identifier: MIT */
#ifndef SF_HTTP_SSE_H
#define SF_HTTP_SSE_H

#include "base/buf.h"

/* Reads a stream of server-sent events (WHATWG HTML, 9.2.6) in pieces cut anywhere. Comments
 * (pings) and the fields id and retry are passed over. */
struct sse {
    struct sf_buf line, data;
    char event[64]; /* "" unless the stream names one; longer names are cut */
    bool after_cr;  /* a line feed that comes next belongs to the last line's end */
    bool begun;     /* past the place of a byte order mark */
    bool has_data;
    enum sf_err err; /* sticky */
};

/* One event: its name ("" unnamed) and its data, lines joined with \n. Both borrowed for the call.
 * False stops the reading: sse_feed returns SF_ECANCELED. */
typedef bool (*sse_fn)(void *arg, const char *event, struct sf_str data);

/* `max_bytes` bounds one line and the data of one event. */
void sse_init(struct sse *s, size_t max_bytes);
void sse_fini(struct sse *s);

/* SF_ELIMIT: a line or an event over the bound; SF_ENOMEM; SF_ECANCELED. After an error the rest is
 * not read. An event that the stream's end cuts is not told. */
SF_MUST_USE enum sf_err sse_feed(struct sse *s, struct sf_str piece, sse_fn fn, void *arg);

#endif
