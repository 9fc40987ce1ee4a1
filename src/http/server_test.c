/* SPDX-License-Identifier: MIT */
#include "http/server.h"

#include "base/mem.h"
#include "http/client.h"

#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* A server whose answers stay open: the first handler's stream is the test's to write. */
struct fixture {
    struct http_server *server;
    _Atomic(struct http_stream *) stream;
    atomic_int refused;
    atomic_bool answer_later; /* opens on another thread, the connection being parked */
    struct http_exchange *waiting;
    char query[256];
};

static void open_stream(struct fixture *f, struct http_exchange *x)
{
    const struct http_header type = {SF_STR("Content-Type"), SF_STR("text/event-stream")};
    struct http_stream *s = http_reply_open(x, 200, &type, 1);
    if (s == NULL) {
        (void)atomic_fetch_add(&f->refused, 1);
    } else {
        atomic_store(&f->stream, s);
    }
}

static void *open_later(void *arg)
{
    struct fixture *f = arg;
    (void)poll(NULL, 0, 20);
    open_stream(f, f->waiting);
    return NULL;
}

static void handle(void *arg, struct http_exchange *x, const struct http_request *r)
{
    struct fixture *f = arg;
    pthread_t t;
    (void)snprintf(f->query, sizeof f->query, "%s", r->query);
    if (strcmp(r->path, "/plain") == 0) {
        http_reply(x, 200, NULL, 0, sf_str(r->query));
    } else if (atomic_load(&f->answer_later)) {
        f->waiting = x;
        assert_int_equal(pthread_create(&t, NULL, open_later, f), 0);
        assert_int_equal(pthread_detach(t), 0);
    } else {
        open_stream(f, x);
    }
}

/* Made for this test by openssl req -x509, good for a hundred years; the second is another one. */
static const char certificate[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBbjCCARWgAwIBAgIURswjDjDw4QYkFJTlDFapLmIu/WwwCgYIKoZIzj0EAwIw\n"
    "DDEKMAgGA1UEAwwBYTAgFw0yNjExMjUwMDIyMTBaGA8yMTI2MTEwMTAwMjIxMFow\n"
    "DDEKMAgGA1UEAwwBYTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABPGoKJWWJ012\n"
    "7XfeOOU/X06G4FxIvTg0yjBI2YMb450DJYco6MLzWg3VmSfa0y785P2RckmGV6H/\n"
    "OWZ09T3c4eyjUzBRMB0GA1UdDgQWBBQmCbZ2+5KazUR0gkvS50GPX8s7lzAfBgNV\n"
    "HSMEGDAWgBQmCbZ2+5KazUR0gkvS50GPX8s7lzAPBgNVHRMBAf8EBTADAQH/MAoG\n"
    "CCqGSM49BAMCA0cAMEQCIA/IsY7Wc++hJmJQmpL21fV1X9KbbDipe8l1UFKzj8a/\n"
    "AiB0ZzXle41yidVl4Zxg28VUwi4g+fEHbf4Jznyoe7+N3w==\n"
    "-----END CERTIFICATE-----\n";
static const char key[] = "-----BEGIN PRIVATE KEY-----\n"
                          "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgpmQmYvbZdziVcv5E\n"
                          "paYA2/j/pDxbgKvsui2GGxXmzxehRANCAATxqCiVlidNdu133jjlP19OhuBcSL04\n"
                          "NMowSNmDG+OdAyWHKOjC81oN1Zkn2tMu/OT9kXJJhleh/zlmdPU93OHs\n"
                          "-----END PRIVATE KEY-----\n";
static const char other_certificate[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBbzCCARWgAwIBAgIUJvTQpF2jRcQ3OqoMD1kwH+6C/rMwCgYIKoZIzj0EAwIw\n"
    "DDEKMAgGA1UEAwwBYjAgFw0yNjExMjUwMDIyMTBaGA8yMTI2MTEwMTAwMjIxMFow\n"
    "DDEKMAgGA1UEAwwBYjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABDhuQ4/POMy2\n"
    "kuOgkK4nJys2R+eCWrl1nWYlpzkM++4kRRWOU5dsopGKR8AKXSKfW0GbrrxtNbCK\n"
    "s4PLXefnjcOjUzBRMB0GA1UdDgQWBBRitQJf2zcvC6xtCFwbuU1lkSgTxzAfBgNV\n"
    "HSMEGDAWgBRitQJf2zcvC6xtCFwbuU1lkSgTxzAPBgNVHRMBAf8EBTADAQH/MAoG\n"
    "CCqGSM49BAMCA0gAMEUCIAQ2zFcsUxgx9xvq5gz7az6/XkzmXnNQFe7EePBzAHHR\n"
    "AiEA8+yzwav/UoUy2ScsiwcRQmvXsT5kUdAvDHEmAQ3Qqgo=\n"
    "-----END CERTIFICATE-----\n";

static void start_with(struct fixture *f, unsigned max_streams, bool tls)
{
    static const struct http_header extra = {{"X-Extra", 7}, {"yes", 3}};
    struct http_server_options o = http_server_options_default();
    struct sf_errbuf eb = {.code = SF_OK};
    memset(f, 0, sizeof *f);
    o.handler = handle;
    o.arg = f;
    o.headers = &extra;
    o.n_headers = 1;
    o.max_streams = max_streams;
    o.tls_certificate = tls ? certificate : NULL;
    o.tls_key = tls ? key : NULL;
    assert_int_equal(http_server_open(&o, &f->server, &eb), SF_OK);
}

static void start(struct fixture *f, unsigned max_streams)
{
    start_with(f, max_streams, false);
}

static int ask(const struct fixture *f, const char *path)
{
    char text[512];
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(http_server_port(f->server))};
    int fd = socket(AF_INET, SOCK_STREAM, 0), small = 4096;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    (void)snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    return fd;
}

/* Reads until `wanted` came; false when the connection ended, or nothing came for 10 s. */
static bool reads(int fd, const char *wanted, char *text, size_t room)
{
    size_t n = 0;
    text[0] = '\0';
    while (strstr(text, wanted) == NULL) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        ssize_t got = poll(&p, 1, 10000) > 0 ? read(fd, text + n, room - n - 1) : 0;
        if (got <= 0) {
            return false;
        }
        n += (size_t)got;
        text[n] = '\0';
    }
    return true;
}

