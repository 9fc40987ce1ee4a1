/* SPDX-License-Identifier: MIT */
#ifndef SF_BASE_STR_H
#define SF_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Borrowed text, not NUL-terminated. Passed by value. */
struct sf_str {
    const char *p;
    size_t n;
};

#define SF_STR(literal) ((struct sf_str){(literal), sizeof(literal) - 1})
#define SF_STR_ARG(s) (int)(s).n, (s).p /* for "%.*s" */

struct sf_str sf_str(const char *z); /* NULL gives the empty slice */
bool sf_str_is(struct sf_str s, const char *z);
bool sf_str_is_nocase(struct sf_str s, const char *z); /* ASCII case only */
bool sf_str_has_prefix(struct sf_str s, const char *z);
struct sf_str sf_str_trim(struct sf_str s); /* ASCII white space, both ends */
/* Position of `needle` in `s`, or s.n when absent. */
size_t sf_str_find(struct sf_str s, struct sf_str needle);
/* Splits off what stands before `sep` and moves `s` behind it; false when `s` was empty. */
bool sf_str_next(struct sf_str *s, char sep, struct sf_str *part);

/* Parsers: accept the whole slice or nothing, no sign prefix unless signed, no white space,
 * value <= max. False leaves `out` unchanged. */
bool sf_scan_u64(struct sf_str s, uint64_t max, uint64_t *out);
bool sf_scan_i64(struct sf_str s, int64_t min, int64_t max, int64_t *out);
/* Decimal float ("12", "12.5", "1e3"); no hex, inf or nan. Locale-independent. */
bool sf_scan_double(struct sf_str s, double *out);

/* Edit distance (Levenshtein, bytes, case folded) for "did you mean"; words longer than 63 bytes
 * count as far apart. */
size_t sf_str_distance(const char *a, const char *b);

/* Compares in time that depends on `n` only. */
bool sf_equal_const_time(const void *a, const void *b, size_t n);

#endif
