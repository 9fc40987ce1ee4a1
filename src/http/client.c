/* SPDX-License-Identifier: MIT */
#include "http/client.h"

#include "base/mem.h"
#include "http/trust.h"

#include <curl/curl.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>

#define HEAD_CAP 65536
#define TICK_MS 20
#define CONNECT_MS 5000
#define PAUSE_MAX_S 86400 /* of a Retry-After */
/* Multi handles kept for the next call; each holds its own connections. */
#define IDLE_MAX 16
/* Some servers (llama-server) close after an answer without saying so; a request that is sent at
 * once then is lost, and not sent again. In this time the close is seen. */
#define SETTLE_MS 3
#define CONNECTIONS_MAX 16L
/* Pieces of a large body. */
#define STREAM_BUFFER (512L << 10)

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void init_library(void)
{
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* ---- one transfer ---------------------------------------------------------------------------- */

/* A transfer under way. */
struct flight {
    struct http_transfer *transfer;
    CURL *easy;
    struct curl_slist *headers;
    size_t body_sent; /* bytes that the library has taken */
    bool head_told;   /* on_data has heard of the head */
    bool given_up;    /* by on_data or on_tick */
    bool done;
    char detail[CURL_ERROR_SIZE];
};

void http_answer_fini(struct http_answer *a)
{
    sf_buf_fini(&a->head);
    sf_buf_fini(&a->body);
}

struct sf_str http_answer_header(const struct http_answer *a, const char *name)
{
    struct sf_str rest = sf_buf_str(&a->head), line;
    while (sf_str_next(&rest, '\n', &line)) {
        size_t colon = sf_str_find(line, SF_STR(":"));
        if (colon < line.n && sf_str_is_nocase((struct sf_str){line.p, colon}, name)) {
            return sf_str_trim((struct sf_str){line.p + colon + 1, line.n - colon - 1});
        }
    }
    return (struct sf_str){"", 0};
}

/* A date of HTTP in any of its three forms, in seconds; -1: none. */
static int64_t scan_date(struct sf_str s)
{
    char z[64];
    if (s.n == 0 || s.n >= sizeof z) {
        return -1;
    }
    memcpy(z, s.p, s.n);
    z[s.n] = '\0';
    return (int64_t)curl_getdate(z, NULL);
}

sf_ms http_answer_retry_after(const struct http_answer *a)
{
    struct sf_str value = http_answer_header(a, "retry-after");
    double seconds = 0;
    if (!sf_scan_double(value, &seconds)) {
        int64_t then = scan_date(value), now = scan_date(http_answer_header(a, "date"));
        if (then < 0) {
            return -1;
        }
        seconds = (double)then - (double)(now < 0 ? sf_wall_ns() / 1000000000 : now);
        seconds = seconds < 0 ? 0 : seconds;
    }
    seconds = seconds > PAUSE_MAX_S ? PAUSE_MAX_S : seconds;
    return seconds < 0 ? -1 : (sf_ms)(seconds * 1000 + 0.999);
}

static void read_status(struct flight *f)
{
    long status = 0;
    (void)curl_easy_getinfo(f->easy, CURLINFO_RESPONSE_CODE, &status);
    f->transfer->answer.status = (int)status;
}

/* Tells of progress; false when the transfer is to be given up. */
static bool tell(struct flight *f, struct sf_str piece)
{
    const struct http_call *call = &f->transfer->call;
    read_status(f);
    if (call->on_data != NULL && !call->on_data(call->arg, f->transfer->answer.status, piece)) {
        f->given_up = true;
    }
    return !f->given_up;
}

static bool tell_head(struct flight *f)
{
    bool again = f->head_told; /* trailers end with an empty line too */
    f->head_told = true;
    return again || tell(f, (struct sf_str){"", 0});
}

/* Heads of interim answers (100) come through here too: each new one begins anew. */
static size_t collect_head(char *p, size_t size, size_t n, void *arg)
{
    struct flight *f = arg;
    struct sf_buf *head = &f->transfer->answer.head;
    struct sf_str line = sf_str_trim((struct sf_str){p, size * n});
    if (sf_str_has_prefix(line, "HTTP/")) {
        sf_buf_clear(head);
        return size * n;
    }
    if (line.n == 0) {
        read_status(f);
        return f->transfer->answer.status < 200 || tell_head(f) ? size * n : 0;
    }
    sf_buf_add_str(head, line);
    sf_buf_putc(head, '\n');
    return head->err == SF_OK ? size * n : 0;
}

static size_t collect_body(char *p, size_t size, size_t n, void *arg)
{
    struct flight *f = arg;
    struct sf_buf *body = &f->transfer->answer.body;
    struct sf_str piece = {p, size * n};
    if (!f->transfer->call.stream) {
        sf_buf_add_str(body, piece);
    }
    return body->err == SF_OK && tell(f, piece) ? piece.n : 0;
}

/* The body goes out through a callback that cannot rewind: the library cannot silently send a
 * request again over a new connection when one that it kept breaks, and pay twice. */
static size_t give_body(char *p, size_t size, size_t n, void *arg)
{
    struct flight *f = arg;
    struct sf_str body = f->transfer->call.body;
    size_t left = body.n - f->body_sent, room = size * n;
    size_t taken = left < room ? left : room;
    if (taken > 0) {
        memcpy(p, body.p + f->body_sent, taken);
        f->body_sent += taken;
    }
    if (f->body_sent == body.n) {
        f->transfer->answer.sent = true;
    }
    return taken;
}

/* Programs that we start do not inherit connections. */
static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
    (void)arg;
    (void)purpose;
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static enum sf_err append_header(struct curl_slist **list, struct http_header h)
{
    struct sf_buf line;
    for (size_t i = 0; i < h.value.n; i++) {
        if ((unsigned char)h.value.p[i] < ' ') {
            return SF_ECONFIG; /* would end the line and begin another */
        }
    }
    sf_buf_init(&line, 8192);
    sf_buf_printf(&line, "%.*s: %.*s", SF_STR_ARG(h.name), SF_STR_ARG(h.value));
    struct curl_slist *longer = curl_slist_append(*list, sf_buf_z(&line));
    enum sf_err err = line.err == SF_OK && longer == NULL ? SF_ENOMEM : line.err;
    *list = longer != NULL ? longer : *list;
    sf_buf_wipe(&line);
    return err;
}

static enum sf_err header_list(const struct http_call *call, struct curl_slist **list)
{
    enum sf_err err = append_header(list, (struct http_header){SF_STR("Expect"), SF_STR("")});
    for (size_t i = 0; err == SF_OK && i < call->n_headers; i++) {
        err = append_header(list, call->headers[i]);
    }
    return err;
}

/* Headers hold keys. */
static void wipe_headers(struct curl_slist *list)
{
    for (struct curl_slist *h = list; h != NULL; h = h->next) {
        sf_wipe(h->data, strlen(h->data));
    }
    curl_slist_free_all(list);
}

static bool is_loopback(const char *url)
{
    static const char *const hosts[] = {"127.", "localhost", "[::1]"};
    const char *start = strstr(url, "://");
    struct sf_str host = sf_str(start == NULL ? url : start + 3);
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        if (sf_str_has_prefix(host, hosts[i])) {
            return true;
        }
    }
    return false;
}

