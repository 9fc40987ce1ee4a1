/* SPDX-License-Identifier: MIT */
#include "generator/watch.h"

#include "base/mem.h"

#include <poll.h>
#include <pthread.h>

#define TICK_MS 20

struct watch {
    pthread_t thread;
    pthread_mutex_t lock; /* of the list and `stalled` */
    pthread_cond_t changed;
    struct watched *items;
    bool closing;
};

static void look_at(struct watched *item)
{
    const struct gen_call *call = item->outer;
    bool gone = call->cancel != NULL && atomic_load(call->cancel);
    bool silent = sf_now().ms - atomic_load(&item->last_event_ms) > item->patience;
    if (silent && !gone) {
        item->stalled = true;
    }
    if (gone || silent) {
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
    if (item->outer->on_event != NULL) {
        item->outer->on_event(item->outer->event_arg, event);
    }
}

void watch_begin(struct watch *w, struct watched *item, const struct gen_call *outer,
                 sf_ms patience, struct gen_call *inner)
{
    item->outer = outer;
    item->patience = patience;
    item->stalled = false;
    atomic_init(&item->last_event_ms, sf_now().ms);
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

bool watch_end(struct watch *w, struct watched *item)
{
    (void)pthread_mutex_lock(&w->lock);
    struct watched **at = &w->items;
    while (*at != item) {
        at = &(*at)->next;
    }
    *at = item->next;
    bool stalled = item->stalled;
    (void)pthread_mutex_unlock(&w->lock);
    return stalled;
}
