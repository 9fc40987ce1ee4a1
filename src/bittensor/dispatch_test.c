/* SPDX-License-Identifier: MIT */
#include "bittensor/dispatch.h"

#include "base/file.h"
#include "base/hex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void every_refusal_of_the_pool_has_words(void **state)
{
    (void)state;
    static const struct {
        int64_t code;
        const char *data;
        enum sf_err err;
        enum dispatch_next next;
        const char *words;
    } rows[] = {
        {1010, "Custom error: 10", SF_ENEGATIVE, DISPATCH_OVER, "btcli subnet register"},
        {1010, "Custom error: 11", SF_EINVAL, DISPATCH_OVER, "--axon.external_ip"},
        {1010, "Custom error: 12", SF_ERATE, DISPATCH_WAIT, "limits how often"},
        {1010, "Custom error: 13", SF_EINVAL, DISPATCH_OVER, "--axon.external_port"},
        {1010, "Custom error: 19", SF_ENEGATIVE, DISPATCH_OVER, "not registered"},
        {1010, "Custom error: 3", SF_ENEGATIVE, DISPATCH_OVER, "no such subnet"},
        {1010, "Custom error: 4", SF_ENEGATIVE, DISPATCH_OVER, "does not know this hotkey"},
        {1010, "Custom error: 255", SF_EINVAL, DISPATCH_OVER, "IPv4"},
        {1010, "Custom error: 0", SF_ENEGATIVE, DISPATCH_OVER, "key swap"},
        {1010, "Custom error: 21", SF_ENEGATIVE, DISPATCH_OVER, "disputed"},
        {1010, "Custom error: 6", SF_ERATE, DISPATCH_WAIT, "limits"},
        {1010, "Custom error: 8", SF_ESHAPE, DISPATCH_OVER, "SlippageTooHigh"},
        {1010, "Custom error: 99", SF_ESHAPE, DISPATCH_OVER, "99"},
        {1010, "Transaction has a bad signature", SF_ETRANSIENT, DISPATCH_RENEW, "anew"},
        {1010, "Transaction is outdated", SF_ETRANSIENT, DISPATCH_RENEW, "anew"},
        {1010, "Transaction will be valid in the future", SF_ETRANSIENT, DISPATCH_RENEW, "lags"},
        {1010, "Transaction has an ancient birth block", SF_ETRANSIENT, DISPATCH_RENEW, "block"},
        {1010, "Inability to pay some fees (e.g. account balance too low)", SF_ENEGATIVE,
         DISPATCH_OVER, "registered"},
        {1010, "Transaction call is not expected", SF_ETRANSIENT, DISPATCH_WAIT, "safe mode"},
        {1010, "Transaction would exhaust the block limits", SF_ETRANSIENT, DISPATCH_WAIT, "full"},
        {1010, "Invalid signing address", SF_ENEGATIVE, DISPATCH_OVER, "wallet verify"},
        {1010, "something new", SF_ESHAPE, DISPATCH_OVER, "something new"},
        {1001, "", SF_ESHAPE, DISPATCH_OVER, "update storyfi"},
        {1002, "panic", SF_ESHAPE, DISPATCH_OVER, "update storyfi"},
        {1011, "", SF_ETRANSIENT, DISPATCH_RENEW, "anew"},
        {1012, "", SF_ETRANSIENT, DISPATCH_RENEW, "bans"},
        {1013, "\"0xab\"", SF_OK, DISPATCH_IS_THERE, NULL},
        {1014, "", SF_ETRANSIENT, DISPATCH_WAIT, "waits already"},
        {1015, "", SF_ETRANSIENT, DISPATCH_RENEW, "anew"},
        {1016, "", SF_ETRANSIENT, DISPATCH_WAIT, "full"},
        {1018, "", SF_ETRANSIENT, DISPATCH_WAIT, "another --subtensor.chain_endpoint"},
        {1019, "", SF_ETRANSIENT, DISPATCH_RENEW, "anew"},
        {1020, "", SF_ETRANSIENT, DISPATCH_RENEW, "anew"},
        {1021, "", SF_ETRANSIENT, DISPATCH_RENEW, "anew"},
        {-32601, "", SF_ETRANSIENT, DISPATCH_OVER, "refused"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rpc_error e = {.code = rows[i].code, .message = "Invalid Transaction"};
        struct sf_errbuf eb = {.code = SF_OK};
        enum dispatch_next next;
        (void)snprintf(e.data, sizeof e.data, "%s", rows[i].data);
        assert_int_equal(dispatch_pool_error(&e, &next, &eb), rows[i].err);
        assert_int_equal(next, rows[i].next);
        if (rows[i].words != NULL) {
            assert_non_null(strstr(eb.text, rows[i].words));
        }
    }
}

static void errors_of_the_runtime_have_words_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum sf_err err;
    } rows[] = {{"InvalidIpType", SF_EINVAL},
                {"InvalidIpAddress", SF_EINVAL},
                {"InvalidPort", SF_EINVAL},
                {"HotKeyNotRegisteredInSubNet", SF_ENEGATIVE},
                {"HotKeyNotRegisteredInNetwork", SF_ENEGATIVE},
                {"HotKeyAccountNotExists", SF_ENEGATIVE},
                {"ServingRateLimitExceeded", SF_ERATE},
                {"SubnetNotExists", SF_ENEGATIVE},
                {"ColdkeySwapAnnounced", SF_ENEGATIVE},
                {"ColdkeySwapDisputed", SF_ENEGATIVE},
                {"BrandNewError", SF_ESHAPE}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sf_errbuf eb;
        enum dispatch_next next;
        assert_int_equal(
            dispatch_named_error(SF_STR("SubtensorModule"), sf_str(rows[i].name), &next, &eb),
            rows[i].err);
        assert_non_null(strstr(eb.text, rows[i].name));
    }
}