static void set_times(CURL *c, const struct http_call *call)
{
    sf_ms left = sf_until(call->deadline);
    left = left < 1 ? 1 : left > 86400000 ? 86400000 : left;
    sf_ms connect = left / 2 < CONNECT_MS ? left / 2 : CONNECT_MS;
    (void)curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)left);
    (void)curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)(connect < 1 ? 1 : connect));
}

/* One certificate alone: with its names not looked at, since nobody else has its key. */
static void trust(CURL *c, const struct http_call *call)
{
    if (call->trust_only.n > 0) {
        struct curl_blob pem = {(void *)(uintptr_t)call->trust_only.p, call->trust_only.n,
                                CURL_BLOB_COPY};
        (void)curl_easy_setopt(c, CURLOPT_CAINFO_BLOB, &pem);
        (void)curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 0L);
    } else if (http_trusted()[0] != '\0') {
        (void)curl_easy_setopt(c, CURLOPT_CAINFO, http_trusted());
    }
}

static void set_options(CURL *c, struct flight *f)
{
    const struct http_call *call = &f->transfer->call;
    (void)curl_easy_setopt(c, CURLOPT_PRIVATE, f);
    (void)curl_easy_setopt(c, CURLOPT_URL, call->url);
    (void)curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(c, CURLOPT_ERRORBUFFER, f->detail);
    (void)curl_easy_setopt(c, CURLOPT_HTTPHEADER, f->headers);
    (void)curl_easy_setopt(c, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    (void)curl_easy_setopt(c, CURLOPT_TCP_KEEPALIVE, 1L);
    /* Giving up while a name is looked up does not wait for the look-up's end. */
    (void)curl_easy_setopt(c, CURLOPT_QUICK_EXIT, 1L);
    (void)curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    (void)curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, collect_head);
    (void)curl_easy_setopt(c, CURLOPT_HEADERDATA, f);
    (void)curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, collect_body);
    (void)curl_easy_setopt(c, CURLOPT_WRITEDATA, f);
    if (call->stream) {
        (void)curl_easy_setopt(c, CURLOPT_BUFFERSIZE, STREAM_BUFFER);
    }
    if (is_loopback(call->url)) {
        (void)curl_easy_setopt(c, CURLOPT_PROXY, "");
    }
    if (strncmp(call->url, "https:", 6) == 0 && !call->stream) {
        (void)curl_easy_setopt(c, CURLOPT_PIPEWAIT, 1L); /* one connection for many requests */
    }
    trust(c, call);
    if (call->post) {
        (void)curl_easy_setopt(c, CURLOPT_POST, 1L);
        (void)curl_easy_setopt(c, CURLOPT_READFUNCTION, give_body);
        (void)curl_easy_setopt(c, CURLOPT_READDATA, f);
        (void)curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.n);
    }
    set_times(c, call);
}

