/* SPDX-License-Identifier: MIT */
/* Hex digits: what decodes must encode back to the same digits. */
#include "base/buf.h"
#include "base/hex.h"

#include <string.h>

#define BYTES_MAX ((size_t)512)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct sf_str text = {(const char *)data, n};
    uint8_t bytes[BYTES_MAX];
    char again[2 * BYTES_MAX + 1];

    if (n / 2 > BYTES_MAX || !sf_hex_decode(text, bytes, n / 2)) {
        return 0;
    }
    SF_BUG_ON(n % 2 != 0);
    sf_hex_encode(bytes, n / 2, again);
    SF_BUG_ON(!sf_str_is_nocase(text, again));
    return 0;
}
