/* SPDX-License-Identifier: MIT */
#include "bittensor/known_keys.h"

#include "base/mem.h"

#include <pthread.h>

#define SETS 64
#define WAYS 4

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* a leaf */
static struct set {
    struct ristretto_key *keys[WAYS];
    unsigned next; /* to be replaced */
} sets[SETS];

/* Any bytes of a key are as good as random ones; who looks for keys that share a set gains nothing
 * but that his own are slower. */
static struct set *set_of(const uint8_t encoded[static 32])
{
    return &sets[encoded[7] % SETS];
}

static struct ristretto_key *find(struct set *s, const uint8_t encoded[static 32])
{
    for (size_t i = 0; i < WAYS; i++) {
        if (s->keys[i] != NULL && memcmp(s->keys[i]->encoded, encoded, 32) == 0) {
            return s->keys[i];
        }
    }
    return NULL;
}

bool known_keys_find(const uint8_t encoded[static 32], struct ristretto_key *out)
{
    (void)pthread_mutex_lock(&lock);
    const struct ristretto_key *found = find(set_of(encoded), encoded);
    if (found != NULL) {
        *out = *found;
    }
    (void)pthread_mutex_unlock(&lock);
    return found != NULL;
}

void known_keys_keep(const struct ristretto_key *key)
{
    (void)pthread_mutex_lock(&lock);
    struct set *s = set_of(key->encoded);
    if (find(s, key->encoded) == NULL) {
        struct ristretto_key **place = &s->keys[s->next];
        if (*place == NULL) {
            *place = sf_alloc(sizeof **place);
        }
        if (*place != NULL) {
            **place = *key;
            s->next = (s->next + 1) % WAYS;
        }
    }
    (void)pthread_mutex_unlock(&lock);
}
