/* SPDX-License-Identifier: MIT */
/* Bytes as a point of ristretto255 and two scalars: our sum of products against libsodium's. */
#include "bittensor/crypto.h"
#include "bittensor/ristretto.h"
#include "fuzz.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    uint8_t in[160] = {0}, s[32], k[32], ours[32], theirs[32];
    struct ristretto_key key;
    memcpy(in, data, n < sizeof in ? n : sizeof in);
    in[31] &= 0x7f; /* libsodium before 1.0.19 overlooks that bit; the RFC and we do not */
    crypto_scalar_reduce(in + 32, s);
    crypto_scalar_reduce(in + 96, k);
    static const uint8_t one[32] = {1};
    bool is_point = crypto_point_verify(one, one, in, theirs); /* no is for the identity too */
    SF_BUG_ON(ristretto_key_init(&key, in) != is_point);
    if (is_point) {
        ristretto_verify(s, k, &key, ours);
        SF_BUG_ON(!crypto_point_verify(s, k, in, theirs) || memcmp(ours, theirs, 32) != 0);
    }
    return 0;
}