static enum sf_err flight_begin(struct flight *f)
{
    const struct http_call *call = &f->transfer->call;
    if (sf_until(call->deadline) <= 0) {
        return SF_EDEADLINE;
    }
    f->easy = curl_easy_init();
    enum sf_err err = f->easy == NULL ? SF_ENOMEM : header_list(call, &f->headers);
    if (err == SF_OK) {
        set_options(f->easy, f);
    }
    return err;
}

/* ---- what became of it ----------------------------------------------------------------------- */

/* Causes that have a remedy of their own; the library's text says the rest. */
static const struct {
    CURLcode code;
    enum sf_err err;
    const char *text;
} causes[] = {
    {CURLE_URL_MALFORMAT, SF_ECONFIG, "not an address: check the endpoint"},
    {CURLE_UNSUPPORTED_PROTOCOL, SF_ECONFIG, "not an http or https address: check the endpoint"},
    {CURLE_COULDNT_RESOLVE_HOST, SF_ETRANSIENT, "the host's name is not known: check it, and DNS"},
    {CURLE_COULDNT_RESOLVE_PROXY, SF_ETRANSIENT, "the proxy's name is not known: check the proxy"},
    {CURLE_COULDNT_CONNECT, SF_ETRANSIENT,
     "cannot connect: is the server up, and the address right?"},
    {CURLE_PEER_FAILED_VERIFICATION, SF_ETRANSIENT,
     "the server's certificate is not trusted: check the address and this machine's clock; behind "
     "a "
     "company's proxy name its certificates in ca_file"},
    {CURLE_SSL_CONNECT_ERROR, SF_ETRANSIENT, "no TLS connection: is it an https address?"},
    {CURLE_SSL_CACERT_BADFILE, SF_ETRANSIENT,
     "the certificates to trust cannot be read: check ca_file (SSL_CERT_FILE), or install "
     "ca-certificates"},
    {CURLE_GOT_NOTHING, SF_ETRANSIENT, "the connection was closed without an answer"},
    {CURLE_PARTIAL_FILE, SF_ETRANSIENT, "the connection was closed before the answer's end"},
    {CURLE_SEND_FAIL_REWIND, SF_ETRANSIENT, "the connection broke after the request was sent"},
    {CURLE_RECV_ERROR, SF_ETRANSIENT, "the connection broke"},
    {CURLE_SEND_ERROR, SF_ETRANSIENT, "the connection broke"},
    {CURLE_OUT_OF_MEMORY, SF_ENOMEM, "out of memory"},
};

