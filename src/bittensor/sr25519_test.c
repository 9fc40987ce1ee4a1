/* SPDX-License-Identifier: MIT */
#include "bittensor/sr25519.h"

#include "base/hex.h"
#include "bittensor/crypto.h"
#include "bittensor/merlin.h"
#include "bittensor/ss58.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void hex(const char *z, uint8_t *out, size_t n)
{
    assert_true(sf_hex_decode(sf_str(z), out, n));
}

static void assert_hex(const uint8_t *p, size_t n, const char *expected)
{
    char z[513];
    sf_hex_encode(p, n, z);
    assert_string_equal(z, expected);
}

static void strobe_conformance(void **state)
{
    (void)state;
    uint8_t data[1024], out[32];
    struct strobe s;
    memset(data, 0x63, sizeof data);
    strobe_init(&s, SF_STR("Conformance Test Protocol"));
    strobe_meta_ad(&s, "ms", 2, false);
    strobe_meta_ad(&s, "g", 1, true);
    strobe_ad(&s, data, sizeof data, false);
    strobe_meta_ad(&s, "prf", 3, false);
    strobe_prf(&s, out, sizeof out);
    assert_hex(out, 32, "b48e645ca17c667fd5206ba57a6a228d72d8e1903814d3f17f622996d7cfefb0");
    strobe_meta_ad(&s, "key", 3, false);
    strobe_key(&s, out, sizeof out);
    strobe_meta_ad(&s, "prf", 3, false);
    strobe_prf(&s, out, sizeof out);
    assert_hex(out, 32, "07e45cce8078cee259e3e375bb85d75610e2d1e1201c5f645045a194edd49ff8");
}

static void merlin_vector(void **state)
{
    (void)state;
    struct merlin t;
    uint8_t out[32];
    merlin_init(&t, "test protocol");
    merlin_append(&t, "some label", "some data", 9);
    merlin_challenge(&t, "challenge", out, sizeof out);
    assert_hex(out, 32, "d5a21972d0d5fe320c0d263fac7fffb8145aa640af6e9bca177c03c7efcf0615");
}

static const struct {
    const char *seed, *secret, *nonce, *public_key;
} seeds[] = {
    {"fac7959dbfe72f052e5a0c3c8d6530f202b02fd8f9f5ca3580ec8deb7797479e",
     "05d65584630d16cd4af6d0bec10f34bb504a5dcb62dba2122d49f5a663763d0a",
     "fd190cce74df356432b410bd64682309d6dedb27c76845daf388557cbac3ca34",
     "46ebddef8cd9bb167dc30878d7113b7e168e6f0646beffd77d69d39bad76b47a"},
    {"0000000000000000000000000000000000000000000000000000000000000000",
     "caa835781b15c7706f65b71f7a58c807ab360faed6440fb23e0f4c52e930de0a",
     "0a6a85eaa642dac835424b5d7c8d637c00408c7a73da672b7f498521420b6dd3",
     "def12e42f3e487e9b14095aa8d5cc16a33491f1b50dadcf8811d1480f3fa8627"},
    {"3132333435363738393031323334353637383930313233343536373839303132",
     "1ec20c6cb85bf4c7423b95752b70c312e6ae9e5701ffb310f0a9019d9c041e0a",
     "f98d66f39442506ff947fd911f18c7a7a5da639a63e8d3b4e233f74143d951c1",
     "741c08a06f41c596608f6774259bd9043304adfa5d3eea62760bd9be97634d63"},
    {"e5be9a5092b81bca64be81d212e7f2f9eba183bb7a90954f7b76361f6edb5c0a",
     "33a6f3093f158a7109f679410bef1a0c54168145e0cecb4df006c1c2fffb1f09",
     "925a225d97aa00682d6a59b95b18780c10d7032336e88f3442b42361f4a66011",
     "d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d"},
};

static void seeds_expand(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof seeds / sizeof seeds[0]; i++) {
        uint8_t seed[32];
        struct sr25519_keypair k, again;
        hex(seeds[i].seed, seed, sizeof seed);
        sr25519_from_seed(seed, &k);
        assert_hex(k.secret, 32, seeds[i].secret);
        assert_hex(k.secret + 32, 32, seeds[i].nonce);
        assert_hex(k.public_key, 32, seeds[i].public_key);
        assert_int_equal(sr25519_from_secret(k.secret, &again), SF_OK);
        assert_memory_equal(again.public_key, k.public_key, 32);
    }
}

