/* SPDX-License-Identifier: MIT */
#ifndef SF_APP_APP_H
#define SF_APP_APP_H

#include "app/progress.h"
#include "conf/conf.h"
#include "generator/chain.h"

/* What a command needs, opened from one configuration: the chain of generators and the owner's
 * prompts. */
struct app;

struct app_options {
    const char *only; /* this kind (or custom name) alone, no fallback; NULL: mode and fallback */
    bool probes;      /* looks after generators that are out: for those that run long */
    enum app_journal {
        APP_JOURNAL_NONE,
        APP_JOURNAL_COMMAND, /* a few requests, then the program ends */
        APP_JOURNAL_SERVER,
    } journal;
    const struct app *successor_of; /* a reload: its journal is taken over; else NULL */
};

/* Opens every configured generator; one that cannot be opened stays in the chain with its reason.
 * A journal that cannot be written is no error: it says so and tries again.
 * Keeps a reference to `conf`. SF_ECONFIG: `only`, mode or fallback name nothing that exists. */
SF_MUST_USE enum sf_err app_open(const struct conf *conf, const struct app_options *o,
                                 struct app **out, struct sf_errbuf *eb);
struct app *app_ref(struct app *a);
void app_close(struct app *a); /* drops one reference; the last one closes */

/* `fresh` takes over from `old`: its accounts have spent what those of `old` have, and go on to be
 * charged with what the last requests there spend. */
void app_succeed(struct app *fresh, struct app *old);

const struct conf *app_conf(const struct app *a);
struct journal;
struct journal *app_journal(const struct app *a); /* borrowed; NULL: none is kept */
/* Whether the hops are ordered by what they are worth: mode auto, and no generator alone. */
bool app_is_automatic(const struct app *a);
/* A number for a request, as `storyfi trail` takes it; 0 without a journal. */
int64_t app_next_id(struct app *a);
struct gen_chain *app_chain(const struct app *a);

/* The owner's prompt for a request, or NULL. Caller frees. */
char *app_prompt(const struct app *a, const struct story_request *request);

/* Whether the first generator that is not down has started: what answers now will not change soon.
 */
bool app_is_settled(struct app *a);

/* Waits until it is settled; true when some generator can answer. */
bool app_wait_ready(struct app *a, struct sf_time until, struct progress *progress);
/* Shows which generator is starting, and how far it is. */
void app_draw_starting(struct app *a, struct progress *progress);

/* Where the local model goes, before it is loaded; nothing without one. */
void app_print_plan(struct app *a);
/* The plan as JSON (generator/local.c), or NULL. Caller owns. */
json_t *app_plan(struct app *a);

/* An answer of the local model: its speed counts (speeds.h). Any thread. */
void app_note_speed(struct app *a, const struct gen_trail *trail, const struct gen_result *result);
/* Writes down what was noted since the last time; a minute apart, and at the end, is often enough.
 */
void app_keep_speed(struct app *a);

/* The status lines of the start: which generator will answer, or why none can. */
void app_print_status(struct app *a);

/* "No generator available" with one cause and remedy per hop, a line each. */
void app_explain(struct app *a, struct sf_buf *out);

/* model_info of an answer: {"mode","name","version","provider","parameters"}. NULL: out of memory.
 */
json_t *app_model_info(const struct gen_trail *trail, const struct gen_result *result);

#endif
