/* SPDX-License-Identifier: MIT */
#ifndef SF_HTTP_CLIENT_H
#define SF_HTTP_CLIENT_H

#include "base/buf.h"
#include "base/clock.h"
#include "http/message.h"

#include <stdatomic.h>

/* One request to another server. */
struct http_call {
    const char *url;
    const struct http_header *headers;
    size_t n_headers;
    struct sf_str body; /* sent as POST when `post` */
    bool post;
    struct sf_time deadline;
    size_t max_body_bytes;
    /* A PEM certificate: over TLS the server must have exactly that one, whatever names are in it.
     * Empty: the trusted authorities decide. */
    struct sf_str trust_only;
    /* A large body: it goes to on_data alone and is not collected (max_body_bytes is without
     * effect), and calls side by side get connections of their own instead of sharing one. */
    bool stream;
    /* Progress: head or body bytes arrived, with the status so far (0 before the head). `piece` is
     * empty for the head. On the calling thread. False gives the transfer up (SF_ECANCELED). The
     * body is collected in the answer all the same. NULL: no interest. */
    bool (*on_data)(void *arg, int status, struct sf_str piece);
    /* At least every 20 ms while the transfer is under way, on the calling thread (http_client_
     * perform only). False gives it up (SF_ECANCELED). NULL: no interest. */
    bool (*on_tick)(void *arg);
    void *arg;
};

struct http_answer {
    int status;
    struct sf_buf head; /* header lines "name: value\n" as they came */
    struct sf_buf body;
    bool sent; /* the request left: a server may have acted on it. True as soon as it is so, for
                  on_data and on_tick to see. A request that was sent is never sent again. */
};
void http_answer_fini(struct http_answer *a);
/* The value of a header (case ignored); empty when absent. */
struct sf_str http_answer_header(const struct http_answer *a, const char *name);
/* The pause that its Retry-After asks for, at most a day: seconds, or a date (by the clock of who
 * sent it, where there is a Date, else by ours). -1: none that can be understood. */
sf_ms http_answer_retry_after(const struct http_answer *a);

/* Blocks until the whole answer is there or the deadline passes. SF_ETRANSIENT: not reached (within
 * half of the time, at most 5 s), or the connection broke before the whole body was there (then
 * `status` is that of the head, and the body what came of it); SF_EDEADLINE; SF_ELIMIT: answer over
 * the cap; SF_ECONFIG: not an address; SF_ECANCELED. Any status is SF_OK; redirects are not
 * followed. The answer is to be fini'd in any case. */
SF_MUST_USE enum sf_err http_client_call(const struct http_call *call, struct http_answer *answer,
                                         struct sf_errbuf *eb);

/* The connections to one target, kept open between calls and shared by all threads: HTTP/2 where
 * the server speaks it, TLS verified, proxies from the environment. */
struct http_client;
SF_MUST_USE enum sf_err http_client_open(struct http_client **out);
void http_client_close(struct http_client *c); /* no transfer may be under way */

/* One of several calls that go out together. */
struct http_transfer {
    struct http_call call;
    /* results */
    struct http_answer answer; /* fini in any case */
    enum sf_err err;           /* as http_client_call's */
    struct sf_errbuf eb;
};

/* Runs `n` transfers side by side, at most `at_once` at a time (0: all); returns when all have
 * ended, each with its own `err`. `cancel` (may be NULL) is looked at every 20 ms and ends them
 * with SF_ECANCELED. Thread-safe; blocks the calling thread, on which every on_data runs. */
void http_client_perform(struct http_client *c, struct http_transfer *list, size_t n,
                         size_t at_once, const atomic_bool *cancel);

#endif
