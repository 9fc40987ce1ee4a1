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
void crypto_sha512(const void *p, size_t n, uint8_t out[static 64]);
void crypto_blake2b_512(const void *p, size_t n, uint8_t out[static 64]);
void crypto_blake2b_256(const void *p, size_t n, uint8_t out[static 32]);
SF_MUST_USE enum sf_err crypto_pbkdf2_sha512(struct sf_str password, struct sf_str salt,
                                             unsigned rounds, uint8_t *out, size_t n);

void crypto_scalar_reduce(const uint8_t wide[static 64], uint8_t out[static 32]);
bool crypto_scalar_is_canonical(const uint8_t s[static 32]); /* < L */
/* out = a * b + c mod L */
void crypto_scalar_muladd(const uint8_t a[static 32], const uint8_t b[static 32],
                          const uint8_t c[static 32], uint8_t out[static 32]);
void crypto_scalar_add(const uint8_t a[static 32], const uint8_t b[static 32],
                       uint8_t out[static 32]);

bool crypto_point_is_valid(const uint8_t p[static 32]); /* decodes and is not the identity */
/* out = s * B; false when the result is the identity. */
bool crypto_point_mul_base(const uint8_t s[static 32], uint8_t out[static 32]);
/* out = s * B - k * P; false when P does not decode. Variable time: public inputs only. */
bool crypto_point_verify(const uint8_t s[static 32], const uint8_t k[static 32],
                         const uint8_t p[static 32], uint8_t out[static 32]);

#endif
