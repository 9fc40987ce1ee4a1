/* SPDX-License-Identifier: MIT */
#include "miner/rates.h"

#include "base/mem.h"

#include <pthread.h>
#include <stdlib.h>

#define RATES_MAX 4096 /* of a busier hour only the last so many count */
#define SPAN_MS 3600000

struct noted {
    struct sf_time at;
    struct rates_answer answer;
};

struct rates {
    pthread_mutex_t lock;
    uint64_t total;
    struct noted ring[RATES_MAX];
};

enum sf_err rates_open(struct rates **out)
{
    struct rates *r = sf_alloc(sizeof *r);
    if (r == NULL) {
        return SF_ENOMEM;
    }
    (void)pthread_mutex_init(&r->lock, NULL);
    *out = r;
    return SF_OK;
}

void rates_close(struct rates *r)
{
    if (r != NULL) {
        (void)pthread_mutex_destroy(&r->lock);
        free(r);
    }
}

void rates_note(struct rates *r, const struct rates_answer *a)
{
    if (r == NULL) {
        return;
    }
    struct sf_time now = sf_now();
    (void)pthread_mutex_lock(&r->lock);
    r->ring[r->total % RATES_MAX] = (struct noted){now, *a};
    r->total++;
    (void)pthread_mutex_unlock(&r->lock);
}

/* ---- telling --------------------------------------------------------------------------------- */

struct sums {
    size_t n;
    sf_ms took[RATES_MAX], margin[RATES_MAX];
    int64_t counts[3];
    double tokens, token_seconds;
};
static const struct {
    double multiplier;
    const char *name;
} classes[] = {{1.5, "1.5"}, {1.0, "1.0"}, {0.5, "0.5"}};

static void add_up(const struct rates *r, struct sums *s)
{
    struct sf_time now = sf_now();
    size_t kept = r->total < RATES_MAX ? (size_t)r->total : RATES_MAX;
    for (size_t i = 0; i < kept; i++) {
        const struct rates_answer *a = &r->ring[i].answer;
        if (sf_between(r->ring[i].at, now) > SPAN_MS) {
            continue;
        }
        s->took[s->n] = a->took_ms;
        s->margin[s->n] = a->margin_ms;
        s->n++;
        for (size_t k = 0; k < 3; k++) {
            s->counts[k] += a->multiplier == classes[k].multiplier ? 1 : 0;
        }
        if (a->tokens > 0) {
            s->tokens += (double)a->tokens;
            s->token_seconds += sf_seconds(a->took_ms);
        }
    }
}

static int by_size(const void *a, const void *b)
{
    const sf_ms *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

/* The value that a share of all does not exceed; null without any. */
static json_t *share(sf_ms *list, size_t n, size_t percent)
{
    if (n == 0) {
        return json_null();
    }
    qsort(list, n, sizeof *list, by_size);
    return json_real(sf_seconds(list[(n * percent + 99) / 100 - 1]));
}

json_t *rates_json(struct rates *r)
{
    struct sums *s = r == NULL ? NULL : sf_alloc(sizeof *s);
    if (s == NULL) {
        return NULL;
    }
    (void)pthread_mutex_lock(&r->lock);
    uint64_t total = r->total;
    add_up(r, s);
    (void)pthread_mutex_unlock(&r->lock);
    json_t *counts = json_object();
    for (size_t k = 0; k < 3; k++) {
        (void)json_object_set_new(counts, classes[k].name, json_integer(s->counts[k]));
    }
    json_t *speed = s->token_seconds > 0 ? json_real(s->tokens / s->token_seconds) : json_null();
    json_t *out =
        json_pack("{s:I, s:o, s:o, s:o, s:o}", "answers_total", (json_int_t)total, "by_multiplier",
                  counts, "tokens_per_second", speed, "p50_seconds", share(s->took, s->n, 50),
                  "deadline_margin_p5_seconds", share(s->margin, s->n, 5));
    free(s);
    return out;
}
