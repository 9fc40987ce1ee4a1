/* SPDX-License-Identifier: MIT */
#include "http/server.h"

#include "base/log.h"
#include "base/mem.h"
#include "http/listen_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SWEEP_MS 250
#define ACCEPT_AT_ONCE 64
#define FORGOTTEN_MS 5000
#define SPARE_CONNECTIONS 1024

/* A connection as the clock watches it: the library's own timeout only sees inactivity. */
struct watched_socket {
    struct watched_socket *next;
    int fd;
    struct sf_time head_due, body_due; /* SF_NEVER when not waited for */
    char *query;                       /* of the request at hand; NULL none */
};

/* An answer that stays open. The library and the writer hold it; who lets go last frees it. */
struct http_stream {
    struct http_stream *next; /* in the server's list, while the library holds it */
    struct http_server *server;
    struct MHD_Connection *connection;
    pthread_mutex_t lock;
    int fd; /* the client's connection, ours; -1 once the library has let go */
    struct sf_buf waiting;
    size_t taken;  /* bytes of `waiting` that the library has */
    unsigned held; /* by the library, by the writer */
    bool parked;   /* nothing to send: the connection sleeps until resumed */
    bool ended;    /* no more will be written */
    bool cut;      /* what waits is not sent any more */
};

struct http_server {
    struct http_server_options options;
    struct MHD_Daemon *daemon;
    uint16_t port;
    int listening; /* -1 no more */
    int retired;   /* the same once it is not to be used */
    pthread_t keeper;
    bool has_keeper;
    pthread_mutex_t lock; /* of the list, listening, closing */
    struct watched_socket *sockets;
    unsigned n_sockets; /* in the list */
    unsigned n_open;    /* those and what the library has not begun with yet */
    sf_ms opened;       /* when the last one came */
    bool closing;
    struct http_stream *streams; /* under the lock too */
    unsigned n_streams;
    atomic_bool ends_streams;
};

struct http_exchange {
    struct http_server *server;
    struct MHD_Connection *connection;
    struct watched_socket *socket;
    struct http_request request;
    struct sf_buf body;
    struct MHD_Response *response; /* set by http_reply */
    int status;
    pthread_mutex_t lock; /* of parked, response */
    bool parked, dispatched;
    bool drops_body;
};

struct http_server_options http_server_options_default(void)
{
    return (struct http_server_options){.ip = "127.0.0.1",
                                        .threads = 2,
                                        .max_connections = 256,
                                        .max_connections_per_ip = 64,
                                        .max_head_bytes = 10240,
                                        .max_body_bytes = 4U << 20,
                                        .head_timeout_ms = 5000,
                                        .body_timeout_ms = 15000,
                                        .idle_timeout_ms = 75000,
                                        .max_streams = 32};
}

/* ---- the clock ------------------------------------------------------------------------------- */

/* Under the lock. */
static void sweep(struct http_server *s)
{
    for (struct watched_socket *w = s->sockets; w != NULL; w = w->next) {
        if (sf_until(w->head_due) <= 0 || sf_until(w->body_due) <= 0) {
            (void)shutdown(w->fd, SHUT_RDWR);
        }
    }
}

/* Counts a new connection; false: there are too many. What the library lost for want of memory, and
 * never told of, is forgotten when no other has come for a while. */
static bool count_connection(struct http_server *s)
{
    (void)pthread_mutex_lock(&s->lock);
    if (s->n_open > s->n_sockets && sf_now().ms - s->opened > FORGOTTEN_MS) {
        s->n_open = s->n_sockets;
    }
    bool room = s->n_open < s->options.max_connections;
    s->n_open += room ? 1 : 0;
    s->opened = sf_now().ms;
    (void)pthread_mutex_unlock(&s->lock);
    return room;
}

/* Under the lock. */
static void uncount_connection(struct http_server *s)
{
    s->n_open -= s->n_open > 0 ? 1 : 0;
}

/* Hands new connections to the library's threads, which it takes in turn; were they to accept
 * themselves, one of them would get nearly all. False when there is no more room for sockets. */
