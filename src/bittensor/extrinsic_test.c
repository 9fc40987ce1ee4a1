/* SPDX-License-Identifier: MIT */
#include "bittensor/extrinsic.h"

#include "base/file.h"
#include "base/hex.h"
#include "base/mem.h"
#include "bittensor/crypto.h"
#include "bittensor/derive.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define GENESIS "2f0555cc76fc2840a25a6ea3b9637146806f1f44b090c175ffde2a7e5ab36c03"
#define CALL "07040100509e9800080808080000000000000000000000009b1f04040000"
#define EXTRINSIC                                                                                  \
    "19028400d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d018cba0ca280105fb976" \
    "29714ea553c6e1670812e3a11a0f7085d1efdc8d8306791af37ba0da1648fab185591a3a634836bc6ac5180a14cf" \
    "872c07165f7ac41b81860614000007040100509e9800080808080000000000000000000000009b1f04040000"

#define EXTRA_AND_ADDITIONAL                                                                       \
    "8606140000"                                                                                   \
    "a901000001000000" GENESIS "1111111111111111111111111111111111111111111111111111111111111111"  \
    "00"

static const uint8_t zeros[32];
static struct sf_buf blob;
static struct metadata *metadata;

static int open_metadata(void **state)
{
    (void)state;
    sf_buf_init(&blob, 1U << 20);
    return sf_file_read(SOURCE_DIR "/fuzz/corpus/metadata/finney-v14.scale", &blob, NULL) !=
               SF_OK ||
           metadata_open(blob.p, blob.n, &metadata, NULL) != SF_OK;
}

static int close_metadata(void **state)
{
    (void)state;
    metadata_close(metadata);
    sf_buf_fini(&blob);
    return 0;
}

static void assert_hex(const struct sf_buf *b, const char *hex)
{
    uint8_t expected[512];
    assert_int_equal(b->n, strlen(hex) / 2);
    assert_true(sf_hex_decode(sf_str(hex), expected, b->n));
    assert_memory_equal(b->p, expected, b->n);
}

static struct axon_info google(void)
{
    struct axon_info a = {.version = 10002000, .port = 8091, .protocol = 4};
    assert_int_equal(axon_ip_parse("8.8.8.8", &a, NULL), SF_OK);
    return a;
}

static struct extrinsic_terms terms(void)
{
    struct extrinsic_terms t = {.spec_version = 425,
                                .transaction_version = 1,
                                .era = era_mortal(128, 1000),
                                .nonce = 5,
                                .entropy = zeros};
    assert_true(sf_hex_decode(SF_STR(GENESIS), t.genesis_hash, 32));
    memset(t.birth_hash, 0x11, 32);
    return t;
}

static void calls_have_the_reference_bytes(void **state)
{
    (void)state;
    struct axon_info axon = google();
    char certificate[66];
    struct sf_buf call;
    struct sf_errbuf eb;
    sf_buf_init(&call, 512);
    assert_int_equal(extrinsic_serve_axon(metadata, 1, &axon, SF_STR(""), &call, NULL), SF_OK);
    assert_hex(&call, CALL);
    sf_buf_clear(&call);
    memset(certificate, 0xab, sizeof certificate);
    certificate[0] = 1;
    assert_int_equal(
        extrinsic_serve_axon(metadata, 1, &axon, (struct sf_str){certificate, 33}, &call, NULL),
        SF_OK);
    assert_hex(&call, "07280100509e9800080808080000000000000000000000009b1f0404000084"
                      "01abababababababababababababababababababababababababababababababab");
    assert_int_equal(
        extrinsic_serve_axon(metadata, 1, &axon, (struct sf_str){certificate, 66}, &call, &eb),
        SF_EINVAL);
    sf_buf_fini(&call);
}

