/* SPDX-License-Identifier: MIT */
#include "bittensor/ristretto.h"

#include "base/err.h"
#include "bittensor/crypto.h"

#include <string.h>

#ifndef __SIZEOF_INT128__

bool ristretto_key_init(struct ristretto_key *out, const uint8_t encoded[static 32])
{
    static const uint8_t one[32] = {1};
    uint8_t ignored[32];
    memcpy(out->encoded, encoded, 32);
    return crypto_point_verify(one, one, encoded, ignored);
}

void ristretto_verify(const uint8_t s[static 32], const uint8_t k[static 32],
                      const struct ristretto_key *key, uint8_t out[static 32])
{
    SF_BUG_ON(!crypto_point_verify(s, k, key->encoded, out));
}

#else

#include <pthread.h>

/* Points of -x^2 + y^2 = 1 + d x^2 y^2, with formulas that hold for all of them (Hisil, Wong,
 * Carter, Dawson 2008). Extended: x = X/Z, y = Y/Z, xy = T/Z. */
struct point {
    struct fe x, y, z, t;
};

/* Before the last products: x = X/Z, y = Y/T. */
struct completed {
    struct fe x, y, z, t;
};

#define KEY_WIDTH 5U  /* digits to 15 */
#define BASE_WIDTH 8U /* digits to 127 */
#define BASE_ODD 64
#define PART_BITS (256 / RISTRETTO_PARTS)

static struct {
    struct fe d, d2, sqrt_m1, invsqrt_a_minus_d;
    struct ristretto_addend base[RISTRETTO_PARTS][BASE_ODD];
} known;
static pthread_once_t known_once = PTHREAD_ONCE_INIT;

static struct fe absolute(const struct fe *a)
{
    return fe_is_negative(a) ? fe_negate(a) : *a;
}

/* SQRT_RATIO_M1(1, v) of RFC 9496, 4.2: true when v is a square; `v` and the root are reduced. */
static bool inverse_root(const struct fe *v, struct fe *root)
{
    const struct fe one = fe_small(1);
    struct fe v2 = fe_square(v), v3 = fe_mul(&v2, v), v6 = fe_square(&v3), v7 = fe_mul(&v6, v);
    struct fe power = fe_power_2_252_3(&v7), r = fe_mul(&v3, &power);
    struct fe r2 = fe_square(&r), check = fe_mul(v, &r2);
    struct fe minus_one = fe_negate(&one), minus_i = fe_negate(&known.sqrt_m1);
    bool correct = fe_is_equal(&check, &one), flipped = fe_is_equal(&check, &minus_one);
    if (flipped || fe_is_equal(&check, &minus_i)) {
        r = fe_mul(&r, &known.sqrt_m1);
    }
    *root = absolute(&r);
    return correct || flipped;
}

/* RFC 9496, 4.3.1 */
static bool decode(const uint8_t in[static 32], struct point *out)
{
    uint8_t canonical[32];
    const struct fe one = fe_small(1), s = fe_load(in);
    fe_store(&s, canonical);
    if (memcmp(canonical, in, 32) != 0 || (in[0] & 1U) != 0) {
        return false;
    }
    struct fe root, t, ss = fe_square(&s), u1 = fe_sub(&one, &ss), u2 = fe_add(&one, &ss);
    struct fe u1_2 = fe_square(&u1), u2_2 = fe_square(&u2);
    t = fe_mul(&known.d, &u1_2);
    t = fe_add(&t, &u2_2);
    struct fe v = fe_negate(&t);
    t = fe_mul(&v, &u2_2);
    bool square = inverse_root(&t, &root);
    struct fe den_x = fe_mul(&root, &u2), den_y = fe_mul(&root, &den_x);
    den_y = fe_mul(&den_y, &v);
    t = fe_mul(&s, &den_x);
    t = fe_add(&t, &t);
    t = absolute(&t);
    out->x = fe_mul(&t, &one);
    out->y = fe_mul(&u1, &den_y);
    out->z = one;
    out->t = fe_mul(&out->x, &out->y);
    const struct fe zero = fe_small(0);
    return square && !fe_is_negative(&out->t) && !fe_is_equal(&out->y, &zero);
}

