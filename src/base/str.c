/* SPDX-License-Identifier: MIT */
#include "base/str.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct sf_str sf_str(const char *z)
{
    return (struct sf_str){z == NULL ? "" : z, z == NULL ? 0 : strlen(z)};
}

bool sf_str_is(struct sf_str s, const char *z)
{
    return strlen(z) == s.n && (s.n == 0 || memcmp(s.p, z, s.n) == 0);
}

bool sf_str_is_nocase(struct sf_str s, const char *z)
{
    return strlen(z) == s.n && (s.n == 0 || strncasecmp(s.p, z, s.n) == 0);
}

bool sf_str_has_prefix(struct sf_str s, const char *z)
{
    size_t n = strlen(z);
    return s.n >= n && (n == 0 || memcmp(s.p, z, n) == 0);
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct sf_str sf_str_trim(struct sf_str s)
{
    while (s.n > 0 && is_space(s.p[0])) {
        s.p++;
        s.n--;
    }
    while (s.n > 0 && is_space(s.p[s.n - 1])) {
        s.n--;
    }
    return s;
}

size_t sf_str_find(struct sf_str s, struct sf_str needle)
{
    if (needle.n == 0) {
        return 0;
    }
    const char *hit = s.n == 0 ? NULL : memmem(s.p, s.n, needle.p, needle.n);
    return hit == NULL ? s.n : (size_t)(hit - s.p);
}

bool sf_str_next(struct sf_str *s, char sep, struct sf_str *part)
{
    if (s->n == 0) {
        return false;
    }
    const char *hit = memchr(s->p, sep, s->n);
    part->p = s->p;
    part->n = hit == NULL ? s->n : (size_t)(hit - s->p);
    size_t step = part->n + (hit == NULL ? 0 : 1);
    s->p += step;
    s->n -= step;
    return true;
}

bool sf_scan_u64(struct sf_str s, uint64_t max, uint64_t *out)
{
    uint64_t v = 0;
    if (s.n == 0) {
        return false;
    }
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9') {
            return false;
        }
        uint64_t digit = (uint64_t)(s.p[i] - '0');
        if (v > max / 10 || (v == max / 10 && digit > max % 10)) {
            return false;
        }
        v = v * 10 + digit;
    }
    *out = v;
    return true;
}

bool sf_scan_i64(struct sf_str s, int64_t min, int64_t max, int64_t *out)
{
    bool negative = s.n > 0 && s.p[0] == '-';
    if (negative) {
        s.p++;
        s.n--;
    }
    uint64_t magnitude;
    if (!sf_scan_u64(s, (uint64_t)INT64_MAX, &magnitude)) {
        return false;
    }
    int64_t v = negative ? -(int64_t)magnitude : (int64_t)magnitude;
    if (v < min || v > max) {
        return false;
    }
    *out = v;
    return true;
}

bool sf_scan_double(struct sf_str s, double *out)
{
    char z[64];
    if (s.n == 0 || s.n >= sizeof z) {
        return false;
    }
    memcpy(z, s.p, s.n);
    z[s.n] = '\0';
    if (strspn(z, "0123456789+-.eE") < s.n) {
        return false;
    }
    char *end;
    /* The program never calls setlocale for numbers, so the decimal point is '.'. */
    double v = strtod(z, &end);
    if (*end != '\0' || end == z || !isfinite(v)) {
        return false;
    }
    *out = v;
    return true;
}

static size_t min3(size_t a, size_t b, size_t c)
{
    size_t m = a < b ? a : b;
    return m < c ? m : c;
}

static int fold(char c)
{
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

size_t sf_str_distance(const char *a, const char *b)
{
    size_t na = strlen(a), nb = strlen(b), row[64];
    if (na > 63 || nb > 63) {
        return strcmp(a, b) == 0 ? 0 : 64;
    }
    for (size_t j = 0; j <= nb; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= na; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= nb; j++) {
            size_t up = row[j];
            size_t cost = fold(a[i - 1]) == fold(b[j - 1]) ? 0 : 1;
            row[j] = min3(up + 1, row[j - 1] + 1, diagonal + cost);
            diagonal = up;
        }
    }
    return row[nb];
}

bool sf_equal_const_time(const void *a, const void *b, size_t n)
{
    const unsigned char *x = a, *y = b;
    unsigned char diff = 0;
    for (size_t i = 0; i < n; i++) {
        diff = (unsigned char)(diff | (x[i] ^ y[i]));
    }
    return diff == 0;
}
