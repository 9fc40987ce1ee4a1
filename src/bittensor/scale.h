/* SPDX-License-Identifier: MIT */
#ifndef SF_BITTENSOR_SCALE_H
#define SF_BITTENSOR_SCALE_H

#include "base/buf.h"

/* SCALE, the chain's encoding: little-endian numbers, lengths and small numbers as Compact.
 * source: polkadot-sdk parity-scale-codec 3.
 *
 * The reader has a sticky error: after one read that does not fit, every read gives zero and
 * `failed` stays, so that one check at the end is enough. Nothing is copied; nothing behind the
 * last byte is looked at. */
struct scale_in {
    const uint8_t *p;
    size_t n;
    bool failed;
};

struct scale_u128 {
    uint64_t low, high;
};

struct scale_in scale_in(const void *p, size_t n);
/* All read, none failed. */
bool scale_is_done(const struct scale_in *in);
void scale_fail(struct scale_in *in);

uint8_t scale_u8(struct scale_in *in);
uint16_t scale_u16(struct scale_in *in);
uint32_t scale_u32(struct scale_in *in);
uint64_t scale_u64(struct scale_in *in);
struct scale_u128 scale_u128(struct scale_in *in);
bool scale_bool(struct scale_in *in); /* only 00 and 01 */
/* Refuses what is over `max` or not in its shortest form. */
uint64_t scale_compact(struct scale_in *in, uint64_t max);
/* The same without the bound and for up to 16 bytes, high part dropped when it is zero. */
struct scale_u128 scale_compact_u128(struct scale_in *in);
/* `n` bytes, borrowed from the input; NULL when they are not there. */
const uint8_t *scale_bytes(struct scale_in *in, size_t n);
void scale_copy(struct scale_in *in, uint8_t *out, size_t n); /* zeros on failure */
/* Compact length and so many bytes, borrowed. */
struct sf_str scale_text(struct scale_in *in);
/* The length of a Vec whose items take at least `item_bytes` (>= 1): one that cannot fit fails, so
 * a loop over it is bounded by the input. */
size_t scale_vec(struct scale_in *in, size_t item_bytes);
/* Whether an Option is there. */
bool scale_option(struct scale_in *in);

void scale_put_u8(struct sf_buf *out, uint8_t v);
void scale_put_u16(struct sf_buf *out, uint16_t v);
void scale_put_u32(struct sf_buf *out, uint32_t v);
void scale_put_u64(struct sf_buf *out, uint64_t v);
void scale_put_u128(struct sf_buf *out, struct scale_u128 v);
void scale_put_compact(struct sf_buf *out, uint64_t v);
void scale_put_text(struct sf_buf *out, struct sf_str s); /* compact length, then the bytes */

#endif
