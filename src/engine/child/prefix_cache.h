/* SPDX-License-Identifier: MIT */
#ifndef SF_ENGINE_CHILD_PREFIX_CACHE_H
#define SF_ENGINE_CHILD_PREFIX_CACHE_H

#include "engine/child/kv.h"

/* Prefixes whose cells stay in the cache for later jobs, least recently used ones thrown out.
 * Scheduler's thread only. */
enum { PREFIX_CACHE_ENTRIES = 48 };

struct prefix_entry {
    llama_token *tokens;
    size_t n;
    struct kv_seq *seq;
    uint64_t used; /* counter of the last use */
    bool ready;    /* false: being prefilled */
    size_t n_fed;
};

struct prefix_cache {
    struct prefix_entry entries[PREFIX_CACHE_ENTRIES];
    size_t n;
    uint64_t clock;
    int cells_max; /* of all entries together; one is kept however long it is */
};

/* The entry of exactly these tokens, or NULL. Marks it used. */
struct prefix_entry *prefix_cache_find(struct prefix_cache *c, const llama_token *t, size_t n);
/* The ready entry that shares most leading tokens, and how many. */
struct prefix_entry *prefix_cache_closest(struct prefix_cache *c, const llama_token *t, size_t n,
                                          size_t *common);
/* A new entry with a copy of the tokens, making room (also within cells_max) by evicting; NULL: all
 * are in use or no memory. */
struct prefix_entry *prefix_cache_add(struct prefix_cache *c, struct kv_pool *pool,
                                      const llama_token *t, size_t n);
/* Throws the least recently used ready entry out that no job stands on; false: there is none. */
bool prefix_cache_evict(struct prefix_cache *c, struct kv_pool *pool);
void prefix_cache_clear(struct prefix_cache *c, struct kv_pool *pool);

#endif