static struct http_stream *stream_of(struct fixture *f)
{
    struct http_stream *s = NULL;
    for (int i = 0; i < 2000 && s == NULL; i++) {
        s = atomic_exchange(&f->stream, NULL);
        (void)poll(NULL, 0, s == NULL ? 5 : 0);
    }
    assert_non_null(s);
    return s;
}

static void what_is_written_arrives_at_once_and_the_end_is_seen(void **state)
{
    struct fixture f;
    char text[4096];
    (void)state;
    start(&f, 4);
    for (int later = 0; later < 2; later++) {
        atomic_store(&f.answer_later, later == 1);
        int fd = ask(&f, "/events?a=%20b&c");
        struct http_stream *s = stream_of(&f);
        assert_string_equal(f.query, "a=%20b&c");
        assert_true(reads(fd, "\r\n\r\n", text, sizeof text));
        assert_non_null(strstr(text, "text/event-stream"));
        assert_non_null(strstr(text, "X-Extra: yes"));
        for (int i = 0; i < 3; i++) { /* asleep in between */
            assert_true(http_stream_write(s, SF_STR("data: one\n\n")));
            assert_true(reads(fd, "data: one\n\n", text, sizeof text));
        }
        assert_false(http_stream_is_gone(s));
        assert_true(http_stream_write(s, SF_STR("last")));
        http_stream_close(s);
        assert_true(reads(fd, "last\r\n0\r\n\r\n", text, sizeof text));
        (void)close(fd);
    }
    http_server_close(f.server);
}