static void eras_have_the_reference_bytes(void **state)
{
    (void)state;
    static const struct {
        uint64_t period, current;
        uint8_t bytes[2];
        uint64_t birth;
    } rows[] = {{64, 42, {0xa5, 0x02}, 42},
                {128, 1000, {0x86, 0x06}, 1000},
                {64, 1000, {0x85, 0x02}, 1000},
                {8, 1003, {0x32, 0x00}, 1003},
                {4, 6, {0x21, 0x00}, 6},
                {128, 6852690, {0x26, 0x05}, 6852690},
                {32768, 20000, {0x4e, 0x9c}, 20000},
                {100, 1000, {0x86, 0x06}, 1000},
                {32768, 20001, {0x4e, 0x9c}, 20000}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct era e = era_mortal(rows[i].period, rows[i].current);
        assert_memory_equal(e.bytes, rows[i].bytes, 2);
        assert_true(e.birth == rows[i].birth);
        assert_true(e.death > rows[i].current);
    }
}

static void the_transaction_is_the_reference_one_byte_for_byte(void **state)
{
    (void)state;
    struct axon_info axon = google();
    struct extrinsic_terms t = terms();
    struct sr25519_keypair alice;
    struct sf_buf call, out;
    uint8_t hash[32], expected[32];
    sf_buf_init(&call, 512);
    sf_buf_init(&out, 512);
    assert_int_equal(derive_keypair(SF_STR("//Alice"), &alice, NULL), SF_OK);
    assert_int_equal(extrinsic_serve_axon(metadata, 1, &axon, SF_STR(""), &call, NULL), SF_OK);
    assert_int_equal(extrinsic_sign(metadata, &t, sf_buf_str(&call), &alice, &out, NULL), SF_OK);
    assert_hex(&out, EXTRINSIC);
    extrinsic_hash(sf_buf_str(&out), hash);
    assert_true(sf_hex_decode(
        SF_STR("27040237c88b65edb6ad55e83c95395f757ffa72c3c4686190e866419a6b65f5"), expected, 32));
    assert_memory_equal(hash, expected, 32);
    sf_buf_fini(&call);
    sf_buf_fini(&out);
}

static void a_long_payload_is_signed_by_its_hash(void **state)
{
    (void)state;
    char long_call[257];
    uint8_t hash[32], expected[32];
    memset(long_call, 0x42, sizeof long_call);
    crypto_blake2b_256(long_call, sizeof long_call, hash);
    assert_true(sf_hex_decode(
        SF_STR("2a2e94be9645cc137e67cb6a3c45b9cd56dade0a6bad8a9468608d8fb0eb2dfb"), expected, 32));
    assert_memory_equal(hash, expected, 32);
    struct extrinsic_terms t = terms();
    struct sr25519_keypair alice;
    struct sf_buf out, payload;
    uint8_t rest[78];
    sf_buf_init(&out, 1024);
    sf_buf_init(&payload, 1024);
    assert_int_equal(derive_keypair(SF_STR("//Alice"), &alice, NULL), SF_OK);
    assert_int_equal(extrinsic_sign(metadata, &t, (struct sf_str){long_call, sizeof long_call},
                                    &alice, &out, NULL),
                     SF_OK);
    sf_buf_add(&payload, long_call, sizeof long_call);
    assert_true(sf_hex_decode(SF_STR(EXTRA_AND_ADDITIONAL), rest, sizeof rest));
    sf_buf_add(&payload, rest, sizeof rest);
    crypto_blake2b_256(payload.p, payload.n, hash);
    /* compact length (2), 84, 00, key, 01, signature */
    assert_true(sr25519_verify(alice.public_key, (struct sf_str){(const char *)hash, 32},
                               (const uint8_t *)out.p + 2 + 2 + 32 + 1));
    sf_buf_fini(&out);
    sf_buf_fini(&payload);
}

