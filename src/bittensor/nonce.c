/* SPDX-License-Identifier: MIT */
#include "bittensor/nonce.h"

#include "base/clock.h"
#include "base/mem.h"

#include <pthread.h>
#include <string.h>

#define SECOND INT64_C(1000000000)

struct caller {
    uint8_t key[32];
    uint64_t *taken; /* unordered */
    size_t n, room;
    uint64_t floor; /* nonces up to here are refused */
    uint64_t newest;
};

struct nonce_table {
    struct nonce_options options;
    struct sf_time started;
    pthread_mutex_t lock;
    struct caller *callers; /* open addressing by key, power of two slots, twice max_callers */
    size_t n_slots, n_callers;
    uint64_t floor; /* of callers that are not in the table */
};

struct nonce_options nonce_options_default(void)
{
    return (struct nonce_options){.slack_ns = 4 * SECOND,
                                  .timeout_cap_s = 60,
                                  .future_ns = 5 * SECOND,
                                  .max_callers = 4096,
                                  .max_per_caller = 4096};
}

enum sf_err nonce_table_open(const struct nonce_options *o, struct nonce_table **out)
{
    struct nonce_table *t = sf_alloc(sizeof *t);
    if (t == NULL) {
        return SF_ENOMEM;
    }
    t->options = *o;
    t->started = sf_now();
    t->n_slots = 16;
    while (t->n_slots < 2 * o->max_callers) {
        t->n_slots *= 2;
    }
    t->callers = sf_alloc(t->n_slots * sizeof *t->callers);
    if (t->callers == NULL) {
        free(t);
        return SF_ENOMEM;
    }
    (void)pthread_mutex_init(&t->lock, NULL);
    *out = t;
    return SF_OK;
}

void nonce_table_close(struct nonce_table *t)
{
    if (t == NULL) {
        return;
    }
    for (size_t i = 0; i < t->n_slots; i++) {
        free(t->callers[i].taken), t->callers[i].taken = NULL;
    }
    free(t->callers), t->callers = NULL;
    (void)pthread_mutex_destroy(&t->lock);
    free(t);
}

/* The longest a nonce can be inside anybody's window. */
static int64_t longest_window_ns(const struct nonce_table *t)
{
    return t->options.slack_ns + t->options.timeout_cap_s * SECOND;
}

enum sf_err nonce_check_window(const struct nonce_table *t, uint64_t nonce, double timeout_seconds,
                               struct sf_errbuf *eb)
{
    int64_t now = sf_wall_ns();
    double cap = (double)t->options.timeout_cap_s;
    double timeout = timeout_seconds > cap ? cap : timeout_seconds;
    int64_t allowed = t->options.slack_ns + (int64_t)(timeout * (double)SECOND);
    if (nonce == 0) {
        return sf_fail(eb, SF_EREPLAY, "Missing Nonce");
    }
    if (nonce > (uint64_t)(now + t->options.future_ns)) {
        return sf_fail(eb, SF_EREPLAY,
                       "Nonce is from the future: acceptable are %.2f seconds (clock skew?)",
                       (double)t->options.future_ns / (double)SECOND);
    }
    if (nonce <= (uint64_t)(now - allowed)) {
        return sf_fail(eb, SF_EREPLAY,
                       "Nonce is too old: acceptable delta is %.2f seconds but request was %.2f "
                       "seconds old",
                       (double)allowed / (double)SECOND,
                       (double)(now - (int64_t)nonce) / (double)SECOND);
    }
    /* The start by the clock as it goes now: one that was set back since would refuse everybody. */
    if ((int64_t)nonce <= now - sf_between(t->started, sf_now()) * 1000000) {
        return sf_fail(eb, SF_EREPLAY, "Nonce is too old: the axon has started since");
    }
    return SF_OK;
}

/* Later than this is only what was taken before the clock was set back. */
static uint64_t latest_plausible(const struct nonce_table *t)
{
    return (uint64_t)(sf_wall_ns() + t->options.future_ns + longest_window_ns(t));
}

static size_t slot_of(const struct nonce_table *t, const uint8_t key[static 32])
{
    size_t h;
    memcpy(&h, key, sizeof h); /* a public key is as good as random */
    size_t i = h & (t->n_slots - 1);
    while (t->callers[i].newest != 0 && memcmp(t->callers[i].key, key, 32) != 0) {
        i = (i + 1) & (t->n_slots - 1);
    }
    return i;
}

/* How many callers have a nonce later than `floor`, by the clock as it is now. */
static size_t count_later(const struct nonce_table *t, uint64_t floor)
{
    size_t n = 0;
    uint64_t latest = latest_plausible(t);
    for (size_t i = 0; i < t->n_slots; i++) {
        n += t->callers[i].newest > floor && t->callers[i].newest <= latest ? 1 : 0;
    }
    return n;
}

/* What to forget in a full table: callers whose newest nonce has left every window, and when that
 * are few, those that were silent longest, so that a quarter gets free and the next time is far. */
