/* SPDX-License-Identifier: MIT */
#include "bittensor/keyfile.h"

#include "base/hex.h"
#include "base/mem.h"
#include "bittensor/mnemonic.h"
#include "json/json.h"

#include <string.h>

#define KEYFILE_LIMITS ((struct json_limits){.max_bytes = 65536, .max_depth = 4})

static const struct {
    const char *prefix, *kind;
} encrypted[] = {
    {"$NACL", "NaCl"},
    {"$ANSIBLE_VAULT", "Ansible Vault"},
    {"gAAAAA", "Fernet"},
};

static enum sf_err parse_object(struct sf_str content, json_t **out, struct sf_errbuf *eb)
{
    for (size_t i = 0; i < sizeof encrypted / sizeof encrypted[0]; i++) {
        if (sf_str_has_prefix(content, encrypted[i].prefix)) {
            return sf_fail(eb, SF_EINVAL,
                           "keyfile is encrypted (%s); this version reads plain hotkey files: "
                           "decrypt it with btcli, or create the hotkey without a password",
                           encrypted[i].kind);
        }
    }
    /* The parser's text could quote the file: say nothing but that it failed. */
    if (json_parse(content, KEYFILE_LIMITS, out, NULL) != SF_OK) {
        return sf_fail(eb, SF_EPARSE, "keyfile is not JSON");
    }
    if (!json_is_object(*out)) {
        json_decref(*out), *out = NULL;
        return sf_fail(eb, SF_EPARSE, "keyfile is not a JSON object");
    }
    return SF_OK;
}

static struct sf_str without_0x(struct sf_str s)
{
    while (sf_str_has_prefix(s, "0x")) {
        s.p += 2;
        s.n -= 2;
    }
    return s;
}

static enum sf_err from_phrase(struct sf_str phrase, struct sr25519_keypair *out,
                               struct sf_errbuf *eb)
{
    uint8_t seed[SR25519_SEED_LEN];
    enum sf_err err = mnemonic_to_seed(phrase, SF_STR(""), seed, eb);
    if (err == SF_OK) {
        sr25519_from_seed(seed, out);
    }
    sf_wipe(seed, sizeof seed);
    return err;
}

/* Hex of 32 bytes is a seed to expand, of 64 a canonical secret. */
static enum sf_err from_hex(struct sf_str hex, struct sr25519_keypair *out, struct sf_errbuf *eb)
{
    uint8_t bytes[SR25519_SECRET_LEN];
    enum sf_err err = SF_OK;
    hex = without_0x(hex);
    if (sf_hex_decode(hex, bytes, SR25519_SEED_LEN)) {
        sr25519_from_seed(bytes, out);
    } else if (sf_hex_decode(hex, bytes, SR25519_SECRET_LEN)) {
        err = sr25519_from_secret(bytes, out);
    } else {
        err = SF_EINVAL;
    }
    sf_wipe(bytes, sizeof bytes);
    return err == SF_OK ? SF_OK
                        : sf_fail(eb, SF_EINVAL,
                                  "keyfile: secret is not 32 or 64 bytes of hex "
                                  "that make a key");
}

static enum sf_err derive(const json_t *file, struct sr25519_keypair *out, struct sf_errbuf *eb)
{
    struct sf_str phrase = json_get_str(file, "secretPhrase");
    struct sf_str seed = json_get_str(file, "secretSeed");
    struct sf_str key = json_get_str(file, "privateKey");
    if (phrase.n > 0) {
        return from_phrase(phrase, out, eb);
    }
    if (seed.n > 0 || key.n > 0) {
        return from_hex(seed.n > 0 ? seed : key, out, eb);
    }
    return sf_fail(eb, SF_EINVAL,
                   "keyfile has no secret (secretPhrase, secretSeed or privateKey): "
                   "a public file cannot sign");
}