static void a_client_that_left_is_noticed(void **state)
{
    struct fixture f;
    char text[4096];
    (void)state;
    start(&f, 1);
    for (int i = 0; i < 3; i++) { /* the one place is free again each time */
        int fd = -1;
        struct http_stream *s = NULL;
        for (int tries = 0; tries < 1000 && s == NULL; tries++) {
            fd = ask(&f, "/events");
            assert_true(reads(fd, "\r\n\r\n", text, sizeof text));
            s = strstr(text, " 200 ") == NULL ? NULL : stream_of(&f);
            if (s == NULL) {
                (void)close(fd);
                (void)poll(NULL, 0, 5);
            }
        }
        assert_non_null(s);
        assert_true(http_stream_write(s, SF_STR("x")));
        (void)close(fd);
        int waited = 0;
        while (!http_stream_is_gone(s) && waited++ < 2000) {
            (void)poll(NULL, 0, 5);
        }
        assert_true(http_stream_is_gone(s));
        assert_false(http_stream_write(s, SF_STR("x")));
        http_stream_close(s);
    }
    http_server_close(f.server);
}

static void who_does_not_read_is_cut_off(void **state)
{
    static const char block[10000];
    struct fixture f;
    size_t n = 0;
    (void)state;
    start(&f, 4);
    int fd = ask(&f, "/events");
    struct http_stream *s = stream_of(&f);
    while (http_stream_write(s, (struct sf_str){block, sizeof block})) {
        n += sizeof block;
        assert_true(n < (64U << 20)); /* the kernel's buffers and ours are bounded */
    }
    assert_true(n >= HTTP_STREAM_BYTES_MAX - sizeof block);
    assert_false(http_stream_write(s, SF_STR("x")));
    http_stream_close(s);
    (void)close(fd);
    fd = ask(&f, "/events"); /* more than the buffer holds at once is refused, whole */
    s = stream_of(&f);
    char *big = sf_alloc(HTTP_STREAM_BYTES_MAX + 1);
    assert_non_null(big);
    assert_false(http_stream_write(s, (struct sf_str){big, HTTP_STREAM_BYTES_MAX + 1}));
    free(big);
    http_stream_close(s);
    (void)close(fd);
    http_server_close(f.server);
}

static void a_fast_writer_and_a_slow_reader_agree_on_every_byte(void **state)
{
    struct fixture f;
    char text[4096], line[32];
    size_t n = 0, sum = 0;
    (void)state;
    start(&f, 4);
    int fd = ask(&f, "/events");
    struct http_stream *s = stream_of(&f);
    assert_true(reads(fd, "\r\n\r\n", text, sizeof text));
    for (int i = 0; i < 3000; i++) {
        int length = snprintf(line, sizeof line, "<%d>", i);
        assert_true(http_stream_write(s, (struct sf_str){line, (size_t)length}));
        n += (size_t)length;
    }
    http_stream_close(s);
    for (ssize_t got = 1; got > 0;) { /* digits and brackets; chunk sizes have none of the latter */
        struct pollfd p = {.fd = fd, .events = POLLIN};
        got = poll(&p, 1, 2000) > 0 ? read(fd, text, sizeof text - 1) : 0;
        for (ssize_t i = 0; i < got; i++) {
            sum += text[i] == '<' ? 1 : 0;
        }
        text[got > 0 ? got : 0] = '\0';
        if (strstr(text, "\r\n0\r\n\r\n") != NULL) {
            break;
        }
    }
    assert_int_equal(sum, 3000);
    assert_true(n > 10000);
    (void)close(fd);
    http_server_close(f.server);
}

static void more_than_the_limit_are_refused(void **state)
{
    struct fixture f;
    char text[4096];
    (void)state;
    start(&f, 1);
    int one = ask(&f, "/events"), other;
    struct http_stream *s = stream_of(&f);
    other = ask(&f, "/events");
    assert_true(reads(other, "try again", text, sizeof text));
    assert_non_null(strstr(text, " 503 "));
    assert_int_equal(atomic_load(&f.refused), 1);
    (void)close(other);
    other = ask(&f, "/plain?x=1&y"); /* others are answered beside it */
    assert_true(reads(other, "x=1&y", text, sizeof text));
    http_stream_close(s);
    (void)close(one);
    (void)close(other);
    http_server_close(f.server);
}

