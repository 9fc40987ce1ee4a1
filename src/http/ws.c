/* SPDX-License-Identifier: MIT */
#include "http/ws.h"

#include "base/mem.h"
#include "http/trust.h"

#include <libwebsockets.h>
#include <pthread.h>
#include <string.h>

#define POLL_MS 100
#define HOST_MAX 256
#define SEND_MAX (16U << 20)

struct url {
    bool tls;
    char host[HOST_MAX];      /* without brackets */
    char authority[HOST_MAX]; /* as the Host header has it */
    char path[1024];
    uint16_t port;
};

struct ws {
    struct lws_context *context;
    struct lws *wsi; /* NULL once closed */
    lws_sorted_usec_list_t tick;
    const atomic_bool *cancel;
    struct url url;
    bool established, closed, oversize;
    uint8_t *out; /* LWS_PRE bytes, then the text to send; NULL when it left */
    size_t n_out;
    struct sf_buf in; /* of the message that arrives */
    bool whole;       /* `in` is one, and the socket is not read until it was taken */
    char cause[160];
};

/* The library's set-up of contexts touches what all share. */
static pthread_mutex_t setup_lock = PTHREAD_MUTEX_INITIALIZER;

/* ---------------------------------------------------------------- URL */

static bool split_authority(struct sf_str authority, struct url *u)
{
    struct sf_str host = authority, port = {"", 0};
    if (sf_str_has_prefix(authority, "[")) {
        size_t end = sf_str_find(authority, SF_STR("]"));
        if (end == authority.n) {
            return false;
        }
        host = (struct sf_str){authority.p + 1, end - 1};
        port = (struct sf_str){authority.p + end + 1, authority.n - end - 1};
    } else {
        size_t colon = sf_str_find(authority, SF_STR(":"));
        host.n = colon;
        port = (struct sf_str){authority.p + colon, authority.n - colon};
    }
    uint64_t number = u->tls ? 443 : 80;
    if (port.n > 0) {
        port.p++;
        port.n--;
        if (authority.p[authority.n - port.n - 1] != ':' || !sf_scan_u64(port, 65535, &number) ||
            number == 0) {
            return false;
        }
    }
    u->port = (uint16_t)number;
    (void)snprintf(u->host, sizeof u->host, "%.*s", SF_STR_ARG(host));
    (void)snprintf(u->authority, sizeof u->authority, "%.*s", SF_STR_ARG(authority));
    return host.n > 0 && host.n < HOST_MAX && authority.n < HOST_MAX;
}

static bool split_url(const char *text, struct url *u)
{
    struct sf_str s = sf_str(text);
    u->tls = sf_str_has_prefix(s, "wss://");
    if (!u->tls && !sf_str_has_prefix(s, "ws://")) {
        return false;
    }
    s.p += u->tls ? 6 : 5;
    s.n -= u->tls ? 6 : 5;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] <= ' ' || s.p[i] == '@' || s.p[i] == 0x7f) {
            return false; /* no credentials, nothing that ends a header */
        }
    }
    size_t slash = sf_str_find(s, SF_STR("/"));
    struct sf_str path = {s.p + slash, s.n - slash};
    (void)snprintf(u->path, sizeof u->path, "%.*s", SF_STR_ARG(path));
    if (path.n == 0) {
        (void)snprintf(u->path, sizeof u->path, "/");
    }
    return path.n < sizeof u->path && split_authority((struct sf_str){s.p, slash}, u);
}

/* ---------------------------------------------------------------- the library's side */

static void note_cause(struct ws *w, const void *text, size_t n)
{
    if (w->cause[0] == '\0' && text != NULL && n > 0) {
        (void)snprintf(w->cause, sizeof w->cause, "%.*s", (int)(n < 150 ? n : 150),
                       (const char *)text);
    }
}

static int send_now(struct ws *w)
{
    if (w->out == NULL) {
        return 0;
    }
    int n = lws_write(w->wsi, w->out + LWS_PRE, w->n_out, LWS_WRITE_TEXT);
    free(w->out), w->out = NULL;
    return n < 0 ? -1 : 0;
}

