/* SPDX-License-Identifier: MIT */
#ifndef SF_BITTENSOR_SS58_H
#define SF_BITTENSOR_SS58_H

#include "base/err.h"
#include "base/str.h"

#define SS58_KEY_LEN 32
#define SS58_MAX 49 /* 48 characters and the NUL */

/* The address of a public key with prefix 42. */
void ss58_encode(const uint8_t key[static SS58_KEY_LEN], char out[static SS58_MAX]);

/* Accepts only what ss58_encode gives: prefix 42, right checksum, canonical base58, not the zero
 * key. SF_EINVAL says which in `eb`; `key` unspecified then. source: polkadot-js/common@9281daa14
 * util-crypto/src/address. */
SF_MUST_USE enum sf_err ss58_decode(struct sf_str address, uint8_t key[static SS58_KEY_LEN],
                                    struct sf_errbuf *eb);

#endif
