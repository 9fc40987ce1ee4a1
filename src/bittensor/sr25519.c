/* SPDX-License-Identifier: MIT */
#include "bittensor/sr25519.h"

#include "base/file.h"
#include "base/mem.h"
#include "bittensor/crypto.h"
#include "bittensor/known_keys.h"
#include "bittensor/merlin.h"
#include "bittensor/ristretto.h"

#include <pthread.h>
#include <string.h>

static void finish_keypair(struct sr25519_keypair *out)
{
    SF_BUG_ON(!crypto_point_mul_base(out->secret, out->public_key));
}

void sr25519_from_seed(const uint8_t seed[static SR25519_SEED_LEN], struct sr25519_keypair *out)
{
    uint8_t h[64];
    crypto_sha512(seed, SR25519_SEED_LEN, h);
    h[0] &= 0xf8;
    h[31] &= 0x3f;
    h[31] |= 0x40;
    /* a = h / 8: exact, since the low three bits were cleared. */
    for (unsigned i = 0; i < 32; i++) {
        unsigned next = i < 31 ? h[i + 1] : 0;
        out->secret[i] = (uint8_t)(h[i] >> 3U | next << 5U);
    }
    memcpy(out->secret + 32, h + 32, 32);
    sf_wipe(h, sizeof h);
    finish_keypair(out);
}

enum sf_err sr25519_from_secret(const uint8_t secret[static SR25519_SECRET_LEN],
                                struct sr25519_keypair *out)
{
    static const uint8_t zero[32];
    if (!crypto_scalar_is_canonical(secret) || sf_equal_const_time(secret, zero, 32)) {
        return SF_EINVAL;
    }
    memcpy(out->secret, secret, SR25519_SECRET_LEN);
    finish_keypair(out);
    return SF_OK;
}

void sr25519_wipe(struct sr25519_keypair *k)
{
    sf_wipe(k, sizeof *k);
}

/* What every transcript begins with, made once: it is a third of the hashing of a signature. */
static struct merlin prologue;
static pthread_once_t prologue_once = PTHREAD_ONCE_INIT;

static void make_prologue(void)
{
    merlin_init(&prologue, "SigningContext");
    merlin_append(&prologue, "", "substrate", 9);
}

/* The transcript up to the public key, as signer and verifier share it. */
static void start(struct merlin *t, struct sf_str message, const uint8_t *public_key)
{
    (void)pthread_once(&prologue_once, make_prologue);
    *t = prologue;
    merlin_append(t, "sign-bytes", message.p, message.n);
    merlin_append(t, "proto-name", "Schnorr-sig", 11);
    merlin_append(t, "sign:pk", public_key, SR25519_KEY_LEN);
}

static void challenge(struct merlin *t, const uint8_t *r_point, uint8_t k[static 32])
{
    uint8_t wide[64];
    merlin_append(t, "sign:R", r_point, 32);
    merlin_challenge(t, "sign:c", wide, sizeof wide);
    crypto_scalar_reduce(wide, k);
}

void sr25519_sign_with(const struct sr25519_keypair *key, struct sf_str message,
                       const uint8_t entropy[static 32], uint8_t out[static SR25519_SIG_LEN])
{
    struct merlin t;
    uint8_t wide[64], r[32], k[32];
    start(&t, message, key->public_key);
    merlin_witness_bytes(&t, "signing", key->secret + 32, entropy, wide);
    crypto_scalar_reduce(wide, r);
    SF_BUG_ON(!crypto_point_mul_base(r, out));
    challenge(&t, out, k);
    crypto_scalar_muladd(k, key->secret, r, out + 32);
    out[63] |= 0x80;
    sf_wipe(&t, sizeof t);
    sf_wipe(wide, sizeof wide);
    sf_wipe(r, sizeof r);
}

void sr25519_sign(const struct sr25519_keypair *key, struct sf_str message,
                  uint8_t out[static SR25519_SIG_LEN])
{
    uint8_t entropy[32];
    sf_random(entropy, sizeof entropy);
    sr25519_sign_with(key, message, entropy, out);
    sf_wipe(entropy, sizeof entropy);
}

bool sr25519_verify(const uint8_t public_key[static SR25519_KEY_LEN], struct sf_str message,
                    const uint8_t sig[static SR25519_SIG_LEN])
{
    uint8_t s[32], k[32], r_point[32];
    if ((sig[63] & 0x80U) == 0) {
        return false;
    }
    memcpy(s, sig + 32, 32);
    s[31] &= 0x7f;
    static const uint8_t zero[SR25519_KEY_LEN];
    if (!crypto_scalar_is_canonical(s) || memcmp(public_key, zero, sizeof zero) == 0) {
        return false;
    }
    struct merlin t;
    start(&t, message, public_key);
    challenge(&t, sig, k);
    struct ristretto_key key;
    bool known = known_keys_find(public_key, &key);
    if (!known && !ristretto_key_init(&key, public_key)) {
        return false;
    }
    ristretto_verify(s, k, &key, r_point);
    bool good = memcmp(r_point, sig, 32) == 0;
    if (good && !known) {
        known_keys_keep(&key);
    }
    return good;
}
