/* SPDX-License-Identifier: MIT */
#include "http/ws.h"

#include "base/mem.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* Two helpers of the library under test, for the server's side of the handshake. */
unsigned char *lws_SHA1(const unsigned char *d, size_t n, unsigned char *md);
int lws_b64_encode_string(const char *in, int in_len, char *out, int out_size);

/* A server of one connection that plays a script of bytes. */
struct server {
    int fd;
    uint16_t port;
    pthread_t thread;
    const char *script; /* after the handshake; NULL: no handshake at all */
    size_t n_script;
    const char *refusal; /* instead of the handshake */
    char request[4096];
    unsigned char got[512]; /* the frames of the client */
    size_t n_got;
    size_t wait_for; /* bytes of the client before the script plays */
};

static void answer_key(const char *request, char accept[64])
{
    char text[128];
    unsigned char hash[20];
    const char *key = strstr(request, "Sec-WebSocket-Key: ");
    (void)snprintf(text, sizeof text, "%.24s258EAFA5-E914-47DA-95CA-C5AB0DC85B11",
                   key == NULL ? "" : key + 19);
    (void)lws_SHA1((const unsigned char *)text, strlen(text), hash);
    (void)lws_b64_encode_string((const char *)hash, 20, accept, 64);
}

static void *serve_one(void *arg)
{
    struct server *s = arg;
    char accept_key[64], head[256];
    size_t n = 0;
    int fd = accept(s->fd, NULL, NULL);
    while (n < sizeof s->request - 1 && strstr(s->request, "\r\n\r\n") == NULL) {
        ssize_t got = recv(fd, s->request + n, sizeof s->request - 1 - n, 0);
        if (got <= 0) {
            break;
        }
        n += (size_t)got;
    }
    if (s->refusal != NULL) {
        (void)send(fd, s->refusal, strlen(s->refusal), MSG_NOSIGNAL);
    } else if (s->script != NULL) {
        answer_key(s->request, accept_key);
        (void)snprintf(head, sizeof head,
                       "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: "
                       "Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
                       accept_key);
        (void)send(fd, head, strlen(head), MSG_NOSIGNAL);
        while (s->n_got < s->wait_for) {
            ssize_t got = recv(fd, s->got + s->n_got, sizeof s->got - s->n_got, 0);
            if (got <= 0) {
                break;
            }
            s->n_got += (size_t)got;
        }
        (void)send(fd, s->script, s->n_script, MSG_NOSIGNAL);
    }
    ssize_t got; /* until the client goes */
    while (s->n_got < sizeof s->got &&
           (got = recv(fd, s->got + s->n_got, sizeof s->got - s->n_got, 0)) > 0) {
        s->n_got += (size_t)got;
    }
    (void)close(fd);
    return NULL;
}

static void start(struct server *s)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;
    s->fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(s->fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(s->fd, 1), 0);
    assert_int_equal(getsockname(s->fd, (struct sockaddr *)&a, &n), 0);
    s->port = ntohs(a.sin_port);
    assert_int_equal(pthread_create(&s->thread, NULL, serve_one, s), 0);
}

static void stop(struct server *s)
{
    (void)pthread_join(s->thread, NULL);
    (void)close(s->fd);
}

static enum sf_err open_at(const struct server *s, sf_ms limit, struct ws **w, struct sf_errbuf *eb)
{
    char url[64];
    (void)snprintf(url, sizeof url, "ws://127.0.0.1:%u/path", s->port);
    return ws_open(&(struct ws_options){.url = url,
                                        .max_message_bytes = 64,
                                        .deadline = sf_after(sf_now(), limit)},
                   w, eb);
}

static struct sf_time soon(void)
{
    return sf_after(sf_now(), 5000);
}

static void texts_come_whole_whatever_the_frames(void **state)
{
    (void)state;
    /* "hello" in three frames with a ping between, then "next" and "last" in one packet. */
    static const char script[] = "\x01\x02he\x89\x01p\x00\x01l\x80\x02lo\x81\x04next\x81\x04last";
    struct server s = {.script = script, .n_script = sizeof script - 1, .wait_for = 6 + 3};
    struct ws *w = NULL;
    struct sf_errbuf eb = {.code = SF_OK};
    struct sf_buf text;
    static const char *const expected[] = {"hello", "next", "last"};
    start(&s);
    sf_buf_init(&text, 64);
    assert_int_equal(open_at(&s, 5000, &w, &eb), SF_OK);
    assert_int_equal(ws_send(w, SF_STR("abc"), soon(), &eb), SF_OK);
    for (size_t i = 0; i < 3; i++) {
        sf_buf_clear(&text);
        assert_int_equal(ws_receive(w, &text, soon(), &eb), SF_OK);
        assert_string_equal(sf_buf_z(&text), expected[i]);
    }
    assert_int_equal(ws_receive(w, &text, sf_after(sf_now(), 50), &eb), SF_EDEADLINE);
    ws_close(w);
    stop(&s);
    sf_buf_fini(&text);
    assert_non_null(strstr(s.request, "GET /path HTTP/1.1\r\n"));
    /* One masked text frame, and the pong. */
    assert_int_equal(s.got[0], 0x81);
    assert_int_equal(s.got[1], 0x83);
    assert_int_equal(s.got[6] ^ s.got[2], 'a');
    assert_int_equal(s.got[9], 0x8a);
}