static bool take_connections(struct http_server *s, int fd)
{
    for (int i = 0; i < ACCEPT_AT_ONCE; i++) {
        struct sockaddr_storage from;
        socklen_t n = sizeof from;
        int connection = accept4(fd, (struct sockaddr *)&from, &n, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (connection < 0) {
            return errno != EMFILE && errno != ENFILE && errno != ENOMEM && errno != ENOBUFS;
        }
        if (!count_connection(s)) {
            (void)close(connection);
        } else if (MHD_add_connection(s->daemon, connection, (struct sockaddr *)&from, n) !=
                   MHD_YES) {
            (void)pthread_mutex_lock(&s->lock); /* it has closed it */
            uncount_connection(s);
            (void)pthread_mutex_unlock(&s->lock);
        }
    }
    return true;
}

static void *keep(void *arg)
{
    struct http_server *s = arg;
    sf_ms swept = 0;
    bool room = true;
    (void)pthread_mutex_lock(&s->lock);
    while (!s->closing) {
        struct pollfd p = {.fd = room ? s->listening : -1, .events = POLLIN};
        if (sf_now().ms - swept >= SWEEP_MS) {
            sweep(s);
            swept = sf_now().ms;
        }
        (void)pthread_mutex_unlock(&s->lock);
        room = true;
        if (poll(&p, 1, SWEEP_MS) > 0) {
            room = take_connections(s, p.fd);
        }
        (void)pthread_mutex_lock(&s->lock);
    }
    (void)pthread_mutex_unlock(&s->lock);
    return NULL;
}

static void due(struct http_server *s, struct watched_socket *w, sf_ms head, sf_ms body)
{
    if (w == NULL) {
        return;
    }
    struct sf_time now = sf_now();
    (void)pthread_mutex_lock(&s->lock);
    w->head_due = head > 0 ? sf_after(now, head) : SF_NEVER;
    w->body_due = body > 0 ? sf_after(now, body) : SF_NEVER;
    (void)pthread_mutex_unlock(&s->lock);
}

static void on_connection(void *arg, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct http_server *s = arg;
    struct watched_socket *w = *context;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        w = info == NULL ? NULL : sf_alloc(sizeof *w);
        if (w == NULL) {
            return;
        }
        w->fd = info->connect_fd;
        *context = w;
        due(s, w, s->options.head_timeout_ms, 0);
        (void)pthread_mutex_lock(&s->lock);
        w->next = s->sockets;
        s->sockets = w;
        s->n_sockets++;
        (void)pthread_mutex_unlock(&s->lock);
        return;
    }
    (void)pthread_mutex_lock(&s->lock);
    uncount_connection(s);
    for (struct watched_socket **at = &s->sockets; *at != NULL; at = &(*at)->next) {
        if (*at == w) {
            *at = w->next;
            s->n_sockets--;
            break;
        }
    }
    (void)pthread_mutex_unlock(&s->lock);
    if (w != NULL) {
        free(w->query), w->query = NULL;
    }
    free(w);
    *context = NULL;
}

static enum MHD_Result may_connect(void *arg, const struct sockaddr *address, socklen_t n)
{
    struct http_server *s = arg;
    char ip[46] = "";
    if (s->options.accept == NULL) {
        return MHD_YES;
    }
    (void)getnameinfo(address, n, ip, sizeof ip, NULL, 0, NI_NUMERICHOST);
    (void)pthread_mutex_lock(&s->lock);
    unsigned n_open = s->n_open - 1; /* without this one */
    (void)pthread_mutex_unlock(&s->lock);
    return s->options.accept(s->options.arg, ip, n_open) ? MHD_YES : MHD_NO;
}

/* ---- collecting a request -------------------------------------------------------------------- */

static struct watched_socket *socket_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info == NULL ? NULL : info->socket_context;
}

/* The request's target before the library takes it apart: the only place where the query is seen as
 * it came. What is returned becomes the request's context: none yet. */
static void *on_target(void *arg, const char *target, struct MHD_Connection *connection)
{
    struct watched_socket *w = socket_of(connection);
    const char *query = strchr(target, '?');
    (void)arg;
    if (w != NULL) {
        free(w->query), w->query = query == NULL ? NULL : sf_strdup(query + 1);
    }
    return NULL;
}

static void read_peer(struct http_exchange *x)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    char port[8] = "0";
    uint64_t number = 0;
    if (info == NULL || info->client_addr == NULL) {
        return;
    }
    socklen_t n = info->client_addr->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                                           : sizeof(struct sockaddr_in);
    (void)getnameinfo(info->client_addr, n, x->request.peer_ip, sizeof x->request.peer_ip, port,
                      sizeof port, NI_NUMERICHOST | NI_NUMERICSERV);
    (void)sf_scan_u64(sf_str(port), 65535, &number);
    x->request.peer_port = (unsigned)number;
}

