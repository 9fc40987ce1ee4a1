/* SPDX-License-Identifier: MIT */
#ifndef SF_BITTENSOR_WALLET_H
#define SF_BITTENSOR_WALLET_H

#include "base/buf.h"
#include "bittensor/keyfile.h"
#include "bittensor/vault.h"

/* The wallet folder: <path>/<name>/coldkey, coldkeypub.txt, hotkeys/<hotkey>, <hotkey>pub.txt.
 * source: opentensor/btwallet@93b3761 src/wallet.rs. */
struct wallet_names {
    const char *path; /* "~" already put in */
    const char *name;
    const char *hotkey;
};

enum wallet_key { WALLET_HOTKEY, WALLET_COLDKEY };
const char *wallet_key_word(enum wallet_key which); /* "hotkey", "coldkey" */

/* The secret file, and the public one beside it. Refuse names that would leave the folder: empty,
 * with '/', or starting with '.'. */
SF_MUST_USE enum sf_err wallet_key_path(const struct wallet_names *w, enum wallet_key which,
                                        struct sf_buf *out, struct sf_errbuf *eb);
SF_MUST_USE enum sf_err wallet_public_path(const struct wallet_names *w, enum wallet_key which,
                                           struct sf_buf *out, struct sf_errbuf *eb);

/* Where the password of an encrypted file comes from: its BT_PW_... variable first, then a person.
 */
struct wallet_unlock {
    const char *(*variable)(void *arg, const char *name); /* NULL: absent */
    /* Asks for the password of `path`; NULL: nobody is there to ask. */
    enum sf_err (*ask)(void *arg, const char *path, struct sf_buf *password, struct sf_errbuf *eb);
    void *arg;
};

struct wallet_found {
    enum vault_kind kind;
    bool readable_by_others; /* the secret file's permissions are too wide */
};

/* Reads and checks a key; `unlock` may be NULL (encrypted files are refused then, naming the
 * variable), so may `found`. SF_ENOTFOUND names the path and the command that makes one; SF_EAUTH a
 * wrong password. Turns core dumps off before a secret is read and asks for `key` to stay out of
 * swap; end it with wallet_forget. Blocks for seconds when the file is encrypted. */
SF_MUST_USE enum sf_err wallet_open_key(const struct wallet_names *w, enum wallet_key which,
                                        const struct wallet_unlock *unlock,
                                        struct sr25519_keypair *key, struct wallet_found *found,
                                        struct sf_errbuf *eb);
void wallet_forget(struct sr25519_keypair *key);

/* The hotkey without anybody to ask for a password. */
SF_MUST_USE enum sf_err wallet_read_hotkey(const struct wallet_names *w,
                                           struct sr25519_keypair *key, bool *readable_by_others,
                                           struct sf_errbuf *eb);

/* The address from the public file, else from a plain keyfile. */
SF_MUST_USE enum sf_err wallet_public_address(const struct wallet_names *w, enum wallet_key which,
                                              char out[static SS58_MAX], struct sf_errbuf *eb);
SF_MUST_USE enum sf_err wallet_read_address(const struct wallet_names *w, char out[static SS58_MAX],
                                            struct sf_errbuf *eb);

/* Writes a key's two files, 0600; encrypted ($NACL) when `password` is not empty. SF_EINVAL when
 * there is one already: nothing is overwritten. */
SF_MUST_USE enum sf_err wallet_write_key(const struct wallet_names *w, enum wallet_key which,
                                         const struct keyfile_secret *secret,
                                         struct sf_str password, struct sf_errbuf *eb);
/* Fresh words: 12, 15, 18, 21 or 24. */
SF_MUST_USE enum sf_err wallet_fresh_secret(unsigned n_words, struct keyfile_secret *out,
                                            struct sf_errbuf *eb);

#endif
