/* SPDX-License-Identifier: MIT */
#include "bittensor/networks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void an_explicit_endpoint_wins(void **state)
{
    (void)state;
    static const struct {
        const char *network, *endpoint, *expected_network, *first;
        size_t n;
    } rows[] = {
        {"finney", "", "finney", "wss://entrypoint-finney.opentensor.ai:443", 1},
        {"test", "", "test", "wss://test.finney.opentensor.ai:443", 1},
        {"archive", "", "archive", "wss://archive.chain.opentensor.ai:443", 1},
        {"local", "", "local", "ws://127.0.0.1:9944", 1},
        {"latent-lite", "", "latent-lite", "wss://lite.sub.latent.to:443", 1},
        {"finney", "ws://10.0.0.5:9944", "unknown", "ws://10.0.0.5:9944", 1},
        {"finney", "10.0.0.5:9944", "unknown", "ws://10.0.0.5:9944", 1},
        {"finney", "wss://test.finney.opentensor.ai", "test", "wss://test.finney.opentensor.ai", 1},
        {"ws://localhost:9945", "", "local", "ws://localhost:9945", 1},
        {"my.node:9944", "", "unknown", "ws://my.node:9944", 1},
        {"test", "http://a:1, https://b:2 ,c:3", "unknown", "http://a:1", 3},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct networks_choice c;
        assert_int_equal(networks_choose(rows[i].network, rows[i].endpoint, &c, NULL), SF_OK);
        assert_string_equal(c.network, rows[i].expected_network);
        assert_string_equal(c.endpoints[0], rows[i].first);
        assert_int_equal(c.n, rows[i].n);
    }
}

static void mistakes_are_named(void **state)
{
    (void)state;
    struct networks_choice c;
    struct sf_errbuf eb;
    char huge[400];
    memset(huge, 'x', sizeof huge - 1);
    huge[sizeof huge - 1] = '\0';
    assert_int_equal(networks_choose("finny", "", &c, &eb), SF_ECONFIG);
    assert_non_null(strstr(eb.text, "finney"));
    assert_int_equal(networks_choose("finney", "ftp://x", &c, &eb), SF_ECONFIG);
    assert_int_equal(networks_choose("finney", " , ", &c, &eb), SF_ECONFIG);
    assert_int_equal(networks_choose("finney", huge, &c, &eb), SF_ECONFIG);
    assert_int_equal(networks_choose("finney", "a,b,c,d,e,f,g,h,i", &c, &eb), SF_ECONFIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_explicit_endpoint_wins),
        cmocka_unit_test(mistakes_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
