/* SPDX-License-Identifier: MIT */
#ifndef SF_BITTENSOR_VAULT_H
#define SF_BITTENSOR_VAULT_H

#include "base/buf.h"

/* The encrypted forms of a keyfile, told by their first bytes. All are read, one is written.
 * source: opentensor/btwallet@93b3761 src/keyfile.rs; pyca/cryptography fernet.py.
 *   $NACL           "$NACL", nonce (24), secretbox: tag (16), text. Argon2i key, 512 MiB, 3 s.
 *   $ANSIBLE_VAULT  a header line, then hex of "hex(salt)\nhex(hmac)\nhex(text)"
 *   gAAAAA          Fernet with a PBKDF2 key of ten million rounds */
enum vault_kind { VAULT_PLAIN, VAULT_NACL, VAULT_ANSIBLE, VAULT_FERNET };

#define VAULT_PASSWORD_MAX 1024

enum vault_kind vault_kind_of(struct sf_str content);
const char *vault_kind_name(enum vault_kind kind); /* "plain", "NaCl", … */

/* The text inside; wipe `out` with sf_buf_wipe. SF_EAUTH: wrong password (or a changed file, which
 * looks the same); SF_EPARSE: not whole; SF_EINVAL: plain, or a password that is empty or too long;
 * SF_ENOMEM: names what it needed. Blocks for seconds. */
SF_MUST_USE enum sf_err vault_open(struct sf_str content, struct sf_str password,
                                   struct sf_buf *out, struct sf_errbuf *eb);

/* The $NACL form of `plain`. Errors as vault_open's. */
SF_MUST_USE enum sf_err vault_seal(struct sf_str plain, struct sf_str password, struct sf_buf *out,
                                   struct sf_errbuf *eb);

#endif
