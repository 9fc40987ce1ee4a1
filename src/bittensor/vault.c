/* SPDX-License-Identifier: MIT */
#include "bittensor/vault.h"

#include "base/file.h"
#include "base/hex.h"
#include "base/mem.h"
#include "bittensor/crypto.h"

#include <string.h>

#define CONTENT_MAX 65536

static const uint8_t nacl_salt[16] = {0x13, 0x71, 0x83, 0xdf, 0xf1, 0x5a, 0x09, 0xbc,
                                      0x9c, 0x90, 0xb5, 0x51, 0x87, 0x39, 0xe9, 0xb1};
static const char fernet_salt[] = "Iguesscyborgslikemyselfhaveatendencytobeparanoidaboutourorigins";
#define FERNET_ROUNDS 10000000
#define ANSIBLE_ROUNDS 10000

typedef enum sf_err (*open_fn)(struct sf_str content, struct sf_str password, struct sf_buf *out,
                               struct sf_errbuf *eb);
static enum sf_err open_nacl(struct sf_str, struct sf_str, struct sf_buf *, struct sf_errbuf *);
static enum sf_err open_ansible(struct sf_str, struct sf_str, struct sf_buf *, struct sf_errbuf *);
static enum sf_err open_fernet(struct sf_str, struct sf_str, struct sf_buf *, struct sf_errbuf *);

static const struct {
    const char *prefix, *name;
    open_fn open;
} kinds[] = {
    [VAULT_PLAIN] = {"", "plain", NULL},
    [VAULT_NACL] = {"$NACL", "NaCl", open_nacl},
    [VAULT_ANSIBLE] = {"$ANSIBLE_VAULT", "Ansible Vault", open_ansible},
    [VAULT_FERNET] = {"gAAAAA", "Fernet", open_fernet},
};

enum vault_kind vault_kind_of(struct sf_str content)
{
    for (size_t i = VAULT_NACL; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (sf_str_has_prefix(content, kinds[i].prefix)) {
            return (enum vault_kind)i;
        }
    }
    return VAULT_PLAIN;
}

const char *vault_kind_name(enum vault_kind kind)
{
    return kinds[kind].name;
}

static enum sf_err wrong_password(struct sf_errbuf *eb)
{
    return sf_fail(eb, SF_EAUTH,
                   "wrong password for this keyfile (or the file was changed); nothing was opened");
}

static enum sf_err not_whole(struct sf_errbuf *eb, const char *kind)
{
    return sf_fail(eb, SF_EPARSE,
                   "encrypted keyfile (%s) is damaged or cut short: restore it from "
                   "your copy, or import the words again",
                   kind);
}

/* ---------------------------------------------------------------- $NACL */

static enum sf_err nacl_key(struct sf_str password, uint8_t key[static 32], struct sf_errbuf *eb)
{
    enum sf_err err = crypto_argon2i_sensitive(password, nacl_salt, key);
    return err == SF_OK ? SF_OK
                        : sf_fail(eb, err,
                                  "a keyfile's password needs 512 MiB of memory to check, "
                                  "and so much is not free on this machine");
}

static enum sf_err open_nacl(struct sf_str content, struct sf_str password, struct sf_buf *out,
                             struct sf_errbuf *eb)
{
    const size_t head = 5 + CRYPTO_SEAL_NONCE;
    uint8_t key[32], plain[CONTENT_MAX];
    if (content.n < head + CRYPTO_SEAL_TAG) {
        return not_whole(eb, "NaCl");
    }
    enum sf_err err = nacl_key(password, key, eb);
    if (err != SF_OK) {
        return err;
    }
    struct sf_str sealed = {content.p + head, content.n - head};
    if (crypto_open_box(key, (const uint8_t *)content.p + 5, sealed, plain)) {
        sf_buf_add(out, plain, sealed.n - CRYPTO_SEAL_TAG);
        err = out->err;
    } else {
        err = wrong_password(eb);
    }
    sf_wipe(key, sizeof key);
    sf_wipe(plain, sizeof plain);
    return err;
}

/* ---------------------------------------------------------------- $ANSIBLE_VAULT */

/* Hex with white space between into bytes; the number of them, 0 when it is no hex. */
static size_t unhex(struct sf_str text, uint8_t *out, size_t cap)
{
    size_t n = 0;
    char pair[2];
    unsigned have = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (strchr(" \t\r\n", text.p[i]) != NULL && text.p[i] != '\0') {
            continue;
        }
        pair[have++] = text.p[i];
        if (have == 2) {
            have = 0;
            if (n == cap || !sf_hex_decode((struct sf_str){pair, 2}, out + n, 1)) {
                return 0;
            }
            n++;
        }
    }
    return have == 0 ? n : 0;
}

/* Length without PKCS#7 padding to 16; 0 when there is none. The text was authentic: no oracle. */
static size_t without_padding(const uint8_t *p, size_t n)
{
    uint8_t pad = n == 0 ? 0 : p[n - 1];
    if (pad == 0 || pad > 16 || pad > n) {
        return 0;
    }
    for (size_t i = n - pad; i < n; i++) {
        if (p[i] != pad) {
            return 0;
        }
    }
    return n - pad;
}

struct ansible {
    uint8_t outer[CONTENT_MAX], text[CONTENT_MAX];
    uint8_t salt[32], mac[32], keys[80];
    size_t n;
};

