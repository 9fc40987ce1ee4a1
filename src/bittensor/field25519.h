/* SPDX-License-Identifier: MIT */
#ifndef SF_BITTENSOR_FIELD25519_H
#define SF_BITTENSOR_FIELD25519_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Integers modulo p = 2^255 - 19 as five limbs of 51 bits, for machines with products of 128 bits.
 * Branches depend on the values: for public ones only.
 *
 * Limbs are carried over lazily. `reduced`: below 2^51 + 2^15, what fe_mul, fe_square and fe_load
 * give. fe_add adds the limbs, fe_sub adds 4p first, so its second operand is below 2^53 - 76.
 * fe_mul takes operands whose bounds multiply to at most 2^108. */
struct fe {
    uint64_t v[5];
};

#ifdef __SIZEOF_INT128__

__extension__ typedef unsigned __int128 fe_wide;
#define FE_MASK ((UINT64_C(1) << 51U) - 1)

static inline struct fe fe_small(uint64_t n)
{
    return (struct fe){{n, 0, 0, 0, 0}};
}

static inline struct fe fe_add(const struct fe *a, const struct fe *b)
{
    return (struct fe){{a->v[0] + b->v[0], a->v[1] + b->v[1], a->v[2] + b->v[2], a->v[3] + b->v[3],
                        a->v[4] + b->v[4]}};
}

static inline struct fe fe_sub(const struct fe *a, const struct fe *b)
{
    const uint64_t first = (UINT64_C(1) << 53U) - 76, other = (UINT64_C(1) << 53U) - 4;
    return (struct fe){{a->v[0] + first - b->v[0], a->v[1] + other - b->v[1],
                        a->v[2] + other - b->v[2], a->v[3] + other - b->v[3],
                        a->v[4] + other - b->v[4]}};
}

/* In line always: passed on the stack, the five sums cost as much as the products. */
__attribute__((always_inline)) static inline struct fe fe_carry(fe_wide r0, fe_wide r1, fe_wide r2,
                                                                fe_wide r3, fe_wide r4)
{
    struct fe out;
    r1 += (uint64_t)(r0 >> 51U);
    r2 += (uint64_t)(r1 >> 51U);
    r3 += (uint64_t)(r2 >> 51U);
    r4 += (uint64_t)(r3 >> 51U);
    out.v[0] = ((uint64_t)r0 & FE_MASK) + 19 * (uint64_t)(r4 >> 51U);
    out.v[1] = ((uint64_t)r1 & FE_MASK) + (out.v[0] >> 51U);
    out.v[0] &= FE_MASK;
    out.v[2] = (uint64_t)r2 & FE_MASK;
    out.v[3] = (uint64_t)r3 & FE_MASK;
    out.v[4] = (uint64_t)r4 & FE_MASK;
    return out;
}

static inline struct fe fe_mul(const struct fe *x, const struct fe *y)
{
    const uint64_t *a = x->v, *b = y->v;
    const uint64_t b1 = 19 * b[1], b2 = 19 * b[2], b3 = 19 * b[3], b4 = 19 * b[4];
#define P(i, f) ((fe_wide)a[i] * (f))
    return fe_carry(P(0, b[0]) + P(1, b4) + P(2, b3) + P(3, b2) + P(4, b1),
                    P(0, b[1]) + P(1, b[0]) + P(2, b4) + P(3, b3) + P(4, b2),
                    P(0, b[2]) + P(1, b[1]) + P(2, b[0]) + P(3, b4) + P(4, b3),
                    P(0, b[3]) + P(1, b[2]) + P(2, b[1]) + P(3, b[0]) + P(4, b4),
                    P(0, b[4]) + P(1, b[3]) + P(2, b[2]) + P(3, b[1]) + P(4, b[0]));
#undef P
}

