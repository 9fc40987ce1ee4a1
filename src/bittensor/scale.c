/* SPDX-License-Identifier: MIT */
#include "bittensor/scale.h"

#include <string.h>

struct scale_in scale_in(const void *p, size_t n)
{
    return (struct scale_in){.p = p == NULL ? (const uint8_t *)"" : p, .n = n};
}

bool scale_is_done(const struct scale_in *in)
{
    return !in->failed && in->n == 0;
}

void scale_fail(struct scale_in *in)
{
    in->failed = true;
    in->n = 0;
}

const uint8_t *scale_bytes(struct scale_in *in, size_t n)
{
    if (in->failed || n > in->n) {
        scale_fail(in);
        return NULL;
    }
    const uint8_t *p = in->p;
    in->p += n;
    in->n -= n;
    return p;
}

static uint64_t little(struct scale_in *in, size_t n)
{
    const uint8_t *p = scale_bytes(in, n);
    uint64_t v = 0;
    for (size_t i = 0; p != NULL && i < n; i++) {
        v |= (uint64_t)p[i] << (8 * i);
    }
    return v;
}

uint8_t scale_u8(struct scale_in *in)
{
    return (uint8_t)little(in, 1);
}

uint16_t scale_u16(struct scale_in *in)
{
    return (uint16_t)little(in, 2);
}

uint32_t scale_u32(struct scale_in *in)
{
    return (uint32_t)little(in, 4);
}

uint64_t scale_u64(struct scale_in *in)
{
    return little(in, 8);
}

struct scale_u128 scale_u128(struct scale_in *in)
{
    struct scale_u128 v;
    v.low = little(in, 8);
    v.high = little(in, 8);
    return v;
}

bool scale_bool(struct scale_in *in)
{
    uint8_t v = scale_u8(in);
    if (v > 1) {
        scale_fail(in);
    }
    return v == 1;
}

bool scale_option(struct scale_in *in)
{
    return scale_bool(in);
}

struct scale_u128 scale_compact_u128(struct scale_in *in)
{
    struct scale_u128 v = {0, 0};
    unsigned first = in->failed || in->n == 0 ? 0 : in->p[0];
    unsigned mode = first & 3U;
    if (mode < 3) {
        static const uint64_t least[] = {0, 1U << 6U, 1U << 14U};
        v.low = little(in, (size_t)1 << mode) >> 2U;
        if (v.low < least[mode]) {
            scale_fail(in);
        }
        return in->failed ? (struct scale_u128){0, 0} : v;
    }
    size_t n = (first >> 2U) + 4;
    (void)scale_u8(in);
    const uint8_t *bytes = n > 16 ? NULL : scale_bytes(in, n);
    /* The last byte counts, or a shorter form would have done; four bytes hold at least 2^30. */
    if (bytes == NULL || bytes[n - 1] == 0 || (n == 4 && bytes[3] < 1U << 6U)) {
        scale_fail(in);
        return v;
    }
    struct scale_in whole = scale_in(bytes, n);
    v.low = little(&whole, n < 8 ? n : 8);
    v.high = n > 8 ? little(&whole, n - 8) : 0;
    return v;
}

uint64_t scale_compact(struct scale_in *in, uint64_t max)
{
    struct scale_u128 v = scale_compact_u128(in);
    if (v.high != 0 || v.low > max) {
        scale_fail(in);
        return 0;
    }
    return v.low;
}

void scale_copy(struct scale_in *in, uint8_t *out, size_t n)
{
    const uint8_t *p = scale_bytes(in, n);
    if (p == NULL) {
        memset(out, 0, n);
    } else {
        memcpy(out, p, n);
    }
}

struct sf_str scale_text(struct scale_in *in)
{
    size_t n = (size_t)scale_compact(in, UINT32_MAX);
    const uint8_t *p = scale_bytes(in, n);
    return p == NULL ? (struct sf_str){"", 0} : (struct sf_str){(const char *)p, n};
}

size_t scale_vec(struct scale_in *in, size_t item_bytes)
{
    size_t n = (size_t)scale_compact(in, UINT32_MAX);
    if (n > in->n / item_bytes) {
        scale_fail(in);
        return 0;
    }
    return n;
}

static void put_little(struct sf_buf *out, uint64_t v, size_t n)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < n; i++) {
        bytes[i] = (uint8_t)(v >> (8 * i));
    }
    sf_buf_add(out, bytes, n);
}

void scale_put_u8(struct sf_buf *out, uint8_t v)
{
    put_little(out, v, 1);
}

void scale_put_u16(struct sf_buf *out, uint16_t v)
{
    put_little(out, v, 2);
}

void scale_put_u32(struct sf_buf *out, uint32_t v)
{
    put_little(out, v, 4);
}

void scale_put_u64(struct sf_buf *out, uint64_t v)
{
    put_little(out, v, 8);
}

void scale_put_u128(struct sf_buf *out, struct scale_u128 v)
{
    put_little(out, v.low, 8);
    put_little(out, v.high, 8);
}

void scale_put_compact(struct sf_buf *out, uint64_t v)
{
    if (v < 1U << 6U) {
        put_little(out, v << 2U, 1);
    } else if (v < 1U << 14U) {
        put_little(out, v << 2U | 1U, 2);
    } else if (v < 1U << 30U) {
        put_little(out, v << 2U | 2U, 4);
    } else {
        size_t n = 4;
        while (n < 8 && v >> (8 * n) != 0) {
            n++;
        }
        put_little(out, (n - 4) << 2U | 3U, 1);
        put_little(out, v, n);
    }
}

void scale_put_text(struct sf_buf *out, struct sf_str s)
{
    scale_put_compact(out, s.n);
    sf_buf_add(out, s.p, s.n);
}
