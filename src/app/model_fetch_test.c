/* SPDX-License-Identifier: MIT */
/* What a scripted hub cannot show in a second: a server that falls silent in the middle, and being
 * canceled. The server is a thread with a socket. (Everything else: tests/cases/models.py.) */
#include "app/model_fetch.h"

#include "base/file.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define BODY 4096

struct silent {
    int listener;
    char url[80];
    pthread_t thread;
    char body[BODY];
    int silent_answers; /* of so many only half comes */
    atomic_int halves;  /* that were sent */
};

static void send_text(int fd, const char *z, size_t n)
{
    assert_int_equal(send(fd, z, n, MSG_NOSIGNAL), (ssize_t)n);
}

/* One request of a connection of its own. */
static void serve(struct silent *s, int fd)
{
    char head[2048] = "", answer[200];
    size_t n = 0;
    ssize_t k;
    while (strstr(head, "\r\n\r\n") == NULL && n < sizeof head - 1 &&
           (k = recv(fd, head + n, sizeof head - 1 - n, 0)) > 0) {
        n += (size_t)k;
        head[n] = '\0';
    }
    bool probe = strstr(head, "bytes=0-0") != NULL;
    const char *range = strstr(head, "bytes=");
    uint64_t first = 0;
    if (range != NULL) {
        (void)sf_scan_u64((struct sf_str){range + 6, strcspn(range + 6, "-")}, BODY, &first);
    }
    size_t length = probe ? 1 : BODY - first;
    int m = snprintf(answer, sizeof answer,
                     "HTTP/1.1 206 Partial\r\nContent-Range: bytes %zu-%zu/%d\r\nETag: \"e\"\r\n"
                     "Content-Length: %zu\r\nConnection: close\r\n\r\n",
                     (size_t)first, (size_t)first + length - 1, BODY, length);
    send_text(fd, answer, (size_t)m);
    if (!probe && s->silent_answers > 0) {
        s->silent_answers--;
        send_text(fd, s->body + first, length / 2);
        atomic_fetch_add(&s->halves, 1);
        struct pollfd gone = {.fd = fd, .events = POLLIN};
        (void)poll(&gone, 1, 20000); /* until the other side has had enough */
    } else if (length > 0) {
        send_text(fd, s->body + first, length);
    }
}

static void *run(void *arg)
{
    struct silent *s = arg;
    int fd;
    while ((fd = accept(s->listener, NULL, NULL)) >= 0) {
        serve(s, fd);
        (void)close(fd);
    }
    return NULL;
}

static void open_server(struct silent *s, int silent_answers)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;
    *s = (struct silent){.silent_answers = silent_answers};
    memcpy(s->body, "GGUF\3", 5); /* no tensors, no pairs; then data */
    for (size_t i = 24; i < BODY; i++) {
        s->body[i] = (char)(i * 7);
    }
    s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(s->listener, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(s->listener, 8), 0);
    assert_int_equal(getsockname(s->listener, (struct sockaddr *)&a, &n), 0);
    (void)snprintf(s->url, sizeof s->url, "http://127.0.0.1:%u/m", (unsigned)ntohs(a.sin_port));
    assert_int_equal(pthread_create(&s->thread, NULL, run, s), 0);
}

static void close_server(struct silent *s)
{
    (void)shutdown(s->listener, SHUT_RDWR);
    (void)pthread_join(s->thread, NULL);
    (void)close(s->listener);
}

static struct fetch_want want_of(const struct silent *s, const char *dest)
{
    struct fetch_want w = fetch_want_default();
    w.urls[0] = s->url;
    w.n_urls = 1;
    w.what = "a/b";
    w.dest = dest;
    w.pause_ms = 1;
    return w;
}

static void silence_is_noticed_and_taken_up_again(void **state)
{
    char dir[] = "/tmp/storyfi-fetch-XXXXXX", dest[64];
    struct silent s;
    struct fetch_got got;
    struct sf_errbuf eb = {.code = SF_OK};
    struct sf_buf b;
    (void)state;
    assert_non_null(mkdtemp(dir));
    (void)snprintf(dest, sizeof dest, "%s/m.gguf", dir);
    open_server(&s, 2);
    struct fetch_want w = want_of(&s, dest);
    w.stall_ms = 60;
    assert_int_equal(model_fetch(&w, &got, &eb), SF_OK);
    assert_int_equal(atomic_load(&s.halves), 2);
    assert_int_equal(got.bytes, BODY);
    assert_false(got.host_knew);
    sf_buf_init(&b, BODY);
    assert_int_equal(sf_file_read(dest, &b, &eb), SF_OK);
    assert_memory_equal(b.p, s.body, BODY);
    sf_buf_fini(&b);
    close_server(&s);
    (void)unlink(dest);
    (void)rmdir(dir);
}

static atomic_bool cancel;

static void cancel_once_bytes_came(void *arg, const struct fetch_progress *p)
{
    (void)arg;
    if (p->phase == FETCH_LOADING && p->done > 0) {
        atomic_store(&cancel, true);
    }
}

static void canceled_it_keeps_what_came(void **state)
{
    char dir[] = "/tmp/storyfi-fetch-XXXXXX", dest[64], part[80];
    struct silent s;
    struct fetch_got got;
    struct sf_errbuf eb = {.code = SF_OK};
    (void)state;
    assert_non_null(mkdtemp(dir));
    (void)snprintf(dest, sizeof dest, "%s/m.gguf", dir);
    (void)snprintf(part, sizeof part, "%s.part.state", dest);
    open_server(&s, 1);
    struct fetch_want w = want_of(&s, dest);
    w.cancel = &cancel;
    w.on_progress = cancel_once_bytes_came;
    assert_int_equal(model_fetch(&w, &got, &eb), SF_ECANCELED);
    assert_int_equal(access(dest, F_OK), -1);
    assert_int_equal(access(part, F_OK), 0);
    atomic_store(&cancel, false);
    w.on_progress = NULL;
    assert_int_equal(model_fetch(&w, &got, &eb), SF_OK); /* the other half */
    assert_int_equal(access(part, F_OK), -1);
    close_server(&s);
    (void)unlink(dest);
    (void)rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(silence_is_noticed_and_taken_up_again),
        cmocka_unit_test(canceled_it_keeps_what_came),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
