/* SPDX-License-Identifier: MIT */
#include "http/client.h"

#include "base/mem.h"

#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* A server that answers each request with a fixed text, or does what its end says. */
enum ending { STAYS_OPEN, CLOSES, RESETS, HANGS, CLOSES_UNTOLD };
struct server {
    const char *text;
    size_t repeat; /* of the text's last 40 bytes, for endless bodies */
    enum ending ending;
    bool speaks_first;  /* does not wait for a request */
    bool forgets;       /* a connection that is used again is closed without an answer */
    int ordinary_first; /* so many requests are answered 200 before that */
    int fd;
    unsigned short port;
    atomic_int connections, requests, together, most_together;
    atomic_bool stop;
    pthread_t thread, workers[64];
    int n_workers;
    pthread_mutex_t lock; /* of `last` */
    char last[4096];      /* the last request */
};
struct connection {
    struct server *server;
    int fd;
};

static void finish(int fd, enum ending ending, const struct server *s)
{
    if (ending == RESETS) {
        struct linger hard = {.l_onoff = 1, .l_linger = 0};
        (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    }
    while (ending == HANGS && !atomic_load(&s->stop)) {
        (void)poll(NULL, 0, 5);
    }
}

/* Head and, by its Content-Length, body; false when the caller has gone. */
static bool read_request(struct server *s, int fd)
{
    char text[sizeof s->last] = "";
    size_t n = 0, want = SIZE_MAX;
    while (n < want) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        ssize_t got = 0;
        if (atomic_load(&s->stop)) {
            return false;
        }
        if (poll(&p, 1, 10) == 0) {
            continue;
        }
        got = read(fd, text + n, sizeof text - 1 - n);
        if (got <= 0) {
            return false;
        }
        n += (size_t)got;
        text[n] = '\0';
        const char *end = strstr(text, "\r\n\r\n"), *length = strstr(text, "Content-Length: ");
        if (end != NULL) {
            uint64_t body = 0;
            struct sf_str digits = sf_str(length == NULL ? "" : length + 16);
            digits.n = sf_str_find(digits, SF_STR("\r\n"));
            (void)sf_scan_u64(digits, 4000, &body);
            want = (size_t)(end - text) + 4 + body;
        }
    }
    (void)pthread_mutex_lock(&s->lock);
    memcpy(s->last, text, sizeof text);
    (void)pthread_mutex_unlock(&s->lock);
    return true;
}

static bool reply(struct server *s, int fd)
{
    bool ordinary = atomic_fetch_add(&s->requests, 1) < s->ordinary_first;
    const char *text = ordinary ? "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" : s->text;
    int now = atomic_fetch_add(&s->together, 1) + 1;
    if (now > atomic_load(&s->most_together)) {
        atomic_store(&s->most_together, now);
    }
    bool with_end = !ordinary && s->ending == CLOSES_UNTOLD; /* text and end in one segment */
    (void)send(fd, text, strlen(text), MSG_NOSIGNAL | (with_end ? MSG_MORE : 0));
    if (with_end) {
        (void)shutdown(fd, SHUT_WR);
    }
    size_t tail = strlen(text) < 40 ? strlen(text) : 40;
    for (size_t i = 0; !ordinary && i < s->repeat; i++) {
        if (send(fd, text + strlen(text) - tail, tail, MSG_NOSIGNAL) < 0) {
            break;
        }
    }
    if (!ordinary) {
        finish(fd, s->ending, s);
    }
    (void)atomic_fetch_sub(&s->together, 1);
    return ordinary || s->ending == STAYS_OPEN;
}

static void *serve(void *arg)
{
    struct connection c = *(struct connection *)arg;
    free(arg);
    bool used = false;
    while ((c.server->speaks_first || read_request(c.server, c.fd)) &&
           !(used && c.server->forgets) && reply(c.server, c.fd)) {
        used = true;
    }
    (void)close(c.fd);
    return NULL;
}

