/* SPDX-License-Identifier: MIT */
#include "base/utf8.h"

static size_t sequence_length(unsigned char lead)
{
    if (lead < 0x80) {
        return 1;
    }
    if (lead >= 0xc2 && lead <= 0xdf) {
        return 2;
    }
    if (lead >= 0xe0 && lead <= 0xef) {
        return 3;
    }
    return lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
}

/* The code point of the `n` bytes at `p`, or UINT32_MAX when they are no valid sequence. */
static uint32_t decode(const unsigned char *p, size_t n)
{
    static const uint32_t lowest[] = {0, 0, 0x80, 0x800, 0x10000};
    uint32_t c = n == 1 ? p[0] : p[0] & (0x7fU >> n);
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0U) != 0x80U) {
            return UINT32_MAX;
        }
        c = c << 6U | (p[i] & 0x3fU);
    }
    bool surrogate = c >= 0xd800 && c <= 0xdfff;
    return c < lowest[n] || c > 0x10ffff || surrogate ? UINT32_MAX : c;
}

uint32_t sf_utf8_next(struct sf_str *s, bool *valid)
{
    const unsigned char *p = (const unsigned char *)s->p;
    size_t n = sequence_length(p[0]);
    uint32_t c = n == 0 || n > s->n ? UINT32_MAX : decode(p, n);
    bool ok = c != UINT32_MAX;
    if (valid != NULL) {
        *valid = ok;
    }
    size_t step = ok ? n : 1;
    s->p += step;
    s->n -= step;
    return ok ? c : 0xfffd;
}

bool sf_utf8_is_valid(struct sf_str s)
{
    bool valid = true;
    while (s.n > 0 && valid) {
        (void)sf_utf8_next(&s, &valid);
    }
    return valid;
}

size_t sf_utf8_count(struct sf_str s)
{
    size_t n = 0;
    while (s.n > 0) {
        (void)sf_utf8_next(&s, NULL);
        n++;
    }
    return n;
}

struct sf_str sf_utf8_head(struct sf_str s, size_t max)
{
    struct sf_str rest = s;
    for (size_t i = 0; i < max && rest.n > 0; i++) {
        (void)sf_utf8_next(&rest, NULL);
    }
    return (struct sf_str){s.p, s.n - rest.n};
}

void sf_utf8_put(struct sf_buf *b, uint32_t c)
{
    if (c < 0x80) {
        sf_buf_putc(b, (char)c);
        return;
    }
    char out[4];
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--) {
        out[i] = (char)(0x80U | (c & 0x3fU));
        c >>= 6U;
    }
    out[0] = (char)((0xf00U >> n & 0xffU) | c);
    sf_buf_add(b, out, n);
}

struct range {
    uint32_t first, last;
};

static bool in_ranges(uint32_t c, const struct range *r, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (c >= r[i].first && c <= r[i].last) {
            return true;
        }
    }
    return false;
}

bool sf_cp_is_cjk(uint32_t c)
{
    static const struct range cjk[] = {{0x3005, 0x3007}, {0x3041, 0x30ff},  {0x3105, 0x312f},
                                       {0x3131, 0x318e}, {0x31a0, 0x31bf},  {0x3400, 0x4dbf},
                                       {0x4e00, 0x9fff}, {0xac00, 0xd7a3},  {0xf900, 0xfaff},
                                       {0xff66, 0xff9f}, {0x20000, 0x3134f}};
    return c >= 0x3005 && in_ranges(c, cjk, sizeof cjk / sizeof cjk[0]);
}

bool sf_cp_is_letter(uint32_t c)
{
    /* By block: close enough to tell letters from marks, and free of tables. */
    static const struct range other[] = {
        {0xc0, 0xd6},   {0xd8, 0xf6},    {0xf8, 0x2af},    {0x370, 0x373},  {0x376, 0x377},
        {0x386, 0x386}, {0x388, 0x52f},  {0x531, 0x587},   {0x5d0, 0x5ea},  {0x620, 0x64a},
        {0x671, 0x6d3}, {0x904, 0x1fff}, {0x2c00, 0x2dff}, {0xa000, 0xabff}};
    if (c < 0x80) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    }
    return sf_cp_is_cjk(c) || in_ranges(c, other, sizeof other / sizeof other[0]);
}

bool sf_utf8_is_mostly_cjk(struct sf_str s)
{
    size_t letters = 0, cjk = 0;
    while (s.n > 0) {
        uint32_t c = sf_utf8_next(&s, NULL);
        letters += sf_cp_is_letter(c) ? 1 : 0;
        cjk += sf_cp_is_cjk(c) ? 1 : 0;
    }
    return cjk * 2 > letters;
}
