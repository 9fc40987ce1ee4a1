/* SPDX-License-Identifier: MIT */
#include "bittensor/keyfile.h"

#include "base/hex.h"
#include "base/mem.h"
#include "bittensor/derive.h"
#include "bittensor/mnemonic.h"
#include "bittensor/vault.h"
#include "json/json.h"

#include <string.h>

#define KEYFILE_LIMITS ((struct json_limits){.max_bytes = 65536, .max_depth = 4})

static enum sf_err parse_object(struct sf_str content, json_t **out, struct sf_errbuf *eb)
{
    enum vault_kind kind = vault_kind_of(content);
    if (kind != VAULT_PLAIN) {
        return sf_fail(eb, SF_EINVAL, "keyfile is encrypted (%s): its password is needed",
                       vault_kind_name(kind));
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

/* Overwrites the strings before they are freed: the library does not. */
static void forget(json_t *file)
{
    const char *name;
    json_t *value;
    json_object_foreach(file, name, value)
    {
        if (json_is_string(value)) {
            void *text = (void *)(uintptr_t)json_string_value(value);
            sf_wipe(text, json_string_length(value));
        }
    }
    json_decref(file);
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

/* Hex of 32 bytes is a seed to expand, of 64 a canonical secret. btwallet writes a seed whose bytes
 * happen to be UTF-8 as they are: taken where the file's public key can say whether it is one. */
static enum sf_err from_hex(struct sf_str hex, bool may_be_raw, struct sr25519_keypair *out,
                            struct sf_errbuf *eb)
{
    uint8_t bytes[SR25519_SECRET_LEN];
    enum sf_err err = SF_OK;
    hex = without_0x(hex);
    if (sf_hex_decode(hex, bytes, SR25519_SEED_LEN)) {
        sr25519_from_seed(bytes, out);
    } else if (sf_hex_decode(hex, bytes, SR25519_SECRET_LEN)) {
        err = sr25519_from_secret(bytes, out);
    } else if (may_be_raw && hex.n == SR25519_SEED_LEN) {
        memcpy(bytes, hex.p, SR25519_SEED_LEN);
        sr25519_from_seed(bytes, out);
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
        bool checkable =
            json_get_str(file, "publicKey").n > 0 || json_get_str(file, "ss58Address").n > 0;
        return from_hex(seed.n > 0 ? seed : key, checkable, out, eb);
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
    forget(file);
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
    forget(file);
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

void keyfile_print(const struct keyfile_secret *s, struct sf_buf *out)
{
    char hex[2 * SR25519_SECRET_LEN + 1];
    sf_buf_putc(out, '{');
    put_public(s->key.public_key, out);
    sf_hex_encode(s->key.secret, SR25519_SECRET_LEN, hex);
    sf_buf_printf(out, ",\"privateKey\":\"0x%s\"", hex);
    if (s->phrase[0] != '\0') {
        sf_buf_printf(out, ",\"secretPhrase\":\"%s\"", s->phrase);
    }
    if (s->has_seed) {
        sf_hex_encode(s->seed, SR25519_SEED_LEN, hex);
        sf_buf_printf(out, ",\"secretSeed\":\"0x%s\"", hex);
    }
    sf_buf_putc(out, '}');
    sf_wipe(hex, sizeof hex);
}

void keyfile_secret_wipe(struct keyfile_secret *s)
{
    sf_wipe(s, sizeof *s);
}

/* Single spaces, lower case; false when it does not fit. */
static bool tidy_phrase(struct sf_str text, char *out, size_t room)
{
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        bool space = c == ' ' || c == '\t' || c == '\n' || c == '\r';
        if (space && (n == 0 || out[n - 1] == ' ')) {
            continue;
        }
        if (n + 1 >= room) {
            return false;
        }
        out[n++] = space ? ' ' : (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    }
    n -= n > 0 && out[n - 1] == ' ';
    out[n] = '\0';
    return true;
}

static enum sf_err secret_from_hex(struct sf_str hex, struct keyfile_secret *out,
                                   struct sf_errbuf *eb)
{
    uint8_t secret[SR25519_SECRET_LEN];
    enum sf_err err = SF_OK;
    if (sf_hex_decode(hex, out->seed, SR25519_SEED_LEN)) {
        out->has_seed = true;
        sr25519_from_seed(out->seed, &out->key);
    } else if (sf_hex_decode(hex, secret, SR25519_SECRET_LEN)) {
        err = sr25519_from_secret(secret, &out->key);
    } else {
        err = SF_EINVAL;
    }
    sf_wipe(secret, sizeof secret);
    return err == SF_OK ? SF_OK
                        : sf_fail(eb, SF_EINVAL,
                                  "not a secret: takes 12 to 24 words, or hex of a 32-byte seed "
                                  "or of a 64-byte private key (canonical, as keyfiles hold it), "
                                  "or a URI such as //Alice");
}

enum sf_err keyfile_secret_read(struct sf_str text, struct keyfile_secret *out,
                                struct sf_errbuf *eb)
{
    memset(out, 0, sizeof *out);
    text = sf_str_trim(text);
    bool words =
        sf_str_find(text, SF_STR(" ")) < text.n || sf_str_find(text, SF_STR("\n")) < text.n;
    enum sf_err err;
    if (sf_str_find(text, SF_STR("/")) < text.n) {
        err = derive_keypair(text, &out->key, eb);
        if (err != SF_OK && eb != NULL && eb->code == SF_OK) {
            (void)sf_fail(eb, err, "not a secret URI (words//hard/soft)");
        }
    } else if (!words) {
        err = secret_from_hex(without_0x(text), out, eb);
    } else if (!tidy_phrase(text, out->phrase, sizeof out->phrase)) {
        err = sf_fail(eb, SF_EINVAL, "mnemonic: longer than 24 words can be");
    } else {
        err = mnemonic_to_seed(sf_str(out->phrase), SF_STR(""), out->seed, eb);
        out->has_seed = true;
        sr25519_from_seed(out->seed, &out->key);
    }
    if (err != SF_OK) {
        keyfile_secret_wipe(out);
    }
    return err;
}
