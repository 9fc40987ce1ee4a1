/* SPDX-License-Identifier: MIT */
#include "generator/plugin_hands.h"

#include "base/mem.h"

#include <stdbool.h>

#define IDLE_MAX 16 /* more of them end with their job */

struct plugin_hand {
    struct plugin_hand *next; /* under the lock of `hands`, which may be gone once it is parked */
    struct plugin_hands *hands;
    bool parked; /* its thread's own */
    pthread_t thread;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    void (*job)(void *arg, struct plugin_hand *hand);
    void *arg;
    bool ends, detached;
};

void plugin_hands_init(struct plugin_hands *h)
{
    *h = (struct plugin_hands){.idle = NULL};
    (void)pthread_mutex_init(&h->lock, NULL);
}

static void hand_free(struct plugin_hand *hand)
{
    (void)pthread_mutex_destroy(&hand->lock);
    (void)pthread_cond_destroy(&hand->changed);
    free(hand);
}

void plugin_hands_fini(struct plugin_hands *h)
{
    while (h->idle != NULL) {
        struct plugin_hand *hand = h->idle;
        h->idle = hand->next;
        bool self = pthread_equal(hand->thread, pthread_self()) != 0;
        (void)pthread_mutex_lock(&hand->lock);
        hand->ends = true;
        hand->detached = self;
        (void)pthread_cond_signal(&hand->changed);
        (void)pthread_mutex_unlock(&hand->lock);
        if (!self) {
            (void)pthread_join(hand->thread, NULL);
            hand_free(hand);
        }
    }
    (void)pthread_mutex_destroy(&h->lock);
}

static void give(struct plugin_hand *hand, void (*job)(void *, struct plugin_hand *), void *arg)
{
    (void)pthread_mutex_lock(&hand->lock);
    hand->job = job;
    hand->arg = arg;
    (void)pthread_cond_signal(&hand->changed);
    (void)pthread_mutex_unlock(&hand->lock);
}

void plugin_hand_park(struct plugin_hand *hand)
{
    struct plugin_hands *h = hand->hands;
    (void)pthread_mutex_lock(&h->lock);
    hand->parked = h->n_idle < IDLE_MAX;
    if (hand->parked) {
        hand->next = h->idle;
        h->idle = hand;
        h->n_idle++;
    }
    (void)pthread_mutex_unlock(&h->lock);
}

/* False: the end. */
static bool next_job(struct plugin_hand *hand, void (**job)(void *, struct plugin_hand *),
                     void **arg)
{
    (void)pthread_mutex_lock(&hand->lock);
    while (hand->job == NULL && !hand->ends) {
        (void)pthread_cond_wait(&hand->changed, &hand->lock);
    }
    *job = hand->job;
    *arg = hand->arg;
    hand->job = NULL;
    (void)pthread_mutex_unlock(&hand->lock);
    return *job != NULL;
}

static void *serve(void *arg)
{
    struct plugin_hand *hand = arg;
    void (*job)(void *, struct plugin_hand *);
    void *job_arg;
    hand->parked = true;
    while (hand->parked && next_job(hand, &job, &job_arg)) {
        hand->parked = false;
        job(job_arg, hand);
    }
    if (!hand->parked || hand->detached) { /* nobody joins it */
        (void)pthread_detach(pthread_self());
        hand_free(hand);
    }
    return NULL;
}

enum sf_err plugin_hands_start(struct plugin_hands *h,
                               void (*job)(void *arg, struct plugin_hand *hand), void *arg)
{
    (void)pthread_mutex_lock(&h->lock);
    struct plugin_hand *hand = h->idle;
    if (hand != NULL) {
        h->idle = hand->next;
        h->n_idle--;
    }
    (void)pthread_mutex_unlock(&h->lock);
    if (hand != NULL) {
        give(hand, job, arg);
        return SF_OK;
    }
    hand = sf_alloc(sizeof *hand);
    if (hand == NULL) {
        return SF_ENOMEM;
    }
    hand->hands = h;
    hand->job = job;
    hand->arg = arg;
    (void)pthread_mutex_init(&hand->lock, NULL);
    (void)pthread_cond_init(&hand->changed, NULL);
    (void)pthread_mutex_lock(&hand->lock); /* the thread waits until its own name is known */
    int failed = pthread_create(&hand->thread, NULL, serve, hand);
    (void)pthread_mutex_unlock(&hand->lock);
    if (failed != 0) {
        hand_free(hand);
        return SF_ENOMEM;
    }
    return SF_OK;
}
