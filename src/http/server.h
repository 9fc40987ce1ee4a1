/* SPDX-License-Identifier: MIT */
#ifndef SF_HTTP_SERVER_H
#define SF_HTTP_SERVER_H

#include "base/buf.h"
#include "base/clock.h"
#include "http/message.h"

/* One listener. Requests are collected whole within their limits, handed to a function, and
 * answered from any thread, then or later: the connection is parked meanwhile. */
struct http_server;
struct http_exchange;

#define HTTP_HEADERS_MAX 64

struct http_request {
    const char *method; /* "POST" */
    const char *path;   /* without query */
    const char *query;  /* what stood behind '?', as it came; "" none */
    struct http_header headers[HTTP_HEADERS_MAX];
    size_t n_headers;
    bool too_many_headers;
    struct sf_str body;
    bool body_too_large;
    void *judgement; /* what `judge` made of it; freed with free() */
    char peer_ip[46];
    unsigned peer_port;
};

/* Gets a whole request, valid until the exchange is answered. Must call http_reply exactly once,
 * now or later, on any thread. Runs on an HTTP thread: must not block. */
typedef void (*http_handler)(void *arg, struct http_exchange *x,
                             const struct http_request *request);

struct http_server_options {
    const char *ip; /* "127.0.0.1", "0.0.0.0", or IPv6 */
    uint16_t port;  /* 0 any free one */
    unsigned threads;
    unsigned max_connections, max_connections_per_ip;
    size_t max_head_bytes, max_body_bytes;
    sf_ms head_timeout_ms, body_timeout_ms, idle_timeout_ms;
    http_handler handler;
    /* Sees the head before the body is read, on an HTTP thread; may set `judgement`. False: the
     * body is read and dropped, the handler is called with none. NULL: every body is kept. */
    bool (*judge)(void *arg, struct http_request *head);
    /* Asked for each new connection with how many are open, on an HTTP thread; NULL takes all. */
    bool (*accept)(void *arg, const char *peer_ip, unsigned n_open);
    void *arg;
    const struct http_header *headers; /* added to every answer; borrowed while it is open */
    size_t n_headers;
    unsigned max_streams; /* answers that stay open, at once */
    /* HTTPS alone: PEM texts of a certificate (with its chain) and its key. NULL: HTTP. Borrowed
     * for the call of http_server_open. */
    const char *tls_certificate, *tls_key;
};
struct http_server_options http_server_options_default(void);

/* SF_EIO names address and cause ("in use by another program"); SF_ECONFIG: certificate and key do
 * not do. */
SF_MUST_USE enum sf_err http_server_open(const struct http_server_options *o,
                                         struct http_server **out, struct sf_errbuf *eb);
uint16_t http_server_port(const struct http_server *s);
/* No new connections from here on; those that are there are answered. */
void http_server_stop_accepting(struct http_server *s);
/* All exchanges must have been answered. Streams that are open end here: their writers hear of it
 * at the next write, and may close them after this call too. */
void http_server_close(struct http_server *s);

/* A second descriptor of the client's connection, for http_client_has_left; the caller closes it.
 * Never 0; -1: none. Before the answer only. */
int http_exchange_watch(const struct http_exchange *x);
/* Whether the client has closed its side: nobody that we know does so and still reads. 0 and -1:
 * no. */
bool http_client_has_left(int fd);

/* Answers. Headers and body are copied; Content-Length is added. */
void http_reply(struct http_exchange *x, int status, const struct http_header *headers,
                size_t n_headers, struct sf_str body);

/* ---- answers that stay open ------------------------------------------------------------------ */

/* Bytes that were written and that the client did not take yet, of one stream. */
#define HTTP_STREAM_BYTES_MAX ((size_t)1 << 20) /* a long answer told slot by slot, then whole */

struct http_stream;

/* Answers with a head now and a body as it is written (chunked). The exchange and its request are
 * no longer the caller's. NULL: out of memory, or max_streams are open; 503 was answered. */
struct http_stream *http_reply_open(struct http_exchange *x, int status,
                                    const struct http_header *headers, size_t n_headers);
/* Hands bytes over, all of them or none; any thread, never blocks. False: the client has gone, or
 * did not take HTTP_STREAM_BYTES_MAX, or the server ends: the connection is cut, close the stream.
 */
bool http_stream_write(struct http_stream *s, struct sf_str bytes);
/* Whether a write would fail, for who has nothing to write for long. */
bool http_stream_is_gone(struct http_stream *s);
/* What was written is still sent. NULL: nothing. */
void http_stream_close(struct http_stream *s);

#endif
