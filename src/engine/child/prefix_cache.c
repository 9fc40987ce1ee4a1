/* SPDX-License-Identifier: MIT */
#include "engine/child/prefix_cache.h"

#include "base/mem.h"

#include <string.h>

struct prefix_entry *prefix_cache_find(struct prefix_cache *c, const llama_token *t, size_t n)
{
    for (size_t i = 0; i < c->n; i++) {
        struct prefix_entry *e = &c->entries[i];
        if (e->n == n && memcmp(e->tokens, t, n * sizeof *t) == 0) {
            e->used = ++c->clock;
            return e;
        }
    }
    return NULL;
}

struct prefix_entry *prefix_cache_closest(struct prefix_cache *c, const llama_token *t, size_t n,
                                          size_t *common)
{
    struct prefix_entry *best = NULL;
    *common = 0;
    for (size_t i = 0; i < c->n; i++) {
        struct prefix_entry *e = &c->entries[i];
        size_t k = 0;
        while (e->ready && k < e->n && k < n && e->tokens[k] == t[k])
            k++;
        if (k > *common) {
            *common = k;
            best = e;
        }
    }
    if (best)
        best->used = ++c->clock;
    return best;
}

bool prefix_cache_evict(struct prefix_cache *c, struct kv_pool *pool)
{
    size_t oldest = c->n;
    for (size_t i = 0; i < c->n; i++) {
        struct prefix_entry *e = &c->entries[i];
        if (e->ready && e->seq->refs == 1 && (oldest == c->n || e->used < c->entries[oldest].used))
            oldest = i;
    }
    if (oldest == c->n)
        return false;
    kv_unref(pool, c->entries[oldest].seq);
    free(c->entries[oldest].tokens);
    c->entries[oldest] = c->entries[--c->n];
    return true;
}

static int cells_of(const struct prefix_cache *c)
{
    int n = 0;
    for (size_t i = 0; i < c->n; i++)
        n += c->entries[i].seq ? c->entries[i].seq->cells : 0;
    return n;
}

struct prefix_entry *prefix_cache_add(struct prefix_cache *c, struct kv_pool *pool,
                                      const llama_token *t, size_t n)
{
    if (c->n == PREFIX_CACHE_ENTRIES && !prefix_cache_evict(c, pool))
        return NULL;
    while (cells_of(c) + (int)n > c->cells_max && prefix_cache_evict(c, pool))
        ;
    struct prefix_entry *e = &c->entries[c->n];
    *e = (struct prefix_entry){.n = n, .used = ++c->clock};
    e->tokens = sf_alloc(n * sizeof *t);
    if (!e->tokens)
        return NULL;
    memcpy(e->tokens, t, n * sizeof *t);
    c->n++;
    return e;
}

void prefix_cache_clear(struct prefix_cache *c, struct kv_pool *pool)
{
    for (size_t i = 0; i < c->n; i++) {
        if (c->entries[i].seq)
            kv_unref(pool, c->entries[i].seq);
        free(c->entries[i].tokens);
    }
    c->n = 0;
}
