/* SPDX-License-Identifier: MIT */
#include "bittensor/metadata.h"

#include "base/file.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const char *const recorded[] = {SOURCE_DIR "/fuzz/corpus/metadata/finney-v14.scale",
                                       SOURCE_DIR "/fuzz/corpus/metadata/finney-v15-opaque.scale"};

static void read_recorded(size_t i, struct sf_buf *out)
{
    sf_buf_init(out, 1U << 20);
    assert_int_equal(sf_file_read(recorded[i], out, NULL), SF_OK);
}

static void the_call_is_found_with_its_fields(const struct metadata *m)
{
    static const struct {
        const char *name;
        unsigned primitive;
    } fields[] = {{"netuid", METADATA_U16},       {"version", METADATA_U32},
                  {"ip", METADATA_U128},          {"port", METADATA_U16},
                  {"ip_type", METADATA_U8},       {"protocol", METADATA_U8},
                  {"placeholder1", METADATA_U8},  {"placeholder2", METADATA_U8},
                  {"certificate", METADATA_OTHER}};
    struct metadata_call call;
    assert_true(metadata_call(m, "SubtensorModule", "serve_axon", &call));
    assert_int_equal(call.index[0], 7);
    assert_int_equal(call.index[1], 4);
    assert_int_equal(call.n_fields, 8);
    for (size_t i = 0; i < 8; i++) {
        assert_true(sf_str_is(call.fields[i].name, fields[i].name));
        assert_int_equal(call.fields[i].primitive, fields[i].primitive);
    }
    assert_true(metadata_call(m, "SubtensorModule", "serve_axon_tls", &call));
    assert_int_equal(call.index[1], 40);
    assert_int_equal(call.n_fields, 9);
    assert_true(sf_str_is(call.fields[8].name, "certificate"));
    assert_int_equal(call.fields[8].primitive, METADATA_OTHER);
    assert_false(metadata_call(m, "SubtensorModule", "serve_axons", &call));
    assert_false(metadata_call(m, "Subtensor", "serve_axon", &call));
}

static void errors_have_their_names(const struct metadata *m)
{
    static const struct {
        uint8_t index;
        const char *name;
    } rows[] = {{1, "InvalidIpType"},
                {2, "InvalidIpAddress"},
                {3, "InvalidPort"},
                {6, "HotKeyNotRegisteredInNetwork"},
                {30, "ServingRateLimitExceeded"}};
    struct sf_str pallet, name;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_true(metadata_error(m, 7, rows[i].index, &pallet, &name));
        assert_true(sf_str_is(pallet, "SubtensorModule"));
        assert_true(sf_str_is(name, rows[i].name));
    }
    assert_false(metadata_error(m, 7, 250, &pallet, &name));
    assert_false(metadata_error(m, 200, 0, &pallet, &name));
}

static void extensions_are_listed_in_order(const struct metadata *m)
{
    static const struct {
        const char *name;
        bool extra, additional; /* empty */
    } rows[] = {{"CheckNonZeroSender", true, true},
                {"CheckSpecVersion", true, false},
                {"CheckTxVersion", true, false},
                {"CheckGenesis", true, false},
                {"CheckMortality", false, false},
                {"CheckNonce", false, true},
                {"CheckWeight", true, true},
                {"ChargeTransactionPayment", false, true},
                {"SubtensorTransactionExtension", true, true},
                {"DrandPriority", true, true},
                {"CheckMetadataHash", false, false}};
    assert_int_equal(metadata_n_extensions(m), sizeof rows / sizeof rows[0]);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct metadata_extension e = metadata_extension(m, i);
        assert_true(sf_str_is(e.name, rows[i].name));
        assert_int_equal(e.extra_empty, rows[i].extra);
        assert_int_equal(e.additional_empty, rows[i].additional);
    }
}

static void recorded_metadata_is_understood_to_the_last_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct sf_buf blob;
        struct metadata *m = NULL;
        struct sf_errbuf eb = {.code = SF_OK};
        read_recorded(i, &blob);
        assert_int_equal(metadata_open(blob.p, blob.n, &m, &eb), SF_OK);
        assert_int_equal(metadata_version(m), 14 + i);
        assert_int_equal(metadata_extrinsic_version(m), 4);
        the_call_is_found_with_its_fields(m);
        errors_have_their_names(m);
        extensions_are_listed_in_order(m);
        metadata_close(m);
        sf_buf_fini(&blob);
    }
}

static void cut_grown_or_changed_metadata_is_refused(void **state)
{
    (void)state;
    struct sf_buf blob;
    struct metadata *m = NULL;
    struct sf_errbuf eb;
    read_recorded(0, &blob);
    for (size_t n = 0; n < blob.n; n += n < 64 ? 1 : 4099) {
        assert_int_equal(metadata_open(blob.p, n, &m, &eb), SF_EPARSE);
    }
    assert_int_equal(metadata_open(blob.p, blob.n - 1, &m, &eb), SF_EPARSE);
    sf_buf_putc(&blob, '\0');
    assert_int_equal(metadata_open(blob.p, blob.n, &m, &eb), SF_EPARSE);
    assert_non_null(strstr(eb.text, "end"));
    blob.p[4] = 16;
    assert_int_equal(metadata_open(blob.p, blob.n, &m, &eb), SF_EPARSE);
    assert_non_null(strstr(eb.text, "version 16"));
    assert_null(m);
    sf_buf_fini(&blob);
}

static void memory_running_out_is_told(void **state)
{
    (void)state;
    struct sf_buf blob;
    struct metadata *m = NULL;
    read_recorded(0, &blob);
    for (long i = 0; i < 3; i++) {
        sf_mem_fail_after(i, 1);
        enum sf_err err = metadata_open(blob.p, blob.n, &m, NULL);
        sf_mem_fail_after(-1, 0);
        assert_int_equal(err, SF_ENOMEM);
    }
    sf_buf_fini(&blob);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recorded_metadata_is_understood_to_the_last_byte),
        cmocka_unit_test(cut_grown_or_changed_metadata_is_refused),
        cmocka_unit_test(memory_running_out_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
