/* SPDX-License-Identifier: MIT */
#ifndef SF_HTTP_CLIENT_H
#define SF_HTTP_CLIENT_H

#include "base/buf.h"
#include "base/clock.h"
#include "http/message.h"

/* One request to another server; blocks until the whole answer is there or the deadline passes. */
struct http_call {
    const char *url;
    const struct http_header *headers;
    size_t n_headers;
    struct sf_str body; /* sent as POST when `post` */
    bool post;
    struct sf_time deadline;
    size_t max_body_bytes;
};

struct http_answer {
    int status;
    struct sf_buf head; /* header lines "name: value\n" as they came */
    struct sf_buf body;
};
void http_answer_fini(struct http_answer *a);
/* The value of a header (case ignored); empty when absent. */
struct sf_str http_answer_header(const struct http_answer *a, const char *name);

/* SF_ETRANSIENT: not reached; SF_EDEADLINE; SF_ELIMIT: answer over the cap. Any status is SF_OK.
 * The answer is to be fini'd in any case. */
SF_MUST_USE enum sf_err http_client_call(const struct http_call *call, struct http_answer *answer,
                                         struct sf_errbuf *eb);

#endif
