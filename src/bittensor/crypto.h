/* SPDX-License-Identifier: MIT */
#ifndef SF_BITTENSOR_CRYPTO_H
#define SF_BITTENSOR_CRYPTO_H

#include "base/err.h"
#include "base/str.h"

/* The primitives the libraries give, behind our names; the only file that includes them. Scalars
 * are 32 bytes little-endian modulo the group order L of ristretto255 (RFC 9496); points are
 * encodings. */

void crypto_sha3_256(const void *p, size_t n, uint8_t out[static 32]);
void crypto_sha256(const void *p, size_t n, uint8_t out[static 32]);
/* The same of bytes that come piece by piece (files larger than memory). _end frees `d` and may
 * have a NULL `out`; NULL from _begin: out of memory. */
struct crypto_sha256_sum;
struct crypto_sha256_sum *crypto_sha256_begin(void);
void crypto_sha256_add(struct crypto_sha256_sum *d, const void *p, size_t n);
void crypto_sha256_end(struct crypto_sha256_sum *d, uint8_t *out);
/* When the first certificate of a PEM text ends, in seconds since 1970; false: it cannot be read.
 */
bool crypto_certificate_end(struct sf_str pem, int64_t *out);
void crypto_sha512(const void *p, size_t n, uint8_t out[static 64]);
void crypto_blake2b_512(const void *p, size_t n, uint8_t out[static 64]);
void crypto_blake2b_256(const void *p, size_t n, uint8_t out[static 32]);
SF_MUST_USE enum sf_err crypto_pbkdf2_sha512(struct sf_str password, struct sf_str salt,
                                             unsigned rounds, uint8_t *out, size_t n);

SF_MUST_USE enum sf_err crypto_pbkdf2_sha256(struct sf_str password, struct sf_str salt,
                                             unsigned rounds, uint8_t *out, size_t n);
void crypto_blake2b_128(const void *p, size_t n, uint8_t out[static 16]);
void crypto_hmac_sha256(const uint8_t *key, size_t n_key, struct sf_str text,
                        uint8_t out[static 32]);
/* Argon2i 1.3, 8 passes over 512 MiB, one lane: seconds, and SF_ENOMEM where that much is not free.
 */
SF_MUST_USE enum sf_err crypto_argon2i_sensitive(struct sf_str password,
                                                 const uint8_t salt[static 16],
                                                 uint8_t out[static 32]);
#define CRYPTO_SEAL_NONCE 24
#define CRYPTO_SEAL_TAG 16
/* NaCl secretbox (XSalsa20, Poly1305), tag first. Open: false when the tag does not fit. */
void crypto_seal_box(const uint8_t key[static 32], const uint8_t nonce[static CRYPTO_SEAL_NONCE],
                     struct sf_str plain, uint8_t *out);
bool crypto_open_box(const uint8_t key[static 32], const uint8_t nonce[static CRYPTO_SEAL_NONCE],
                     struct sf_str sealed, uint8_t *out);
/* In place or into `out` of the same length. CBC: `in.n` is a multiple of 16, padding stays. */
SF_MUST_USE enum sf_err crypto_aes256_ctr(const uint8_t key[static 32], const uint8_t iv[static 16],
                                          struct sf_str in, uint8_t *out);
SF_MUST_USE enum sf_err crypto_aes128_cbc_open(const uint8_t key[static 16],
                                               const uint8_t iv[static 16], struct sf_str in,
                                               uint8_t *out);
/* Padded base64, in time that does not depend on what the digits are. `out` has `cap` bytes. */
bool crypto_base64_decode(struct sf_str text, bool url_safe, uint8_t *out, size_t cap, size_t *n);
/* `out` has room for 4 * (n / 3 + 1) + 1 characters. */
void crypto_base64_encode(const uint8_t *bytes, size_t n, char *out, size_t cap);

/* Keeps a secret out of swap and core files as far as the system lets us; unlock wipes it too. */
void crypto_secret_lock(void *p, size_t n);
void crypto_secret_unlock(void *p, size_t n);
/* The same for a secret that stays: pages of its own, guarded at both ends, zeroed by free. NULL:
 * out of memory. */
void *crypto_secret_alloc(size_t n);
void crypto_secret_free(void *p); /* NULL is fine */
/* No core dumps of this process from here on, and no debugger of the same user. */
void crypto_secrets_guard(void);

void crypto_scalar_reduce(const uint8_t wide[static 64], uint8_t out[static 32]);
bool crypto_scalar_is_canonical(const uint8_t s[static 32]); /* < L */
/* out = a * b + c mod L */
void crypto_scalar_muladd(const uint8_t a[static 32], const uint8_t b[static 32],
                          const uint8_t c[static 32], uint8_t out[static 32]);
void crypto_scalar_add(const uint8_t a[static 32], const uint8_t b[static 32],
                       uint8_t out[static 32]);

/* out = s * B; false when the result is the identity. */
bool crypto_point_mul_base(const uint8_t s[static 32], uint8_t out[static 32]);
/* out = s * B - k * P; false when P does not decode. Variable time: public inputs only. */
bool crypto_point_verify(const uint8_t s[static 32], const uint8_t k[static 32],
                         const uint8_t p[static 32], uint8_t out[static 32]);

#endif
