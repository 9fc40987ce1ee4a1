/* SPDX-License-Identifier: MIT */
#include "miner/trusted_host.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const char *const names[] = {"rig.lan"};
static const struct trusted_hosts loopback = {.public_url = ""};
static const struct trusted_hosts anywhere = {
    .any_address = true, .public_url = "https://miner.example.org/", .names = names, .n_names = 1};

static void only_names_of_this_machine_are_trusted(void **state)
{
    static const struct {
        const char *host;
        bool on_loopback, elsewhere;
    } cases[] = {
        {"localhost", true, true},
        {"LOCALHOST:8099", true, true},
        {"127.0.0.1:8099", true, true},
        {"[::1]:8099", true, true},
        {"10.0.0.7", false, true},
        {"10.0.0.7:8099", false, true},
        {"[2001:db8::1]:8099", false, true},
        {"rig.lan:8099", false, true},
        {"miner.example.org", false, true},
        {"miner.example.org:443", false, true},
        {"", false, false},
        {":8099", false, false},
        {"evil.example", false, false},
        {"localhost.evil.example", false, false},
        {"127.0.0.1.evil.example", false, false},
        {"10.0.0.7.evil.example", false, false},
        {"xrig.lan", false, false},
        {"[::1", false, false},
        {"[evil]:80", false, false},
        {"example.org", false, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        print_message("%s\n", cases[i].host);
        assert_int_equal(trusted_host(&loopback, sf_str(cases[i].host)), cases[i].on_loopback);
        assert_int_equal(trusted_host(&anywhere, sf_str(cases[i].host)), cases[i].elsewhere);
    }
}

static void an_origin_is_the_same_place_or_the_proxy(void **state)
{
    static const struct {
        const char *host, *origin;
        bool ok;
    } cases[] = {
        {"localhost:8099", "http://localhost:8099", true},
        {"rig.lan", "https://RIG.lan", true},
        {"127.0.0.1:8099", "https://miner.example.org", true}, /* the proxy sent another Host */
        {"localhost:8099", "http://localhost:3000", false},    /* another program's page */
        {"localhost:8099", "http://127.0.0.1:8099", false},
        {"localhost:8099", "null", false},
        {"localhost:8099", "http://", false},
        {"localhost:8099", "http://evil.example", false},
        {"evil.example", "http://evil.example", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct http_request r = {
            .headers = {{SF_STR("Host"), sf_str(cases[i].host)},
                        {SF_STR("Origin"), sf_str(cases[i].origin)}},
            .n_headers = 2,
        };
        print_message("%s from %s\n", cases[i].host, cases[i].origin);
        assert_int_equal(trusted_request(&anywhere, &r), cases[i].ok);
        r.n_headers = 1;
        assert_int_equal(trusted_request(&anywhere, &r),
                         trusted_host(&anywhere, sf_str(cases[i].host)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_names_of_this_machine_are_trusted),
        cmocka_unit_test(an_origin_is_the_same_place_or_the_proxy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
