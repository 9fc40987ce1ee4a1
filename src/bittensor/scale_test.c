/* SPDX-License-Identifier: MIT */
#include "bittensor/scale.h"

#include "base/hex.h"
#include "base/mem.h"
#include "bittensor/derive.h"
#include "bittensor/storage_key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static size_t unhex(const char *hex, uint8_t *out)
{
    size_t n = strlen(hex) / 2;
    assert_true(sf_hex_decode(sf_str(hex), out, n));
    return n;
}

static void compact_numbers_have_the_reference_bytes(void **state)
{
    (void)state;
    static const struct {
        uint64_t v;
        const char *hex;
    } rows[] = {
        {0, "00"},
        {1, "04"},
        {42, "a8"},
        {63, "fc"},
        {64, "0101"},
        {69, "1501"},
        {16383, "fdff"},
        {16384, "02000100"},
        {65535, "feff0300"},
        {(1U << 30U) - 1, "feffffff"},
        {1U << 30U, "0300000040"},
        {100000000000000, "0b00407a10f35a"},
        {UINT64_MAX, "13ffffffffffffffff"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t bytes[16];
        size_t n = unhex(rows[i].hex, bytes);
        struct sf_buf out;
        sf_buf_init(&out, 64);
        scale_put_compact(&out, rows[i].v);
        assert_int_equal(out.n, n);
        assert_memory_equal(out.p, bytes, n);
        struct scale_in in = scale_in(bytes, n);
        assert_true(scale_compact(&in, UINT64_MAX) == rows[i].v);
        assert_true(scale_is_done(&in));
        for (size_t cut = 0; cut < n; cut++) { /* every shorter input fails, and gives zero */
            in = scale_in(bytes, cut);
            assert_true(scale_compact(&in, UINT64_MAX) == 0);
            assert_true(in.failed);
        }
        if (rows[i].v > 0) {
            in = scale_in(bytes, n);
            assert_true(scale_compact(&in, rows[i].v - 1) == 0);
            assert_true(in.failed);
        }
        sf_buf_fini(&out);
    }
}

static void numbers_not_in_their_shortest_form_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"0100",
                                      "fd00",
                                      "02000000",
                                      "0300000030",
                                      "070000004000",
                                      "13ffffffffffffff00",
                                      "330000000000000000000000000000000001",
                                      "ff"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint8_t bytes[32];
        struct scale_in in = scale_in(bytes, unhex(bad[i], bytes));
        (void)scale_compact(&in, UINT64_MAX);
        assert_true(in.failed);
    }
}

static void a_failed_reader_stays_failed(void **state)
{
    (void)state;
    uint8_t bytes[8] = {2, 1, 2, 3, 4, 5, 6, 7}, copy[4];
    struct scale_in in = scale_in(bytes, sizeof bytes);
    assert_false(scale_bool(&in)); /* 02 is no bool... */
    assert_true(in.failed);
    assert_int_equal(scale_u8(&in), 0); /* ...and nothing is read behind it */
    assert_int_equal(scale_u32(&in), 0);
    assert_null(scale_bytes(&in, 0));
    scale_copy(&in, copy, sizeof copy);
    assert_int_equal(copy[0] | copy[3], 0);
    assert_false(scale_is_done(&in));
}

static void a_vec_longer_than_the_input_is_refused(void **state)
{
    (void)state;
    uint8_t bytes[5];
    struct scale_in in = scale_in(bytes, unhex("feffffff00", bytes));
    assert_int_equal(scale_vec(&in, 1), 0);
    assert_true(in.failed);
    in = scale_in(bytes, unhex("080102", bytes));
    assert_int_equal(scale_vec(&in, 2), 0); /* two items of two bytes are not there */
    assert_true(in.failed);
    in = scale_in(bytes, unhex("080102", bytes));
    assert_int_equal(scale_vec(&in, 1), 2);
    in = scale_in(bytes, unhex("0c6162", bytes));
    assert_int_equal(scale_text(&in).n, 0);
    assert_true(in.failed);
}

static void storage_keys_are_the_chain_s(void **state)
{
    (void)state;
    struct sr25519_keypair alice;
    uint8_t expected[128];
    struct sf_buf key;
    sf_buf_init(&key, 256);
    assert_int_equal(derive_keypair(SF_STR("//Alice"), &alice, NULL), SF_OK);
    storage_key(&key, "SubtensorModule", "Axons");
    storage_key_u16(&key, 1);
    storage_key_account(&key, alice.public_key);
    size_t n = unhex("658faa385070e074c85bf6b568cf0555b4e0c7b1d5f74994fcd58c28ab601fec0100de1e86a9"
                     "a8c739864cf3cc5ec2bea59fd43593c715fdd31c61141abd04a99fd6822c8558854ccde39a56"
                     "84e7a56da27d",
                     expected);
    assert_int_equal(key.n, n);
    assert_memory_equal(key.p, expected, n);
    static const struct {
        const char *pallet, *item, *hex;
    } rows[] = {
        {"SubtensorModule", "Uids",
         "658faa385070e074c85bf6b568cf0555aab1b4e78e1ea8305462ee53b3686dc8"},
        {"SubtensorModule", "ValidatorPermit",
         "658faa385070e074c85bf6b568cf055556af5b07ace59da2c9d7f0d48bc93143"},
        {"SubtensorModule", "ServingRateLimit",
         "658faa385070e074c85bf6b568cf05551fbba053865c94fcc1b417b41cc9e63a"},
        {"System", "Account", "26aa394eea5630e07c48ae0c9558cef7b99d880ec681799c0cf30e8886371da9"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        sf_buf_clear(&key);
        storage_key(&key, rows[i].pallet, rows[i].item);
        assert_int_equal(key.n, unhex(rows[i].hex, expected));
        assert_memory_equal(key.p, expected, key.n);
    }
    sf_buf_fini(&key);
    /* Texts over 32 bytes take the four lanes. From the specification's own test program. */
    assert_true(storage_xxh64("", 0, 0) == 0xEF46DB3751D8E999U);
    assert_true(storage_xxh64("Nobody inspects the spammish repetition", 39, 0) ==
                0xFBCEA83C8A378BF1U);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compact_numbers_have_the_reference_bytes),
        cmocka_unit_test(numbers_not_in_their_shortest_form_are_refused),
        cmocka_unit_test(a_failed_reader_stays_failed),
        cmocka_unit_test(a_vec_longer_than_the_input_is_refused),
        cmocka_unit_test(storage_keys_are_the_chain_s),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
