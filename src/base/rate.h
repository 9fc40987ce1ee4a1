/* SPDX-License-Identifier: MIT */
#ifndef SF_BASE_RATE_H
#define SF_BASE_RATE_H

#include "base/clock.h"
#include "base/err.h"

/* How often each of many may do something, in memory of a fixed size whatever the keys: a bucket
 * of a minute's worth for each key, filled evenly. Full, a set forgets the key that has been idle
 * longest, which then starts anew: the table may let too much pass, and never holds back a key for
 * what others did. Thread-safe. */
struct rate_table;

#define RATE_KEY_LEN 32

/* Room for about `n_keys`; 40 bytes each. SF_ENOMEM. */
SF_MUST_USE enum sf_err rate_table_open(size_t n_keys, struct rate_table **out);
void rate_table_close(struct rate_table *t);

/* Takes one of `key`'s `per_minute` (0: no limit), or says that it has none left, which costs
 * nothing. */
bool rate_take(struct rate_table *t, const uint8_t key[static RATE_KEY_LEN], int64_t per_minute);

/* The same table as a memory of who was seen: marks a key for `span`, and asks for it. A table is
 * used in one of the two ways. */
void rate_mark(struct rate_table *t, const uint8_t key[static RATE_KEY_LEN], sf_ms span);
bool rate_is_marked(struct rate_table *t, const uint8_t key[static RATE_KEY_LEN]);

#endif
