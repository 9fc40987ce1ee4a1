/* SPDX-License-Identifier: MIT */
#ifndef SF_BITTENSOR_RISTRETTO_H
#define SF_BITTENSOR_RISTRETTO_H

#include "bittensor/field25519.h"

/* s * B - k * P in ristretto255 (RFC 9496), what the check of a signature comes down to. libsodium
 * has no function for the sum, and computes both products so that secret scalars do not show in the
 * time; here they do: public inputs only. Twice as fast, and four times once the key's tables are
 * there. Without products of 128 bits it is crypto_point_verify. Thread-safe. */

/* y + x, y - x, z, 2dxy of a point: what is added to others. */
struct ristretto_addend {
    struct fe plus, minus, z, t2d;
};

#define RISTRETTO_PARTS 4   /* a scalar in parts of 64 bits, which share the doublings */
#define RISTRETTO_KEY_ODD 8 /* the odd multiples to 15 of P, 2^64 P, 2^128 P, 2^192 P */
struct ristretto_key {
    uint8_t encoded[32];
    struct ristretto_addend odd[RISTRETTO_PARTS][RISTRETTO_KEY_ODD];
};

/* False when the bytes are no point, or the identity; `out` is then undefined. */
bool ristretto_key_init(struct ristretto_key *out, const uint8_t encoded[static 32]);
/* s and k are below L. */
void ristretto_verify(const uint8_t s[static 32], const uint8_t k[static 32],
                      const struct ristretto_key *key, uint8_t out[static 32]);

#endif
