/* SPDX-License-Identifier: MIT */
#ifndef SF_HTTP_WS_H
#define SF_HTTP_WS_H

#include "base/buf.h"
#include "base/clock.h"

#include <stdatomic.h>

/* A WebSocket to another server, for one thread: text goes out, text comes in, every call blocks
 * until it is done or its deadline is over. Pings are answered while a call is under way. TLS
 * (wss://) is verified against the authorities of http/trust.h and the host's name. */
struct ws;

struct ws_options {
    const char *url;          /* ws://host[:port][/path] or wss://…; borrowed for the call */
    size_t max_message_bytes; /* of one received text */
    struct sf_time deadline;
    const atomic_bool *cancel; /* looked at every 100 ms by this and later calls; may be NULL */
};

/* SF_EINVAL: not such a URL; SF_ETRANSIENT: not reached or refused (names the cause); SF_EDEADLINE;
 * SF_ECANCELED; SF_ENOMEM. Resolving a name may take longer than the deadline. Caller closes *out.
 */
SF_MUST_USE enum sf_err ws_open(const struct ws_options *o, struct ws **out, struct sf_errbuf *eb);
void ws_close(struct ws *w);

/* SF_ETRANSIENT: the connection broke; SF_EDEADLINE, SF_ECANCELED: part of it may have left. After
 * an error the socket is good for nothing but ws_close. */
SF_MUST_USE enum sf_err ws_send(struct ws *w, struct sf_str text, struct sf_time deadline,
                                struct sf_errbuf *eb);
/* Appends the next whole text to `out`. SF_ELIMIT: larger than max_message_bytes; others as above;
 * after SF_EDEADLINE it may be called again. */
SF_MUST_USE enum sf_err ws_receive(struct ws *w, struct sf_buf *out, struct sf_time deadline,
                                   struct sf_errbuf *eb);

#endif
