/* SPDX-License-Identifier: MIT */
#include "bittensor/wallet.h"

#include "base/file.h"
#include "base/mem.h"
#include "bittensor/crypto.h"
#include "bittensor/key_password.h"
#include "bittensor/mnemonic.h"

#include <string.h>
#include <sys/stat.h>

#define KEYFILE_CAP 65536

static const struct {
    const char *word;
    const char *flag; /* of the commands that make one */
} keys[] = {
    [WALLET_HOTKEY] = {"hotkey", ""},
    [WALLET_COLDKEY] = {"coldkey", " --coldkey"},
};

const char *wallet_key_word(enum wallet_key which)
{
    return keys[which].word;
}

static enum sf_err check_name(const char *what, const char *name, struct sf_errbuf *eb)
{
    if (name[0] == '\0' || name[0] == '.' || strchr(name, '/') != NULL) {
        return sf_fail(eb, SF_EINVAL, "wallet: %s \"%s\" must be a plain name", what, name);
    }
    return SF_OK;
}

static enum sf_err put_path(const struct wallet_names *w, enum wallet_key which, bool public,
                            struct sf_buf *out, struct sf_errbuf *eb)
{
    enum sf_err err = check_name("name", w->name, eb);
    if (err == SF_OK && which == WALLET_HOTKEY) {
        err = check_name("hotkey", w->hotkey, eb);
    }
    if (err != SF_OK) {
        return err;
    }
    size_t n = strlen(w->path);
    bool slash = n > 1 && w->path[n - 1] == '/';
    sf_buf_printf(out, "%.*s/%s/", (int)(slash ? n - 1 : n), w->path, w->name);
    if (which == WALLET_HOTKEY) {
        sf_buf_printf(out, "hotkeys/%s%s", w->hotkey, public ? "pub.txt" : "");
    } else {
        sf_buf_puts(out, public ? "coldkeypub.txt" : "coldkey");
    }
    return out->err;
}

enum sf_err wallet_key_path(const struct wallet_names *w, enum wallet_key which, struct sf_buf *out,
                            struct sf_errbuf *eb)
{
    return put_path(w, which, false, out, eb);
}

enum sf_err wallet_public_path(const struct wallet_names *w, enum wallet_key which,
                               struct sf_buf *out, struct sf_errbuf *eb)
{
    return put_path(w, which, true, out, eb);
}

static bool is_readable_by_others(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && (st.st_mode & (S_IRWXG | S_IRWXO)) != 0;
}

/* ---------------------------------------------------------------- reading */

static enum sf_err get_password(const char *path, const struct wallet_unlock *unlock,
                                struct sf_buf *password, struct sf_errbuf *eb)
{
    struct sf_buf name;
    sf_buf_init(&name, 8192);
    key_password_variable(path, &name);
    enum sf_err err = name.err;
    const char *value =
        unlock == NULL || err != SF_OK ? NULL : unlock->variable(unlock->arg, sf_buf_z(&name));
    if (value != NULL && value[0] != '\0') {
        err = key_password_decode(sf_buf_z(&name), value, password, eb);
    } else if (err == SF_OK && unlock != NULL && unlock->ask != NULL) {
        err = unlock->ask(unlock->arg, path, password, eb);
    } else if (err == SF_OK) {
        err = sf_fail(eb, SF_EINVAL,
                      "keyfile is encrypted and there is nobody to ask: put its password into %s "
                      "(storyfi wallet password makes the line), or import the key unencrypted",
                      sf_buf_z(&name));
    }
    sf_buf_fini(&name);
    return err;
}

static enum sf_err open_content(const char *path, struct sf_str content,
                                const struct wallet_unlock *unlock, struct sr25519_keypair *key,
                                struct sf_errbuf *eb)
{
    struct sf_buf password, plain;
    sf_buf_init(&password, VAULT_PASSWORD_MAX);
    sf_buf_init(&plain, KEYFILE_CAP);
    enum sf_err err = SF_OK;
    if (vault_kind_of(content) != VAULT_PLAIN) {
        err = get_password(path, unlock, &password, eb);
        if (err == SF_OK) {
            err = vault_open(content, sf_buf_str(&password), &plain, eb);
        }
        content = sf_buf_str(&plain);
    }
    if (err == SF_OK) {
        err = keyfile_parse(content, key, eb);
    }
    sf_buf_wipe(&password);
    sf_buf_wipe(&plain);
    return err;
}

enum sf_err wallet_open_key(const struct wallet_names *w, enum wallet_key which,
                            const struct wallet_unlock *unlock, struct sr25519_keypair *key,
                            struct wallet_found *found, struct sf_errbuf *eb)
{
    struct sf_buf path, content;
    sf_buf_init(&path, 4096);
    sf_buf_init(&content, KEYFILE_CAP);
    crypto_secrets_guard();
    crypto_secret_lock(key, sizeof *key);
    enum sf_err err = wallet_key_path(w, which, &path, eb);
    if (err == SF_OK) {
        err = sf_file_read(path.p, &content, eb);
        if (err == SF_ENOTFOUND) {
            (void)sf_fail(eb, SF_ENOTFOUND,
                          "no %s at %s; make one with: storyfi wallet create%s --wallet.path %s "
                          "--wallet.name %s --wallet.hotkey %s",
                          keys[which].word, path.p, keys[which].flag, w->path, w->name, w->hotkey);
        }
    }
    if (err == SF_OK) {
        if (found != NULL) {
            found->kind = vault_kind_of(sf_buf_str(&content));
            found->readable_by_others = is_readable_by_others(path.p);
        }
        err = open_content(path.p, sf_buf_str(&content), unlock, key, eb);
        if (err != SF_OK) {
            (void)sf_fail_prefix(eb, "%s", path.p);
        }
    }
    if (err != SF_OK) {
        wallet_forget(key);
    }
    sf_buf_wipe(&content);
    sf_buf_fini(&path);
    return err;
}

