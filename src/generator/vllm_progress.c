/* SPDX-License-Identifier: MIT */
#include "generator/vllm_progress.h"

#include "base/mem.h"

#include <pthread.h>
#include <time.h>

#define LOOK_MS 1500
#define METRICS_MAX ((size_t)2 << 20)

struct vllm_progress {
    struct cloud *c;
    sf_ms every;
    pthread_t thread;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    int waiting; /* calls */
    bool closing;
    _Atomic uint64_t moves; /* how often something was seen to move */
};

/* The value of a line "name{labels} value [time]". */
static bool line_value(struct sf_str line, const char *name, double *out)
{
    size_t n = 0;
    while (n < line.n && line.p[n] != '{' && line.p[n] != ' ') {
        n++;
    }
    if (!sf_str_is((struct sf_str){line.p, n}, name)) {
        return false;
    }
    for (size_t i = n; i < line.n; i++) {
        n = line.p[i] == '}' ? i + 1 : n; /* the last: labels may hold one */
    }
    struct sf_str rest = sf_str_trim((struct sf_str){line.p + n, line.n - n});
    rest.n = sf_str_find(rest, SF_STR(" "));
    return sf_scan_double(rest, out);
}

bool vllm_read_metrics(struct sf_str text, double *tokens, double *waiting)
{
    static const char *const names[] = {"vllm:iteration_tokens_total_sum",
                                        "vllm:iteration_tokens_total"};
    struct sf_str line;
    double value = 0;
    bool found = false;
    *tokens = *waiting = 0;
    while (sf_str_next(&text, '\n', &line)) {
        if (line_value(line, "vllm:num_requests_waiting", &value)) {
            *waiting += value;
            found = true;
        }
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
            if (line_value(line, names[i], &value)) {
                *tokens += value;
                found = true;
            }
        }
    }
    return found;
}

/* False: nothing was seen. */
static bool look(struct vllm_progress *p, double *tokens, double *waiting)
{
    struct sf_buf body;
    sf_buf_init(&body, METRICS_MAX);
    bool seen = cloud_get_root(p->c, "/metrics", LOOK_MS, &body, NULL) == SF_OK &&
                vllm_read_metrics(sf_buf_str(&body), tokens, waiting);
    sf_buf_fini(&body);
    return seen;
}

/* Waits out the pause; false when there is nothing to look at any more. With the lock held. */
static bool pause_a_while(struct vllm_progress *p)
{
    struct timespec until;
    struct sf_time end = sf_after(sf_now(), p->every);
    while (p->waiting > 0 && !p->closing && sf_until(end) > 0) {
        sf_ms left = sf_until(end);
        (void)clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += (left % 1000) * 1000000;
        until.tv_sec += left / 1000 + until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        (void)pthread_cond_timedwait(&p->changed, &p->lock, &until);
    }
    return p->waiting > 0 && !p->closing;
}

static void *run(void *arg)
{
    struct vllm_progress *p = arg;
    double tokens = 0, waiting = 0, last_tokens = 0, last_waiting = 0;
    bool known = false; /* there is something to compare with */
    (void)pthread_mutex_lock(&p->lock);
    while (!p->closing) {
        if (p->waiting == 0) {
            known = false;
            (void)pthread_cond_wait(&p->changed, &p->lock);
            continue;
        }
        (void)pthread_mutex_unlock(&p->lock);
        bool seen = look(p, &tokens, &waiting);
        if (seen && known && (tokens > last_tokens || waiting < last_waiting)) {
            (void)atomic_fetch_add(&p->moves, 1);
        }
        known = seen;
        last_tokens = tokens;
        last_waiting = waiting;
        (void)pthread_mutex_lock(&p->lock);
        (void)pause_a_while(p);
    }
    (void)pthread_mutex_unlock(&p->lock);
    return NULL;
}

enum sf_err vllm_progress_open(struct cloud *c, sf_ms every, struct vllm_progress **out)
{
    struct vllm_progress *p = sf_alloc(sizeof *p);
    if (p == NULL) {
        return SF_ENOMEM;
    }
    p->c = c;
    p->every = every;
    (void)pthread_mutex_init(&p->lock, NULL);
    sf_cond_init(&p->changed);
    if (pthread_create(&p->thread, NULL, run, p) != 0) {
        free(p);
        return SF_ENOMEM;
    }
    *out = p;
    return SF_OK;
}

void vllm_progress_close(struct vllm_progress *p)
{
    if (p == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&p->lock);
    p->closing = true;
    (void)pthread_cond_broadcast(&p->changed);
    (void)pthread_mutex_unlock(&p->lock);
    (void)pthread_join(p->thread, NULL);
    (void)pthread_cond_destroy(&p->changed);
    (void)pthread_mutex_destroy(&p->lock);
    free(p);
}

void vllm_progress_begin(struct vllm_progress *p, struct vllm_watching *w)
{
    *w = (struct vllm_watching){p, atomic_load(&p->moves)};
    (void)pthread_mutex_lock(&p->lock);
    p->waiting++;
    (void)pthread_cond_broadcast(&p->changed);
    (void)pthread_mutex_unlock(&p->lock);
}

void vllm_progress_end(struct vllm_watching *w)
{
    (void)pthread_mutex_lock(&w->progress->lock);
    w->progress->waiting--;
    (void)pthread_cond_broadcast(&w->progress->changed);
    (void)pthread_mutex_unlock(&w->progress->lock);
}

bool vllm_progress_moved(void *arg)
{
    struct vllm_watching *w = arg;
    uint64_t moves = atomic_load(&w->progress->moves);
    bool moved = moves != w->seen;
    w->seen = moves;
    return moved;
}