static bool split_ansible(struct sf_str content, struct ansible *a)
{
    struct sf_str line, inner;
    (void)sf_str_next(&content, '\n', &line);
    if (!sf_str_is(sf_str_trim(line), "$ANSIBLE_VAULT;1.1;AES256")) {
        return false;
    }
    inner = (struct sf_str){(const char *)a->outer, unhex(content, a->outer, sizeof a->outer)};
    bool ok = sf_str_next(&inner, '\n', &line) && unhex(line, a->salt, 32) == 32 &&
              sf_str_next(&inner, '\n', &line) && unhex(line, a->mac, 32) == 32;
    a->n = ok ? unhex(inner, a->text, sizeof a->text) : 0;
    return a->n > 0;
}

static enum sf_err open_ansible(struct sf_str content, struct sf_str password, struct sf_buf *out,
                                struct sf_errbuf *eb)
{
    uint8_t mac[32];
    struct ansible *a = sf_alloc(sizeof *a);
    if (a == NULL) {
        return SF_ENOMEM;
    }
    enum sf_err err = split_ansible(content, a) ? SF_OK : not_whole(eb, "Ansible Vault");
    struct sf_str text = {(const char *)a->text, a->n};
    if (err == SF_OK) {
        err = crypto_pbkdf2_sha256(password, (struct sf_str){(const char *)a->salt, 32},
                                   ANSIBLE_ROUNDS, a->keys, sizeof a->keys);
    }
    if (err == SF_OK) {
        crypto_hmac_sha256(a->keys + 32, 32, text, mac);
        err = sf_equal_const_time(mac, a->mac, sizeof mac) ? SF_OK : wrong_password(eb);
    }
    if (err == SF_OK) {
        err = crypto_aes256_ctr(a->keys, a->keys + 64, text, a->outer);
    }
    if (err == SF_OK) {
        size_t n = without_padding(a->outer, a->n);
        sf_buf_add(out, a->outer, n);
        err = n == 0 ? not_whole(eb, "Ansible Vault") : out->err;
    }
    sf_wipe(a, sizeof *a);
    free(a);
    return err;
}

/* ---------------------------------------------------------------- Fernet */

/* Version 0x80 (1), time (8), iv (16), text, HMAC (32). */
#define FERNET_HEAD 25
#define FERNET_LEAST (FERNET_HEAD + 16 + 32)

static enum sf_err open_fernet(struct sf_str content, struct sf_str password, struct sf_buf *out,
                               struct sf_errbuf *eb)
{
    uint8_t key[32], mac[32], token[CONTENT_MAX], plain[CONTENT_MAX];
    size_t n = 0;
    content = sf_str_trim(content);
    if (!crypto_base64_decode(content, true, token, sizeof token, &n) || n < FERNET_LEAST ||
        token[0] != 0x80 || (n - FERNET_LEAST) % 16 != 0) {
        return not_whole(eb, "Fernet");
    }
    enum sf_err err = crypto_pbkdf2_sha256(password, SF_STR(fernet_salt), FERNET_ROUNDS, key, 32);
    if (err == SF_OK) {
        crypto_hmac_sha256(key, 16, (struct sf_str){(const char *)token, n - 32}, mac);
        err = sf_equal_const_time(mac, token + n - 32, 32) ? SF_OK : wrong_password(eb);
    }
    struct sf_str text = {(const char *)token + FERNET_HEAD, n - 32 - FERNET_HEAD};
    if (err == SF_OK) {
        err = crypto_aes128_cbc_open(key + 16, token + 9, text, plain);
    }
    if (err == SF_OK) {
        size_t length = without_padding(plain, text.n);
        sf_buf_add(out, plain, length);
        err = length == 0 ? not_whole(eb, "Fernet") : out->err;
    }
    sf_wipe(key, sizeof key);
    sf_wipe(plain, sizeof plain);
    return err;
}

/* ---------------------------------------------------------------- */

static enum sf_err check_password(struct sf_str password, struct sf_errbuf *eb)
{
    if (password.n == 0 || password.n > VAULT_PASSWORD_MAX) {
        return sf_fail(eb, SF_EINVAL, "a password has 1 to %d bytes", VAULT_PASSWORD_MAX);
    }
    return SF_OK;
}

enum sf_err vault_open(struct sf_str content, struct sf_str password, struct sf_buf *out,
                       struct sf_errbuf *eb)
{
    enum vault_kind kind = vault_kind_of(content);
    if (kind == VAULT_PLAIN || content.n > CONTENT_MAX) {
        return sf_fail(eb, SF_EINVAL, "not an encrypted keyfile");
    }
    enum sf_err err = check_password(password, eb);
    return err == SF_OK ? kinds[kind].open(content, password, out, eb) : err;
}

enum sf_err vault_seal(struct sf_str plain, struct sf_str password, struct sf_buf *out,
                       struct sf_errbuf *eb)
{
    uint8_t key[32], nonce[CRYPTO_SEAL_NONCE], sealed[CONTENT_MAX];
    if (plain.n > CONTENT_MAX - CRYPTO_SEAL_TAG) {
        return sf_fail(eb, SF_ELIMIT, "keyfile too large");
    }
    enum sf_err err = check_password(password, eb);
    if (err == SF_OK) {
        err = nacl_key(password, key, eb);
    }
    if (err == SF_OK) {
        sf_random(nonce, sizeof nonce);
        crypto_seal_box(key, nonce, plain, sealed);
        sf_buf_puts(out, "$NACL");
        sf_buf_add(out, nonce, sizeof nonce);
        sf_buf_add(out, sealed, plain.n + CRYPTO_SEAL_TAG);
        err = out->err;
        sf_wipe(key, sizeof key);
    }
    return err;
}