static void *listen_on(void *arg)
{
    struct server *s = arg;
    while (!atomic_load(&s->stop)) {
        struct pollfd p = {.fd = s->fd, .events = POLLIN};
        if (poll(&p, 1, 10) <= 0) {
            continue;
        }
        struct connection *c = sf_alloc(sizeof *c);
        *c = (struct connection){s, accept(s->fd, NULL, NULL)};
        (void)atomic_fetch_add(&s->connections, 1);
        (void)pthread_create(&s->workers[s->n_workers++], NULL, serve, c);
    }
    return NULL;
}

static void start(struct server *s)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    (void)pthread_mutex_init(&s->lock, NULL);
    socklen_t n = sizeof a;
    s->fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(s->fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(s->fd, 64), 0);
    assert_int_equal(getsockname(s->fd, (struct sockaddr *)&a, &n), 0);
    s->port = ntohs(a.sin_port);
    assert_int_equal(pthread_create(&s->thread, NULL, listen_on, s), 0);
}

static void stop(struct server *s)
{
    atomic_store(&s->stop, true);
    (void)pthread_join(s->thread, NULL);
    for (int i = 0; i < s->n_workers; i++) {
        (void)pthread_join(s->workers[i], NULL);
    }
    (void)close(s->fd);
}

static struct http_transfer transfer_to(const struct server *s, char url[static 64], sf_ms within)
{
    (void)snprintf(url, 64, "http://127.0.0.1:%d/x", s->port);
    return (struct http_transfer){.call = {.url = url,
                                           .body = SF_STR("{\"n\": 1}"),
                                           .post = true,
                                           .deadline = sf_after(sf_now(), within),
                                           .max_body_bytes = 65536}};
}

/* ---- what comes back ------------------------------------------------------------------------- */

static void each_end_of_a_transfer_has_its_class(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t repeat;
        enum ending ending;
        enum sf_err err;
        int status;
        const char *says;
    } cases[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 0, STAYS_OPEN, SF_OK, 200, ""},
        {"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", 0, STAYS_OPEN, SF_OK, 503, ""},
        {"HTTP/1.1 302 Go\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", 0,
         STAYS_OPEN, SF_OK, 302, ""},
        {"HTTP/1.1 200 OK\r\n\r\nto the end", 0, CLOSES, SF_OK, 200, ""},
        {"", 0, CLOSES, SF_ETRANSIENT, 0, "closed without an answer"},
        {"", 0, RESETS, SF_ETRANSIENT, 0, "connection"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf", 0, CLOSES, SF_ETRANSIENT, 200,
         "before the answer's end"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", 0, CLOSES,
         SF_ETRANSIENT, 200, "closed before the answer's end"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf", 0, RESETS, SF_ETRANSIENT, 200,
         "connection broke"},
        {"", 0, HANGS, SF_EDEADLINE, 0, "no answer in time"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf", 0, HANGS, SF_EDEADLINE, 200,
         "no whole answer in time"},
        {"HTTP/1.1 200 OK\r\n\r\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", 2000, CLOSES,
         SF_ELIMIT, 200, "larger than 65536 bytes"},
        {"HTTP/1.1 200 OK\r\nX: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n", 3000, CLOSES, SF_ELIMIT,
         200, "larger than 65536 bytes"},
        {"SMTP ready\r\n\r\n", 0, CLOSES, SF_ETRANSIENT, 0, ""},
    };
    struct http_client *c = NULL;
    assert_int_equal(http_client_open(&c), SF_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct server s = {
            .text = cases[i].text, .repeat = cases[i].repeat, .ending = cases[i].ending};
        char url[64];
        start(&s);
        struct http_transfer t = transfer_to(&s, url, cases[i].ending == HANGS ? 150 : 5000);
        http_client_perform(c, &t, 1, 0, NULL);
        if (t.err != cases[i].err || strstr(t.eb.text, cases[i].says) == NULL) {
            fail_msg("case %zu: %d %s", i, t.err, t.eb.text);
        }
        assert_int_equal(t.answer.status, cases[i].status);
        assert_true(t.answer.sent);
        assert_int_equal(atomic_load(&s.requests), 1);
        stop(&s);
        http_answer_fini(&t.answer);
    }
    http_client_close(c);
}

