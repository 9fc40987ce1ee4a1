/* SPDX-License-Identifier: MIT */
#ifndef SF_BITTENSOR_KNOWN_KEYS_H
#define SF_BITTENSOR_KNOWN_KEYS_H

#include "bittensor/ristretto.h"

/* The tables of public keys that signed before, a few hundred at most, 5 KiB each: validators sign
 * again and again, and making the tables costs more than the check. Only keys whose signature
 * verified are kept, so that nobody pushes others out with keys he does not have. Thread-safe. */

/* False: not there. */
bool known_keys_find(const uint8_t encoded[static 32], struct ristretto_key *out);
/* In the place of the one that was kept longest, if need be; without memory nothing is kept. */
void known_keys_keep(const struct ristretto_key *key);

#endif