static enum MHD_Result add_header(void *arg, enum MHD_ValueKind kind, const char *name,
                                  const char *value)
{
    struct http_request *r = arg;
    (void)kind;
    if (r->n_headers == HTTP_HEADERS_MAX) {
        r->too_many_headers = true;
        return MHD_NO;
    }
    r->headers[r->n_headers++] = (struct http_header){sf_str(name), sf_str(value)};
    return MHD_YES;
}

static struct http_exchange *exchange_open(struct http_server *s, struct MHD_Connection *connection,
                                           const char *method, const char *path)
{
    struct http_exchange *x = sf_alloc(sizeof *x);
    if (x == NULL) {
        return NULL;
    }
    x->server = s;
    x->connection = connection;
    x->socket = socket_of(connection);
    x->request.method = method;
    x->request.path = path;
    x->request.query = x->socket == NULL || x->socket->query == NULL ? "" : x->socket->query;
    sf_buf_init(&x->body, s->options.max_body_bytes);
    (void)pthread_mutex_init(&x->lock, NULL);
    (void)MHD_get_connection_values(connection, MHD_HEADER_KIND, add_header, &x->request);
    read_peer(x);
    due(s, x->socket, 0, s->options.body_timeout_ms);
    x->drops_body = s->options.judge != NULL && !s->options.judge(s->options.arg, &x->request);
    return x;
}

static void collect(struct http_exchange *x, const char *data, size_t n)
{
    if (x->drops_body) {
        return;
    }
    sf_buf_add(&x->body, data, n); /* beyond the cap nothing is kept: the error is sticky */
    x->request.body_too_large = x->body.err == SF_ELIMIT;
}

static enum MHD_Result queue_response(struct http_exchange *x)
{
    enum MHD_Result ok = MHD_queue_response(x->connection, (unsigned)x->status, x->response);
    return ok;
}

/* Hands the request to the handler; parks the connection unless the answer is there already. */
static enum MHD_Result dispatch(struct http_exchange *x)
{
    struct http_server *s = x->server;
    x->request.body = sf_buf_str(&x->body);
    x->dispatched = true;
    due(s, x->socket, 0, 0);
    s->options.handler(s->options.arg, x, &x->request);
    (void)pthread_mutex_lock(&x->lock);
    bool answered = x->response != NULL;
    if (!answered) {
        x->parked = true;
        MHD_suspend_connection(x->connection);
    }
    (void)pthread_mutex_unlock(&x->lock);
    return answered ? queue_response(x) : MHD_YES;
}

/* lint: callback */
static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *data,
                                  size_t *n, void **context)
{
    struct http_exchange *x = *context;
    (void)version;
    if (x == NULL) {
        *context = x = exchange_open(arg, connection, method, path);
        return x == NULL ? MHD_NO : MHD_YES;
    }
    if (*n > 0) {
        collect(x, data, *n);
        *n = 0;
        return MHD_YES;
    }
    if (!x->dispatched) {
        return dispatch(x);
    }
    return queue_response(x); /* resumed by http_reply */
}

static void on_completed(void *arg, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode code)
{
    struct http_server *s = arg;
    struct http_exchange *x = *context;
    (void)connection;
    (void)code;
    if (x == NULL) {
        return;
    }
    due(s, x->socket, s->options.idle_timeout_ms, 0); /* the next head, with its idle time */
    if (x->response != NULL) {
        MHD_destroy_response(x->response);
    }
    sf_buf_fini(&x->body);
    free(x->request.judgement);
    (void)pthread_mutex_destroy(&x->lock);
    free(x);
    *context = NULL;
}

int http_exchange_watch(const struct http_exchange *x)
{
    return x->socket == NULL ? -1 : fcntl(x->socket->fd, F_DUPFD_CLOEXEC, 3);
}