static void what_was_not_reached_was_not_sent(void **state)
{
    (void)state;
    struct server s = {.text = ""};
    struct http_client *c = NULL;
    char url[64];
    static const struct {
        const char *url;
        enum sf_err err;
        const char *says;
    } cases[] = {{NULL, SF_ETRANSIENT, "cannot connect"},
                 {"http://no-such-host.invalid/", SF_ETRANSIENT, "name is not known"},
                 {"ftp://127.0.0.1/", SF_ECONFIG, "not an http"},
                 {"http://[", SF_ECONFIG, "not an address"},
                 {"https", SF_ETRANSIENT, "TLS"}};
    start(&s);
    struct http_transfer closed = transfer_to(&s, url, 5000);
    stop(&s);
    struct server plain = {.text = "HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n",
                           .ending = CLOSES,
                           .speaks_first = true};
    char secure[64];
    start(&plain);
    (void)snprintf(secure, sizeof secure, "https://127.0.0.1:%d/", plain.port);
    assert_int_equal(http_client_open(&c), SF_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct http_transfer t = {.call = closed.call};
        t.call.url = cases[i].url == NULL                 ? url
                     : strcmp(cases[i].url, "https") == 0 ? secure
                                                          : cases[i].url;
        t.call.deadline = sf_after(sf_now(), 2000);
        http_client_perform(c, &t, 1, 0, NULL);
        if (t.err != cases[i].err || strstr(t.eb.text, cases[i].says) == NULL) {
            fail_msg("case %zu: %d %s", i, t.err, t.eb.text);
        }
        assert_false(t.answer.sent);
        http_answer_fini(&t.answer);
    }
    http_client_close(c);
    stop(&plain);
}

/* A listener whose queue is full: the connection does not come about. */
static void a_connection_that_does_not_come_costs_half_of_the_time(void **state)
{
    (void)state;
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM, 0), held[8];
    char url[64];
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(fd, 0), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
    for (size_t i = 0; i < 8; i++) {
        held[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(held[i], (struct sockaddr *)&a, sizeof a);
    }
    struct server s = {.port = ntohs(a.sin_port)};
    struct http_transfer t = transfer_to(&s, url, 600);
    struct http_client *c = NULL;
    assert_int_equal(http_client_open(&c), SF_OK);
    struct sf_time begun = sf_now();
    http_client_perform(c, &t, 1, 0, NULL);
    assert_int_equal(t.err, SF_ETRANSIENT);
    assert_non_null(strstr(t.eb.text, "cannot connect"));
    assert_in_range(sf_between(begun, sf_now()), 250, 550);
    assert_false(t.answer.sent);
    http_answer_fini(&t.answer);
    http_client_close(c);
    for (size_t i = 0; i < 8; i++) {
        (void)close(held[i]);
    }
    (void)close(fd);
}

/* ---- connections ----------------------------------------------------------------------------- */