static enum sf_err cross_check(const json_t *file, const struct sr25519_keypair *k,
                               struct sf_errbuf *eb)
{
    static const char *const fields[] = {"publicKey", "accountId"};
    char address[SS58_MAX];
    uint8_t key[SR25519_KEY_LEN];
    for (size_t i = 0; i < 2; i++) {
        struct sf_str hex = without_0x(json_get_str(file, fields[i]));
        if (hex.n > 0 &&
            (!sf_hex_decode(hex, key, sizeof key) || memcmp(key, k->public_key, sizeof key) != 0)) {
            return sf_fail(eb, SF_EINVAL, "keyfile: %s does not belong to its secret", fields[i]);
        }
    }
    ss58_encode(k->public_key, address);
    struct sf_str given = json_get_str(file, "ss58Address");
    if (given.n > 0 && !sf_str_is(given, address)) {
        return sf_fail(eb, SF_EINVAL, "keyfile: ss58Address does not belong to its secret");
    }
    return SF_OK;
}

enum sf_err keyfile_parse(struct sf_str content, struct sr25519_keypair *out, struct sf_errbuf *eb)
{
    json_t *file = NULL;
    enum sf_err err = parse_object(content, &file, eb);
    if (err == SF_OK) {
        err = derive(file, out, eb);
        if (err == SF_OK) {
            err = cross_check(file, out, eb);
        }
    }
    if (err != SF_OK) {
        sr25519_wipe(out);
    }
    json_decref(file);
    return err;
}

enum sf_err keyfile_parse_address(struct sf_str content, char out[static SS58_MAX],
                                  struct sf_errbuf *eb)
{
    json_t *file = NULL;
    uint8_t key[SR25519_KEY_LEN];
    enum sf_err err = parse_object(content, &file, eb);
    if (err == SF_OK) {
        err = ss58_decode(json_get_str(file, "ss58Address"), key, eb);
    }
    if (err == SF_OK) {
        ss58_encode(key, out);
    }
    json_decref(file);
    return err;
}

static void put_public(const uint8_t public_key[static SR25519_KEY_LEN], struct sf_buf *out)
{
    char hex[2 * SR25519_KEY_LEN + 1], address[SS58_MAX];
    sf_hex_encode(public_key, SR25519_KEY_LEN, hex);
    ss58_encode(public_key, address);
    sf_buf_printf(out, "\"accountId\":\"0x%s\",\"publicKey\":\"0x%s\",\"ss58Address\":\"%s\"", hex,
                  hex, address);
}

void keyfile_print_public(const uint8_t public_key[static SR25519_KEY_LEN], struct sf_buf *out)
{
    sf_buf_putc(out, '{');
    put_public(public_key, out);
    sf_buf_putc(out, '}');
}

enum sf_err keyfile_print(struct sf_str phrase, struct sf_buf *out, struct sf_errbuf *eb)
{
    struct sr25519_keypair k;
    uint8_t seed[SR25519_SEED_LEN];
    char seed_hex[2 * SR25519_SEED_LEN + 1], secret_hex[2 * SR25519_SECRET_LEN + 1];
    enum sf_err err = mnemonic_to_seed(phrase, SF_STR(""), seed, eb);
    if (err != SF_OK) {
        return err;
    }
    sr25519_from_seed(seed, &k);
    sf_hex_encode(seed, sizeof seed, seed_hex);
    sf_hex_encode(k.secret, sizeof k.secret, secret_hex);
    sf_buf_putc(out, '{');
    put_public(k.public_key, out);
    sf_buf_printf(out,
                  ",\"privateKey\":\"0x%s\",\"secretPhrase\":\"%.*s\",\"secretSeed\":\"0x%s\"}",
                  secret_hex, SF_STR_ARG(phrase), seed_hex);
    sf_wipe(seed, sizeof seed);
    sf_wipe(seed_hex, sizeof seed_hex);
    sf_wipe(secret_hex, sizeof secret_hex);
    sr25519_wipe(&k);
    return out->err;
}