/* The same metadata with one name changed in place. */
static struct metadata *changed(const char *from, const char *to)
{
    struct sf_buf copy;
    struct metadata *m = NULL;
    size_t n = strlen(from), hits = 0;
    sf_buf_init(&copy, 1U << 20);
    sf_buf_add_str(&copy, sf_buf_str(&blob));
    for (size_t i = 0; i + n <= copy.n; i++) {
        if (memcmp(copy.p + i, from, n) == 0) {
            memcpy(copy.p + i, to, n);
            hits++;
        }
    }
    assert_true(hits > 0);
    assert_int_equal(metadata_open(copy.p, copy.n, &m, NULL), SF_OK);
    sf_buf_fini(&copy);
    return m;
}

static enum sf_err sign_under(struct metadata *m, struct sf_errbuf *eb)
{
    struct axon_info axon = google();
    struct extrinsic_terms t = terms();
    struct sr25519_keypair alice;
    struct sf_buf call, out;
    sf_buf_init(&call, 512);
    sf_buf_init(&out, 512);
    assert_int_equal(derive_keypair(SF_STR("//Alice"), &alice, NULL), SF_OK);
    enum sf_err err = extrinsic_serve_axon(m, 1, &axon, SF_STR(""), &call, eb);
    if (err == SF_OK) {
        err = extrinsic_sign(m, &t, sf_buf_str(&call), &alice, &out, eb);
    }
    assert_true(err == SF_OK || out.n == 0);
    sf_buf_fini(&call);
    sf_buf_fini(&out);
    metadata_close(m);
    return err;
}

static void what_is_not_understood_is_not_signed(void **state)
{
    (void)state;
    struct sf_errbuf eb;
    /* An empty extension may have any name; one with bytes of its own may not. */
    assert_int_equal(sign_under(changed("DrandPriority", "DrandPriorita"), &eb), SF_OK);
    assert_int_equal(sign_under(changed("CheckMetadataHash", "CheckMetadataHasp"), &eb), SF_ESHAPE);
    assert_non_null(strstr(eb.text, "CheckMetadataHasp"));
    assert_int_equal(sign_under(changed("CheckMortality", "CheckMortalite"), &eb), SF_ESHAPE);
    /* One that we know as empty turned into one with bytes, by trading names. */
    assert_int_equal(sign_under(changed("CheckSpecVersion", "CheckSpecVersioo"), &eb), SF_ESHAPE);
    assert_int_equal(sign_under(changed("placeholder1", "placeholder9"), &eb), SF_ESHAPE);
    assert_non_null(strstr(eb.text, "serve_axon"));
    assert_int_equal(sign_under(changed("serve_axon", "serve_axom"), &eb), SF_ESHAPE);
}

static void addresses_go_both_ways(void **state)
{
    (void)state;
    static const char *const good[] = {"8.8.8.8", "192.222.59.109", "2001:db8::1", "::1",
                                       "255.255.255.255"};
    static const char *const bad[] = {"", "8.8.8", "8.8.8.8.8", "example.org", "8.8.8.8 ", "[::1]"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct axon_info a = {0};
        char text[AXON_IP_MAX];
        assert_int_equal(axon_ip_parse(good[i], &a, NULL), SF_OK);
        axon_ip_print(&a, text);
        assert_string_equal(text, good[i]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct axon_info a = {0};
        assert_int_equal(axon_ip_parse(bad[i], &a, NULL), SF_EINVAL);
    }
    struct axon_info never = {0};
    char text[AXON_IP_MAX];
    axon_ip_print(&never, text);
    assert_string_equal(text, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_have_the_reference_bytes),
        cmocka_unit_test(eras_have_the_reference_bytes),
        cmocka_unit_test(the_transaction_is_the_reference_one_byte_for_byte),
        cmocka_unit_test(a_long_payload_is_signed_by_its_hash),
        cmocka_unit_test(what_is_not_understood_is_not_signed),
        cmocka_unit_test(addresses_go_both_ways),
    };
    return cmocka_run_group_tests(tests, open_metadata, close_metadata);
}
