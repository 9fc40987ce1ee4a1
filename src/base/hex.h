/* SPDX-License-Identifier: MIT */
#ifndef SF_BASE_HEX_H
#define SF_BASE_HEX_H

#include "base/str.h"

/* Lower-case hex of `n` bytes into `out` (2n characters and a NUL). */
void sf_hex_encode(const uint8_t *bytes, size_t n, char *out);

/* Exactly 2n hex digits of either case into n bytes, without "0x"; no secret-dependent branches or
 * table look-ups. False: `out` is unspecified. */
bool sf_hex_decode(struct sf_str s, uint8_t *out, size_t n);

#endif
