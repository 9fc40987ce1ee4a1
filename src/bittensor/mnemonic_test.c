/* SPDX-License-Identifier: MIT */
#include "bittensor/mnemonic.h"

#include "base/hex.h"
#include "bittensor/derive.h"
#include "bittensor/ss58.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const char about[] =
    "abandon abandon abandon abandon abandon abandon abandon abandon abandon "
    "abandon abandon about";

static const struct {
    const char *phrase, *entropy, *passphrase, *seed;
} vectors[] = {
    {"bottom drive obey lake curtain smoke basket hold race lonely fit walk",
     "1a486a5fbe53639984cb64b070755f7b", "",
     "fac7959dbfe72f052e5a0c3c8d6530f202b02fd8f9f5ca3580ec8deb7797479e"},
    {"old leopard transfer rib spatial phone calm indicate online fire caution review",
     "9a100b9cdc7d09470823979aeae492dc", "",
     "da3cf5b1e9144931a0f0db65664aab662673b099415a7f8121b7245fb0be4143"},
    {"seed sock milk update focus rotate barely fade car face mechanic mercy", NULL, "",
     "4d1ab2a57929edfd018aaa974e62ed557e3f54b4104acabedf73c8f5a1dbb029"},
    {about, "00000000000000000000000000000000", "Substrate",
     "44e9d125f037ac1d51f0a7d3649689d422c2af8b1ec8e00d71db4d7bf6d127e3"},
    {about, "00000000000000000000000000000000", "",
     "4ed8d4b17698ddeaa1f1559f152f87b5d472f725ca86d341bd0276f1b61197e2"},
};

static void phrases_give_seeds(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        uint8_t seed[32], entropy[32];
        char z[65];
        size_t n;
        assert_int_equal(
            mnemonic_to_seed(sf_str(vectors[i].phrase), sf_str(vectors[i].passphrase), seed, NULL),
            SF_OK);
        sf_hex_encode(seed, sizeof seed, z);
        assert_string_equal(z, vectors[i].seed);
        assert_int_equal(mnemonic_decode(sf_str(vectors[i].phrase), entropy, &n, NULL), SF_OK);
        if (vectors[i].entropy != NULL) {
            sf_hex_encode(entropy, n, z);
            assert_string_equal(z, vectors[i].entropy);
        }
    }
}

static void every_length_makes_the_round_trip(void **state)
{
    (void)state;
    for (size_t n = 16; n <= 32; n += 4) {
        uint8_t entropy[32], back[32];
        size_t m;
        struct sf_buf words;
        for (size_t i = 0; i < n; i++) {
            entropy[i] = (uint8_t)(i * 37 + n);
        }
        sf_buf_init(&words, 1024);
        assert_int_equal(mnemonic_encode(entropy, n, &words), SF_OK);
        assert_int_equal(mnemonic_decode(sf_buf_str(&words), back, &m, NULL), SF_OK);
        assert_int_equal(m, n);
        assert_memory_equal(back, entropy, n);
        sf_buf_fini(&words);
    }
}

static void wrong_phrases_are_refused_with_the_reason(void **state)
{
    (void)state;
    static const struct {
        const char *phrase, *reason;
    } wrong[] = {
        {"", "0 words"},
        {"abandon about", "2 words"},
        {"abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon "
         "abandon",
         "checksum"},
        {"abandon abandon xyzzy abandon abandon abandon abandon abandon abandon abandon abandon "
         "about",
         "word 3"},
        {"abandon  about", "word 2"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        uint8_t entropy[32];
        size_t n;
        struct sf_errbuf eb = {.code = SF_OK};
        assert_int_equal(mnemonic_decode(sf_str(wrong[i].phrase), entropy, &n, &eb), SF_EINVAL);
        assert_non_null(strstr(eb.text, wrong[i].reason));
        assert_null(strstr(eb.text, "xyzzy"));
    }
}

static void development_keys_have_their_addresses(void **state)
{
    (void)state;
    static const struct {
        const char *uri, *address;
    } keys[] = {
        {"//Alice", "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"},
        {"//Bob", "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty"},
        {"//Bob/test", "5CJGwWiKXSE16WJaxBdPZhWqUYkotgenLUALv7ZvqQ4TXeqf"},
        {"/Bob//test", "5Cwc8tShrshDJUp1P1M21dKUTcYQpV9GcfSa4hUBNmMdV3Cx"},
        {"//PathNameLongerThan32BytesWhichShouldBeHashed",
         "5GR5pfZeNs1uQiSWVxZaQiZou3wdZiX894eqgvfNfHbEh7W2"},
    };
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        struct sr25519_keypair k;
        char z[SS58_MAX];
        assert_int_equal(derive_keypair(sf_str(keys[i].uri), &k, NULL), SF_OK);
        ss58_encode(k.public_key, z);
        assert_string_equal(z, keys[i].address);
        uint8_t sig[64];
        sr25519_sign(&k, SF_STR("m"), sig);
        assert_true(sr25519_verify(k.public_key, SF_STR("m"), sig));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(phrases_give_seeds),
        cmocka_unit_test(every_length_makes_the_round_trip),
        cmocka_unit_test(wrong_phrases_are_refused_with_the_reason),
        cmocka_unit_test(development_keys_have_their_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
