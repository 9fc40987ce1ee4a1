/* SPDX-License-Identifier: MIT */
#ifndef SF_ENGINE_CHILD_RANK_CACHE_H
#define SF_ENGINE_CHILD_RANK_CACHE_H

#include "base/err.h"

#include <llama.h>
#include <stdbool.h>
#include <stddef.h>

/* How likely the model finds the words of a list behind a prompt, of prompts that come again with
 * every request (the questions of composing_pick.c without a story). All functions from any thread.
 */
struct rank_cache;

SF_MUST_USE enum sf_err rank_cache_open(struct rank_cache **out);
void rank_cache_close(struct rank_cache *c); /* NULL ok */

struct rank_key {
    const llama_token *prefix, *prompt, *items;
    size_t n_prefix, n_prompt, n_items;
};
bool rank_key_equal(const struct rank_key *a, const struct rank_key *b);
/* Fills scores[n_items]; false when they are not known. */
bool rank_cache_get(struct rank_cache *c, const struct rank_key *k, float *scores);
/* Remembers them, in the place of those asked for longest ago. Out of memory: does nothing. */
void rank_cache_put(struct rank_cache *c, const struct rank_key *k, const float *scores);

#endif
