/* SPDX-License-Identifier: MIT */
#ifndef SF_BASE_UTF8_H
#define SF_BASE_UTF8_H

#include "base/buf.h"

/* Reads one code point and moves `s` behind it. Strict: overlong forms, surrogates and values over
 * U+10FFFF are invalid; an invalid byte gives U+FFFD and moves one byte. `s` must not be empty. */
uint32_t sf_utf8_next(struct sf_str *s, bool *valid);

bool sf_utf8_is_valid(struct sf_str s);
size_t sf_utf8_count(struct sf_str s); /* code points; an invalid byte counts one */
/* The first `max` code points of `s`. */
struct sf_str sf_utf8_head(struct sf_str s, size_t max);
void sf_utf8_put(struct sf_buf *b, uint32_t code_point);

bool sf_cp_is_cjk(uint32_t c);    /* Han, kana, hangul and their marks' blocks (letters only) */
bool sf_cp_is_letter(uint32_t c); /* ASCII, Latin-1 and up letters by block; CJK included */
/* More than half of the letters are CJK. */
bool sf_utf8_is_mostly_cjk(struct sf_str s);

#endif
