/* SPDX-License-Identifier: MIT */
#ifndef SF_BITTENSOR_KEYFILE_H
#define SF_BITTENSOR_KEYFILE_H

#include "base/buf.h"
#include "bittensor/sr25519.h"
#include "bittensor/ss58.h"

/* A keyfile of the wallet folder: one JSON object of strings.
 * source: opentensor/btwallet@93b3761 src/keyfile.rs. */

/* A key and what it was made from. Holds secrets: keyfile_secret_wipe. */
struct keyfile_secret {
    struct sr25519_keypair key;
    char phrase[256]; /* "" when not made from words */
    uint8_t seed[SR25519_SEED_LEN];
    bool has_seed;
};
void keyfile_secret_wipe(struct keyfile_secret *s);

/* From what a person types: a mnemonic (any white space, any case), 32 bytes of hex (a seed) or 64
 * (a private key), "0x" or not, or a URI ("//Alice", "words//hard/soft"). SF_EINVAL says what is
 * wrong without quoting it. */
SF_MUST_USE enum sf_err keyfile_secret_read(struct sf_str text, struct keyfile_secret *out,
                                            struct sf_errbuf *eb);

/* Parses a plain keyfile. Secrets are looked for in the order secretPhrase, secretSeed, privateKey;
 * the public key derived from the first is checked against publicKey, accountId and ss58Address
 * where they stand. SF_EINVAL: encrypted (names the kind; vault_open first), no secret, or a key
 * that does not match; SF_EPARSE: not JSON. Nothing of the content gets into `eb`. */
SF_MUST_USE enum sf_err keyfile_parse(struct sf_str content, struct sr25519_keypair *out,
                                      struct sf_errbuf *eb);

/* The address in a keyfile or a ...pub.txt file, without any secret. */
SF_MUST_USE enum sf_err keyfile_parse_address(struct sf_str content, char out[static SS58_MAX],
                                              struct sf_errbuf *eb);

/* A full keyfile; wipe `out` with sf_buf_wipe. */
void keyfile_print(const struct keyfile_secret *s, struct sf_buf *out);
/* The public half. */
void keyfile_print_public(const uint8_t public_key[static SR25519_KEY_LEN], struct sf_buf *out);

#endif
