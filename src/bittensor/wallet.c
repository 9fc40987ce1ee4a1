/* SPDX-License-Identifier: MIT */
#include "bittensor/wallet.h"

#include "base/file.h"
#include "base/mem.h"
#include "bittensor/keyfile.h"
#include "bittensor/mnemonic.h"

#include <string.h>
#include <sys/stat.h>

#define KEYFILE_CAP 65536

static enum sf_err check_name(const char *what, const char *name, struct sf_errbuf *eb)
{
    if (name[0] == '\0' || name[0] == '.' || strchr(name, '/') != NULL) {
        return sf_fail(eb, SF_EINVAL, "wallet: %s \"%s\" must be a plain name", what, name);
    }
    return SF_OK;
}

enum sf_err wallet_hotkey_path(const struct wallet_names *w, struct sf_buf *out,
                               struct sf_errbuf *eb)
{
    enum sf_err err = check_name("name", w->name, eb);
    if (err == SF_OK) {
        err = check_name("hotkey", w->hotkey, eb);
    }
    if (err == SF_OK) {
        sf_buf_printf(out, "%s/%s/hotkeys/%s", w->path, w->name, w->hotkey);
        err = out->err;
    }
    return err;
}

static bool is_readable_by_others(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && (st.st_mode & (S_IRWXG | S_IRWXO)) != 0;
}

enum sf_err wallet_read_hotkey(const struct wallet_names *w, struct sr25519_keypair *key,
                               bool *readable_by_others, struct sf_errbuf *eb)
{
    struct sf_buf path, content;
    sf_buf_init(&path, 4096);
    sf_buf_init(&content, KEYFILE_CAP);
    enum sf_err err = wallet_hotkey_path(w, &path, eb);
    if (err == SF_OK) {
        err = sf_file_read(path.p, &content, eb);
        if (err == SF_ENOTFOUND) {
            (void)sf_fail(eb, SF_ENOTFOUND,
                          "no hotkey at %s; make one with: storyfi wallet create --wallet.path %s "
                          "--wallet.name %s --wallet.hotkey %s",
                          path.p, w->path, w->name, w->hotkey);
        }
    }
    if (err == SF_OK) {
        if (readable_by_others != NULL) {
            *readable_by_others = is_readable_by_others(path.p);
        }
        err = keyfile_parse(sf_buf_str(&content), key, eb);
        if (err != SF_OK) {
            (void)sf_fail_prefix(eb, "%s", path.p);
        }
    }
    sf_buf_wipe(&content);
    sf_buf_fini(&path);
    return err;
}

enum sf_err wallet_read_address(const struct wallet_names *w, char out[static SS58_MAX],
                                struct sf_errbuf *eb)
{
    struct sf_buf path, content;
    sf_buf_init(&path, 4096);
    sf_buf_init(&content, KEYFILE_CAP);
    enum sf_err err = wallet_hotkey_path(w, &path, eb);
    if (err == SF_OK) {
        sf_buf_puts(&path, "pub.txt");
        err = sf_file_read(sf_buf_z(&path), &content, eb);
    }
    if (err == SF_OK) {
        err = keyfile_parse_address(sf_buf_str(&content), out, eb);
    } else if (err == SF_ENOTFOUND) {
        struct sr25519_keypair key;
        err = wallet_read_hotkey(w, &key, NULL, eb);
        if (err == SF_OK) {
            ss58_encode(key.public_key, out);
            sr25519_wipe(&key);
        }
    }
    sf_buf_wipe(&content);
    sf_buf_fini(&path);
    return err;
}

static enum sf_err fresh_phrase(struct sf_buf *out)
{
    uint8_t entropy[16];
    sf_random(entropy, sizeof entropy);
    enum sf_err err = mnemonic_encode(entropy, sizeof entropy, out);
    sf_wipe(entropy, sizeof entropy);
    return err;
}

/* Writes the secret file and the public one beside it. */
static enum sf_err write_files(struct sf_buf *path, struct sf_str phrase,
                               char address[static SS58_MAX], struct sf_errbuf *eb)
{
    struct sf_buf secret, public;
    struct sr25519_keypair key;
    struct stat st;
    sf_buf_init(&secret, 4096);
    sf_buf_init(&public, 4096);
    enum sf_err err = keyfile_print(phrase, &secret, eb);
    if (err == SF_OK) {
        err = keyfile_parse(sf_buf_str(&secret), &key, eb);
    }
    if (err == SF_OK) {
        keyfile_print_public(key.public_key, &public);
        ss58_encode(key.public_key, address);
        sr25519_wipe(&key);
        if (stat(path->p, &st) == 0) {
            err =
                sf_fail(eb, SF_EINVAL,
                        "%s is there already; keep it, or choose another --wallet.hotkey", path->p);
        }
    }
    if (err == SF_OK) {
        err = sf_file_write(path->p, sf_buf_str(&secret), 0600, eb);
    }
    if (err == SF_OK) {
        sf_buf_puts(path, "pub.txt");
        err = sf_file_write(sf_buf_z(path), sf_buf_str(&public), 0600, eb);
    }
    sf_buf_wipe(&secret);
    sf_buf_fini(&public);
    return err;
}

enum sf_err wallet_create_hotkey(const struct wallet_names *w, const char *phrase,
                                 struct sf_buf *phrase_out, char address[static SS58_MAX],
                                 struct sf_errbuf *eb)
{
    struct sf_buf path, words;
    char *dir = NULL;
    sf_buf_init(&path, 4096);
    sf_buf_init(&words, 1024);
    enum sf_err err = wallet_hotkey_path(w, &path, eb);
    if (err != SF_OK) {
        goto out;
    }
    if (phrase != NULL) {
        sf_buf_puts(&words, phrase);
        err = words.err;
    } else {
        err = fresh_phrase(&words);
    }
    if (err != SF_OK) {
        goto out;
    }
    dir = sf_path_dir(path.p);
    err = dir == NULL ? SF_ENOMEM : sf_dir_make(dir, 0700, eb);
    if (err == SF_OK) {
        err = write_files(&path, sf_buf_str(&words), address, eb);
    }
    if (err == SF_OK && phrase_out != NULL) {
        sf_buf_add_str(phrase_out, sf_buf_str(&words));
        err = phrase_out->err;
    }
out:
    free(dir), dir = NULL;
    sf_buf_wipe(&words);
    sf_buf_fini(&path);
    return err;
}
