/* SPDX-License-Identifier: MIT */
#ifndef SF_BITTENSOR_STORAGE_KEY_H
#define SF_BITTENSOR_STORAGE_KEY_H

#include "base/buf.h"

/* Where a value lies in the chain's storage: Twox128(pallet), Twox128(item), then its keys, each
 * behind its hasher. Twox128 is XXH64 with the seeds 0 and 1.
 * source: Cyan4973/xxHash doc/xxhash_spec.md; polkadot-sdk sp-crypto-hashing. */
uint64_t storage_xxh64(const void *p, size_t n, uint64_t seed);
void storage_twox128(struct sf_str text, uint8_t out[static 16]);

/* Appends raw bytes to `out`. */
void storage_key(struct sf_buf *out, const char *pallet, const char *item);
void storage_key_u16(struct sf_buf *out, uint16_t v); /* Identity */
void storage_key_account(struct sf_buf *out,
                         const uint8_t account[static 32]); /* Blake2_128Concat */

#endif
