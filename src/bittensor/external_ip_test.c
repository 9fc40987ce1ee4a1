/* SPDX-License-Identifier: MIT */
#include "bittensor/external_ip.h"

#include "http/server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void addresses_have_their_kinds(void **state)
{
    (void)state;
    static const struct {
        const char *ip;
        enum ip_kind kind;
    } rows[] = {
        {"8.8.8.8", IP_PUBLIC},           {"1.0.0.1", IP_PUBLIC},
        {"0.0.0.0", IP_UNSPECIFIED},      {"0.1.2.3", IP_UNSPECIFIED},
        {"127.0.0.1", IP_LOOPBACK},       {"127.0.0.2", IP_LOOPBACK},
        {"10.0.0.1", IP_PRIVATE},         {"172.15.0.1", IP_PUBLIC},
        {"172.16.0.1", IP_PRIVATE},       {"172.31.255.255", IP_PRIVATE},
        {"172.32.0.1", IP_PUBLIC},        {"192.168.1.1", IP_PRIVATE},
        {"100.63.0.1", IP_PUBLIC},        {"100.64.0.1", IP_PRIVATE},
        {"100.127.0.1", IP_PRIVATE},      {"100.128.0.1", IP_PUBLIC},
        {"169.254.1.1", IP_LINK_LOCAL},   {"192.0.2.1", IP_RESERVED},
        {"198.18.0.1", IP_RESERVED},      {"198.51.100.1", IP_RESERVED},
        {"203.0.113.1", IP_RESERVED},     {"224.0.0.1", IP_RESERVED},
        {"255.255.255.255", IP_RESERVED}, {"2600::1", IP_PUBLIC},
        {"::", IP_UNSPECIFIED},           {"::1", IP_LOOPBACK},
        {"::ffff:10.0.0.1", IP_PRIVATE},  {"fd00::1", IP_PRIVATE},
        {"fe80::1", IP_LINK_LOCAL},       {"2001:db8::1", IP_RESERVED},
        {"ff02::1", IP_RESERVED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct axon_info a = {0};
        struct sf_errbuf eb = {.code = SF_OK};
        assert_int_equal(axon_ip_parse(rows[i].ip, &a, NULL), SF_OK);
        assert_int_equal(external_ip_kind(&a), rows[i].kind);
        assert_int_equal(external_ip_check(&a, &eb) == SF_OK, rows[i].kind == IP_PUBLIC);
        assert_true(rows[i].kind == IP_PUBLIC ||
                    strstr(eb.text, ip_kind_name(rows[i].kind)) != NULL);
    }
}

/* One listener plays all services: what it says stands in the path. */
static void say_the_path(void *arg, struct http_exchange *x, const struct http_request *request)
{
    struct sf_str said = sf_str(request->path + 1);
    int status = sf_str_is(said, "broken") ? 500 : 200;
    (void)arg;
    http_reply(x, status, NULL, 0, said);
}

static uint16_t port;

/* "127.0.0.1" and "localhost" count as two services' hosts. */
static enum sf_err find(const char *const *answers, size_t n, struct axon_info *out,
                        struct sf_errbuf *eb)
{
    char urls[4][128];
    const char *list[4];
    for (size_t i = 0; i < n; i++) {
        (void)snprintf(urls[i], sizeof urls[i], "http://%s:%u/%s",
                       i % 2 == 0 ? "127.0.0.1" : "localhost", port, answers[i]);
        list[i] = urls[i];
    }
    *out = (struct axon_info){0};
    return external_ip_find(&(struct external_ip_question){.services = list,
                                                           .n = n,
                                                           .deadline = sf_after(sf_now(), 5000)},
                            out, eb);
}

static void services_must_agree(void **state)
{
    (void)state;
    static const struct {
        const char *answers[4];
        size_t n;
        enum sf_err err;
        const char *text; /* the address, or what the error says */
    } rows[] = {
        {{"8.8.8.8", "8.8.8.8"}, 2, SF_OK, "8.8.8.8"},
        {{"8.8.8.8", "9.9.9.9", "8.8.8.8", "9.9.9.9"}, 4, SF_EINVAL, "9.9.9.9"}, /* same hosts */
        {{"8.8.8.8", "broken", "1.1.1.1", "8.8.8.8"}, 4, SF_OK, "8.8.8.8"},
        {{"<html>", "8.8.8.8", "8.8.8.8"}, 3, SF_OK, "8.8.8.8"},
        {{"8.8.8.8", "9.9.9.9"}, 2, SF_EINVAL, "--axon.external_ip"},
        {{"8.8.8.8", "broken"}, 2, SF_ETRANSIENT, "no IPv4 address"},
        {{"10.0.0.1", "10.0.0.1"}, 2, SF_EINVAL, "private"},
        {{"0.0.0.0", "0.0.0.0"}, 2, SF_EINVAL, "unspecified"},
        {{"2600::1", "2600::1"}, 2, SF_ETRANSIENT, "no IPv4 address"},
        {{"8.8.8.8"}, 1, SF_OK, "8.8.8.8"},
        {{NULL}, 0, SF_ETRANSIENT, "no service"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct axon_info a;
        struct sf_errbuf eb = {.code = SF_OK};
        char ip[AXON_IP_MAX];
        assert_int_equal(find(rows[i].answers, rows[i].n, &a, &eb), rows[i].err);
        axon_ip_print(&a, ip);
        if (rows[i].err == SF_OK) {
            assert_string_equal(ip, rows[i].text);
        } else {
            assert_non_null(strstr(eb.text, rows[i].text));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_have_their_kinds),
        cmocka_unit_test(services_must_agree),
    };
    struct http_server_options o = http_server_options_default();
    struct http_server *server = NULL;
    o.ip = "127.0.0.1";
    o.port = 0;
    o.handler = say_the_path;
    if (http_server_open(&o, &server, NULL) != SF_OK) {
        return 1;
    }
    port = http_server_port(server);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    http_server_close(server);
    return failed;
}
