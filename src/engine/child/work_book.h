/* SPDX-License-Identifier: MIT */
#ifndef SF_ENGINE_CHILD_WORK_BOOK_H
#define SF_ENGINE_CHILD_WORK_BOOK_H

#include "base/clock.h"
#include "engine/child/scheduler.h"
#include "story/task.h"

#include <pthread.h>

/* What answers take, and what the admitted ones still have before them: who may come in without
 * making anybody late, and how long its texts may be.
 *
 * All texts of all requests decode together, a token each per step, so work is counted in tokens
 * and time is tokens by the measured speed. An answer is done when its own tokens are, and of each
 * other one as much as is done beside it: in the measure of their sizes, at most all of it. */

enum { WORK_LANGUAGES = 2 };

/* Tokens of an answer: its prompts, as far as they are in no cache, and its texts. */
struct work_cost {
    double fed, text;
};

struct work_size { /* of a request */
    enum story_task task;
    unsigned language; /* 0 English, 1 Chinese */
    size_t n_chapters; /* asked for */
    size_t n_wanted;   /* texts, 0: the whole answer */
};

struct work_entry {
    struct work_entry *next;
    struct job_owner *owner; /* who counts what is done */
    struct sf_time deadline;
    double least, planned; /* tokens of the shortest answer and of the planned one */
};

struct work_book {
    pthread_mutex_t lock;
    struct work_entry *first;
    struct work_cost seen[STORY_TASK_COUNT][WORK_LANGUAGES];
};

void work_book_init(struct work_book *b);
void work_book_fini(struct work_book *b); /* nobody may be in it */

/* What an answer takes with texts of the usual length, by what was seen. Any thread. */
struct work_cost work_book_cost(struct work_book *b, const struct work_size *size);
/* A whole answer took so much; its texts were aimed at `factor` times the usual length. */
void work_book_learn(struct work_book *b, const struct work_size *size, struct work_cost seen,
                     double factor);

struct work_order {
    struct work_cost cost;
    double rate; /* tokens a second; 0: not known yet, whoever comes may try */
    struct job_owner *owner;
    struct sf_time deadline, target;
    double least_factor, most_factor; /* of the texts' usual lengths */
};
/* Admits an answer: `w` is in the book until work_book_leave, `factor` says how long its texts may
 * be. errors: SF_EUNAVAILABLE when it or somebody admitted before would be late: `w` is not in the
 * book, and `seconds` says how long the shortest answer would take. Takes the book's lock, and the
 * owners' inside it. Any thread. */
SF_MUST_USE enum sf_err work_book_enter(struct work_book *b, const struct work_order *o,
                                        struct work_entry *w, double *factor, double *seconds);
/* Tokens, of all answers, until `w` (in the book) is done when its texts end as soon as they may.
 */
double work_book_rest(struct work_book *b, const struct work_entry *w);
void work_book_leave(struct work_book *b, struct work_entry *w);

/* Tokens that pass until the i-th of `n` answers is done, with `left` and `all` tokens each. */
double work_until_done(const double *left, const double *all, size_t n, size_t i);

#endif
