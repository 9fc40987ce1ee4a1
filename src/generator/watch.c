/* SPDX-License-Identifier: MIT */
#include "generator/watch.h"

#include "base/mem.h"

#include <poll.h>
#include <pthread.h>

#define TICK_MS 10
#define LATE_MS 100 /* generators keep the deadline themselves; this is for one that does not */

struct watch {
    pthread_t thread;
    pthread_mutex_t lock; /* of the list and the verdicts */
    pthread_cond_t changed;
    struct watched *items;
    bool closing;
};

/* Tokens of the last window, by tenths: one that lies wholly behind the first token is judged. */
static bool is_too_slow(struct watched *item, int64_t now_ms)
{
    const struct watch_rules *r = &item->rules;
    int64_t tokens = atomic_load(&item->tokens), step = r->window_ms / WATCH_SAMPLES;
    if (r->min_tokens_per_second <= 0 || tokens <= 0 || now_ms - item->sampled_ms < step) {
        return false;
    }
    int at = item->n_samples % WATCH_SAMPLES;
    int64_t gained = tokens - item->samples[at];
    bool full = item->n_samples >= WATCH_SAMPLES;
    item->samples[at] = tokens;
    item->n_samples++;
    item->sampled_ms = now_ms;
    return full && (double)gained < r->min_tokens_per_second * (double)r->window_ms / 1000.0;
}

static void look_at(struct watched *item)
{
    const struct gen_call *call = item->outer;
    int64_t now_ms = sf_now().ms;
    if (call->cancel != NULL && atomic_load(call->cancel)) {
        atomic_store(&item->cancel, true);
        return;
    }
    if (item->verdict != WATCH_FINE) {
        return;
    }
    if (now_ms - atomic_load(&item->last_event_ms) > item->rules.patience_ms) {
        item->verdict = WATCH_STALLED;
    } else if (is_too_slow(item, now_ms)) {
        item->verdict = WATCH_SLOW;
    } else if (now_ms - call->deadline.ms > LATE_MS) {
        item->verdict = WATCH_LATE;
    }
    if (item->verdict != WATCH_FINE) {
        atomic_store(&item->cancel, true);
    }
}

static void *run(void *arg)
{
    struct watch *w = arg;
    (void)pthread_mutex_lock(&w->lock);
    while (!w->closing) {
        if (w->items == NULL) {
            (void)pthread_cond_wait(&w->changed, &w->lock);
            continue;
        }
        for (struct watched *item = w->items; item != NULL; item = item->next) {
            look_at(item);
        }
        (void)pthread_mutex_unlock(&w->lock);
        (void)poll(NULL, 0, TICK_MS);
        (void)pthread_mutex_lock(&w->lock);
    }
    (void)pthread_mutex_unlock(&w->lock);
    return NULL;
}

enum sf_err watch_open(struct watch **out)
{
    struct watch *w = sf_alloc(sizeof *w);
    if (w == NULL) {
        return SF_ENOMEM;
    }
    (void)pthread_mutex_init(&w->lock, NULL);
    (void)pthread_cond_init(&w->changed, NULL);
    if (pthread_create(&w->thread, NULL, run, w) != 0) {
        free(w);
        return SF_ENOMEM;
    }
    *out = w;
    return SF_OK;
}

void watch_close(struct watch *w)
{
    if (w == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&w->lock);
    w->closing = true;
    (void)pthread_cond_signal(&w->changed);
    (void)pthread_mutex_unlock(&w->lock);
    (void)pthread_join(w->thread, NULL);
    (void)pthread_mutex_destroy(&w->lock);
    (void)pthread_cond_destroy(&w->changed);
    free(w);
}

static void on_event(void *arg, const struct gen_event *event)
{
    struct watched *item = arg;
    atomic_store(&item->last_event_ms, sf_now().ms);
    if (event->kind == GEN_EVENT_TOKENS) {
        atomic_store(&item->tokens, event->done);
    }
    if (item->outer->on_event != NULL) {
        item->outer->on_event(item->outer->event_arg, event);
    }
}

void watch_begin(struct watch *w, struct watched *item, const struct gen_call *outer,
                 const struct watch_rules *rules, struct gen_call *inner)
{
    *item = (struct watched){.outer = outer, .rules = *rules};
    atomic_init(&item->last_event_ms, sf_now().ms);
    atomic_init(&item->tokens, 0);
    atomic_init(&item->cancel, false);
    inner->cancel = &item->cancel;
    inner->on_event = on_event;
    inner->event_arg = item;
    (void)pthread_mutex_lock(&w->lock);
    item->next = w->items;
    w->items = item;
    (void)pthread_cond_signal(&w->changed);
    (void)pthread_mutex_unlock(&w->lock);
}

enum watch_verdict watch_end(struct watch *w, struct watched *item)
{
    (void)pthread_mutex_lock(&w->lock);
    struct watched **at = &w->items;
    while (*at != item) {
        at = &(*at)->next;
    }
    *at = item->next;
    enum watch_verdict verdict = item->verdict;
    (void)pthread_mutex_unlock(&w->lock);
    return verdict;
}
