/* SPDX-License-Identifier: MIT */
#include "known_keys.c"

#include "bittensor/crypto.h"
#include "bittensor/sr25519.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void make(unsigned number, struct ristretto_key *out)
{
    uint8_t s[32] = {(uint8_t)number, (uint8_t)(number >> 8U), 1}, p[32];
    assert_true(crypto_point_mul_base(s, p));
    assert_true(ristretto_key_init(out, p));
}

static size_t kept(void)
{
    size_t n = 0;
    for (size_t i = 0; i < SETS * WAYS; i++) {
        n += sets[i / WAYS].keys[i % WAYS] != NULL ? 1 : 0;
    }
    return n;
}

static void what_was_kept_is_found_and_the_oldest_gives_way(void **state)
{
    struct ristretto_key key, found;
    (void)state;
    for (unsigned i = 0; i < 1200; i++) {
        make(i, &key);
        assert_false(known_keys_find(key.encoded, &found));
        known_keys_keep(&key);
        known_keys_keep(&key); /* once */
        assert_true(known_keys_find(key.encoded, &found));
        assert_memory_equal(&found, &key, sizeof key);
    }
    assert_int_equal(kept(), SETS * WAYS);
    make(0, &key);
    assert_false(known_keys_find(key.encoded, &found));
    make(1199, &key);
    assert_true(known_keys_find(key.encoded, &found));
}

/* A flood in foreign names changes nothing here. */
static void only_who_signed_is_kept(void **state)
{
    static const uint8_t seed[SR25519_SEED_LEN] = {9};
    struct sr25519_keypair pair;
    struct ristretto_key found;
    uint8_t sig[SR25519_SIG_LEN];
    struct sf_str message = SF_STR("message");
    (void)state;
    sr25519_from_seed(seed, &pair);
    sr25519_sign(&pair, message, sig);
    assert_false(sr25519_verify(pair.public_key, SF_STR("other"), sig));
    assert_false(known_keys_find(pair.public_key, &found));
    assert_true(sr25519_verify(pair.public_key, message, sig));
    assert_true(known_keys_find(pair.public_key, &found));
    assert_true(sr25519_verify(pair.public_key, message, sig));
    assert_false(sr25519_verify(pair.public_key, SF_STR("other"), sig));
    sig[0] ^= 1;
    assert_false(sr25519_verify(pair.public_key, message, sig));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_kept_is_found_and_the_oldest_gives_way),
        cmocka_unit_test(only_who_signed_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
