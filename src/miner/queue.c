/* SPDX-License-Identifier: MIT */
#include "miner/queue.h"

#include "base/mem.h"

#include <pthread.h>

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct job *waiting; /* best first */
    struct job *working;
    struct queue_counts counts;
    bool draining;
};

void job_free(struct job *j)
{
    if (j == NULL) {
        return;
    }
    story_request_fini(&j->request);
    json_decref(j->body);
    app_close(j->app);
    free(j);
}

enum sf_err queue_open(size_t size, struct queue **out)
{
    struct queue *q = sf_alloc(sizeof *q);
    if (q == NULL) {
        return SF_ENOMEM;
    }
    q->counts.size = size;
    (void)pthread_mutex_init(&q->lock, NULL);
    (void)pthread_cond_init(&q->changed, NULL);
    *out = q;
    return SF_OK;
}

void queue_close(struct queue *q)
{
    if (q == NULL) {
        return;
    }
    SF_BUG_ON(q->waiting != NULL || q->working != NULL);
    (void)pthread_mutex_destroy(&q->lock);
    (void)pthread_cond_destroy(&q->changed);
    free(q);
}

enum sf_err queue_push(struct queue *q, struct job *j)
{
    enum sf_err err = SF_EBUSY;
    (void)pthread_mutex_lock(&q->lock);
    if (!q->draining && q->counts.depth < q->counts.size) {
        struct job **at = &q->waiting;
        while (*at != NULL && (*at)->priority >= j->priority) {
            at = &(*at)->next;
        }
        j->next = *at;
        *at = j;
        q->counts.depth++;
        err = SF_OK;
        (void)pthread_cond_signal(&q->changed);
    }
    (void)pthread_mutex_unlock(&q->lock);
    return err;
}

struct job *queue_pop(struct queue *q)
{
    (void)pthread_mutex_lock(&q->lock);
    while (q->waiting == NULL && !q->draining) {
        (void)pthread_cond_wait(&q->changed, &q->lock);
    }
    struct job *j = q->waiting;
    if (j != NULL) {
        q->waiting = j->next;
        j->next = q->working;
        q->working = j;
        q->counts.depth--;
        q->counts.in_flight++;
    }
    (void)pthread_mutex_unlock(&q->lock);
    return j;
}

void queue_done(struct queue *q, struct job *j)
{
    (void)pthread_mutex_lock(&q->lock);
    struct job **at = &q->working;
    while (*at != j) {
        at = &(*at)->next;
    }
    *at = j->next;
    q->counts.in_flight--;
    (void)pthread_mutex_unlock(&q->lock);
}

void queue_drain(struct queue *q)
{
    (void)pthread_mutex_lock(&q->lock);
    q->draining = true;
    (void)pthread_cond_broadcast(&q->changed);
    (void)pthread_mutex_unlock(&q->lock);
}

struct queue_counts queue_count(struct queue *q)
{
    (void)pthread_mutex_lock(&q->lock);
    struct queue_counts counts = q->counts;
    (void)pthread_mutex_unlock(&q->lock);
    return counts;
}

void queue_each(struct queue *q, void (*fn)(void *arg, struct job *j), void *arg)
{
    (void)pthread_mutex_lock(&q->lock);
    for (struct job *j = q->waiting; j != NULL; j = j->next) {
        fn(arg, j);
    }
    for (struct job *j = q->working; j != NULL; j = j->next) {
        fn(arg, j);
    }
    (void)pthread_mutex_unlock(&q->lock);
}