static struct metadata *open_recorded(void)
{
    struct sf_buf blob;
    struct metadata *m = NULL;
    sf_buf_init(&blob, 1U << 20);
    assert_int_equal(sf_file_read(SOURCE_DIR "/fuzz/corpus/metadata/finney-v14.scale", &blob, NULL),
                     SF_OK);
    assert_int_equal(metadata_open(blob.p, blob.n, &m, NULL), SF_OK);
    sf_buf_fini(&blob);
    return m;
}

/* Three records: System.ExtrinsicSuccess of 0 (weight, class, pays), SubtensorModule.AxonServed of
 * 1 with a topic, System.ExtrinsicFailed of 1 (Module 7, error 30). */
#define HOTKEY "d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d"
#define RECORDS                                                                                    \
    "0c"                                                                                           \
    "0000000000"                                                                                   \
    "0000"                                                                                         \
    "04"                                                                                           \
    "08"                                                                                           \
    "00"                                                                                           \
    "00"                                                                                           \
    "00"                                                                                           \
    "0001000000"                                                                                   \
    "071c"                                                                                         \
    "0100" HOTKEY "04" HOTKEY "0001000000"                                                         \
    "0001"                                                                                         \
    "03071e000000"                                                                                 \
    "04"                                                                                           \
    "08"                                                                                           \
    "00"                                                                                           \
    "01"                                                                                           \
    "00"

static void a_failed_transaction_is_found_in_the_events(void **state)
{
    (void)state;
    uint8_t bytes[256];
    size_t n = (sizeof RECORDS - 1) / 2;
    struct metadata *m = open_recorded();
    struct dispatch_result r;
    struct sf_errbuf eb = {.code = SF_OK};
    assert_true(sf_hex_decode(SF_STR(RECORDS), bytes, n));
    struct sf_str events = {(const char *)bytes, n};
    assert_int_equal(dispatch_read_events(m, events, 0, &r, &eb), SF_OK);
    assert_int_equal(r.outcome, DISPATCH_SUCCESS);
    assert_int_equal(dispatch_read_events(m, events, 1, &r, &eb), SF_OK);
    assert_int_equal(r.outcome, DISPATCH_FAILED);
    assert_true(sf_str_is(r.pallet, "SubtensorModule"));
    assert_true(sf_str_is(r.name, "ServingRateLimitExceeded"));
    assert_int_equal(dispatch_read_events(m, events, 2, &r, &eb), SF_OK);
    assert_int_equal(r.outcome, DISPATCH_UNKNOWN);
    for (size_t cut = 0; cut < n; cut++) { /* asked for one that is not there: read to the end */
        assert_int_equal(dispatch_read_events(m, (struct sf_str){events.p, cut}, 2, &r, &eb),
                         SF_EPARSE);
    }
    metadata_close(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_refusal_of_the_pool_has_words),
        cmocka_unit_test(errors_of_the_runtime_have_words_by_name),
        cmocka_unit_test(a_failed_transaction_is_found_in_the_events),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