void wallet_forget(struct sr25519_keypair *key)
{
    crypto_secret_unlock(key, sizeof *key);
}

enum sf_err wallet_read_hotkey(const struct wallet_names *w, struct sr25519_keypair *key,
                               bool *readable_by_others, struct sf_errbuf *eb)
{
    struct wallet_found found = {.kind = VAULT_PLAIN};
    enum sf_err err = wallet_open_key(w, WALLET_HOTKEY, NULL, key, &found, eb);
    if (err == SF_OK && readable_by_others != NULL) {
        *readable_by_others = found.readable_by_others;
    }
    return err;
}

enum sf_err wallet_public_address(const struct wallet_names *w, enum wallet_key which,
                                  char out[static SS58_MAX], struct sf_errbuf *eb)
{
    struct sf_buf path, content;
    sf_buf_init(&path, 4096);
    sf_buf_init(&content, KEYFILE_CAP);
    enum sf_err err = wallet_public_path(w, which, &path, eb);
    if (err == SF_OK) {
        err = sf_file_read(sf_buf_z(&path), &content, eb);
    }
    if (err == SF_OK) {
        err = keyfile_parse_address(sf_buf_str(&content), out, eb);
        if (err != SF_OK) {
            (void)sf_fail_prefix(eb, "%s", sf_buf_z(&path));
        }
    } else if (err == SF_ENOTFOUND) {
        struct sr25519_keypair key;
        err = wallet_open_key(w, which, NULL, &key, NULL, eb);
        if (err == SF_OK) {
            ss58_encode(key.public_key, out);
            wallet_forget(&key);
        }
    }
    sf_buf_wipe(&content);
    sf_buf_fini(&path);
    return err;
}

enum sf_err wallet_read_address(const struct wallet_names *w, char out[static SS58_MAX],
                                struct sf_errbuf *eb)
{
    return wallet_public_address(w, WALLET_HOTKEY, out, eb);
}

/* ---------------------------------------------------------------- writing */

static enum sf_err write_secret(const char *path, const struct keyfile_secret *secret,
                                struct sf_str password, struct sf_errbuf *eb)
{
    struct sf_buf plain, sealed;
    sf_buf_init(&plain, 4096);
    sf_buf_init(&sealed, 8192);
    keyfile_print(secret, &plain);
    enum sf_err err = plain.err;
    struct sf_str content = sf_buf_str(&plain);
    if (err == SF_OK && password.n > 0) {
        err = vault_seal(content, password, &sealed, eb);
        content = sf_buf_str(&sealed);
    }
    if (err == SF_OK) {
        err = sf_file_write(path, content, 0600, eb);
    }
    sf_buf_wipe(&plain);
    sf_buf_fini(&sealed);
    return err;
}

static enum sf_err refuse_existing(const char *path, struct sf_errbuf *eb)
{
    struct stat st;
    if (lstat(path, &st) != 0) {
        return SF_OK;
    }
    return sf_fail(eb, SF_EINVAL,
                   "%s is there already; keep it, or choose another --wallet.name or "
                   "--wallet.hotkey (nothing was changed)",
                   path);
}

enum sf_err wallet_write_key(const struct wallet_names *w, enum wallet_key which,
                             const struct keyfile_secret *secret, struct sf_str password,
                             struct sf_errbuf *eb)
{
    struct sf_buf path, public_path, public;
    char *dir = NULL;
    sf_buf_init(&path, 4096);
    sf_buf_init(&public_path, 4096);
    sf_buf_init(&public, 4096);
    crypto_secrets_guard();
    enum sf_err err = wallet_key_path(w, which, &path, eb);
    if (err == SF_OK) {
        err = wallet_public_path(w, which, &public_path, eb);
    }
    if (err == SF_OK) {
        err = refuse_existing(sf_buf_z(&path), eb);
    }
    if (err == SF_OK) {
        dir = sf_path_dir(sf_buf_z(&path));
        err = dir == NULL ? SF_ENOMEM : sf_dir_make(dir, 0700, eb);
    }
    if (err == SF_OK) {
        err = write_secret(sf_buf_z(&path), secret, password, eb);
    }
    if (err == SF_OK) {
        keyfile_print_public(secret->key.public_key, &public);
        err = sf_file_write(sf_buf_z(&public_path), sf_buf_str(&public), 0600, eb);
    }
    free(dir);
    sf_buf_fini(&path);
    sf_buf_fini(&public_path);
    sf_buf_fini(&public);
    return err;
}

enum sf_err wallet_fresh_secret(unsigned n_words, struct keyfile_secret *out, struct sf_errbuf *eb)
{
    uint8_t entropy[MNEMONIC_ENTROPY_MAX];
    struct sf_buf words;
    sf_buf_init(&words, sizeof out->phrase);
    if (n_words < 12 || n_words > 24 || n_words % 3 != 0) {
        return sf_fail(eb, SF_EINVAL, "a key has 12, 15, 18, 21 or 24 words, not %u", n_words);
    }
    size_t n = n_words * 4U / 3;
    sf_random(entropy, n);
    enum sf_err err = mnemonic_encode(entropy, n, &words);
    if (err == SF_OK) {
        err = keyfile_secret_read(sf_buf_str(&words), out, eb);
    }
    sf_wipe(entropy, sizeof entropy);
    sf_buf_wipe(&words);
    return err;
}