bool http_client_has_left(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLRDHUP};
    return fd > 0 && poll(&p, 1, 0) > 0 && (p.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

/* ---- answering ------------------------------------------------------------------------------- */

static void add_response_header(struct MHD_Response *response, const struct http_header *h)
{
    char name[128], value[512];
    (void)snprintf(name, sizeof name, "%.*s", SF_STR_ARG(h->name));
    (void)snprintf(value, sizeof value, "%.*s", SF_STR_ARG(h->value));
    if (MHD_add_response_header(response, name, value) != MHD_YES) {
        log_event(LOG_WARN, LOG_HTTP, "response header left out", LOG_S("name", name));
    }
}

/* Hands the response to the library, which sends it when the connection is awake. */
static void set_response(struct http_exchange *x, int status, struct MHD_Response *response,
                         const struct http_header *headers, size_t n_headers)
{
    const struct http_server_options *o = &x->server->options;
    for (size_t i = 0; i < n_headers; i++) {
        add_response_header(response, &headers[i]);
    }
    for (size_t i = 0; i < o->n_headers; i++) {
        add_response_header(response, &o->headers[i]);
    }
    (void)pthread_mutex_lock(&x->lock);
    SF_BUG_ON(x->response != NULL);
    x->status = status;
    x->response = response;
    bool parked = x->parked;
    struct MHD_Connection *connection = x->connection;
    (void)pthread_mutex_unlock(&x->lock);
    if (parked) {
        MHD_resume_connection(connection);
    }
}

void http_reply(struct http_exchange *x, int status, const struct http_header *headers,
                size_t n_headers, struct sf_str body)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(body.n, (void *)(uintptr_t)body.p, MHD_RESPMEM_MUST_COPY);
    SF_BUG_ON(response == NULL && body.n == 0);
    if (response == NULL) { /* no memory for the body: an empty answer is better than none */
        response =
            MHD_create_response_from_buffer(0, (void *)(uintptr_t) "", MHD_RESPMEM_PERSISTENT);
        status = 503;
        SF_BUG_ON(response == NULL);
    }
    set_response(x, status, response, headers, n_headers);
}

/* ---- streams --------------------------------------------------------------------------------- */

#define STREAM_BLOCK 16384

/* Under the stream's lock. The connection cannot go away while it sleeps. */
static void wake(struct http_stream *s)
{
    if (s->parked) {
        s->parked = false;
        MHD_resume_connection(s->connection);
    }
}

/* Under the stream's lock: nothing more is sent, the client sees its connection break off. */
static void cut(struct http_stream *s)
{
    s->cut = true;
    if (s->fd >= 0) {
        (void)shutdown(s->fd, SHUT_RDWR);
    }
    wake(s);
}

static void let_go(struct http_stream *s)
{
    (void)pthread_mutex_lock(&s->lock);
    bool last = --s->held == 0;
    (void)pthread_mutex_unlock(&s->lock);
    if (last) {
        sf_buf_fini(&s->waiting);
        (void)pthread_mutex_destroy(&s->lock);
        free(s);
    }
}

/* The library asks for more of the body. */
static ssize_t read_stream(void *arg, uint64_t at, char *out, size_t room)
{
    struct http_stream *s = arg;
    ssize_t n = 0;
    (void)at;
    (void)pthread_mutex_lock(&s->lock);
    size_t left = s->waiting.n - s->taken;
    if (s->cut) {
        n = MHD_CONTENT_READER_END_WITH_ERROR;
    } else if (left > 0) {
        n = (ssize_t)(left < room ? left : room);
        memcpy(out, s->waiting.p + s->taken, (size_t)n);
        s->taken += (size_t)n;
    } else if (s->ended || atomic_load(&s->server->ends_streams)) {
        n = MHD_CONTENT_READER_END_OF_STREAM;
    } else {
        s->parked = true;
        MHD_suspend_connection(s->connection);
    }
    (void)pthread_mutex_unlock(&s->lock);
    return n;
}

/* The library is done with the answer, or with the client. */
static void forget_stream(void *arg)
{
    struct http_stream *s = arg;
    struct http_server *server = s->server;
    (void)pthread_mutex_lock(&server->lock);
    for (struct http_stream **p = &server->streams; *p != NULL; p = &(*p)->next) {
        if (*p == s) {
            *p = s->next;
            server->n_streams--;
            break;
        }
    }
    (void)pthread_mutex_unlock(&server->lock);
    (void)pthread_mutex_lock(&s->lock);
    s->cut = true;
    s->parked = false;
    if (s->fd >= 0) {
        (void)close(s->fd);
        s->fd = -1;
    }
    (void)pthread_mutex_unlock(&s->lock);
    let_go(s);
}

/* NULL: too many, or out of memory. */
static struct http_stream *stream_open(struct http_exchange *x)
{
    struct http_server *server = x->server;
    struct http_stream *s = sf_alloc(sizeof *s);
    if (s == NULL) {
        return NULL;
    }
    (void)pthread_mutex_init(&s->lock, NULL);
    sf_buf_init(&s->waiting, HTTP_STREAM_BYTES_MAX);
    s->server = server;
    s->connection = x->connection;
    s->fd = http_exchange_watch(x);
    s->held = 1;
    (void)pthread_mutex_lock(&server->lock);
    bool fits = server->n_streams < server->options.max_streams;
    if (fits) {
        server->n_streams++;
        s->next = server->streams;
        server->streams = s;
    }
    (void)pthread_mutex_unlock(&server->lock);
    if (!fits) {
        if (s->fd >= 0) {
            (void)close(s->fd);
        }
        let_go(s);
        s = NULL;
    }
    return s;
}

