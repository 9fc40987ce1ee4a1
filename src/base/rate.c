/* SPDX-License-Identifier: MIT */
#include "base/rate.h"

#include "base/file.h"
#include "base/mem.h"

#include <pthread.h>
#include <string.h>

#define WAYS 8
#define MINUTE_US INT64_C(60000000)

/* One number says it all (GCRA): when the bucket is full again. Past means full, which is what an
 * unknown key has too, so that forgetting such an entry changes nothing. */
struct rate_entry {
    uint8_t key[RATE_KEY_LEN];
    int64_t full_at_us; /* 0 unused */
};

struct rate_table {
    pthread_mutex_t lock;
    uint64_t seed;
    size_t n_sets; /* a power of two */
    struct rate_entry entries[];
};

enum sf_err rate_table_open(size_t n_keys, struct rate_table **out)
{
    size_t n_sets = 1;
    while (n_sets * WAYS < n_keys) {
        n_sets *= 2;
    }
    struct rate_table *t = sf_alloc(sizeof *t + n_sets * WAYS * sizeof t->entries[0]);
    if (t == NULL) {
        return SF_ENOMEM;
    }
    sf_random(&t->seed, sizeof t->seed);
    t->n_sets = n_sets;
    (void)pthread_mutex_init(&t->lock, NULL);
    *out = t;
    return SF_OK;
}

void rate_table_close(struct rate_table *t)
{
    if (t != NULL) {
        (void)pthread_mutex_destroy(&t->lock);
        free(t);
    }
}

/* Keys are of others' choosing; who finds colliding ones makes the set forget its own. */
static struct rate_entry *set_of(struct rate_table *t, const uint8_t *key)
{
    uint64_t h = t->seed;
    for (size_t i = 0; i < RATE_KEY_LEN; i += sizeof h) {
        uint64_t word;
        memcpy(&word, key + i, sizeof word);
        h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        h ^= h >> 29U;
    }
    return &t->entries[(size_t)(h & (t->n_sets - 1)) * WAYS];
}

/* The entry of a key, or the one that makes room for it. */
static struct rate_entry *find(struct rate_table *t, const uint8_t *key, bool *known)
{
    struct rate_entry *set = set_of(t, key), *idle = set;
    *known = true;
    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].full_at_us != 0 && memcmp(set[i].key, key, RATE_KEY_LEN) == 0) {
            return &set[i];
        }
        idle = set[i].full_at_us < idle->full_at_us ? &set[i] : idle;
    }
    *known = false;
    return idle;
}

static struct rate_entry *find_or_make(struct rate_table *t, const uint8_t *key)
{
    bool known;
    struct rate_entry *e = find(t, key, &known);
    if (!known) {
        memcpy(e->key, key, RATE_KEY_LEN);
        e->full_at_us = 0;
    }
    return e;
}

bool rate_take(struct rate_table *t, const uint8_t key[static RATE_KEY_LEN], int64_t per_minute)
{
    if (per_minute <= 0) {
        return true;
    }
    int64_t now = sf_now_ns() / 1000;
    (void)pthread_mutex_lock(&t->lock);
    struct rate_entry *e = find_or_make(t, key);
    int64_t full_at = (e->full_at_us > now ? e->full_at_us : now) + MINUTE_US / per_minute;
    bool ok = full_at - now <= MINUTE_US;
    e->full_at_us = ok ? full_at : e->full_at_us;
    (void)pthread_mutex_unlock(&t->lock);
    return ok;
}

void rate_mark(struct rate_table *t, const uint8_t key[static RATE_KEY_LEN], sf_ms span)
{
    int64_t until = (sf_now().ms + span) * 1000;
    (void)pthread_mutex_lock(&t->lock);
    find_or_make(t, key)->full_at_us = until;
    (void)pthread_mutex_unlock(&t->lock);
}

bool rate_is_marked(struct rate_table *t, const uint8_t key[static RATE_KEY_LEN])
{
    bool known;
    (void)pthread_mutex_lock(&t->lock);
    const struct rate_entry *e = find(t, key, &known);
    known = known && e->full_at_us > sf_now().ms * 1000;
    (void)pthread_mutex_unlock(&t->lock);
    return known;
}
