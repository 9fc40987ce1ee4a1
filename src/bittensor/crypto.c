/* SPDX-License-Identifier: MIT */
#include "bittensor/crypto.h"

#include "base/mem.h"

#include <limits.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sodium.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>

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

struct crypto_sha256_sum {
    EVP_MD_CTX *ctx;
};

struct crypto_sha256_sum *crypto_sha256_begin(void)
{
    struct crypto_sha256_sum *d = sf_alloc(sizeof *d);
    if (d != NULL) {
        d->ctx = EVP_MD_CTX_new();
        if (d->ctx == NULL || EVP_DigestInit_ex(d->ctx, EVP_sha256(), NULL) != 1) {
            crypto_sha256_end(d, NULL), d = NULL;
        }
    }
    return d;
}

void crypto_sha256_add(struct crypto_sha256_sum *d, const void *p, size_t n)
{
    SF_BUG_ON(EVP_DigestUpdate(d->ctx, p, n) != 1);
}

void crypto_sha256_end(struct crypto_sha256_sum *d, uint8_t *out)
{
    if (d != NULL) {
        SF_BUG_ON(out != NULL && EVP_DigestFinal_ex(d->ctx, out, NULL) != 1);
        EVP_MD_CTX_free(d->ctx);
        free(d);
    }
}

bool crypto_certificate_end(struct sf_str pem, int64_t *out)
{
    struct tm end = {0};
    BIO *text = pem.n > INT_MAX ? NULL : BIO_new_mem_buf(pem.p, (int)pem.n);
    X509 *certificate = text == NULL ? NULL : PEM_read_bio_X509(text, NULL, NULL, NULL);
    bool ok = certificate != NULL && ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) == 1;
    if (ok) {
        *out = timegm(&end);
    }
    X509_free(certificate);
    (void)BIO_free(text);
    return ok;
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

enum sf_err crypto_pbkdf2_sha256(struct sf_str password, struct sf_str salt, unsigned rounds,
                                 uint8_t *out, size_t n)
{
    int ok = PKCS5_PBKDF2_HMAC(password.p, (int)password.n, (const unsigned char *)salt.p,
                               (int)salt.n, (int)rounds, EVP_sha256(), (int)n, out);
    return ok == 1 ? SF_OK : SF_ENOMEM;
}

void crypto_blake2b_128(const void *p, size_t n, uint8_t out[static 16])
{
    (void)crypto_generichash_blake2b(out, 16, p, n, NULL, 0);
}

void crypto_hmac_sha256(const uint8_t *key, size_t n_key, struct sf_str text,
                        uint8_t out[static 32])
{
    SF_BUG_ON(HMAC(EVP_sha256(), key, (int)n_key, (const unsigned char *)text.p, text.n, out,
                   NULL) == NULL);
}

enum sf_err crypto_argon2i_sensitive(struct sf_str password, const uint8_t salt[static 16],
                                     uint8_t out[static 32])
{
    SF_BUG_ON(sodium_init() < 0);
    int failed = crypto_pwhash(
        out, 32, password.p, password.n, salt, crypto_pwhash_argon2i_OPSLIMIT_SENSITIVE,
        crypto_pwhash_argon2i_MEMLIMIT_SENSITIVE, crypto_pwhash_ALG_ARGON2I13);
    return failed == 0 ? SF_OK : SF_ENOMEM;
}

void crypto_seal_box(const uint8_t key[static 32], const uint8_t nonce[static CRYPTO_SEAL_NONCE],
                     struct sf_str plain, uint8_t *out)
{
    (void)crypto_secretbox_easy(out, (const unsigned char *)plain.p, plain.n, nonce, key);
}

bool crypto_open_box(const uint8_t key[static 32], const uint8_t nonce[static CRYPTO_SEAL_NONCE],
                     struct sf_str sealed, uint8_t *out)
{
    return crypto_secretbox_open_easy(out, (const unsigned char *)sealed.p, sealed.n, nonce, key) ==
           0;
}

static enum sf_err aes_open(const EVP_CIPHER *cipher, const uint8_t *key, const uint8_t *iv,
                            struct sf_str in, uint8_t *out)
{
    int written = 0, rest = 0;
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    bool ok = c != NULL && EVP_DecryptInit_ex(c, cipher, NULL, key, iv) == 1 &&
              EVP_CIPHER_CTX_set_padding(c, 0) == 1 &&
              EVP_DecryptUpdate(c, out, &written, (const unsigned char *)in.p, (int)in.n) == 1 &&
              EVP_DecryptFinal_ex(c, out + written, &rest) == 1;
    EVP_CIPHER_CTX_free(c);
    return ok ? SF_OK : SF_ENOMEM;
}

enum sf_err crypto_aes256_ctr(const uint8_t key[static 32], const uint8_t iv[static 16],
                              struct sf_str in, uint8_t *out)
{
    return aes_open(EVP_aes_256_ctr(), key, iv, in, out);
}

enum sf_err crypto_aes128_cbc_open(const uint8_t key[static 16], const uint8_t iv[static 16],
                                   struct sf_str in, uint8_t *out)
{
    return in.n % 16 == 0 ? aes_open(EVP_aes_128_cbc(), key, iv, in, out) : SF_EINVAL;
}

bool crypto_base64_decode(struct sf_str text, bool url_safe, uint8_t *out, size_t cap, size_t *n)
{
    int variant = url_safe ? sodium_base64_VARIANT_URLSAFE : sodium_base64_VARIANT_ORIGINAL;
    return sodium_base642bin(out, cap, text.p, text.n, NULL, n, NULL, variant) == 0;
}

void crypto_base64_encode(const uint8_t *bytes, size_t n, char *out, size_t cap)
{
    (void)sodium_bin2base64(out, cap, bytes, n, sodium_base64_VARIANT_ORIGINAL);
}

void crypto_secret_lock(void *p, size_t n)
{
    (void)sodium_mlock(p, n);
}

void crypto_secret_unlock(void *p, size_t n)
{
    (void)sodium_munlock(p, n);
    sf_wipe(p, n);
}

void *crypto_secret_alloc(size_t n)
{
    SF_BUG_ON(sodium_init() < 0);
    void *p = sodium_malloc(n);
    if (p != NULL) {
        sf_wipe(p, n);
    }
    return p;
}

void crypto_secret_free(void *p)
{
    sodium_free(p);
}

void crypto_secrets_guard(void)
{
    struct rlimit limit;
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    if (getrlimit(RLIMIT_CORE, &limit) == 0) {
        limit.rlim_cur = 0;
        (void)setrlimit(RLIMIT_CORE, &limit);
    }
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
