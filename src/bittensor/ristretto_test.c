/* SPDX-License-Identifier: MIT */
#include "bittensor/ristretto.h"

#include "base/file.h"
#include "base/hex.h"
#include "bittensor/crypto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static bool verify(const uint8_t s[static 32], const uint8_t k[static 32],
                   const uint8_t p[static 32], uint8_t out[static 32])
{
    struct ristretto_key key;
    if (!ristretto_key_init(&key, p)) {
        return false;
    }
    ristretto_verify(s, k, &key, out);
    return true;
}

/* libsodium's word against ours. */
static void agree(const uint8_t s[static 32], const uint8_t k[static 32],
                  const uint8_t p[static 32])
{
    uint8_t theirs[32] = {1}, ours[32] = {2};
    assert_true(crypto_point_verify(s, k, p, theirs));
    assert_true(verify(s, k, p, ours));
    assert_memory_equal(theirs, ours, 32);
}

static void random_scalar(uint8_t out[static 32])
{
    uint8_t wide[64];
    sf_random(wide, sizeof wide);
    crypto_scalar_reduce(wide, out);
}

static void random_point(uint8_t out[static 32])
{
    uint8_t s[32];
    random_scalar(s);
    assert_true(crypto_point_mul_base(s, out));
}

static void random_cases_agree_with_libsodium(void **state)
{
    uint8_t s[32], k[32], p[32];
    (void)state;
    for (int i = 0; i < 3000; i++) {
        random_scalar(s);
        random_scalar(k);
        random_point(p);
        agree(s, k, p);
    }
}

/* 0, 1, L - 1, powers of two, and long runs of ones: each carry of the digits. */
static size_t odd_scalars(uint8_t out[static 600][32])
{
    static const uint8_t last[32] = {0xec, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,
                                     0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
                                     0,    0,    0,    0,    0,    0,    0,    0,
                                     0,    0,    0,    0,    0,    0,    0,    0x10};
    size_t n = 0;
    memset(out, 0, 600 * sizeof out[0]);
    n++;
    memcpy(out[n++], last, 32);
    for (unsigned bit = 0; bit < 252; bit++) {
        out[n++][bit / 8] = (uint8_t)(1U << bit % 8);
        for (unsigned i = 0; i <= bit; i++) {
            out[n][i / 8] |= (uint8_t)(1U << i % 8);
        }
        n++;
    }
    return n;
}

static void scalars_at_the_edges_agree(void **state)
{
    static uint8_t list[600][32];
    uint8_t p[32], s[32];
    size_t n = odd_scalars(list);
    (void)state;
    for (size_t i = 0; i < n; i++) {
        random_point(p);
        random_scalar(s);
        agree(list[i], list[n - 1 - i], p);
        agree(s, list[i], p);
        agree(list[i], s, p);
    }
}

static void results_that_cancel_out_are_the_identity(void **state)
{
    static const uint8_t zero[32], one[32] = {1};
    uint8_t base[32], s[32], out[32];
    (void)state;
    assert_true(crypto_point_mul_base(one, base));
    for (int i = 0; i < 20; i++) {
        random_scalar(s);
        assert_true(verify(s, s, base, out));
        assert_memory_equal(out, zero, 32);
    }
    agree(zero, zero, base);
}

/* Which bytes are a point at all. libsodium before 1.0.19 overlooks bit 255; the RFC does not. */
static void whatever_libsodium_refuses_is_refused(void **state)
{
    static const uint8_t one[32] = {1}, zero[32];
    uint8_t p[32], ours[32], theirs[32];
    int taken = 0;
    (void)state;
    for (int i = 0; i < 4000; i++) {
        sf_random(p, sizeof p);
        p[31] &= 0x7f;
        p[0] &= i % 2 == 0 ? 0xfe : 0xff;
        bool sodium = crypto_point_verify(one, one, p, theirs);
        assert_int_equal(verify(one, one, p, ours), sodium);
        if (sodium) {
            assert_memory_equal(ours, theirs, 32);
            taken++;
        }
        p[31] |= 0x80;
        assert_false(verify(one, one, p, ours));
    }
    assert_in_range(taken, 100, 2000);
    assert_false(verify(one, one, zero, ours));
    memset(p, 0xff, sizeof p);
    p[31] = 0x7f;
    for (unsigned low = 0; low < 256; low++) { /* around the field's prime */
        p[0] = (uint8_t)low;
        bool sodium = crypto_point_verify(one, one, p, theirs);
        assert_int_equal(verify(one, one, p, ours), sodium);
    }
}

/* RFC 9496, appendix A.2: encodings that are none. */
static void the_bad_encodings_of_the_rfc_are_refused(void **state)
{
    static const char *const list[] = {
        "00ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ed57ffd8c914fb201471d1c3d245ce3c746fcbe63a3679d51b6a516ebebe0e20",
        "c34c4e1826e5d403b78e246e88aa051c36ccf0aafebffe137d148a2bf9104562",
        "26948d35ca62e643e26a83177332e6b6afeb9d08e4268b650f1f5bbd8d81d371",
        "4eac077a713c57b4f4397629a4145982c661f48044dd3f96427d40b147d9742f",
        "26948d35ca62e643e26a83177332e6b6afeb9d08e4268b650f1f5bbd8d81d371",
    };
    static const uint8_t one[32] = {1};
    uint8_t p[32], out[32];
    (void)state;
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        assert_true(sf_hex_decode(sf_str(list[i]), p, sizeof p));
        assert_false(verify(one, one, p, out));
        assert_false(crypto_point_verify(one, one, p, out));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_cases_agree_with_libsodium),
        cmocka_unit_test(scalars_at_the_edges_agree),
        cmocka_unit_test(results_that_cancel_out_are_the_identity),
        cmocka_unit_test(whatever_libsodium_refuses_is_refused),
        cmocka_unit_test(the_bad_encodings_of_the_rfc_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