static void private_key_gives_public_key(void **state)
{
    (void)state;
    uint8_t secret[64];
    struct sr25519_keypair k;
    hex("1f1995bdf3a17b60626a26cfe6f564b337d46056b7a1281b64c649d592ccda0a"
        "9cffd34d9fb01cae1fba61aeed184c817442a2186d5172416729a4b54dd4b84e",
        secret, sizeof secret);
    assert_int_equal(sr25519_from_secret(secret, &k), SF_OK);
    assert_hex(k.public_key, 32,
               "e4359ad3e2716c539a1d663ebd0a51bdc5c98a12e663bb4c4402db47828c9446");
}

static void secret_out_of_range_is_refused(void **state)
{
    (void)state;
    uint8_t secret[64];
    struct sr25519_keypair k;
    memset(secret, 0xff, sizeof secret);
    assert_int_equal(sr25519_from_secret(secret, &k), SF_EINVAL);
    memset(secret, 0, sizeof secret);
    assert_int_equal(sr25519_from_secret(secret, &k), SF_EINVAL);
}

static void signing_is_as_the_vector(void **state)
{
    (void)state;
    uint8_t seed[32], sig[64], entropy[32] = {0};
    struct sr25519_keypair k;
    hex(seeds[0].seed, seed, sizeof seed);
    sr25519_from_seed(seed, &k);
    sr25519_sign_with(&k, SF_STR("this is a message"), entropy, sig);
    assert_hex(sig, 64,
               "dc4831339346dc294d21dd6efa22c078b6eb6602a30fb9c67540c1fb4e20936e"
               "17489f36dbe14aec6d2b1e56d979f7b420ca34143aca1691db0bab9535c49a86");
    assert_true(sr25519_verify(k.public_key, SF_STR("this is a message"), sig));
}

static const struct {
    const char *public_key, *message, *sig;
    bool ok;
} verifies[] = {
    {"46ebddef8cd9bb167dc30878d7113b7e168e6f0646beffd77d69d39bad76b47a", "this is a message",
     "4e172314444b8f820bb54c22e95076f220ed25373e5c178234aa6c211d292712"
     "44b947e3ff3418ff6b45fd1df1140c8cbff69fc58ee6dc96df70936a2bb74b82",
     true},
    {"d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d",
     "I hereby verify that I control 5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY",
     "1037eb7e51613d0dcf5930ae518819c87d655056605764840d9280984e1b7063"
     "c4566b55bf292fcab07b369d01095879b50517beca4d26e6a65866e25fec0d83",
     true},
    {"f84d048da2ddae2d9d8fd6763f469566e8817a26114f39408de15547f6d47805",
     "<Bytes>message to sign</Bytes>",
     "48ce2c90e08651adfc8ecef84e916f6d1bb51ebebd16150ee12df247841a5437"
     "951ea0f9d632ca165e6ab391532e75e701be6a1caa88c8a6bcca3511f55b4183",
     true},
    {"f84d048da2ddae2d9d8fd6763f469566e8817a26114f39408de15547f6d47805", "message to sign",
     "48ce2c90e08651adfc8ecef84e916f6d1bb51ebebd16150ee12df247841a5437"
     "951ea0f9d632ca165e6ab391532e75e701be6a1caa88c8a6bcca3511f55b4183",
     false},
    {"d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d",
     "1700000000000000000.5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY."
     "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty.11111111-2222-3333-4444-555555555555."
     "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a",
     "d4f08eef0882d9f96830c12d68008c52599dc881b2ffbbaf59960cf18e23da79"
     "ed3280568e4aa409f4e5d30e46855730184afbfcde4ba92723c5fb1d2db58184",
     true},
};

static void signatures_verify_as_the_vectors(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof verifies / sizeof verifies[0]; i++) {
        uint8_t key[32], sig[64];
        hex(verifies[i].public_key, key, sizeof key);
        hex(verifies[i].sig, sig, sizeof sig);
        assert_int_equal(sr25519_verify(key, sf_str(verifies[i].message), sig), verifies[i].ok);
    }
}

