/* SPDX-License-Identifier: MIT */
#include "bittensor/crypto.h"

#include "base/mem.h"

#include <openssl/evp.h>
#include <sodium.h>
#include <string.h>

static void digest(const EVP_MD *md, const void *p, size_t n, uint8_t *out)
{
    unsigned written;
    SF_BUG_ON(EVP_Digest(p, n, out, &written, md, NULL) != 1);
}

void crypto_sha3_256(const void *p, size_t n, uint8_t out[static 32])
{
    digest(EVP_sha3_256(), p, n, out);
}

void crypto_sha256(const void *p, size_t n, uint8_t out[static 32])
{
    digest(EVP_sha256(), p, n, out);
}

void crypto_sha512(const void *p, size_t n, uint8_t out[static 64])
{
    digest(EVP_sha512(), p, n, out);
}

void crypto_blake2b_512(const void *p, size_t n, uint8_t out[static 64])
{
    (void)crypto_generichash_blake2b(out, 64, p, n, NULL, 0);
}

void crypto_blake2b_256(const void *p, size_t n, uint8_t out[static 32])
{
    (void)crypto_generichash_blake2b(out, 32, p, n, NULL, 0);
}

enum sf_err crypto_pbkdf2_sha512(struct sf_str password, struct sf_str salt, unsigned rounds,
                                 uint8_t *out, size_t n)
{
    int ok = PKCS5_PBKDF2_HMAC(password.p, (int)password.n, (const unsigned char *)salt.p,
                               (int)salt.n, (int)rounds, EVP_sha512(), (int)n, out);
    return ok == 1 ? SF_OK : SF_ENOMEM;
}

void crypto_scalar_reduce(const uint8_t wide[static 64], uint8_t out[static 32])
{
    crypto_core_ristretto255_scalar_reduce(out, wide);
}

bool crypto_scalar_is_canonical(const uint8_t s[static 32])
{
    uint8_t wide[64] = {0}, reduced[32];
    memcpy(wide, s, 32);
    crypto_core_ristretto255_scalar_reduce(reduced, wide);
    bool same = sodium_memcmp(reduced, s, 32) == 0;
    sf_wipe(wide, sizeof wide);
    sf_wipe(reduced, sizeof reduced);
    return same;
}

void crypto_scalar_muladd(const uint8_t a[static 32], const uint8_t b[static 32],
                          const uint8_t c[static 32], uint8_t out[static 32])
{
    uint8_t product[32];
    crypto_core_ristretto255_scalar_mul(product, a, b);
    crypto_core_ristretto255_scalar_add(out, product, c);
    sf_wipe(product, sizeof product);
}

void crypto_scalar_add(const uint8_t a[static 32], const uint8_t b[static 32],
                       uint8_t out[static 32])
{
    crypto_core_ristretto255_scalar_add(out, a, b);
}

bool crypto_point_is_valid(const uint8_t p[static 32])
{
    return sodium_is_zero(p, 32) == 0 && crypto_core_ristretto255_is_valid_point(p) == 1;
}

bool crypto_point_mul_base(const uint8_t s[static 32], uint8_t out[static 32])
{
    return crypto_scalarmult_ristretto255_base(out, s) == 0;
}

/* out = s * p, or the identity's encoding where the library refuses to give it. */
static bool multiply(const uint8_t s[static 32], const uint8_t *p, uint8_t out[static 32])
{
    if (sodium_is_zero(s, 32) == 1) {
        memset(out, 0, 32);
        return true;
    }
    return (p == NULL ? crypto_scalarmult_ristretto255_base(out, s)
                      : crypto_scalarmult_ristretto255(out, s, p)) == 0;
}

bool crypto_point_verify(const uint8_t s[static 32], const uint8_t k[static 32],
                         const uint8_t p[static 32], uint8_t out[static 32])
{
    uint8_t sb[32], kp[32];
    return multiply(s, NULL, sb) && multiply(k, p, kp) &&
           crypto_core_ristretto255_sub(out, sb, kp) == 0;
}
