/* SPDX-License-Identifier: MIT */
#include "bittensor/derive.h"

#include "base/file.h"
#include "base/mem.h"
#include "bittensor/crypto.h"
#include "bittensor/merlin.h"
#include "bittensor/mnemonic.h"

#include <string.h>

static const char development_phrase[] =
    "bottom drive obey lake curtain smoke basket hold race lonely fit walk";

/* 32 bytes of a junction: a decimal number as u64, else the SCALE string, hashed when over 32
 * bytes. */
static enum sf_err chain_code(struct sf_str junction, uint8_t code[static 32])
{
    uint64_t number;
    uint8_t text[2 + 256];
    size_t head = junction.n < 64 ? 1 : 2;
    memset(code, 0, 32);
    if (junction.n == 0 || junction.n > 256) {
        return SF_EINVAL;
    }
    if (sf_scan_u64(junction, UINT64_MAX, &number)) {
        for (unsigned i = 0; i < 8; i++) {
            code[i] = (uint8_t)(number >> (8 * i));
        }
        return SF_OK;
    }
    size_t compact = head == 1 ? junction.n << 2U : junction.n << 2U | 1U;
    text[0] = (uint8_t)compact;
    text[1] = (uint8_t)(compact >> 8U);
    memcpy(text + head, junction.p, junction.n);
    if (head + junction.n <= 32) {
        memcpy(code, text, head + junction.n);
    } else {
        crypto_blake2b_256(text, head + junction.n, code);
    }
    return SF_OK;
}

static void derive_hard(struct sr25519_keypair *k, const uint8_t code[static 32])
{
    struct merlin t;
    uint8_t seed[32];
    merlin_init(&t, "SchnorrRistrettoHDKD");
    merlin_append(&t, "sign-bytes", "", 0);
    merlin_append(&t, "chain-code", code, 32);
    merlin_append(&t, "secret-key", k->secret, 32);
    merlin_challenge(&t, "HDKD-hard", seed, sizeof seed);
    sr25519_from_seed(seed, k);
    sf_wipe(seed, sizeof seed);
    sf_wipe(&t, sizeof t);
}

static enum sf_err derive_soft(struct sr25519_keypair *k, const uint8_t code[static 32])
{
    struct merlin t;
    uint8_t wide[64], scalar[32], secret[SR25519_SECRET_LEN];
    merlin_init(&t, "SchnorrRistrettoHDKD");
    merlin_append(&t, "sign-bytes", "", 0);
    merlin_append(&t, "chain-code", code, 32);
    merlin_append(&t, "public-key", k->public_key, 32);
    merlin_challenge(&t, "HDKD-scalar", wide, sizeof wide);
    crypto_scalar_reduce(wide, scalar);
    crypto_scalar_add(k->secret, scalar, secret);
    sf_random(secret + 32, 32);
    enum sf_err err = sr25519_from_secret(secret, k);
    sf_wipe(secret, sizeof secret);
    return err;
}

/* One "//hard" or "/soft" step off the front of `path`. */
static enum sf_err derive_step(struct sf_str *path, struct sr25519_keypair *k)
{
    uint8_t code[32];
    bool hard = path->n > 1 && path->p[1] == '/';
    size_t skip = hard ? 2 : 1;
    path->p += skip;
    path->n -= skip;
    size_t end = sf_str_find(*path, SF_STR("/"));
    struct sf_str junction = {path->p, end};
    path->p += end;
    path->n -= end;
    if (chain_code(junction, code) != SF_OK) {
        return SF_EINVAL;
    }
    if (hard) {
        derive_hard(k, code);
        return SF_OK;
    }
    return derive_soft(k, code);
}

enum sf_err derive_keypair(struct sf_str uri, struct sr25519_keypair *out, struct sf_errbuf *eb)
{
    uint8_t seed[32];
    size_t slash = sf_str_find(uri, SF_STR("/"));
    struct sf_str phrase = sf_str_trim((struct sf_str){uri.p, slash});
    struct sf_str path = {uri.p + slash, uri.n - slash};
    if (phrase.n == 0) {
        phrase = sf_str(development_phrase);
    }
    enum sf_err err = mnemonic_to_seed(phrase, SF_STR(""), seed, eb);
    if (err == SF_OK) {
        sr25519_from_seed(seed, out);
        sf_wipe(seed, sizeof seed);
    }
    while (err == SF_OK && path.n > 0) {
        err = derive_step(&path, out);
    }
    if (err != SF_OK) {
        sr25519_wipe(out);
    }
    return err;
}