static void every_changed_bit_is_refused(void **state)
{
    (void)state;
    uint8_t key[32], sig[64];
    hex(verifies[0].public_key, key, sizeof key);
    hex(verifies[0].sig, sig, sizeof sig);
    for (unsigned bit = 0; bit < 512; bit++) {
        sig[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_false(sr25519_verify(key, sf_str(verifies[0].message), sig));
        sig[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
}

/* With the identity as key any R = s * B would verify. */
static void zero_key_is_refused(void **state)
{
    (void)state;
    uint8_t zero[32] = {0}, sig[64] = {0};
    sig[32] = 7;
    assert_true(crypto_point_mul_base(sig + 32, sig));
    sig[63] |= 0x80;
    assert_false(sr25519_verify(zero, SF_STR("anything"), sig));
}

static void s_must_be_below_the_order(void **state)
{
    (void)state;
    /* L itself, little-endian: a non-canonical zero. */
    uint8_t key[32], sig[64];
    hex(verifies[0].public_key, key, sizeof key);
    hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010", sig + 32, 32);
    memset(sig, 0, 32);
    sig[63] |= 0x80;
    assert_false(sr25519_verify(key, SF_STR("x"), sig));
}

static void random_signatures_verify_and_differ(void **state)
{
    (void)state;
    uint8_t seed[32] = {9}, a[64], b[64];
    struct sr25519_keypair k;
    sr25519_from_seed(seed, &k);
    sr25519_sign(&k, SF_STR("m"), a);
    sr25519_sign(&k, SF_STR("m"), b);
    assert_memory_not_equal(a, b, sizeof a);
    assert_true(sr25519_verify(k.public_key, SF_STR("m"), a));
    assert_true(sr25519_verify(k.public_key, SF_STR("m"), b));
    assert_false(sr25519_verify(k.public_key, SF_STR("n"), b));
}

static const struct {
    const char *address, *key;
} addresses[] = {
    {"5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY",
     "d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d"},
    {"5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty",
     "8eaf04151687736326c9fea17e25fc5287613693c912909cb226aa4794f26a48"},
    {"5HDvhV6WDCjCKyrXqGQSDYqQAzkzabNhctmiDYEqgBC66BsX",
     "e4359ad3e2716c539a1d663ebd0a51bdc5c98a12e663bb4c4402db47828c9446"},
    {"5DfhGyQdFobKM8NsWvEeAKk5EQQgYe9AydgJ7rMB6E1EqRzV",
     "46ebddef8cd9bb167dc30878d7113b7e168e6f0646beffd77d69d39bad76b47a"},
};

static void addresses_both_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
        uint8_t key[32];
        char z[SS58_MAX];
        assert_int_equal(ss58_decode(sf_str(addresses[i].address), key, NULL), SF_OK);
        assert_hex(key, 32, addresses[i].key);
        ss58_encode(key, z);
        assert_string_equal(z, addresses[i].address);
    }
}

static void wrong_addresses_are_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQZ",  /* checksum */
        "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQ0",  /* no digit of base58 */
        "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQ",   /* short */
        "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQYY", /* long */
        "15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5",  /* prefix 0 */
        "5C4hrfjw9DjXZTzV3MwzrrAr9P1MJhSrvWGWqi1eSuyUpnhM",  /* the zero key */
        "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz",  /* over 35 bytes */
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        uint8_t key[32];
        assert_int_equal(ss58_decode(sf_str(wrong[i]), key, NULL), SF_EINVAL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strobe_conformance),
        cmocka_unit_test(merlin_vector),
        cmocka_unit_test(seeds_expand),
        cmocka_unit_test(private_key_gives_public_key),
        cmocka_unit_test(secret_out_of_range_is_refused),
        cmocka_unit_test(signing_is_as_the_vector),
        cmocka_unit_test(signatures_verify_as_the_vectors),
        cmocka_unit_test(every_changed_bit_is_refused),
        cmocka_unit_test(zero_key_is_refused),
        cmocka_unit_test(s_must_be_below_the_order),
        cmocka_unit_test(random_signatures_verify_and_differ),
        cmocka_unit_test(addresses_both_ways),
        cmocka_unit_test(wrong_addresses_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
