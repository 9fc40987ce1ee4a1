/* SPDX-License-Identifier: MIT */
#ifndef SF_BITTENSOR_KEYFILE_H
#define SF_BITTENSOR_KEYFILE_H

#include "base/buf.h"
#include "bittensor/sr25519.h"
#include "bittensor/ss58.h"

/* A keyfile of the wallet folder: one JSON object of strings.
 * source: opentensor/btwallet@93b3761 src/keyfile.rs. */

/* Parses a plain keyfile. Secrets are looked for in the order secretPhrase, secretSeed, privateKey;
 * the public key derived from the first is checked against publicKey, accountId and ss58Address
 * where they stand. SF_EINVAL: encrypted (names the kind), no secret, or a key that does not match;
 * SF_EPARSE: not JSON. Nothing of the content gets into `eb`. */
SF_MUST_USE enum sf_err keyfile_parse(struct sf_str content, struct sr25519_keypair *out,
                                      struct sf_errbuf *eb);

/* The address in a keyfile or a ...pub.txt file, without any secret. */
SF_MUST_USE enum sf_err keyfile_parse_address(struct sf_str content, char out[static SS58_MAX],
                                              struct sf_errbuf *eb);

/* A full keyfile from a phrase; wipe `out` with sf_buf_wipe. */
SF_MUST_USE enum sf_err keyfile_print(struct sf_str phrase, struct sf_buf *out,
                                      struct sf_errbuf *eb);
/* The public half. */
void keyfile_print_public(const uint8_t public_key[static SR25519_KEY_LEN], struct sf_buf *out);

#endif
