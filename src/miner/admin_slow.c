/* SPDX-License-Identifier: MIT */
#include "miner/admin_slow.h"

#include "base/mem.h"

#include <pthread.h>

#define THREADS 2
#define WAITING_MAX 32

struct task {
    admin_handler handle;
    struct admin *admin;
    struct http_exchange *exchange;
    const struct http_request *request;
};

struct admin_slow {
    pthread_mutex_t lock; /* of all below */
    pthread_cond_t changed;
    struct task ring[WAITING_MAX];
    size_t first, n;
    bool stopped;
    pthread_t threads[THREADS];
    size_t n_threads;
};

/* Waits for the next; false: none comes any more. */
static bool take(struct admin_slow *s, struct task *out)
{
    (void)pthread_mutex_lock(&s->lock);
    while (s->n == 0 && !s->stopped) {
        (void)pthread_cond_wait(&s->changed, &s->lock);
    }
    bool has = s->n > 0;
    if (has) {
        *out = s->ring[s->first];
        s->first = (s->first + 1) % WAITING_MAX;
        s->n--;
    }
    bool refuse = s->stopped;
    (void)pthread_mutex_unlock(&s->lock);
    if (has && refuse) {
        out->handle = NULL;
    }
    return has;
}

static void *run(void *arg)
{
    struct task t;
    while (take(arg, &t)) {
        if (t.handle != NULL) {
            t.handle(t.admin, t.exchange, t.request);
        } else {
            reply_message(t.exchange, 503, "the miner is shutting down: try again in a minute");
        }
    }
    return NULL;
}

enum sf_err admin_slow_open(struct admin_slow **out)
{
    struct admin_slow *s = sf_alloc(sizeof *s);
    if (s == NULL) {
        return SF_ENOMEM;
    }
    (void)pthread_mutex_init(&s->lock, NULL);
    (void)pthread_cond_init(&s->changed, NULL);
    while (s->n_threads < THREADS && pthread_create(&s->threads[s->n_threads], NULL, run, s) == 0) {
        s->n_threads++;
    }
    if (s->n_threads == 0) {
        admin_slow_close(s);
        return SF_ENOMEM;
    }
    *out = s;
    return SF_OK;
}

bool admin_slow_put(struct admin_slow *s, admin_handler handle, struct admin *a,
                    struct http_exchange *x, const struct http_request *r)
{
    (void)pthread_mutex_lock(&s->lock);
    bool fits = s->n < WAITING_MAX && !s->stopped;
    if (fits) {
        s->ring[(s->first + s->n++) % WAITING_MAX] = (struct task){handle, a, x, r};
        (void)pthread_cond_signal(&s->changed);
    }
    (void)pthread_mutex_unlock(&s->lock);
    return fits;
}

void admin_slow_stop(struct admin_slow *s)
{
    (void)pthread_mutex_lock(&s->lock);
    s->stopped = true;
    (void)pthread_cond_broadcast(&s->changed);
    size_t n = s->n_threads;
    s->n_threads = 0;
    (void)pthread_mutex_unlock(&s->lock);
    for (size_t i = 0; i < n; i++) {
        (void)pthread_join(s->threads[i], NULL);
    }
}

void admin_slow_close(struct admin_slow *s)
{
    if (s == NULL) {
        return;
    }
    admin_slow_stop(s);
    (void)pthread_mutex_destroy(&s->lock);
    (void)pthread_cond_destroy(&s->changed);
    free(s);
}