static int take_piece(struct ws *w, const void *p, size_t n)
{
    sf_buf_add(&w->in, p, n);
    if (w->in.err != SF_OK) {
        w->oversize = true;
        return -1;
    }
    if (lws_is_final_fragment(w->wsi) && lws_remaining_packet_payload(w->wsi) == 0) {
        w->whole = true;
        (void)lws_rx_flow_control(w->wsi, 0);
    }
    return 0;
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                    size_t n)
{
    struct ws *w = lws_context_user(lws_get_context(wsi));
    (void)user;
    if (w == NULL) {
        return 0;
    }
    switch ((int)reason) {
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
        w->established = true;
        break;
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        note_cause(w, in, n);
        w->closed = true;
        w->wsi = NULL;
        break;
    case LWS_CALLBACK_CLIENT_RECEIVE:
        return take_piece(w, in, n);
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        return send_now(w);
    case LWS_CALLBACK_CLIENT_CLOSED:
    case LWS_CALLBACK_WSI_DESTROY:
        w->closed = true;
        w->wsi = NULL;
        break;
    default:
        break;
    }
    return 0;
}

static const struct lws_protocols protocols[] = {
    {.name = "storyfi", .callback = on_event, .rx_buffer_size = 65536},
    {.name = NULL},
};

/* Its only work is to end lws_service's wait. */
static void on_tick(lws_sorted_usec_list_t *tick)
{
    (void)tick;
}

static enum sf_err broken(struct ws *w, struct sf_errbuf *eb)
{
    if (w->oversize) {
        return sf_fail(eb, SF_ELIMIT, "%s: answer larger than %zu bytes", w->url.authority,
                       w->in.cap);
    }
    return sf_fail(eb, SF_ETRANSIENT, "%s: %s", w->url.authority,
                   w->cause[0] != '\0' ? w->cause : "the connection was closed");
}

/* Serves the socket until `*done`; without one until what was to be sent has left. */
static enum sf_err serve(struct ws *w, const bool *done, struct sf_time deadline,
                         struct sf_errbuf *eb)
{
    SF_BUG_ON(w == NULL);
    for (;;) {
        bool sent =
            done == NULL && w->out == NULL && (w->wsi == NULL || lws_partial_buffered(w->wsi) == 0);
        if (done != NULL ? *done : sent && !w->closed) {
            return SF_OK;
        }
        if (w->closed) {
            return broken(w, eb);
        }
        sf_ms left = sf_until(deadline);
        if (left <= 0) {
            return sf_fail(eb, SF_EDEADLINE, "%s: no answer in time", w->url.authority);
        }
        if (w->cancel != NULL && atomic_load(w->cancel)) {
            return sf_fail(eb, SF_ECANCELED, "%s: given up", w->url.authority);
        }
        left = left < POLL_MS ? left : POLL_MS;
        lws_sul_schedule(w->context, 0, &w->tick, on_tick, left * 1000);
        if (lws_service(w->context, 0) < 0) {
            return broken(w, eb);
        }
    }
}

/* ---------------------------------------------------------------- ours */

static bool is_loopback(const char *host)
{
    return strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 ||
           strncmp(host, "127.", 4) == 0;
}

static struct lws_context *make_context(struct ws *w, const struct ws_options *o)
{
    sf_ms left = sf_until(o->deadline);
    bool own_authorities = w->url.tls && http_trusted()[0] != '\0';
    unsigned seconds = left < 1000 ? 1 : (unsigned)(left / 1000 + 1);
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN,
        .protocols = protocols,
        .options = (w->url.tls ? LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT : 0) |
                   (own_authorities ? LWS_SERVER_OPTION_DISABLE_OS_CA_CERTS : 0),
        .client_ssl_ca_filepath = own_authorities ? http_trusted() : NULL,
        .user = w,
        .gid = -1,
        .uid = -1,
        .fd_limit_per_thread = 8,
        .connect_timeout_secs = seconds,
        .timeout_secs = seconds,
        /* A proxy of the environment is for the world outside, not for the node next door. */
        .http_proxy_address = is_loopback(w->url.host) ? "" : NULL,
    };
    (void)pthread_mutex_lock(&setup_lock);
    lws_set_log_level(0, NULL);
    struct lws_context *c = lws_create_context(&info);
    (void)pthread_mutex_unlock(&setup_lock);
    return c;
}

