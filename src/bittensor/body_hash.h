/* SPDX-License-Identifier: MIT */
#ifndef SF_BITTENSOR_BODY_HASH_H
#define SF_BITTENSOR_BODY_HASH_H

#include "json/json.h"

/* The hash over a synapse's required fields, as Python renders them with str(): strings, integers,
 * booleans, null, floats with a short decimal form, and lists of strings and integers. SF_EINVAL
 * for a value that cannot be rendered so. `n` 0 gives SYNAPSE_EMPTY_BODY_HASH. */
SF_MUST_USE enum sf_err body_hash(const json_t *const *fields, size_t n, char out[static 65]);

#endif
