/* SPDX-License-Identifier: MIT */
#ifndef SF_ENGINE_CHILD_COMPOSER_H
#define SF_ENGINE_CHILD_COMPOSER_H

#include "base/clock.h"
#include "engine/child/scheduler.h"
#include "engine/child/work_book.h"
#include "story/task.h"

/* Writes one answer. Blocks until done; runs on a thread of its own, several at a time. */

enum composer_event_kind {
    COMPOSER_PREFILL,      /* done, total: tokens of prompts, so far */
    COMPOSER_SLOT_STARTED, /* path */
    COMPOSER_SLOT_TEXT,    /* path, text: what is to be appended there */
    COMPOSER_SLOT_DONE,    /* path, text: the whole */
};
struct composer_event {
    enum composer_event_kind kind;
    const char *path;
    struct sf_str text;
    int64_t done, total;
};

/* Called on the composer's thread. */
typedef void (*composer_event_fn)(void *arg, const struct composer_event *event);

struct composer_order {
    const struct story_request *request;
    const json_t *wanted;  /* array of JSON pointers, or NULL / empty: everything */
    const json_t *partial; /* what is there already, or NULL */
    const char *prompt;    /* a template's text instead of the built-in story lines, or NULL */
    struct sf_time deadline, target;
    struct work_book *book; /* of all answers by this model */
    uint64_t seed;
    bool chinese; /* the model knows Chinese */
    bool instruct, small;
    bool sequential; /* one text at a time, its prompt tells those before it: to compare with */
    composer_event_fn on_event;
    void *event_arg;
};

struct composer_usage {
    int64_t prompt_tokens, cached_tokens, generated_tokens;
    double tokens_per_second;
    unsigned slots, retried, replaced; /* texts asked for, asked again, written by the program */
    unsigned rewritten, improved; /* asked once more as weak; of them, those that became better */
};

struct composer;

SF_MUST_USE enum sf_err composer_open(struct scheduler *s, const struct engine_model *m,
                                      const struct composer_order *order, struct composer **out);
/* The answer: valid by construction. errors: SF_EDEADLINE when it cannot be done in time,
 * SF_EUNAVAILABLE when not even the shortest answer fits (said at once), SF_ECANCELED,
 * SF_EINTERNAL. Caller owns *output. */
SF_MUST_USE enum sf_err composer_run(struct composer *c, json_t **output,
                                     struct composer_usage *usage, struct sf_errbuf *eb);
void composer_cancel(struct composer *c); /* any thread */
void composer_close(struct composer *c);

#endif