static inline struct fe fe_square(const struct fe *x)
{
    const uint64_t *a = x->v;
    const uint64_t d0 = 2 * a[0], d1 = 2 * a[1], d2 = 2 * a[2], a3 = 19 * a[3], a4 = 19 * a[4];
#define P(f, g) ((fe_wide)(f) * (g))
    return fe_carry(P(a[0], a[0]) + P(d1, a4) + P(d2, a3), P(d0, a[1]) + P(d2, a4) + P(a[3], a3),
                    P(d0, a[2]) + P(a[1], a[1]) + P(2 * a[3], a4),
                    P(d0, a[3]) + P(d1, a[2]) + P(a[4], a4),
                    P(d0, a[4]) + P(d1, a[3]) + P(a[2], a[2]));
#undef P
}

static inline struct fe fe_square_times(struct fe a, int n)
{
    for (int i = 0; i < n; i++) {
        a = fe_square(&a);
    }
    return a;
}

static inline struct fe fe_negate(const struct fe *a)
{
    static const struct fe zero;
    return fe_sub(&zero, a);
}

/* The 255 low bits. */
static inline struct fe fe_load(const uint8_t in[static 32])
{
    uint64_t w[4] = {0};
    for (unsigned i = 0; i < 32; i++) {
        w[i / 8] |= (uint64_t)in[i] << (8 * (i % 8));
    }
    return (struct fe){{w[0] & FE_MASK, (w[0] >> 51U | w[1] << 13U) & FE_MASK,
                        (w[1] >> 38U | w[2] << 26U) & FE_MASK,
                        (w[2] >> 25U | w[3] << 39U) & FE_MASK, (w[3] >> 12U) & FE_MASK}};
}

/* The one encoding of a value whose limbs are below 2^54. */
static inline void fe_store(const struct fe *a, uint8_t out[static 32])
{
    struct fe r = fe_carry(a->v[0], a->v[1], a->v[2], a->v[3], a->v[4]);
    /* r < 2p: whether it is p or more shows in the carry of r + 19. */
    uint64_t carry = 19;
    for (unsigned i = 0; i < 5; i++) {
        carry = (r.v[i] + carry) >> 51U;
    }
    carry *= 19;
    for (unsigned i = 0; i < 5; i++) {
        carry += r.v[i];
        r.v[i] = carry & FE_MASK;
        carry >>= 51U;
    }
    const uint64_t w[4] = {r.v[0] | r.v[1] << 51U, r.v[1] >> 13U | r.v[2] << 38U,
                           r.v[2] >> 26U | r.v[3] << 25U, r.v[3] >> 39U | r.v[4] << 12U};
    for (unsigned i = 0; i < 32; i++) {
        out[i] = (uint8_t)(w[i / 8] >> (8 * (i % 8)));
    }
}

static inline bool fe_is_negative(const struct fe *a)
{
    uint8_t bytes[32];
    fe_store(a, bytes);
    return (bytes[0] & 1U) != 0;
}

static inline bool fe_is_equal(const struct fe *a, const struct fe *b)
{
    uint8_t x[32], y[32];
    fe_store(a, x);
    fe_store(b, y);
    return memcmp(x, y, sizeof x) == 0;
}

/* a^((p - 5) / 8) = a^(2^252 - 3) */
static inline struct fe fe_power_2_252_3(const struct fe *a)
{
    struct fe t, a2 = fe_square(a), a8 = fe_square_times(a2, 2);
    struct fe a9 = fe_mul(&a8, a), a11 = fe_mul(&a9, &a2);
    t = fe_square(&a11);
    struct fe e5 = fe_mul(&t, &a9); /* 2^5 - 1, and so on */
    t = fe_square_times(e5, 5);
    struct fe e10 = fe_mul(&t, &e5);
    t = fe_square_times(e10, 10);
    struct fe e20 = fe_mul(&t, &e10);
    t = fe_square_times(e20, 20);
    struct fe e40 = fe_mul(&t, &e20);
    t = fe_square_times(e40, 10);
    struct fe e50 = fe_mul(&t, &e10);
    t = fe_square_times(e50, 50);
    struct fe e100 = fe_mul(&t, &e50);
    t = fe_square_times(e100, 100);
    struct fe e200 = fe_mul(&t, &e100);
    t = fe_square_times(e200, 50);
    struct fe e250 = fe_mul(&t, &e50);
    t = fe_square_times(e250, 2);
    return fe_mul(&t, a);
}

#endif

#endif