static void a_text_over_the_cap_ends_the_socket(void **state)
{
    (void)state;
    static const char script[] = "\x81\x7e\x00\x50"
                                 "0123456789012345678901234567890123456789"
                                 "0123456789012345678901234567890123456789";
    struct server s = {.script = script, .n_script = sizeof script - 1};
    struct ws *w = NULL;
    struct sf_errbuf eb;
    struct sf_buf text;
    start(&s);
    sf_buf_init(&text, 1024);
    assert_int_equal(open_at(&s, 5000, &w, &eb), SF_OK);
    assert_int_equal(ws_receive(w, &text, soon(), &eb), SF_ELIMIT);
    assert_int_equal(ws_send(w, SF_STR("x"), soon(), &eb), SF_ELIMIT);
    ws_close(w);
    stop(&s);
    sf_buf_fini(&text);
}

static void a_server_that_closes_or_talks_rubbish_is_told(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t n;
    } scripts[] = {{"\x88\x02\x03\xe8", 4}, {"\xff\xff\xff\xff\xff\xff\xff\xff", 8}};
    for (size_t i = 0; i < 2; i++) {
        struct server s = {.script = scripts[i].bytes, .n_script = scripts[i].n};
        struct ws *w = NULL;
        struct sf_errbuf eb;
        struct sf_buf text;
        start(&s);
        sf_buf_init(&text, 64);
        assert_int_equal(open_at(&s, 5000, &w, &eb), SF_OK);
        assert_int_equal(ws_receive(w, &text, soon(), &eb), SF_ETRANSIENT);
        assert_non_null(strstr(eb.text, "127.0.0.1"));
        ws_close(w);
        stop(&s);
        sf_buf_fini(&text);
    }
}

static void a_server_that_is_no_node_is_told(void **state)
{
    (void)state;
    struct server refusing = {.refusal = "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"};
    struct server silent = {.script = NULL};
    struct ws *w = NULL;
    struct sf_errbuf eb;
    start(&refusing);
    assert_int_equal(open_at(&refusing, 5000, &w, &eb), SF_ETRANSIENT);
    stop(&refusing);
    start(&silent);
    assert_int_equal(open_at(&silent, 300, &w, &eb), SF_EDEADLINE);
    stop(&silent);
    /* The port is free now: nobody listens. */
    assert_int_equal(open_at(&silent, 5000, &w, &eb), SF_ETRANSIENT);
    assert_null(w);
}

static void a_wait_can_be_called_off(void **state)
{
    (void)state;
    struct server s = {.script = NULL};
    atomic_bool cancel = true;
    char url[64];
    struct ws *w = NULL;
    struct sf_errbuf eb;
    start(&s);
    (void)snprintf(url, sizeof url, "ws://127.0.0.1:%u", s.port);
    assert_int_equal(
        ws_open(&(struct ws_options){.url = url, .deadline = soon(), .cancel = &cancel}, &w, &eb),
        SF_ECANCELED);
    stop(&s);
}

static void other_addresses_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",           "http://x",           "ws://",
                                      "ws://:80",   "ws://x:0",           "ws://x:no",
                                      "ws://x:1 a", "ws://x:65536",       "ws://u:p@x:9944",
                                      "ws://[::1",  "wss://x\r\nEvil: 1", "ws://[::1]9944"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct ws *w = NULL;
        struct sf_errbuf eb;
        assert_int_equal(ws_open(&(struct ws_options){.url = bad[i], .deadline = soon()}, &w, &eb),
                         SF_EINVAL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_come_whole_whatever_the_frames),
        cmocka_unit_test(a_text_over_the_cap_ends_the_socket),
        cmocka_unit_test(a_server_that_closes_or_talks_rubbish_is_told),
        cmocka_unit_test(a_server_that_is_no_node_is_told),
        cmocka_unit_test(a_wait_can_be_called_off),
        cmocka_unit_test(other_addresses_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
