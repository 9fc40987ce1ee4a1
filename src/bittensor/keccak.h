/* SPDX-License-Identifier: MIT */
#ifndef SF_BITTENSOR_KECCAK_H
#define SF_BITTENSOR_KECCAK_H

#include <stdint.h>

/* Keccak-f[1600] on 200 bytes of state, lanes little-endian (FIPS 202, 3.3). OpenSSL has SHA-3 but
 * not the bare permutation that STROBE needs. */
void keccak_f1600(uint8_t state[static 200]);

#endif