static enum sf_err timed_out(const struct flight *f, struct sf_errbuf *eb)
{
    curl_off_t connected = 0;
    const struct http_call *call = &f->transfer->call;
    (void)curl_easy_getinfo(f->easy, CURLINFO_PRETRANSFER_TIME_T, &connected);
    if (connected == 0 && !f->transfer->answer.sent) {
        return sf_fail(
            eb, SF_ETRANSIENT,
            "%s: cannot connect: no answer to the attempt in time; check the address and "
            "the network",
            call->url);
    }
    return sf_fail(eb, SF_EDEADLINE, "%s: no%s answer in time", call->url,
                   f->transfer->answer.status != 0 ? " whole" : "");
}

static enum sf_err outcome(const struct flight *f, CURLcode code, struct sf_errbuf *eb)
{
    const struct http_call *call = &f->transfer->call;
    const struct http_answer *answer = &f->transfer->answer;
    if (code == CURLE_OK) {
        return SF_OK;
    }
    if (answer->body.err == SF_ELIMIT || answer->head.err == SF_ELIMIT) {
        return sf_fail(eb, SF_ELIMIT, "%s: answer larger than %zu bytes", call->url,
                       answer->body.err == SF_ELIMIT ? call->max_body_bytes : (size_t)HEAD_CAP);
    }
    if (f->given_up) {
        return sf_fail(eb, SF_ECANCELED, "%s: given up", call->url);
    }
    if (code == CURLE_OPERATION_TIMEDOUT) {
        return timed_out(f, eb);
    }
    if (code == CURLE_UNSUPPORTED_PROTOCOL && answer->sent) {
        return sf_fail(eb, SF_ETRANSIENT, "%s: what answers there does not speak HTTP", call->url);
    }
    const char *detail = f->detail[0] != '\0' ? f->detail : curl_easy_strerror(code);
    for (size_t i = 0; i < sizeof causes / sizeof causes[0]; i++) {
        if (causes[i].code == code) {
            return sf_fail(eb, causes[i].err, "%s: %s (%s)", call->url, causes[i].text, detail);
        }
    }
    return sf_fail(eb, SF_ETRANSIENT, "%s: %s", call->url, detail);
}

static void flight_end(struct flight *f, enum sf_err begun, CURLcode code)
{
    struct http_transfer *t = f->transfer;
    long request_bytes = 0;
    f->done = true;
    t->err = begun;
    if (begun == SF_OK) {
        read_status(f);
        (void)curl_easy_getinfo(f->easy, CURLINFO_REQUEST_SIZE, &request_bytes);
        if (t->answer.status != 0 || (!t->call.post && request_bytes > 0)) {
            t->answer.sent = true;
        }
        t->err = outcome(f, code, &t->eb);
    } else {
        (void)sf_fail(&t->eb, begun, "%s: %s", t->call.url,
                      begun == SF_ECONFIG ? "a header (the key?) holds a control character"
                                          : sf_err_info(begun)->text);
    }
    wipe_headers(f->headers), f->headers = NULL;
    curl_easy_cleanup(f->easy), f->easy = NULL;
}

