/* SPDX-License-Identifier: MIT */
/* Addresses from outside: what decodes is the one spelling of its key. */
#include "bittensor/ss58.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct sf_str text = {(const char *)data, n};
    struct sf_errbuf eb = {0};
    uint8_t key[SS58_KEY_LEN];
    char again[SS58_MAX];
    if (ss58_decode(text, key, &eb) != SF_OK) {
        SF_BUG_ON(eb.text[0] == '\0');
        return 0;
    }
    ss58_encode(key, again);
    SF_BUG_ON(strlen(again) != n || memcmp(again, data, n) != 0);
    return 0;
}
