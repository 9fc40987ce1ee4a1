/* SPDX-License-Identifier: MIT */
#include "bittensor/storage_key.h"

#include "bittensor/crypto.h"
#include "bittensor/scale.h"

static const uint64_t prime[] = {0x9E3779B185EBCA87U, 0xC2B2AE3D27D4EB4FU, 0x165667B19E3779F9U,
                                 0x85EBCA77C2B2AE63U, 0x27D4EB2F165667C5U};

static uint64_t rotate(uint64_t v, unsigned by)
{
    return v << by | v >> (64 - by);
}

static uint64_t round_of(uint64_t acc, uint64_t lane)
{
    return rotate(acc + lane * prime[1], 31) * prime[0];
}

static uint64_t read_lanes(struct scale_in *in, uint64_t seed)
{
    uint64_t acc[4] = {seed + prime[0] + prime[1], seed + prime[1], seed, seed - prime[0]};
    while (in->n >= 32) {
        for (size_t i = 0; i < 4; i++) {
            acc[i] = round_of(acc[i], scale_u64(in));
        }
    }
    uint64_t h = rotate(acc[0], 1) + rotate(acc[1], 7) + rotate(acc[2], 12) + rotate(acc[3], 18);
    for (size_t i = 0; i < 4; i++) {
        h = (h ^ round_of(0, acc[i])) * prime[0] + prime[3];
    }
    return h;
}

uint64_t storage_xxh64(const void *p, size_t n, uint64_t seed)
{
    struct scale_in in = scale_in(p, n);
    uint64_t h = (n >= 32 ? read_lanes(&in, seed) : seed + prime[4]) + n;
    while (in.n >= 8) {
        h = rotate(h ^ round_of(0, scale_u64(&in)), 27) * prime[0] + prime[3];
    }
    if (in.n >= 4) {
        h = rotate(h ^ scale_u32(&in) * prime[0], 23) * prime[1] + prime[2];
    }
    while (in.n > 0) {
        h = rotate(h ^ scale_u8(&in) * prime[4], 11) * prime[0];
    }
    h = (h ^ h >> 33U) * prime[1];
    h = (h ^ h >> 29U) * prime[2];
    return h ^ h >> 32U;
}

void storage_twox128(struct sf_str text, uint8_t out[static 16])
{
    for (uint64_t seed = 0; seed < 2; seed++) {
        uint64_t h = storage_xxh64(text.p, text.n, seed);
        for (size_t i = 0; i < 8; i++) {
            out[8 * seed + i] = (uint8_t)(h >> (8 * i));
        }
    }
}

void storage_key(struct sf_buf *out, const char *pallet, const char *item)
{
    uint8_t hash[16];
    storage_twox128(sf_str(pallet), hash);
    sf_buf_add(out, hash, sizeof hash);
    storage_twox128(sf_str(item), hash);
    sf_buf_add(out, hash, sizeof hash);
}

void storage_key_u16(struct sf_buf *out, uint16_t v)
{
    scale_put_u16(out, v);
}

void storage_key_account(struct sf_buf *out, const uint8_t account[static 32])
{
    uint8_t hash[16];
    crypto_blake2b_128(account, 32, hash);
    sf_buf_add(out, hash, sizeof hash);
    sf_buf_add(out, account, 32);
}
