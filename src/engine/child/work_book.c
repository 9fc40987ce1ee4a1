/* SPDX-License-Identifier: MIT */
#include "engine/child/work_book.h"

#include <string.h>

enum { WORKS_MAX = 256, PER_TEXT = 160 };

/* Where nothing was seen yet: the default model's answers to forty requests. */
static const struct {
    struct work_cost fixed, per_chapter;
} costs[STORY_TASK_COUNT] = {
    [STORY_BLUEPRINT] = {{350, 110}, {0, 0}},
    [STORY_CHARACTERS] = {{1410, 490}, {0, 0}},
    [STORY_ARC] = {{1340, 750}, {0, 0}},
    [STORY_CHAPTERS_TASK] = {{60, 0}, {180, 270}},
};
static const double weight = 0.25;      /* of the newest answer */
static const double doubt = 1.15;       /* answers of a task differ: the largest by the mean */
static const double target_part = 0.85; /* of the time to the target that is planned for */
static const double part_fed = 0.65;    /* of the tokens of a few texts */
static const double nearly = 0.05;      /* of an answer that took more than was thought */

void work_book_init(struct work_book *b)
{
    memset(b, 0, sizeof *b);
    pthread_mutex_init(&b->lock, NULL);
}

void work_book_fini(struct work_book *b)
{
    SF_BUG_ON(b->first != NULL);
    pthread_mutex_destroy(&b->lock);
}

static struct work_cost first_guess(const struct work_size *size)
{
    const struct work_cost *f = &costs[size->task].fixed, *c = &costs[size->task].per_chapter;
    double n = (double)size->n_chapters;
    return (struct work_cost){f->fed + n * c->fed, f->text + n * c->text};
}

struct work_cost work_book_cost(struct work_book *b, const struct work_size *size)
{
    struct work_cost cost = first_guess(size);
    pthread_mutex_lock(&b->lock);
    struct work_cost seen = b->seen[size->task][size->language % WORK_LANGUAGES];
    pthread_mutex_unlock(&b->lock);
    if (seen.fed > 0) {
        cost.fed *= seen.fed;
        cost.text *= seen.text;
    }
    double some = (double)size->n_wanted * PER_TEXT;
    if (some > 0 && some < cost.fed + cost.text)
        cost = (struct work_cost){some * part_fed, some * (1 - part_fed)};
    return cost;
}

static double nearer(double was, double seen)
{
    seen = seen < 0.2 ? 0.2 : seen > 5 ? 5 : seen;
    return was > 0 ? was * (1 - weight) + seen * weight : seen;
}

void work_book_learn(struct work_book *b, const struct work_size *size, struct work_cost seen,
                     double factor)
{
    struct work_cost guess = first_guess(size);
    if (size->n_wanted > 0 || seen.text <= 0 || factor <= 0 || guess.text <= 0)
        return;
    pthread_mutex_lock(&b->lock);
    struct work_cost *s = &b->seen[size->task][size->language % WORK_LANGUAGES];
    s->fed = nearer(s->fed, seen.fed / guess.fed);
    s->text = nearer(s->text, seen.text / factor / guess.text);
    pthread_mutex_unlock(&b->lock);
}

double work_until_done(const double *left, const double *all, size_t n, size_t i)
{
    double tokens = left[i];
    for (size_t k = 0; k < n; k++) {
        double beside = all[i] > 0 ? left[i] * all[k] / all[i] : left[k];
        if (k != i)
            tokens += beside < left[k] ? beside : left[k];
    }
    return tokens;
}

static double done_of(const struct work_entry *w)
{
    pthread_mutex_lock(&w->owner->lock);
    double done = (double)(w->owner->fed_tokens + w->owner->generated_tokens);
    pthread_mutex_unlock(&w->owner->lock);
    return done;
}

static double rest(double all, double done)
{
    return all - done > nearly * all ? all - done : nearly * all;
}

/* True when the last of `n`, the one who asks, and all before it are in time. */
static bool all_in_time(const struct work_order *o, const struct work_entry *first,
                        const double *left, const double *all, size_t n)
{
    sf_ms until = sf_until(o->deadline);
    bool ok = work_until_done(left, all, n, n - 1) / o->rate * 1000 <= (double)until;
    size_t i = 0;
    for (const struct work_entry *k = first; k && i + 1 < n && ok; k = k->next, i++) {
        /* Who was late before is not made late by this one. */
        double before = work_until_done(left, all, n - 1, i) / o->rate * 1000;
        double after = work_until_done(left, all, n, i) / o->rate * 1000;
        double has = (double)sf_until(k->deadline);
        ok = after <= has || before > has;
    }
    return ok;
}

enum sf_err work_book_enter(struct work_book *b, const struct work_order *o, struct work_entry *w,
                            double *factor, double *seconds)
{
    double left[WORKS_MAX], all[WORKS_MAX], planned = 0;
    size_t n = 0;
    *w = (struct work_entry){.owner = o->owner, .deadline = o->deadline};
    w->least = doubt * (o->cost.fed + o->least_factor * o->cost.text);
    *factor = 1;
    *seconds = 0;
    pthread_mutex_lock(&b->lock);
    for (const struct work_entry *k = b->first; k && n + 1 < WORKS_MAX; k = k->next, n++) {
        double done = done_of(k);
        left[n] = rest(k->least, done);
        all[n] = k->least;
        planned += rest(k->planned, done);
    }
    left[n] = all[n] = w->least;
    n++;
    bool ok = o->rate <= 0 || all_in_time(o, b->first, left, all, n);
    if (o->rate > 0) {
        double until = (double)sf_until(o->target) / 1000 * o->rate * target_part;
        double fits = o->cost.text > 0 ? (until - planned - o->cost.fed) / o->cost.text : 1;
        *factor = fits < o->least_factor  ? o->least_factor
                  : fits > o->most_factor ? o->most_factor
                                          : fits;
        *seconds = work_until_done(left, all, n, n - 1) / o->rate;
    }
    w->planned = o->cost.fed + *factor * o->cost.text;
    if (ok) {
        w->next = b->first;
        b->first = w;
    }
    pthread_mutex_unlock(&b->lock);
    return ok ? SF_OK : SF_EUNAVAILABLE;
}

double work_book_rest(struct work_book *b, const struct work_entry *w)
{
    double left[WORKS_MAX], all[WORKS_MAX];
    size_t n = 0, at = 0;
    pthread_mutex_lock(&b->lock);
    for (const struct work_entry *k = b->first; k && n < WORKS_MAX; k = k->next, n++) {
        all[n] = k->least / doubt; /* in the mean, not at the worst */
        left[n] = rest(all[n], done_of(k));
        at = k == w ? n : at;
    }
    pthread_mutex_unlock(&b->lock);
    return n > 0 ? work_until_done(left, all, n, at) : 0;
}

void work_book_leave(struct work_book *b, struct work_entry *w)
{
    pthread_mutex_lock(&b->lock);
    for (struct work_entry **at = &b->first; *at; at = &(*at)->next)
        if (*at == w) {
            *at = w->next;
            break;
        }
    pthread_mutex_unlock(&b->lock);
}