struct http_stream *http_reply_open(struct http_exchange *x, int status,
                                    const struct http_header *headers, size_t n_headers)
{
    const struct http_header json = {SF_STR("Content-Type"), SF_STR("application/json")};
    struct MHD_Response *response = NULL;
    struct http_stream *s = stream_open(x);
    if (s != NULL) {
        response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, read_stream, s,
                                                     forget_stream);
        if (response == NULL) {
            forget_stream(s);
            s = NULL;
        }
    }
    if (s == NULL) {
        http_reply(x, 503, &json, 1,
                   SF_STR("{\"message\":\"too many pages are watching: close one and try "
                          "again\"}"));
        return NULL;
    }
    s->held++; /* the library's is there since stream_open */
    set_response(x, status, response, headers, n_headers);
    return s;
}

/* Under the stream's lock. */
static bool is_gone(struct http_stream *s)
{
    if (!s->cut && (atomic_load(&s->server->ends_streams) || http_client_has_left(s->fd))) {
        cut(s);
    }
    return s->cut;
}

/* Under the stream's lock: room at the end by dropping what is sent. */
static bool has_room(struct http_stream *s, size_t n)
{
    if (s->taken == s->waiting.n) {
        sf_buf_clear(&s->waiting);
        s->taken = 0;
    } else if (s->waiting.n + n > HTTP_STREAM_BYTES_MAX) {
        s->waiting.n -= s->taken;
        memmove(s->waiting.p, s->waiting.p + s->taken, s->waiting.n);
        s->taken = 0;
    }
    return n <= HTTP_STREAM_BYTES_MAX - s->waiting.n;
}

bool http_stream_write(struct http_stream *s, struct sf_str bytes)
{
    (void)pthread_mutex_lock(&s->lock);
    bool ok = !s->ended && !is_gone(s);
    if (ok) {
        ok = has_room(s, bytes.n);
        if (ok) {
            sf_buf_add_str(&s->waiting, bytes);
            ok = s->waiting.err == SF_OK;
        }
        if (ok) {
            wake(s);
        } else {
            cut(s);
        }
    }
    (void)pthread_mutex_unlock(&s->lock);
    return ok;
}

bool http_stream_is_gone(struct http_stream *s)
{
    (void)pthread_mutex_lock(&s->lock);
    bool gone = is_gone(s);
    (void)pthread_mutex_unlock(&s->lock);
    return gone;
}

void http_stream_close(struct http_stream *s)
{
    if (s == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&s->lock);
    s->ended = true;
    wake(s);
    (void)pthread_mutex_unlock(&s->lock);
    let_go(s);
}

/* Wakes what sleeps: the library does not stop over sleeping connections. */
static void end_streams(struct http_server *server)
{
    atomic_store(&server->ends_streams, true);
    (void)pthread_mutex_lock(&server->lock);
    for (struct http_stream *s = server->streams; s != NULL; s = s->next) {
        (void)pthread_mutex_lock(&s->lock);
        wake(s);
        (void)pthread_mutex_unlock(&s->lock);
    }
    (void)pthread_mutex_unlock(&server->lock);
}

/* ---- the listener ---------------------------------------------------------------------------- */

static void log_library(void *arg, const char *fmt, va_list ap) SF_PRINTF(2, 0);
static void log_library(void *arg, const char *fmt, va_list ap)
{
    char text[256];
    (void)arg;
    (void)vsnprintf(text, sizeof text, fmt, ap);
    log_event(LOG_DEBUG, LOG_HTTP, "http library", LOG_S("text", text));
}

/* The memory of a connection is no larger than it must be: of a head that fills it the library
 * reads the last 8 KiB in steps of 128 bytes and looks at all of it again after each.
 * poll, not the library's epoll: that one is edge-triggered and overlooks a client that closed its
 * side in the packet of its request; such connections stayed open for the idle timeout.
 * The library's limit of connections, divided among its threads, is never to be reached: its
 * version 0.9.75 keeps a lock for good when a thread finds itself at the limit with connections
 * that were handed to it before, and that thread answers nobody any more. Ours is in
 * count_connection. */
