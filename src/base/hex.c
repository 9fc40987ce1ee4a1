/* SPDX-License-Identifier: MIT */
#include "base/hex.h"

void sf_hex_encode(const uint8_t *bytes, size_t n, char *out)
{
    for (size_t i = 0; i < n; i++) {
        for (unsigned half = 0; half < 2; half++) {
            unsigned v = half == 0 ? bytes[i] >> 4U : bytes[i] & 15U;
            /* 'a' - '9' - 1 = 39 is added for 10..15 without a branch. */
            out[2 * i + half] = (char)(v + '0' + (((9U - v) >> 8U) & 39U));
        }
    }
    out[2 * n] = '\0';
}

/* Value of a hex digit, or 256 and more when it is none. */
static unsigned digit_value(unsigned c)
{
    unsigned number = c ^ 48U;
    unsigned number_ok = (number - 10U) >> 8U;
    unsigned alpha = (c & ~32U) - 55U;
    unsigned alpha_ok = ((alpha - 10U) ^ (alpha - 16U)) >> 8U;
    number_ok &= 0xffU;
    alpha_ok &= 0xffU;
    unsigned ok = number_ok | alpha_ok;
    return (number_ok & number) | (alpha_ok & alpha) | ((ok ^ 0xffU) << 8U);
}

bool sf_hex_decode(struct sf_str s, uint8_t *out, size_t n)
{
    if (s.n != 2 * n) {
        return false;
    }
    unsigned bad = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned high = digit_value((unsigned char)s.p[2 * i]);
        unsigned low = digit_value((unsigned char)s.p[2 * i + 1]);
        bad |= (high | low) >> 8U;
        out[i] = (uint8_t)(((high << 4U) | (low & 15U)) & 0xffU);
    }
    return bad == 0;
}