/* RFC 9496, 4.3.2 */
static void encode(const struct point *p, uint8_t out[static 32])
{
    struct fe root, t, sum = fe_add(&p->z, &p->y), difference = fe_sub(&p->z, &p->y);
    struct fe u1 = fe_mul(&sum, &difference), u2 = fe_mul(&p->x, &p->y);
    t = fe_square(&u2);
    t = fe_mul(&t, &u1);
    (void)inverse_root(&t, &root);
    struct fe den1 = fe_mul(&root, &u1), den2 = fe_mul(&root, &u2);
    struct fe z_inverse = fe_mul(&den1, &den2);
    z_inverse = fe_mul(&z_inverse, &p->t);
    struct fe x = p->x, y = p->y, den = den2;
    t = fe_mul(&p->t, &z_inverse);
    if (fe_is_negative(&t)) {
        x = fe_mul(&p->y, &known.sqrt_m1);
        y = fe_mul(&p->x, &known.sqrt_m1);
        den = fe_mul(&den1, &known.invsqrt_a_minus_d);
    }
    t = fe_mul(&x, &z_inverse);
    t = fe_is_negative(&t) ? fe_add(&p->z, &y) : fe_sub(&p->z, &y);
    t = fe_mul(&den, &t);
    t = absolute(&t);
    fe_store(&t, out);
}

static struct point extend(const struct completed *c)
{
    return (struct point){fe_mul(&c->x, &c->t), fe_mul(&c->y, &c->z), fe_mul(&c->z, &c->t),
                          fe_mul(&c->x, &c->y)};
}

/* Without T, which doubling does not need. */
static struct point project(const struct completed *c)
{
    return (struct point){
        .x = fe_mul(&c->x, &c->t), .y = fe_mul(&c->y, &c->z), .z = fe_mul(&c->z, &c->t)};
}

static struct completed twice(const struct point *p)
{
    struct fe sum = fe_add(&p->x, &p->y), xx = fe_square(&p->x), yy = fe_square(&p->y);
    struct fe zz = fe_square(&p->z), both = fe_square(&sum);
    struct completed out;
    out.y = fe_add(&yy, &xx);
    out.z = fe_sub(&yy, &xx);
    out.x = fe_sub(&both, &out.y);
    zz = fe_add(&zz, &zz);
    zz = fe_add(&zz, &xx);
    out.t = fe_sub(&zz, &yy);
    return out;
}

/* p + q, or p - q. */
static struct completed combine(const struct point *p, const struct ristretto_addend *q, bool minus,
                                bool affine)
{
    struct fe a = fe_add(&p->y, &p->x), b = fe_sub(&p->y, &p->x);
    a = fe_mul(&a, minus ? &q->minus : &q->plus);
    b = fe_mul(&b, minus ? &q->plus : &q->minus);
    struct fe c = fe_mul(&p->t, &q->t2d), zz = affine ? p->z : fe_mul(&p->z, &q->z);
    zz = fe_add(&zz, &zz);
    struct fe sum = fe_add(&zz, &c), difference = fe_sub(&zz, &c);
    return (struct completed){.x = fe_sub(&a, &b),
                              .y = fe_add(&a, &b),
                              .z = minus ? difference : sum,
                              .t = minus ? sum : difference};
}

static struct ristretto_addend addend_of(const struct point *p)
{
    return (struct ristretto_addend){fe_add(&p->y, &p->x), fe_sub(&p->y, &p->x), p->z,
                                     fe_mul(&p->t, &known.d2)};
}

static void odd_multiples(const struct point *p, struct ristretto_addend *out, size_t n)
{
    struct completed c = twice(p);
    struct point doubled = extend(&c), at = *p;
    const struct ristretto_addend step = addend_of(&doubled);
    out[0] = addend_of(&at);
    for (size_t i = 1; i < n; i++) {
        c = combine(&at, &step, false, false);
        at = extend(&c);
        out[i] = addend_of(&at);
    }
}

/* 2^64 p */
static struct point next_part(const struct point *p)
{
    struct point at = *p;
    struct completed c = twice(&at);
    for (unsigned i = 1; i < PART_BITS; i++) {
        at = project(&c);
        c = twice(&at);
    }
    return extend(&c);
}

/* a^(p - 2) */
static struct fe inverse(const struct fe *a)
{
    struct fe power = fe_power_2_252_3(a), a2 = fe_square(a), a3 = fe_mul(&a2, a);
    power = fe_square_times(power, 3);
    return fe_mul(&power, &a3);
}

/* z = 1 */
static void make_affine(struct ristretto_addend *q)
{
    const struct fe one = fe_small(1);
    struct fe z = inverse(&q->z);
    q->plus = fe_mul(&q->plus, &z);
    q->minus = fe_mul(&q->minus, &z);
    q->t2d = fe_mul(&q->t2d, &z);
    q->z = one;
}

