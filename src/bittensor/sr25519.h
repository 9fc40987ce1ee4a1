/* SPDX-License-Identifier: MIT */
#ifndef SF_BITTENSOR_SR25519_H
#define SF_BITTENSOR_SR25519_H

#include "base/err.h"
#include "base/str.h"

/* Schnorr signatures over ristretto255 as Substrate uses them, signing context "substrate".
 * source: w3f/schnorrkel@64f89e0 src/context.rs, sign.rs, keys.rs. */
#define SR25519_SEED_LEN 32
#define SR25519_KEY_LEN 32
#define SR25519_SECRET_LEN 64 /* canonical: scalar a (not multiplied by 8), nonce */
#define SR25519_SIG_LEN 64

struct sr25519_keypair {
    uint8_t secret[SR25519_SECRET_LEN];
    uint8_t public_key[SR25519_KEY_LEN];
};

/* Expands a mini secret in the Ed25519 mode. */
void sr25519_from_seed(const uint8_t seed[static SR25519_SEED_LEN], struct sr25519_keypair *out);
/* From a canonical 64-byte secret; SF_EINVAL when its scalar is not below the group order or zero.
 */
SF_MUST_USE enum sf_err sr25519_from_secret(const uint8_t secret[static SR25519_SECRET_LEN],
                                            struct sr25519_keypair *out);
void sr25519_wipe(struct sr25519_keypair *k);

void sr25519_sign(const struct sr25519_keypair *k, struct sf_str message,
                  uint8_t out[static SR25519_SIG_LEN]);
/* The same with the caller's 32 random bytes: for vectors only. */
void sr25519_sign_with(const struct sr25519_keypair *k, struct sf_str message,
                       const uint8_t entropy[static 32], uint8_t out[static SR25519_SIG_LEN]);

/* Refuses: a missing marker bit, s >= L, a public key that does not decode or is zero. */
bool sr25519_verify(const uint8_t public_key[static SR25519_KEY_LEN], struct sf_str message,
                    const uint8_t sig[static SR25519_SIG_LEN]);

#endif