static void flight_cancel(struct flight *f)
{
    f->given_up = true;
    flight_end(f, f->easy == NULL ? SF_ECANCELED : SF_OK, CURLE_ABORTED_BY_CALLBACK);
}

/* ---- many side by side ----------------------------------------------------------------------- */

struct http_client {
    pthread_mutex_t lock; /* of what follows */
    struct kept {
        CURLM *multi;
        struct sf_time used; /* when a transfer ended last */
    } idle[IDLE_MAX];
    size_t n_idle;
};

enum sf_err http_client_open(struct http_client **out)
{
    struct http_client *c = sf_alloc(sizeof *c);
    if (c == NULL) {
        return SF_ENOMEM;
    }
    (void)pthread_once(&once, init_library);
    (void)pthread_mutex_init(&c->lock, NULL);
    *out = c;
    return SF_OK;
}

void http_client_close(struct http_client *c)
{
    if (c == NULL) {
        return;
    }
    for (size_t i = 0; i < c->n_idle; i++) {
        (void)curl_multi_cleanup(c->idle[i].multi);
    }
    (void)pthread_mutex_destroy(&c->lock);
    free(c);
}

static struct kept take_multi(struct http_client *c)
{
    struct kept k = {.multi = NULL};
    (void)pthread_mutex_lock(&c->lock);
    if (c->n_idle > 0) {
        k = c->idle[--c->n_idle];
    }
    (void)pthread_mutex_unlock(&c->lock);
    if (k.multi == NULL) {
        k.multi = curl_multi_init();
        (void)curl_multi_setopt(k.multi, CURLMOPT_MAXCONNECTS, CONNECTIONS_MAX);
    }
    return k;
}

static void put_multi(struct http_client *c, struct kept k)
{
    (void)pthread_mutex_lock(&c->lock);
    bool room = c->n_idle < IDLE_MAX;
    if (room) {
        c->idle[c->n_idle++] = k;
    }
    (void)pthread_mutex_unlock(&c->lock);
    if (!room) {
        (void)curl_multi_cleanup(k.multi);
    }
}

/* Forgets all connections that are kept and not in use. */
static void drop_idle(struct http_client *c)
{
    struct kept list[IDLE_MAX];
    (void)pthread_mutex_lock(&c->lock);
    size_t n = c->n_idle;
    memcpy(list, c->idle, n * sizeof *list);
    c->n_idle = 0;
    (void)pthread_mutex_unlock(&c->lock);
    for (size_t i = 0; i < n; i++) {
        (void)curl_multi_cleanup(list[i].multi);
    }
}

/* A request left and nothing came back: what was kept beside that connection has most likely died
 * with it (a server begun anew, a gateway that forgot), and would fail the next request too. */
static bool is_stale(const struct http_transfer *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct http_transfer *t = &list[i];
        if (t->err == SF_ETRANSIENT && t->answer.sent && t->answer.status == 0) {
            return true;
        }
    }
    return false;
}

struct squadron {
    CURLM *multi;
    struct sf_time used;
    struct flight *flights;
    size_t n, started, ended;
};

static void land(struct squadron *s, struct flight *f, CURLcode code)
{
    (void)curl_multi_remove_handle(s->multi, f->easy);
    flight_end(f, SF_OK, code);
    s->ended++;
    s->used = sf_now();
}

/* Lets a connection that was used a moment ago show whether it stays. */
static void settle(const struct squadron *s, const struct http_call *call)
{
    bool plain = strncmp(call->url, "http:", 5) == 0;
    if (plain && s->used.ms != 0 && sf_between(s->used, sf_now()) <= SETTLE_MS) {
        (void)poll(NULL, 0, SETTLE_MS);
    }
}

static void start_more(struct squadron *s, size_t at_once)
{
    while (s->started < s->n && (at_once == 0 || s->started - s->ended < at_once)) {
        struct flight *f = &s->flights[s->started++];
        settle(s, &f->transfer->call);
        enum sf_err err = flight_begin(f);
        if (err == SF_OK && curl_multi_add_handle(s->multi, f->easy) != CURLM_OK) {
            err = SF_ENOMEM;
        }
        if (err != SF_OK) {
            flight_end(f, err, CURLE_OK);
            s->ended++;
        }
    }
}