static struct MHD_Daemon *start_daemon(struct http_server *s)
{
    const struct http_server_options *o = &s->options;
    unsigned threads = o->threads > 0 ? o->threads : 1;
    unsigned limit = threads * (o->max_connections + SPARE_CONNECTIONS);
    bool tls = o->tls_certificate != NULL;
    struct MHD_OptionItem secrets[] = {
        {tls ? MHD_OPTION_HTTPS_MEM_CERT : MHD_OPTION_END, 0,
         (void *)(uintptr_t)o->tls_certificate},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)o->tls_key},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t) "NORMAL:-VERS-TLS1.0:-VERS-TLS1.1"},
        {MHD_OPTION_END, 0, NULL}};
    return MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL | MHD_ALLOW_SUSPEND_RESUME |
            MHD_USE_ERROR_LOG | MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ITC | (tls ? MHD_USE_TLS : 0),
        0, may_connect, s, on_request, s, MHD_OPTION_EXTERNAL_LOGGER, log_library, s,
        MHD_OPTION_ARRAY, secrets, MHD_OPTION_THREAD_POOL_SIZE, o->threads,
        MHD_OPTION_CONNECTION_LIMIT, limit, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        o->max_connections_per_ip, MHD_OPTION_CONNECTION_MEMORY_LIMIT, o->max_head_bytes * 2,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)(o->idle_timeout_ms / 1000),
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, s, MHD_OPTION_NOTIFY_COMPLETED, on_completed,
        s, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_URI_LOG_CALLBACK, on_target, s,
        MHD_OPTION_END);
}

/* The library says no more than "no" when it does not start. */
static enum sf_err fail_start(const struct http_server_options *o, struct sf_errbuf *eb)
{
    if (o->tls_certificate == NULL) {
        return sf_fail(eb, SF_EIO, "the HTTP listener on %s port %u does not start", o->ip,
                       o->port);
    }
    if (MHD_is_feature_supported(MHD_FEATURE_TLS) != MHD_YES) {
        return sf_fail(eb, SF_ECONFIG,
                       "this libmicrohttpd was built without TLS: install the distribution's, or "
                       "put a proxy in front");
    }
    return sf_fail(eb, SF_ECONFIG,
                   "the certificate and its key do not do: both must be PEM, the key without a "
                   "password, and the certificate made for that key (the server's own first, then "
                   "its chain)");
}

enum sf_err http_server_open(const struct http_server_options *o, struct http_server **out,
                             struct sf_errbuf *eb)
{
    struct http_server *s = sf_alloc(sizeof *s);
    if (s == NULL) {
        return SF_ENOMEM;
    }
    s->options = *o;
    s->listening = s->retired = -1;
    (void)pthread_mutex_init(&s->lock, NULL);
    enum sf_err err = listen_socket_open(o->ip, o->port, &s->listening, &s->port, eb);
    if (err == SF_OK) {
        s->daemon = start_daemon(s);
        if (s->daemon == NULL) {
            err = fail_start(o, eb);
        }
    }
    s->options.tls_certificate = s->options.tls_key = NULL; /* the caller's again */
    if (err == SF_OK) {
        s->has_keeper = pthread_create(&s->keeper, NULL, keep, s) == 0;
        err = s->has_keeper ? SF_OK : SF_ENOMEM;
    }
    if (err != SF_OK) {
        http_server_close(s);
        return err;
    }
    *out = s;
    return SF_OK;
}

uint16_t http_server_port(const struct http_server *s)
{
    return s->port;
}

void http_server_stop_accepting(struct http_server *s)
{
    (void)pthread_mutex_lock(&s->lock);
    if (s->listening >= 0) {
        (void)shutdown(s->listening, SHUT_RDWR); /* refuses from here on, and wakes the keeper */
        s->retired = s->listening; /* closed when the keeper is gone: it may be at it still */
        s->listening = -1;
    }
    (void)pthread_mutex_unlock(&s->lock);
}

void http_server_close(struct http_server *s)
{
    if (s == NULL) {
        return;
    }
    http_server_stop_accepting(s);
    (void)pthread_mutex_lock(&s->lock);
    s->closing = true;
    (void)pthread_mutex_unlock(&s->lock);
    if (s->has_keeper) {
        (void)pthread_join(s->keeper, NULL);
    }
    end_streams(s);
    if (s->daemon != NULL) {
        MHD_stop_daemon(s->daemon);
    }
    if (s->retired >= 0) {
        (void)close(s->retired);
    }
    (void)pthread_mutex_destroy(&s->lock);
    free(s);
}
