/* SPDX-License-Identifier: MIT */
#ifndef SF_GENERATOR_CLOUD_TEST_H
#define SF_GENERATOR_CLOUD_TEST_H

/* For tests of what asks providers: a server on a free port that answers each request with what the
 * test's function says, and remembers what was asked. */
#include "base/mem.h"
#include "generator/cloud.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

struct fake_reply {
    int status;          /* 0: the connection is closed without an answer */
    const char *headers; /* more lines, each with \r\n; NULL none */
    const char *type;    /* content type; NULL application/json */
    const char *body;
    bool chunked; /* with an end to it, so that a cut is seen */
    bool cut;     /* closed before the end */
    bool hang;    /* after what is there, until the server stops */
};

#define FAKE_REQUESTS_MAX 512
#define FAKE_CONNECTIONS_MAX 512
struct fake {
    /* `body` is the request's JSON (NULL for GET), `n` how many were before it. */
    struct fake_reply (*respond)(struct fake *f, const char *head, const json_t *body, int n);
    void *arg;
    json_t *bodies[FAKE_REQUESTS_MAX];
    char heads[FAKE_REQUESTS_MAX][1024];
    atomic_int n; /* whole requests taken in: what came before is to be read after it */
    int connections;
    char base[64];

    pthread_mutex_t lock;
    atomic_bool stop;
    int fd, n_workers;
    pthread_t thread, workers[FAKE_CONNECTIONS_MAX];
    struct fake_connection {
        struct fake *fake;
        int fd;
    } accepted[FAKE_CONNECTIONS_MAX];
};

static inline void fake_send(int fd, const char *text)
{
    (void)!send(fd, text, strlen(text), MSG_NOSIGNAL);
}

static inline bool fake_write(struct fake *f, int fd, const struct fake_reply *r)
{
    char head[1024];
    char number[48];
    (void)snprintf(number, sizeof number, "Content-Length: %zu",
                   strlen(r->body) + (r->cut ? 9 : 0));
    (void)snprintf(head, sizeof head, "HTTP/1.1 %d X\r\nContent-Type: %s\r\n%s\r\n%s\r\n",
                   r->status, r->type == NULL ? "application/json" : r->type,
                   r->chunked ? "Transfer-Encoding: chunked" : number,
                   r->headers == NULL ? "" : r->headers);
    fake_send(fd, head);
    if (r->chunked) {
        (void)snprintf(head, sizeof head, "%zx\r\n", strlen(r->body));
        fake_send(fd, head);
    }
    fake_send(fd, r->body);
    if (r->chunked && !r->cut && !r->hang) {
        fake_send(fd, "\r\n0\r\n\r\n");
    }
    while (r->hang && !atomic_load(&f->stop)) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        char gone;
        if (poll(&p, 1, 5) > 0 && recv(fd, &gone, 1, MSG_PEEK) <= 0) {
            break;
        }
    }
    return !r->cut && !r->hang;
}

/* Head and body of one request; false: the other side is gone. */
static inline bool fake_read(struct fake *f, int fd, struct sf_buf *text)
{
    size_t want = SIZE_MAX;
    char piece[4096];
    sf_buf_clear(text);
    while (text->n < want) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (atomic_load(&f->stop)) {
            return false;
        }
        if (poll(&p, 1, 5) == 0) {
            continue;
        }
        ssize_t n = read(fd, piece, sizeof piece);
        if (n <= 0) {
            return false;
        }
        sf_buf_add(text, piece, (size_t)n);
        if (text->err != SF_OK) {
            return false;
        }
        const char *end = strstr(text->p, "\r\n\r\n"),
                   *length = strstr(text->p, "Content-Length: ");
        if (end != NULL) {
            uint64_t body = 0;
            struct sf_str digits = sf_str(length == NULL ? "" : length + 16);
            digits.n = sf_str_find(digits, SF_STR("\r\n"));
            (void)sf_scan_u64(digits, 1U << 22, &body);
            want = (size_t)(end - text->p) + 4 + body;
        }
    }
    return true;
}

static inline bool fake_answer(struct fake *f, int fd, const struct sf_buf *text)
{
    struct sf_str all = sf_buf_str(text);
    size_t end = sf_str_find(all, SF_STR("\r\n\r\n"));
    json_t *body = NULL;
    (void)!json_parse((struct sf_str){all.p + end + 4, all.n - end - 4}, JSON_LIMITS_DEFAULT, &body,
                      NULL);
    (void)pthread_mutex_lock(&f->lock);
    int n = atomic_load(&f->n);
    (void)snprintf(f->heads[n], sizeof f->heads[n], "%.*s", (int)end, all.p);
    json_decref(f->bodies[n]);
    f->bodies[n] = body;
    struct fake_reply r = f->respond(f, f->heads[n], body, n);
    atomic_store(&f->n, n < FAKE_REQUESTS_MAX - 1 ? n + 1 : n);
    (void)pthread_mutex_unlock(&f->lock);
    return r.status != 0 && fake_write(f, fd, &r);
}

static inline void *fake_serve(void *arg)
{
    struct fake_connection c = *(struct fake_connection *)arg;
    struct sf_buf text;
    int at_once = 1;
    (void)setsockopt(c.fd, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
    sf_buf_init(&text, 4U << 20);
    while (fake_read(c.fake, c.fd, &text) && fake_answer(c.fake, c.fd, &text)) {
    }
    sf_buf_fini(&text);
    (void)close(c.fd);
    return NULL;
}

static inline void *fake_listen(void *arg)
{
    struct fake *f = arg;
    while (!atomic_load(&f->stop)) {
        struct pollfd p = {.fd = f->fd, .events = POLLIN};
        if (poll(&p, 1, 5) > 0 && f->n_workers < FAKE_CONNECTIONS_MAX) {
            struct fake_connection *c = &f->accepted[f->n_workers];
            *c = (struct fake_connection){f, accept(f->fd, NULL, NULL)};
            f->connections++;
            assert_int_equal(pthread_create(&f->workers[f->n_workers++], NULL, fake_serve, c), 0);
        }
    }
    return NULL;
}

static inline void fake_start(struct fake *f)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t n = sizeof a;
    (void)pthread_mutex_init(&f->lock, NULL);
    f->fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(f->fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(f->fd, 64), 0);
    assert_int_equal(getsockname(f->fd, (struct sockaddr *)&a, &n), 0);
    (void)snprintf(f->base, sizeof f->base, "http://127.0.0.1:%d/v1", ntohs(a.sin_port));
    assert_int_equal(pthread_create(&f->thread, NULL, fake_listen, f), 0);
}

static inline void fake_stop(struct fake *f)
{
    atomic_store(&f->stop, true);
    (void)pthread_join(f->thread, NULL);
    for (int i = 0; i < f->n_workers; i++) {
        (void)pthread_join(f->workers[i], NULL);
    }
    for (int i = 0; i < FAKE_REQUESTS_MAX; i++) {
        json_decref(f->bodies[i]);
    }
    (void)close(f->fd);
    (void)pthread_mutex_destroy(&f->lock);
}

#endif
