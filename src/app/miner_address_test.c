/* SPDX-License-Identifier: MIT */
#include "app/miner_address.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void an_address_is_one_that_the_miner_trusts(void **state)
{
    static const struct {
        const char *ip, *address, *certificate;
    } cases[] = {
        {"127.0.0.1", "http://127.0.0.1:8099/status", ""},
        {"0.0.0.0", "http://127.0.0.1:8099/status", ""},
        {"::1", "http://[::1]:8099/status", ""},
        {"::", "http://[::1]:8099/status", ""},
        {"[::1]", "http://[::1]:8099/status", ""},
        {"10.0.0.7", "http://10.0.0.7:8099/status", ""},
        {"10.0.0.7", "https://10.0.0.7:8099/status", "x.pem"},
    };
    char out[MINER_ADDRESS_MAX];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct conf conf = {
            .admin = {.ip = cases[i].ip, .port = 8099, .tls_certificate = cases[i].certificate}};
        miner_address(&conf, "/status", out);
        assert_string_equal(out, cases[i].address);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(an_address_is_one_that_the_miner_trusts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