static void connections_are_used_again(void **state)
{
    (void)state;
    struct server s = {.text = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"};
    struct http_client *c = NULL;
    char url[64];
    start(&s);
    assert_int_equal(http_client_open(&c), SF_OK);
    for (int i = 0; i < 5; i++) {
        struct http_transfer t = transfer_to(&s, url, 5000);
        http_client_perform(c, &t, 1, 0, NULL);
        assert_int_equal(t.err, SF_OK);
        assert_true(sf_str_is(sf_buf_str(&t.answer.body), "ok"));
        http_answer_fini(&t.answer);
    }
    assert_int_equal(atomic_load(&s.requests), 5);
    assert_int_equal(atomic_load(&s.connections), 1);
    http_client_close(c);
    stop(&s);
}

static void a_server_that_closes_untold_is_asked_anew(void **state)
{
    (void)state;
    struct server s = {.text = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
                       .ending = CLOSES_UNTOLD};
    struct http_client *c = NULL;
    char url[64];
    start(&s);
    assert_int_equal(http_client_open(&c), SF_OK);
    for (int i = 0; i < 10; i++) {
        struct http_transfer t = transfer_to(&s, url, 5000);
        http_client_perform(c, &t, 1, 0, NULL);
        assert_int_equal(t.err, SF_OK);
        http_answer_fini(&t.answer);
    }
    assert_int_equal(atomic_load(&s.requests), 10);
    http_client_close(c);
    stop(&s);
}

/* The library would send a POST again over a new connection; that could pay twice. */
static void a_request_that_was_sent_is_not_sent_again(void **state)
{
    (void)state;
    static const enum ending endings[] = {CLOSES, RESETS};
    for (size_t k = 0; k < 2; k++) {
        struct server s = {.text = "", .ending = endings[k], .ordinary_first = 1};
        struct http_client *c = NULL;
        char url[64];
        start(&s);
        assert_int_equal(http_client_open(&c), SF_OK);
        for (int i = 0; i < 2; i++) {
            struct http_transfer t = transfer_to(&s, url, 5000);
            http_client_perform(c, &t, 1, 0, NULL);
            assert_int_equal(t.err, i == 0 ? SF_OK : SF_ETRANSIENT);
            assert_true(t.answer.sent);
            http_answer_fini(&t.answer);
        }
        assert_int_equal(atomic_load(&s.requests), 2);
        http_client_close(c);
        stop(&s);
    }
}

static void a_dead_connection_takes_those_kept_beside_it_along(void **state)
{
    (void)state;
    struct server s = {.text = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", .forgets = true};
    struct http_client *c = NULL;
    struct http_transfer list[4];
    char url[4][64];
    start(&s);
    assert_int_equal(http_client_open(&c), SF_OK);
    for (int round = 0; round < 3; round++) {
        size_t n = round == 0 ? 4 : 1;
        for (size_t i = 0; i < n; i++) {
            list[i] = transfer_to(&s, url[i], 5000);
        }
        http_client_perform(c, list, n, 0, NULL);
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(list[i].err, round == 1 ? SF_ETRANSIENT : SF_OK);
            http_answer_fini(&list[i].answer);
        }
    }
    http_client_close(c);
    stop(&s);
}

static void as_many_at_once_as_allowed(void **state)
{
    (void)state;
    struct server s = {.text = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"};
    struct http_client *c = NULL;
    struct http_transfer list[12];
    char url[64];
    start(&s);
    assert_int_equal(http_client_open(&c), SF_OK);
    for (size_t i = 0; i < 12; i++) {
        list[i] = transfer_to(&s, url, 5000);
    }
    http_client_perform(c, list, 12, 3, NULL);
    for (size_t i = 0; i < 12; i++) {
        assert_int_equal(list[i].err, SF_OK);
        http_answer_fini(&list[i].answer);
    }
    assert_int_equal(atomic_load(&s.requests), 12);
    assert_in_range(atomic_load(&s.most_together), 1, 3);
    assert_in_range(atomic_load(&s.connections), 1, 3);
    http_client_close(c);
    stop(&s);
}

/* ---- progress, and giving up ----------------------------------------------------------------- */

struct seen {
    int heads, pieces, ticks, status;
    char text[64];
    bool refuse_data;
    int refuse_tick; /* the how-manieth, 0 never */
    const struct http_transfer *transfer;
    bool sent_at_tick;
};

static bool see_data(void *arg, int status, struct sf_str piece)
{
    struct seen *s = arg;
    s->status = status;
    s->heads += piece.n == 0 ? 1 : 0;
    s->pieces += piece.n > 0 ? 1 : 0;
    (void)snprintf(s->text, sizeof s->text, "%.*s", SF_STR_ARG(piece));
    return !s->refuse_data;
}

static bool see_tick(void *arg)
{
    struct seen *s = arg;
    s->sent_at_tick = s->transfer->answer.sent;
    return ++s->ticks != s->refuse_tick;
}

static void progress_is_told_and_can_be_refused(void **state)
{
    (void)state;
    struct server s = {.text = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok", .ending = HANGS};
    struct http_client *c = NULL;
    char url[64];
    start(&s);
    assert_int_equal(http_client_open(&c), SF_OK);
    for (int i = 0; i < 2; i++) {
        struct seen seen = {.refuse_data = i == 0, .refuse_tick = 8};
        struct http_transfer t = transfer_to(&s, url, 5000);
        t.call.on_data = see_data;
        t.call.on_tick = see_tick;
        t.call.arg = &seen;
        seen.transfer = &t;
        http_client_perform(c, &t, 1, 0, NULL);
        assert_int_equal(t.err, SF_ECANCELED);
        assert_int_equal(seen.heads, 1);
        assert_int_equal(seen.status, 200);
        assert_int_equal(seen.pieces, i == 0 ? 0 : 1);
        if (i == 1) {
            assert_string_equal(seen.text, "ok");
            assert_int_equal(seen.ticks, 8);
            assert_true(seen.sent_at_tick);
        }
        http_answer_fini(&t.answer);
    }
    http_client_close(c);
    stop(&s);
}

struct canceler {
    struct server *server;
    int requests;
    atomic_bool cancel;
};

static void *cancel_later(void *arg)
{
    struct canceler *c = arg;
    while (atomic_load(&c->server->requests) < c->requests) {
        (void)poll(NULL, 0, 1);
    }
    atomic_store(&c->cancel, true);
    return NULL;
}

static void a_canceled_call_ends_at_once_and_starts_nothing_more(void **state)
{
    (void)state;
    struct server s = {.text = "", .ending = HANGS};
    struct canceler canceler = {.server = &s, .requests = 2};
    struct http_client *c = NULL;
    struct http_transfer list[5];
    char url[64];
    pthread_t thread;
    start(&s);
    assert_int_equal(http_client_open(&c), SF_OK);
    for (size_t i = 0; i < 5; i++) {
        list[i] = transfer_to(&s, url, 20000);
    }
    assert_int_equal(pthread_create(&thread, NULL, cancel_later, &canceler), 0);
    struct sf_time begun = sf_now();
    http_client_perform(c, list, 5, 2, &canceler.cancel);
    assert_in_range(sf_between(begun, sf_now()), 0, 2000);
    (void)pthread_join(thread, NULL);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(list[i].err, SF_ECANCELED);
        assert_int_equal(list[i].answer.sent, i < 2);
        http_answer_fini(&list[i].answer);
    }
    assert_int_equal(atomic_load(&s.requests), 2);
    http_client_close(c);
    stop(&s);
}

/* ---- headers --------------------------------------------------------------------------------- */

static void headers_go_out_and_come_back(void **state)
{
    (void)state;
    struct server s = {.text = "HTTP/1.1 200 OK\r\nRetry-After:  7 \r\nContent-Length: 0\r\n\r\n"};
    const struct http_header good = {SF_STR("X-Key"), SF_STR("abc")};
    const struct http_header bad = {SF_STR("X-Key"), SF_STR("abc\r\nX-Other: d")};
    char url[64];
    start(&s);
    struct http_transfer t = transfer_to(&s, url, 5000);
    struct sf_errbuf eb = {.code = SF_OK};
    t.call.headers = &good;
    t.call.n_headers = 1;
    assert_int_equal(http_client_call(&t.call, &t.answer, &eb), SF_OK);
    (void)pthread_mutex_lock(&s.lock);
    assert_non_null(strstr(s.last, "\r\nX-Key: abc\r\n"));
    assert_null(strstr(s.last, "Expect"));
    (void)pthread_mutex_unlock(&s.lock);
    assert_true(sf_str_is(http_answer_header(&t.answer, "retry-after"), "7"));
    assert_int_equal(http_answer_header(&t.answer, "absent").n, 0);
    http_answer_fini(&t.answer);
    t.call.headers = &bad;
    assert_int_equal(http_client_call(&t.call, &t.answer, &eb), SF_ECONFIG);
    assert_int_equal(atomic_load(&s.requests), 1);
    assert_false(t.answer.sent);
    http_answer_fini(&t.answer);
    stop(&s);
}

static void the_pause_that_is_asked_for_is_understood(void **state)
{
    (void)state;
    static const struct {
        const char *head;
        sf_ms pause;
    } cases[] = {
        {"Retry-After: 7\n", 7000},
        {"Retry-After: 1.5\n", 1500},
        {"Retry-After: 0\n", 0},
        {"Retry-After: 99999999\n", 86400000},
        {"Date: Sun, 06 Nov 1994 08:49:37 GMT\nRetry-After: Sun, 06 Nov 1994 08:49:40 GMT\n", 3000},
        {"Date: Sunday, 06-Nov-94 08:49:37 GMT\nRetry-After: Sun Nov  6 08:51:37 1994\n", 120000},
        {"Date: Sun, 06 Nov 1994 08:49:37 GMT\nRetry-After: Sun, 06 Nov 1994 08:49:30 GMT\n", 0},
        {"Date: Sun, 06 Nov 1994 08:49:37 GMT\nRetry-After: Sun, 06 Nov 2094 08:49:30 GMT\n",
         86400000},
        {"Retry-After: Sun, 06 Nov 1994 08:49:30 GMT\n", 0},
        {"Retry-After: Sun, 06 Nov 2094 08:49:30 GMT\n", 86400000},
        {"Retry-After: soon\n", -1},
        {"Retry-After: -3\n", -1},
        {"Retry-After: \n", -1},
        {"Other: 1\n", -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct http_answer a = {.status = 429};
        sf_buf_init(&a.head, 4096);
        sf_buf_puts(&a.head, cases[i].head);
        if (http_answer_retry_after(&a) != cases[i].pause) {
            fail_msg("%s: %lld", cases[i].head, (long long)http_answer_retry_after(&a));
        }
        sf_buf_fini(&a.head);
    }
}

/* A proxy in the environment is not asked for what is on this machine. */
static void loopback_never_goes_through_a_proxy(void **state)
{
    (void)state;
    struct server s = {.text = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"};
    struct server proxy = {.text = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\npp"};
    struct http_answer answer;
    char url[64], variable[64];
    start(&s);
    start(&proxy);
    (void)snprintf(variable, sizeof variable, "http://127.0.0.1:%d", proxy.port);
    assert_int_equal(setenv("http_proxy", variable, 1), 0);
    struct http_transfer t = transfer_to(&s, url, 5000);
    assert_int_equal(http_client_call(&t.call, &answer, NULL), SF_OK);
    assert_true(sf_str_is(sf_buf_str(&answer.body), "ok"));
    http_answer_fini(&answer);
    t.call.url = "http://story.invalid/";
    assert_int_equal(http_client_call(&t.call, &answer, NULL), SF_OK);
    assert_true(sf_str_is(sf_buf_str(&answer.body), "pp"));
    http_answer_fini(&answer);
    assert_int_equal(unsetenv("http_proxy"), 0);
    stop(&s);
    stop(&proxy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_end_of_a_transfer_has_its_class),
        cmocka_unit_test(what_was_not_reached_was_not_sent),
        cmocka_unit_test(a_connection_that_does_not_come_costs_half_of_the_time),
        cmocka_unit_test(connections_are_used_again),
        cmocka_unit_test(a_server_that_closes_untold_is_asked_anew),
        cmocka_unit_test(a_request_that_was_sent_is_not_sent_again),
        cmocka_unit_test(a_dead_connection_takes_those_kept_beside_it_along),
        cmocka_unit_test(as_many_at_once_as_allowed),
        cmocka_unit_test(progress_is_told_and_can_be_refused),
        cmocka_unit_test(a_canceled_call_ends_at_once_and_starts_nothing_more),
        cmocka_unit_test(headers_go_out_and_come_back),
        cmocka_unit_test(the_pause_that_is_asked_for_is_understood),
        cmocka_unit_test(loopback_never_goes_through_a_proxy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