/* The constants from their definitions: d = -121665 / 121666, i = 2^((p - 1) / 4) or its negative,
 * whichever is even, 1 / sqrt(-1 - d), and the base point's odd multiples. */
static void make_known(void)
{
    static const uint8_t base[32] = {0xe2, 0xf2, 0xae, 0x0a, 0x6a, 0xbc, 0x4e, 0x71,
                                     0xa8, 0x84, 0xa9, 0x61, 0xc5, 0x00, 0x51, 0x5f,
                                     0x58, 0xe3, 0x0b, 0x6a, 0xa5, 0x82, 0xdd, 0x8d,
                                     0xb6, 0xa6, 0x59, 0x45, 0xe0, 0x8d, 0x2d, 0x76};
    const struct fe one = fe_small(1), two = fe_small(2), numerator = fe_small(121665);
    struct fe t = fe_small(121666), minus = fe_negate(&numerator);
    t = inverse(&t);
    known.d = fe_mul(&minus, &t);
    t = fe_add(&known.d, &known.d);
    known.d2 = fe_mul(&t, &one);
    t = fe_power_2_252_3(&two); /* 2^((p - 5) / 8), squared and doubled */
    t = fe_square(&t);
    t = fe_mul(&t, &two);
    t = absolute(&t);
    known.sqrt_m1 = fe_mul(&t, &one);
    t = fe_add(&known.d, &one);
    t = fe_negate(&t);
    t = fe_mul(&t, &one);
    SF_BUG_ON(!inverse_root(&t, &known.invsqrt_a_minus_d));
    struct point p;
    SF_BUG_ON(!decode(base, &p));
    for (size_t part = 0; part < RISTRETTO_PARTS; part++) {
        odd_multiples(&p, known.base[part], BASE_ODD);
        for (size_t i = 0; i < BASE_ODD; i++) {
            make_affine(&known.base[part][i]);
        }
        p = next_part(&p);
    }
}

/* The scalar as odd digits with at least width - 1 zeroes after each. */
static void digits_of(const uint8_t s[static 32], unsigned width, int8_t out[static 256])
{
    unsigned carry = 0, i = 0;
    memset(out, 0, 256);
    while (i < 256) {
        unsigned word = s[i / 8];
        word |= i / 8 + 1 < 32 ? (unsigned)s[i / 8 + 1] << 8U : 0;
        word >>= i % 8;
        if ((word & 1U) == carry) {
            i++;
            continue;
        }
        word = (word & ((1U << width) - 1)) + carry;
        carry = word >> (width - 1) & 1U;
        out[i] = (int8_t)((int)word - (int)(carry << width));
        i += width;
    }
}

static void add_digit(struct completed *sum, const struct ristretto_addend *table, int digit,
                      bool affine)
{
    struct point p = extend(sum);
    unsigned size = (unsigned)(digit < 0 ? -digit : digit);
    *sum = combine(&p, &table[size / 2], digit < 0, affine);
}

bool ristretto_key_init(struct ristretto_key *out, const uint8_t encoded[static 32])
{
    static const uint8_t identity[32];
    struct point p;
    (void)pthread_once(&known_once, make_known);
    if (memcmp(encoded, identity, 32) == 0 || !decode(encoded, &p)) {
        return false;
    }
    memcpy(out->encoded, encoded, 32);
    for (size_t part = 0; part < RISTRETTO_PARTS; part++) {
        odd_multiples(&p, out->odd[part], RISTRETTO_KEY_ODD);
        if (part + 1 < RISTRETTO_PARTS) {
            p = next_part(&p);
        }
    }
    return true;
}

void ristretto_verify(const uint8_t s[static 32], const uint8_t k[static 32],
                      const struct ristretto_key *key, uint8_t out[static 32])
{
    int8_t of_base[256], of_key[256];
    struct point at = {.y = fe_small(1), .z = fe_small(1)};
    struct completed sum;
    digits_of(s, BASE_WIDTH, of_base);
    digits_of(k, KEY_WIDTH, of_key);
    for (size_t i = PART_BITS; i-- > 0;) {
        sum = twice(&at);
        for (size_t part = 0; part < RISTRETTO_PARTS; part++) {
            size_t bit = part * PART_BITS + i;
            if (of_key[bit] != 0) {
                add_digit(&sum, key->odd[part], -of_key[bit], false);
            }
            if (of_base[bit] != 0) {
                add_digit(&sum, known.base[part], of_base[bit], true);
            }
        }
        at = i > 0 ? project(&sum) : extend(&sum);
    }
    encode(&at, out);
}

#endif
