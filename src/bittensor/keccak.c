/* SPDX-License-Identifier: MIT */
#include "bittensor/keccak.h"

#include <string.h>

static uint64_t rotate(uint64_t v, unsigned n)
{
    return n == 0 ? v : v << n | v >> (64 - n);
}

/* theta, rho, pi and chi of one round (FIPS 202, 3.2); the offsets of rho follow the walk of pi. */
static void round_of(uint64_t a[static 25], uint64_t constant)
{
    uint64_t c[5], b[25];
    for (unsigned x = 0; x < 5; x++) {
        c[x] = a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20];
    }
    for (unsigned i = 0; i < 25; i++) {
        a[i] ^= c[(i + 4) % 5] ^ rotate(c[(i + 1) % 5], 1);
    }
    b[0] = a[0];
    unsigned x = 1, y = 0;
    for (unsigned t = 0; t < 24; t++) {
        unsigned to_x = y, to_y = (2 * x + 3 * y) % 5;
        b[to_x + 5 * to_y] = rotate(a[x + 5 * y], (t + 1) * (t + 2) / 2 % 64);
        x = to_x;
        y = to_y;
    }
    for (unsigned i = 0; i < 25; i++) {
        unsigned row = i / 5 * 5;
        a[i] = b[i] ^ (~b[row + (i + 1) % 5] & b[row + (i + 2) % 5]);
    }
    a[0] ^= constant;
}

void keccak_f1600(uint8_t state[static 200])
{
    static const uint64_t constants[24] = {
        0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000,
        0x000000000000808b, 0x0000000080000001, 0x8000000080008081, 0x8000000000008009,
        0x000000000000008a, 0x0000000000000088, 0x0000000080008009, 0x000000008000000a,
        0x000000008000808b, 0x800000000000008b, 0x8000000000008089, 0x8000000000008003,
        0x8000000000008002, 0x8000000000000080, 0x000000000000800a, 0x800000008000000a,
        0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008};
    uint64_t a[25];
    for (unsigned i = 0; i < 25; i++) {
        a[i] = 0;
        for (unsigned k = 0; k < 8; k++) {
            a[i] |= (uint64_t)state[8 * i + k] << (8 * k);
        }
    }
    for (unsigned r = 0; r < 24; r++) {
        round_of(a, constants[r]);
    }
    for (unsigned i = 0; i < 25; i++) {
        for (unsigned k = 0; k < 8; k++) {
            state[8 * i + k] = (uint8_t)(a[i] >> (8 * k));
        }
    }
}