static uint64_t choose_floor(const struct nonce_table *t)
{
    uint64_t low = (uint64_t)(sf_wall_ns() - longest_window_ns(t));
    uint64_t high = (uint64_t)(sf_wall_ns() + t->options.future_ns);
    size_t most = t->options.max_callers - (t->options.max_callers + 3) / 4;
    while (count_later(t, low) > most && high - low > 1) {
        uint64_t middle = low + (high - low) / 2;
        if (count_later(t, middle) > most) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return count_later(t, low) > most ? high : low;
}

/* Forgets them by building the table anew. Whoever is not in it is held to the floor: a nonce that
 * was taken and forgotten stays refused, and a fresh one is taken from anybody. */
static enum sf_err forget_callers(struct nonce_table *t)
{
    struct caller *old = t->callers;
    struct caller *fresh = sf_alloc(t->n_slots * sizeof *fresh);
    if (fresh == NULL) {
        return SF_ENOMEM;
    }
    uint64_t floor = choose_floor(t), latest = latest_plausible(t);
    t->floor = floor > t->floor ? floor : t->floor;
    t->callers = fresh;
    t->n_callers = 0;
    for (size_t i = 0; i < t->n_slots; i++) {
        if (old[i].newest > floor && old[i].newest <= latest) {
            fresh[slot_of(t, old[i].key)] = old[i];
            t->n_callers++;
        } else {
            free(old[i].taken), old[i].taken = NULL;
        }
    }
    free(old);
    return SF_OK;
}

/* Room for one more nonce: drops those outside every window, grows, or pushes out the oldest. */
static enum sf_err make_room(const struct nonce_table *t, struct caller *c)
{
    uint64_t horizon = (uint64_t)(sf_wall_ns() - longest_window_ns(t));
    size_t kept = 0, oldest = 0;
    if (c->n < c->room) {
        return SF_OK;
    }
    for (size_t i = 0; i < c->n; i++) {
        if (c->taken[i] > horizon) {
            c->taken[kept++] = c->taken[i];
        }
    }
    c->n = kept;
    if (c->n < c->room) {
        return SF_OK;
    }
    if (c->room < t->options.max_per_caller) {
        size_t room = c->room == 0 ? 16 : c->room * 2;
        uint64_t *grown = sf_realloc(c->taken, room * sizeof *grown);
        if (grown == NULL) {
            return SF_ENOMEM;
        }
        c->taken = grown;
        c->room = room;
        return SF_OK;
    }
    for (size_t i = 1; i < c->n; i++) {
        oldest = c->taken[i] < c->taken[oldest] ? i : oldest;
    }
    c->floor = c->taken[oldest];
    c->taken[oldest] = c->taken[--c->n];
    return SF_OK;
}

static bool was_taken(const struct caller *c, uint64_t nonce)
{
    if (nonce <= c->floor) {
        return true;
    }
    for (size_t i = 0; i < c->n; i++) {
        if (c->taken[i] == nonce) {
            return true;
        }
    }
    return false;
}

/* A floor that was made before the clock was set back: what was taken up to it is refused for its
 * age, or could not have been taken. */
static void lower_floor(const struct nonce_table *t, uint64_t *floor)
{
    if (*floor > latest_plausible(t)) {
        *floor = 0;
    }
}

static enum sf_err take_locked(struct nonce_table *t, const uint8_t key[static 32], uint64_t nonce,
                               struct sf_errbuf *eb)
{
    lower_floor(t, &t->floor);
    size_t slot = slot_of(t, key);
    if (t->callers[slot].newest == 0 && t->n_callers >= t->options.max_callers) {
        if (forget_callers(t) != SF_OK) {
            return sf_fail(eb, SF_EBUSY, "out of memory");
        }
        slot = slot_of(t, key);
    }
    struct caller *c = &t->callers[slot];
    c->floor = c->newest == 0 ? t->floor : c->floor;
    lower_floor(t, &c->floor);
    if (was_taken(c, nonce)) {
        return sf_fail(eb, SF_EREPLAY, "Nonce is too old, a newer one was last processed");
    }
    if (make_room(t, c) != SF_OK) {
        return sf_fail(eb, SF_EBUSY, "out of memory");
    }
    if (nonce <= c->floor) { /* make_room may have pushed the floor over it */
        return sf_fail(eb, SF_EREPLAY, "Nonce is too old, a newer one was last processed");
    }
    if (c->newest == 0) {
        memcpy(c->key, key, 32);
        t->n_callers++;
    }
    c->taken[c->n++] = nonce;
    c->newest = nonce > c->newest ? nonce : c->newest;
    return SF_OK;
}

enum sf_err nonce_take(struct nonce_table *t, const uint8_t caller[static 32], uint64_t nonce,
                       double timeout_seconds, struct sf_errbuf *eb)
{
    enum sf_err err = nonce_check_window(t, nonce, timeout_seconds, eb);
    if (err != SF_OK) {
        return err;
    }
    (void)pthread_mutex_lock(&t->lock);
    err = take_locked(t, caller, nonce, eb);
    (void)pthread_mutex_unlock(&t->lock);
    return err;
}
