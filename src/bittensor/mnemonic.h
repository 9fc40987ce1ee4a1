/* SPDX-License-Identifier: MIT */
#ifndef SF_BITTENSOR_MNEMONIC_H
#define SF_BITTENSOR_MNEMONIC_H

#include "base/buf.h"

#define MNEMONIC_ENTROPY_MAX 32

/* BIP-39, English. Words separated by single spaces; 12, 15, 18, 21 or 24 of them. */

/* Entropy of 16, 20, 24, 28 or 32 bytes to words. */
SF_MUST_USE enum sf_err mnemonic_encode(const uint8_t *entropy, size_t n, struct sf_buf *out);

/* Words to entropy; SF_EINVAL names a wrong number of words, an unknown word (by position, never by
 * text: it may be a secret with one typing error) or a wrong checksum. */
SF_MUST_USE enum sf_err mnemonic_decode(struct sf_str phrase,
                                        uint8_t entropy[static MNEMONIC_ENTROPY_MAX], size_t *n,
                                        struct sf_errbuf *eb);

/* The mini secret Substrate makes of a phrase: PBKDF2 over the entropy, not over the words.
 * source: polkadot-sdk substrate/utils/substrate-bip39/src/lib.rs. */
SF_MUST_USE enum sf_err mnemonic_to_seed(struct sf_str phrase, struct sf_str passphrase,
                                         uint8_t seed[static 32], struct sf_errbuf *eb);

#endif
