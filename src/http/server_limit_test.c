/* SPDX-License-Identifier: MIT */
#include "http/server.h"

#include <arpa/inet.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define PLACES 8
#define CALLERS 60

static atomic_bool busy, let_go;

/* Keeps the only HTTP thread as long as the test wants. */
static void answer(void *arg, struct http_exchange *x, const struct http_request *r)
{
    (void)arg;
    (void)r;
    atomic_store(&busy, true);
    while (!atomic_load(&let_go)) {
        (void)poll(NULL, 0, 1);
    }
    http_reply(x, 200, NULL, 0, SF_STR("ok"));
}

static int dial(uint16_t port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

static void ask(int fd)
{
    static const char text[] = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    (void)send(fd, text, sizeof text - 1, MSG_NOSIGNAL);
}

/* Whether an answer comes within ten seconds; false at once when the connection is closed. */
static bool is_answered(int fd)
{
    char text[16] = "";
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, 10000) == 1 && recv(fd, text, sizeof text - 1, 0) > 12 &&
           strncmp(text, "HTTP/1.1 200", 12) == 0;
}

/* Connections that come while a thread is at work are handed to it all the same: it must not find
 * more of them than it takes, since the library then stops for good. */
static void a_crowd_at_a_busy_thread_does_not_stop_it(void **state)
{
    struct http_server_options o = http_server_options_default();
    struct http_server *s = NULL;
    int fds[CALLERS];
    size_t answered = 0;
    (void)state;
    o.threads = 2; /* the least that is a pool */
    o.max_connections = PLACES;
    o.max_connections_per_ip = 1000;
    o.handler = answer;
    assert_int_equal(http_server_open(&o, &s, NULL), SF_OK);
    for (size_t i = 0; i < CALLERS; i++) {
        fds[i] = dial(http_server_port(s));
        ask(fds[i]);
        for (int wait = 0; i == 0 && wait < 10000 && !atomic_load(&busy); wait++) {
            (void)poll(NULL, 0, 1);
        }
    }
    (void)poll(NULL, 0, 300); /* time to be handed over; without it the test is easier, not wrong */
    atomic_store(&let_go, true);
    for (size_t i = 0; i < CALLERS; i++) {
        answered += is_answered(fds[i]) ? 1 : 0;
        (void)close(fds[i]);
    }
    assert_true(answered > 0);
    for (size_t i = 0; i < 2 * PLACES; i++) { /* each thread has its turn */
        bool ok = false;
        for (int again = 0; again < 50 && !ok; again++) { /* until the crowd's places are free */
            int fd = dial(http_server_port(s));
            ask(fd);
            ok = is_answered(fd);
            (void)close(fd);
            if (!ok) {
                (void)poll(NULL, 0, 10);
            }
        }
        assert_true(ok);
    }
    http_server_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_crowd_at_a_busy_thread_does_not_stop_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
