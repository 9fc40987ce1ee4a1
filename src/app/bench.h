/* SPDX-License-Identifier: MIT */
#ifndef SF_APP_BENCH_H
#define SF_APP_BENCH_H

#include "app/app.h"

/* How fast whole answers are on this machine: a story's four tasks in turn, each several times with
 * other seeds, contexts as a validator would send them. */
#define BENCH_ROUNDS_MAX 20

struct bench_options {
    unsigned rounds;
    sf_ms deadline_ms, target_ms; /* of each answer */
    uint64_t seed;
    struct progress *progress; /* drawn while it goes on */
};

/* Of one task; medians over the rounds that were answered. */
struct bench_row {
    enum story_task task;
    unsigned answered, valid, in_target;
    double seconds;
    double characters;            /* of the answer's texts */
    double characters_per_second; /* of the whole answer, prefill included */
    double tokens_per_second;     /* while decoding, as the generator tells it; 0 unknown */
    double cached_share;          /* of the prompt tokens; 0 when none is told */
    double structure;             /* points of 40 */
    char model[128];
    char failure[300]; /* why the last round that was not answered was not; "" none */
};

/* Fills a row per task. A task that nobody answers is no error; what follows does without its
 * context then. SF_ENOMEM. */
SF_MUST_USE enum sf_err bench_run(struct app *app, const struct bench_options *o,
                                  struct bench_row rows[static STORY_TASK_COUNT],
                                  struct sf_errbuf *eb);

#endif