static void land_finished(struct squadron *s)
{
    CURLMsg *message;
    int left = 0;
    while ((message = curl_multi_info_read(s->multi, &left)) != NULL) {
        void *f = NULL;
        CURLcode code = message->data.result;
        if (message->msg == CURLMSG_DONE &&
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &f) == CURLE_OK) {
            land(s, f, code);
        }
    }
}

static void tick(struct squadron *s, const atomic_bool *cancel)
{
    bool all = cancel != NULL && atomic_load(cancel);
    for (size_t i = 0; i < s->n; i++) {
        struct flight *f = &s->flights[i];
        const struct http_call *call = &f->transfer->call;
        bool under_way = i < s->started && !f->done;
        bool unwanted = under_way && call->on_tick != NULL && !call->on_tick(call->arg);
        if (f->done || (!all && !unwanted)) {
            continue;
        }
        if (under_way) {
            (void)curl_multi_remove_handle(s->multi, f->easy);
        }
        flight_cancel(f);
        s->ended++;
    }
    s->started = all ? s->n : s->started;
}

static void fly(struct squadron *s, size_t at_once, const atomic_bool *cancel)
{
    int running = 0;
    while (s->ended < s->n) {
        tick(s, cancel);
        start_more(s, at_once);
        if (curl_multi_perform(s->multi, &running) != CURLM_OK) {
            atomic_bool stop;
            atomic_init(&stop, true);
            tick(s, &stop);
        }
        size_t before = s->ended;
        land_finished(s);
        if (s->ended < s->n && s->ended == before) {
            (void)curl_multi_poll(s->multi, NULL, 0, TICK_MS, NULL);
        }
    }
}

void http_client_perform(struct http_client *c, struct http_transfer *list, size_t n,
                         size_t at_once, const atomic_bool *cancel)
{
    struct squadron s = {.n = n};
    for (size_t i = 0; i < n; i++) {
        list[i].answer = (struct http_answer){.status = 0};
        sf_buf_init(&list[i].answer.head, HEAD_CAP);
        sf_buf_init(&list[i].answer.body, list[i].call.max_body_bytes);
        list[i].err = SF_ENOMEM;
        list[i].eb = (struct sf_errbuf){.code = SF_ENOMEM, .text = "out of memory"};
    }
    struct kept k = n > 0 ? take_multi(c) : (struct kept){.multi = NULL};
    s.multi = k.multi;
    s.used = k.used;
    s.flights = s.multi == NULL ? NULL : sf_alloc(n * sizeof *s.flights);
    for (size_t i = 0; s.flights != NULL && i < n; i++) {
        s.flights[i].transfer = &list[i];
    }
    if (s.flights != NULL) {
        fly(&s, at_once, cancel);
    }
    free(s.flights);
    if (s.multi != NULL && is_stale(list, n)) {
        (void)curl_multi_cleanup(s.multi);
        drop_idle(c);
    } else if (s.multi != NULL) {
        put_multi(c, (struct kept){s.multi, s.used});
    }
}

enum sf_err http_client_call(const struct http_call *call, struct http_answer *answer,
                             struct sf_errbuf *eb)
{
    struct http_transfer t = {.call = *call};
    struct flight f = {.transfer = &t};
    (void)pthread_once(&once, init_library);
    sf_buf_init(&t.answer.head, HEAD_CAP);
    sf_buf_init(&t.answer.body, call->max_body_bytes);
    enum sf_err err = flight_begin(&f);
    CURLcode code = err == SF_OK ? curl_easy_perform(f.easy) : CURLE_OK;
    flight_end(&f, err, code);
    *answer = t.answer;
    if (t.err != SF_OK && eb != NULL) {
        *eb = t.eb;
    }
    return t.err;
}