static enum sf_err connect_now(struct ws *w, struct sf_time deadline, struct sf_errbuf *eb)
{
    struct lws_client_connect_info info = {
        .context = w->context,
        .address = w->url.host,
        .port = w->url.port,
        .path = w->url.path,
        .host = w->url.authority,
        .ssl_connection = w->url.tls ? LCCSCF_USE_SSL : 0,
        .local_protocol_name = "storyfi",
        .pwsi = &w->wsi,
    };
    if (lws_client_connect_via_info(&info) == NULL) {
        w->wsi = NULL;
        return broken(w, eb);
    }
    return serve(w, &w->established, deadline, eb);
}

enum sf_err ws_open(const struct ws_options *o, struct ws **out, struct sf_errbuf *eb)
{
    struct ws *w = sf_alloc(sizeof *w);
    if (w == NULL) {
        return SF_ENOMEM;
    }
    enum sf_err err = SF_OK;
    sf_buf_init(&w->in, o->max_message_bytes);
    w->cancel = o->cancel;
    if (!split_url(o->url, &w->url)) {
        err = sf_fail(eb, SF_EINVAL, "\"%.100s\" is not ws://HOST[:PORT] or wss://HOST[:PORT]",
                      o->url);
    }
    if (err == SF_OK) {
        w->context = make_context(w, o);
        err = w->context == NULL ? sf_fail(eb, SF_ENOMEM, "the WebSocket library does not start")
                                 : connect_now(w, o->deadline, eb);
    }
    if (err == SF_OK) {
        *out = w;
    } else {
        ws_close(w);
    }
    return err;
}

void ws_close(struct ws *w)
{
    if (w == NULL) {
        return;
    }
    if (w->context != NULL) {
        (void)pthread_mutex_lock(&setup_lock);
        lws_sul_schedule(w->context, 0, &w->tick, on_tick, LWS_SET_TIMER_USEC_CANCEL);
        lws_context_destroy(w->context);
        (void)pthread_mutex_unlock(&setup_lock);
        w->context = NULL;
    }
    free(w->out), w->out = NULL;
    sf_buf_fini(&w->in);
    free(w);
}

enum sf_err ws_send(struct ws *w, struct sf_str text, struct sf_time deadline, struct sf_errbuf *eb)
{
    if (w->closed) {
        return broken(w, eb);
    }
    if (text.n > SEND_MAX) {
        return sf_fail(eb, SF_ELIMIT, "%s: request larger than %u bytes", w->url.authority,
                       SEND_MAX);
    }
    SF_BUG_ON(w->out != NULL);
    w->out = sf_alloc(LWS_PRE + text.n + 1);
    if (w->out == NULL) {
        return SF_ENOMEM;
    }
    memcpy(w->out + LWS_PRE, text.p, text.n);
    w->n_out = text.n;
    (void)lws_callback_on_writable(w->wsi);
    return serve(w, NULL, deadline, eb);
}

enum sf_err ws_receive(struct ws *w, struct sf_buf *out, struct sf_time deadline,
                       struct sf_errbuf *eb)
{
    enum sf_err err = serve(w, &w->whole, deadline, eb);
    if (err == SF_OK) {
        sf_buf_add_str(out, sf_buf_str(&w->in));
        err = out->err;
        sf_buf_clear(&w->in);
        w->whole = false;
        if (w->wsi != NULL) {
            (void)lws_rx_flow_control(w->wsi, 1);
        }
    }
    return err;
}
