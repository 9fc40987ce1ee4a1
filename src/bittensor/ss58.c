/* SPDX-License-Identifier: MIT */
#include "bittensor/ss58.h"

#include "bittensor/crypto.h"

#include <string.h>

#define PAYLOAD 33 /* prefix and key */
#define TOTAL 35   /* and two bytes of checksum */
#define PREFIX 42

static const char alphabet[] = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

static void checksum(const uint8_t payload[static PAYLOAD], uint8_t out[static 2])
{
    uint8_t text[7 + PAYLOAD], hash[64];
    memcpy(text, "SS58PRE", 7);
    memcpy(text + 7, payload, PAYLOAD);
    crypto_blake2b_512(text, sizeof text, hash);
    memcpy(out, hash, 2);
}

/* Base58 of 35 bytes whose first is not zero: at most 48 digits. */
static void base58_encode(const uint8_t bytes[static TOTAL], char out[static SS58_MAX])
{
    uint8_t digits[SS58_MAX - 1] = {0};
    size_t n = 0;
    for (size_t i = 0; i < TOTAL; i++) {
        unsigned carry = bytes[i];
        for (size_t k = 0; k < n; k++) {
            carry += 256U * digits[k];
            digits[k] = (uint8_t)(carry % 58);
            carry /= 58;
        }
        for (; carry > 0; carry /= 58) {
            SF_BUG_ON(n == sizeof digits);
            digits[n++] = (uint8_t)(carry % 58);
        }
    }
    for (size_t k = 0; k < n; k++) {
        out[k] = alphabet[digits[n - 1 - k]];
    }
    out[n] = '\0';
}

void ss58_encode(const uint8_t key[static SS58_KEY_LEN], char out[static SS58_MAX])
{
    uint8_t bytes[TOTAL] = {PREFIX};
    memcpy(bytes + 1, key, SS58_KEY_LEN);
    checksum(bytes, bytes + PAYLOAD);
    base58_encode(bytes, out);
}

/* False when a character is no digit or the number does not fit 35 bytes. */
static bool base58_decode(struct sf_str s, uint8_t bytes[static TOTAL])
{
    memset(bytes, 0, TOTAL);
    for (size_t i = 0; i < s.n; i++) {
        const char *at = s.p[i] == '\0' ? NULL : strchr(alphabet, s.p[i]);
        if (at == NULL) {
            return false;
        }
        unsigned carry = (unsigned)(at - alphabet);
        for (size_t k = TOTAL; k-- > 0;) {
            carry += 58U * bytes[k];
            bytes[k] = (uint8_t)carry;
            carry >>= 8U;
        }
        if (carry != 0) {
            return false;
        }
    }
    return true;
}

enum sf_err ss58_decode(struct sf_str address, uint8_t key[static SS58_KEY_LEN],
                        struct sf_errbuf *eb)
{
    uint8_t bytes[TOTAL], sum[2];
    char again[SS58_MAX];
    if (address.n < 46 || address.n >= SS58_MAX || !base58_decode(address, bytes)) {
        return sf_fail(eb, SF_EINVAL, "not an SS58 address");
    }
    if (bytes[0] != PREFIX) {
        return sf_fail(eb, SF_EINVAL, "SS58 address of another network (prefix is not 42)");
    }
    checksum(bytes, sum);
    if (memcmp(sum, bytes + PAYLOAD, 2) != 0) {
        return sf_fail(eb, SF_EINVAL, "SS58 address with a wrong checksum");
    }
    base58_encode(bytes, again);
    if (!sf_str_is(address, again)) {
        return sf_fail(eb, SF_EINVAL, "SS58 address not in its canonical form");
    }
    static const uint8_t zero[SS58_KEY_LEN];
    if (memcmp(bytes + 1, zero, SS58_KEY_LEN) == 0) {
        return sf_fail(eb, SF_EINVAL, "SS58 address of the zero key");
    }
    memcpy(key, bytes + 1, SS58_KEY_LEN);
    return SF_OK;
}