static void open_streams_do_not_hold_up_the_end(void **state)
{
    struct fixture f;
    char text[4096];
    (void)state;
    start(&f, 4);
    int fd = ask(&f, "/events");
    struct http_stream *s = stream_of(&f);
    assert_true(reads(fd, "\r\n\r\n", text, sizeof text));
    struct sf_time from = sf_now();
    http_server_close(f.server);
    assert_true(sf_between(from, sf_now()) < 5000);
    assert_false(http_stream_write(s, SF_STR("x"))); /* the writer hears of it, and closes later */
    assert_true(http_stream_is_gone(s));
    http_stream_close(s);
    (void)close(fd);
}

static void a_query_of_a_head_that_is_not_whole_is_let_go(void **state)
{
    struct fixture f;
    static const char head[] = "GET /plain?secret=1 HTTP/1.1\r\nHost: x\r\nbroken header\r\n\r\n";
    char text[4096];
    (void)state;
    start(&f, 4);
    int fd = ask(&f, "/plain?first");
    assert_true(reads(fd, "first", text, sizeof text));
    assert_int_equal(write(fd, head, sizeof head - 1), (ssize_t)sizeof head - 1);
    (void)reads(fd, "\r\n\r\n", text, sizeof text);
    (void)close(fd);
    fd = ask(&f, "/plain"); /* and is not the next one's */
    assert_true(reads(fd, "\r\n\r\n", text, sizeof text));
    assert_string_equal(f.query, "");
    (void)close(fd);
    http_server_close(f.server);
}

/* Written bit by bit, while the client reads on another thread. */
static void *write_slowly(void *arg)
{
    struct fixture *f = arg;
    struct http_stream *s = stream_of(f);
    for (int i = 0; i < 20; i++) {
        assert_true(http_stream_write(s, SF_STR("0123456789")));
        (void)poll(NULL, 0, 2); /* long enough for the connection to fall asleep */
    }
    http_stream_close(s);
    return NULL;
}

static void over_tls_all_is_the_same_and_one_certificate_is_trusted(void **state)
{
    struct fixture f;
    struct http_answer answer;
    char url[64];
    pthread_t t;
    (void)state;
    start_with(&f, 2, true);
    (void)snprintf(url, sizeof url, "https://127.0.0.1:%u/events", http_server_port(f.server));
    struct http_call call = {.url = url,
                             .deadline = sf_after(sf_now(), 20000),
                             .max_body_bytes = 4096,
                             .trust_only = {certificate, sizeof certificate - 1}};
    assert_int_equal(pthread_create(&t, NULL, write_slowly, &f), 0);
    assert_int_equal(http_client_call(&call, &answer, NULL), SF_OK);
    assert_int_equal(answer.status, 200);
    assert_int_equal(answer.body.n, 200);
    http_answer_fini(&answer);
    assert_int_equal(pthread_join(t, NULL), 0);
    call.trust_only = (struct sf_str){other_certificate, sizeof other_certificate - 1};
    assert_int_not_equal(http_client_call(&call, &answer, NULL), SF_OK);
    http_answer_fini(&answer);
    http_server_close(f.server);
}

static void a_key_of_another_certificate_is_no_listener(void **state)
{
    struct http_server_options o = http_server_options_default();
    struct sf_errbuf eb = {.code = SF_OK};
    struct http_server *s = NULL;
    (void)state;
    o.handler = handle;
    o.tls_certificate = other_certificate;
    o.tls_key = key;
    assert_int_equal(http_server_open(&o, &s, &eb), SF_ECONFIG);
    assert_non_null(strstr(eb.text, "made for that key"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_arrives_at_once_and_the_end_is_seen),
        cmocka_unit_test(a_client_that_left_is_noticed),
        cmocka_unit_test(who_does_not_read_is_cut_off),
        cmocka_unit_test(a_fast_writer_and_a_slow_reader_agree_on_every_byte),
        cmocka_unit_test(more_than_the_limit_are_refused),
        cmocka_unit_test(open_streams_do_not_hold_up_the_end),
        cmocka_unit_test(a_query_of_a_head_that_is_not_whole_is_let_go),
        cmocka_unit_test(over_tls_all_is_the_same_and_one_certificate_is_trusted),
        cmocka_unit_test(a_key_of_another_certificate_is_no_listener),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
