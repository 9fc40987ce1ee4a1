/* SPDX-License-Identifier: MIT */
#include "engine/child/rank_cache.h"

#include "base/mem.h"

#include <pthread.h>
#include <stdint.h>
#include <string.h>

enum { ENTRIES = 64 }; /* some ten questions in each of two languages, and of templates */

struct entry {
    llama_token *tokens; /* what `key` points into; NULL: free */
    struct rank_key key;
    float *scores;
    uint64_t used;
};

struct rank_cache {
    pthread_mutex_t lock;
    struct entry entries[ENTRIES];
    uint64_t clock;
};

enum sf_err rank_cache_open(struct rank_cache **out)
{
    struct rank_cache *c = sf_alloc(sizeof *c);
    if (!c)
        return SF_ENOMEM;
    pthread_mutex_init(&c->lock, NULL);
    *out = c;
    return SF_OK;
}

static void forget(struct entry *e)
{
    free(e->tokens);
    free(e->scores);
    *e = (struct entry){.tokens = NULL};
}

void rank_cache_close(struct rank_cache *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < ENTRIES; i++)
        forget(&c->entries[i]);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

static bool same(const llama_token *a, const llama_token *b, size_t n)
{
    return n == 0 || memcmp(a, b, n * sizeof *a) == 0;
}

bool rank_key_equal(const struct rank_key *a, const struct rank_key *b)
{
    return a->n_prefix == b->n_prefix && a->n_prompt == b->n_prompt && a->n_items == b->n_items &&
           same(a->prefix, b->prefix, a->n_prefix) && same(a->prompt, b->prompt, a->n_prompt) &&
           same(a->items, b->items, a->n_items);
}

static struct entry *find(struct rank_cache *c, const struct rank_key *k)
{
    for (size_t i = 0; i < ENTRIES; i++)
        if (c->entries[i].tokens && rank_key_equal(&c->entries[i].key, k))
            return &c->entries[i];
    return NULL;
}

bool rank_cache_get(struct rank_cache *c, const struct rank_key *k, float *scores)
{
    pthread_mutex_lock(&c->lock);
    struct entry *e = find(c, k);
    if (e) {
        e->used = ++c->clock;
        memcpy(scores, e->scores, k->n_items * sizeof *scores);
    }
    pthread_mutex_unlock(&c->lock);
    return e != NULL;
}

/* Appends a copy of `from` to the tokens at *end; where it went. */
static llama_token *copy(llama_token **end, const llama_token *from, size_t n)
{
    llama_token *to = *end;
    if (n > 0)
        memcpy(to, from, n * sizeof *to);
    *end += n;
    return to;
}

static bool make_entry(struct entry *e, const struct rank_key *k, const float *scores)
{
    *e = (struct entry){.key = *k};
    e->tokens = sf_alloc((k->n_prefix + k->n_prompt + k->n_items) * sizeof *e->tokens);
    e->scores = sf_alloc(k->n_items * sizeof *e->scores);
    if (!e->tokens || !e->scores) {
        forget(e);
        return false;
    }
    llama_token *end = e->tokens;
    e->key.prefix = copy(&end, k->prefix, k->n_prefix);
    e->key.prompt = copy(&end, k->prompt, k->n_prompt);
    e->key.items = copy(&end, k->items, k->n_items);
    memcpy(e->scores, scores, k->n_items * sizeof *scores);
    return true;
}

void rank_cache_put(struct rank_cache *c, const struct rank_key *k, const float *scores)
{
    struct entry *oldest = &c->entries[0], new;
    if (k->n_items == 0 || !make_entry(&new, k, scores))
        return;
    pthread_mutex_lock(&c->lock);
    for (size_t i = 1; i < ENTRIES; i++)
        if (c->entries[i].used < oldest->used)
            oldest = &c->entries[i];
    struct entry *there = find(c, k);
    oldest = there ? there : oldest;
    forget(oldest);
    new.used = ++c->clock;
    *oldest = new;
    pthread_mutex_unlock(&c->lock);
}
