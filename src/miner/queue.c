/* SPDX-License-Identifier: MIT */
#include "miner/queue.h"

#include "base/mem.h"

#include <math.h>
#include <pthread.h>
#include <unistd.h>

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct job *waiting; /* by turn, then as they came */
    struct job *working;
    struct queue_counts counts;
    size_t guest_limit; /* 0 none */
    size_t idle;        /* workers that wait in queue_pop */
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
    if (j->client > 0) {
        (void)close(j->client);
    }
    if (j->listener != NULL) {
        j->listener->release(j->listener_arg);
    }
    free(j);
}

void job_name_fallback(const struct job *j, const struct gen_trail *trail, char *out, size_t n)
{
    const struct gen_step *first = j->only[0] != '\0' ? NULL : gen_trail_first_failure(trail);
    out[0] = '\0';
    if (first != NULL) {
        (void)snprintf(out, n, "answered by %s after %s %s: %s", trail->answered->name, first->name,
                       first->outcome == GEN_STEP_FAILED ? "failed" : "was passed over",
                       first->reason);
    }
}

bool job_take_answer(struct job *j, int status)
{
    int none = 0;
    return atomic_compare_exchange_strong(&j->answered, &none, status);
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

static bool is_guest(const struct job *j)
{
    return j->origin != ORIGIN_VALIDATOR;
}

void queue_limit_guests(struct queue *q, size_t n)
{
    (void)pthread_mutex_lock(&q->lock);
    q->guest_limit = n;
    (void)pthread_mutex_unlock(&q->lock);
}

struct job *queue_evict_guest(struct queue *q)
{
    struct job **found = NULL;
    struct job *j = NULL;
    (void)pthread_mutex_lock(&q->lock);
    for (struct job **at = &q->waiting; *at != NULL; at = &(*at)->next) {
        found = is_guest(*at) ? at : found;
    }
    if (found != NULL && !q->draining && q->counts.depth >= q->counts.size) {
        j = *found;
        *found = j->next;
        q->counts.depth--;
    }
    (void)pthread_mutex_unlock(&q->lock);
    return j;
}

/* When a validator would have to wait for a worker, a guest in work gives its own up. */
static void make_way(struct queue *q)
{
    size_t waiting = 0, coming = q->idle;
    struct job *guest = NULL;
    for (const struct job *j = q->waiting; j != NULL; j = j->next) {
        waiting += is_guest(j) ? 0 : 1;
    }
    for (struct job *j = q->working; j != NULL; j = j->next) {
        coming += atomic_load(&j->displaced) ? 1 : 0;
        guest = is_guest(j) && !atomic_load(&j->displaced) ? j : guest;
    }
    if (waiting > coming && guest != NULL) {
        atomic_store(&guest->displaced, true);
        atomic_store(&guest->cancel, true);
    }
}

/* The first waiting job that may be worked on now, taken out; NULL none. */
static struct job *take_next(struct queue *q)
{
    size_t guests = 0;
    for (const struct job *j = q->working; j != NULL; j = j->next) {
        guests += is_guest(j) ? 1 : 0;
    }
    bool full = q->guest_limit > 0 && guests >= q->guest_limit;
    struct job **at = &q->waiting;
    while (*at != NULL && full && is_guest(*at)) {
        at = &(*at)->next;
    }
    struct job *j = *at;
    if (j != NULL) {
        *at = j->next;
    }
    return j;
}

/* When it came, less its head start. It never changes, so the list needs no sorting as time passes:
 * that the waiting get older is in it already. */
static double turn_of(const struct job *j)
{
    if (j->priority < 0) {
        return HUGE_VAL;
    }
    double share = log1p(j->priority) / log1p(QUEUE_STAKE_FULL);
    return (double)j->received.ms - QUEUE_HEAD_START_MS * (share < 1 ? share : 1);
}

enum sf_err queue_push(struct queue *q, struct job *j)
{
    enum sf_err err = SF_EBUSY;
    (void)pthread_mutex_lock(&q->lock);
    if (!q->draining && q->counts.depth < q->counts.size) {
        struct job **at = &q->waiting;
        j->turn = turn_of(j);
        while (*at != NULL && (*at)->turn <= j->turn) {
            at = &(*at)->next;
        }
        j->next = *at;
        *at = j;
        q->counts.depth++;
        err = SF_OK;
        if (q->guest_limit > 0) {
            make_way(q);
        }
    }
    (void)pthread_mutex_unlock(&q->lock);
    if (err == SF_OK) { /* not under the lock: whom it wakes would wait for that at once */
        (void)pthread_cond_signal(&q->changed);
    }
    return err;
}

struct job *queue_pop(struct queue *q)
{
    (void)pthread_mutex_lock(&q->lock);
    struct job *j = take_next(q);
    while (j == NULL && (!q->draining || q->waiting != NULL)) {
        q->idle++;
        (void)pthread_cond_wait(&q->changed, &q->lock);
        q->idle--;
        j = take_next(q);
    }
    if (j != NULL) {
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
    if (is_guest(j)) { /* the next one may be taken in; when draining, others may end */
        (void)pthread_cond_broadcast(&q->changed);
    }
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
