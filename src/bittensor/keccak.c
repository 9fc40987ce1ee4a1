/* SPDX-License-Identifier: MIT */
#include "bittensor/keccak.h"

#include <string.h>

static uint64_t rotate(uint64_t v, unsigned n)
{
    return v << n | v >> (64 - n); /* 0 < n < 64 */
}

/* theta, rho, pi and chi of one round (FIPS 202, 3.2), in the order in which pi walks the lanes.
 * Written out: with loops a permutation takes eight times as long, and each signature takes four.
 */
static void round_of(uint64_t a[static 25], uint64_t constant)
{
    uint64_t c[5], d[5], b[25];
#define C(x) c[x] = a[x] ^ a[(x) + 5] ^ a[(x) + 10] ^ a[(x) + 15] ^ a[(x) + 20]
#define D(x) d[x] = c[((x) + 4) % 5] ^ rotate(c[((x) + 1) % 5], 1)
#define MOVE(from, to, n) b[to] = rotate(a[from] ^ d[(from) % 5], n)
#define ROW(y, x) a[(y) + (x)] = b[(y) + (x)] ^ (~b[(y) + ((x) + 1) % 5] & b[(y) + ((x) + 2) % 5])
#define CHI(y) ROW(y, 0), ROW(y, 1), ROW(y, 2), ROW(y, 3), ROW(y, 4)
    C(0), C(1), C(2), C(3), C(4);
    D(0), D(1), D(2), D(3), D(4);
    b[0] = a[0] ^ d[0];
    MOVE(1, 10, 1), MOVE(10, 7, 3), MOVE(7, 11, 6), MOVE(11, 17, 10);
    MOVE(17, 18, 15), MOVE(18, 3, 21), MOVE(3, 5, 28), MOVE(5, 16, 36);
    MOVE(16, 8, 45), MOVE(8, 21, 55), MOVE(21, 24, 2), MOVE(24, 4, 14);
    MOVE(4, 15, 27), MOVE(15, 23, 41), MOVE(23, 19, 56), MOVE(19, 13, 8);
    MOVE(13, 12, 25), MOVE(12, 2, 43), MOVE(2, 20, 62), MOVE(20, 14, 18);
    MOVE(14, 22, 39), MOVE(22, 9, 61), MOVE(9, 6, 20), MOVE(6, 1, 44);
    CHI(0), CHI(5), CHI(10), CHI(15), CHI(20);
#undef C
#undef D
#undef MOVE
#undef ROW
#undef CHI
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
