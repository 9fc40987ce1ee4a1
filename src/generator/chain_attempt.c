/* SPDX-License-Identifier: MIT */
#include "generator/chain_internal.h"

#include "story/repair.h"

#include <string.h>

/* ---- what a call spends while it goes on ------------------------------------------------------
 */

struct meter {
    struct hop_run *run;
    struct gen_usage before; /* earlier attempts of this hop */
    struct gen_usage so_far; /* this one */
};

static int64_t more_of(int64_t now, int64_t before)
{
    return now > before ? now - before : 0;
}

/* Counts what came since the last time; `now` is cumulative. */
static void meter_to(struct meter *m, const struct gen_usage *now)
{
    struct gen_usage *old = &m->so_far;
    struct gen_usage more = {
        .prompt_tokens = more_of(now->prompt_tokens, old->prompt_tokens),
        .cached_tokens = more_of(now->cached_tokens, old->cached_tokens),
        .generated_tokens = more_of(now->generated_tokens, old->generated_tokens),
        .tokens_per_second = now->tokens_per_second,
        .requests = more_of(now->requests, old->requests),
        .cost_usd = now->cost_usd > old->cost_usd ? now->cost_usd - old->cost_usd : 0};
    usage_add(old, &more);
    hop_spend(m->run->chain, m->run->hop, &m->run->ticket, &more);
}

static void on_event(void *arg, const struct gen_event *event)
{
    struct meter *m = arg;
    const struct gen_call *outer = &m->run->call;
    struct gen_event told = *event;
    struct gen_usage all;
    if (event->kind == GEN_EVENT_USAGE && event->usage != NULL) {
        meter_to(m, event->usage);
        all = m->before;
        usage_add(&all, &m->so_far);
        told.usage = &all;
    }
    bool counts = event->kind == GEN_EVENT_TOKENS || event->kind == GEN_EVENT_USAGE;
    if (outer->tokens != NULL && counts) {
        atomic_store(outer->tokens,
                     told.usage == NULL ? event->done : told.usage->generated_tokens);
    }
    if (outer->on_event != NULL) {
        outer->on_event(outer->event_arg, &told);
    }
}

/* ---- one call ---------------------------------------------------------------------------------
 */

static struct watch_rules rules_of(const struct hop_run *r)
{
    const struct gen_chain_options *o = &r->chain->options;
    sf_ms own = r->hop->given.progress_ms;
    return (struct watch_rules){.patience_ms = own > 0 ? own : o->progress_ms,
                                .min_tokens_per_second = o->min_tokens_per_second,
                                .window_ms = o->min_tokens_window_ms};
}

/* What the watch found out is the error, not how the kind calls the end that it was put to. */
static enum sf_err explain(enum watch_verdict verdict, const struct watch_rules *rules,
                           enum sf_err err, struct sf_errbuf *eb)
{
    if (err == SF_OK) { /* an answer that came all the same */
        return err;
    }
    switch (verdict) {
    case WATCH_STALLED:
        return sf_fail(eb, SF_ESLOW, "no progress for %.1f s", sf_seconds(rules->patience_ms));
    case WATCH_SLOW:
        return sf_fail(eb, SF_ESLOW, "under %.1f tokens/s for %.1f s", rules->min_tokens_per_second,
                       sf_seconds(rules->window_ms));
    case WATCH_LATE:
        return sf_fail(eb, SF_EDEADLINE, "not done in its share of the time");
    case WATCH_FINE:
        break;
    }
    return err;
}

static enum sf_err call_watched(struct hop_run *r, const struct gen_call *call,
                                struct gen_result *result, struct sf_errbuf *eb)
{
    const struct generator *g = &r->hop->given.generator;
    struct watched item;
    struct watch_rules rules = rules_of(r);
    struct gen_call inner = *call;
    watch_begin(r->chain->watch, &item, call, &rules, &inner);
    enum sf_err err = g->type->generate(g->ctx, &inner, result, eb);
    return explain(watch_end(r->chain->watch, &item), &rules, err, eb);
}

/* An answer beside its usage: events may have told less than the result, or more. */
static enum sf_err call_metered(struct hop_run *r, const struct gen_call *call,
                                struct gen_result *result, struct gen_attempt *line,
                                struct sf_errbuf *eb)
{
    struct meter m = {.run = r, .before = r->result.usage};
    struct gen_call metered = *call;
    metered.on_event = on_event;
    metered.event_arg = &m;
    *result = (struct gen_result){.output = NULL};
    enum sf_err err = call_watched(r, &metered, result, eb);
    if (err == SF_OK) {
        meter_to(&m, &result->usage);
    }
    line->usage = m.so_far;
    usage_add(&r->result.usage, &m.so_far);
    if (m.so_far.requests > 1 && call->request->task == STORY_CHAPTERS_TASK) {
        (void)pthread_mutex_lock(&r->chain->lock);
        r->hop->fans_out = true;
        (void)pthread_mutex_unlock(&r->chain->lock);
    }
    return err;
}

/* ---- what the answer is worth -----------------------------------------------------------------
 */

static bool is_valid(const struct hop_run *r, json_t *output, struct story_report *report)
{
    report->n = report->total = 0;
    return story_repair(r->call.request, output) == SF_OK &&
           story_validate(r->call.request, output, report);
}

/* The answer becomes the run's; its usage is counted already. */
static void take_result(struct hop_run *r, const struct gen_result *from_own)
{
    struct gen_usage usage = r->result.usage;
    gen_result_fini(&r->result);
    r->result = *from_own;
    r->result.usage = usage;
}

static enum sf_err invalid(const struct story_report *report, const char *what,
                           struct sf_errbuf *eb)
{
    const struct story_problem none = {.path = "", .problem = "out of memory"};
    const struct story_problem *first = report->n > 0 ? &report->list[0] : &none;
    return sf_fail(eb, SF_EINCOMPLETE, "%s: %s: %s (%zu in all)", what, first->path, first->problem,
                   report->total);
}

static enum sf_err judge_whole(struct hop_run *r, struct gen_result *got_own, struct sf_errbuf *eb)
{
    if (!json_is_object(got_own->output)) {
        gen_result_fini(got_own);
        return sf_fail(eb, SF_EINCOMPLETE, "the answer is no object");
    }
    take_result(r, got_own);
    if (is_valid(r, r->result.output, &r->reports[0])) {
        return SF_OK;
    }
    r->partial = r->result.output;
    return invalid(&r->reports[0], "answer not valid", eb);
}

/* What a second call brought: an answer that is whole and valid by itself is taken as it is (kinds
 * that always answer whole), of another one the parts that were missing. */
static enum sf_err judge_missing(struct hop_run *r, struct gen_result *got_own,
                                 const struct gen_call *asked, struct sf_errbuf *eb)
{
    struct gen_result whole = *got_own;
    struct story_report *report = &r->reports[1];
    whole.output = json_deep_copy(got_own->output);
    if (json_is_object(whole.output) && is_valid(r, whole.output, report)) {
        json_decref(got_own->output);
        take_result(r, &whole);
        r->partial = NULL;
        return SF_OK;
    }
    json_decref(whole.output);
    enum sf_err err =
        story_merge(r->result.output, got_own->output, asked->wanted, asked->n_wanted);
    gen_result_fini(got_own);
    if (err == SF_OK && is_valid(r, r->result.output, report)) {
        return SF_OK;
    }
    return invalid(report, "answer still not valid", eb);
}

/* ---- an attempt -------------------------------------------------------------------------------
 */

static void tell_start(const struct hop_run *r)
{
    const char *name = r->hop->given.generator.name;
    struct gen_event e = {.kind = GEN_EVENT_HOP_STARTED, .text = sf_str(name)};
    if (r->call.on_event != NULL) {
        r->call.on_event(r->call.event_arg, &e);
    }
}

/* Another way through the same request: the same seed would fail in the same way. */
static uint64_t seed_of(const struct hop_run *r)
{
    uint64_t seed = r->call.seed;
    for (int i = 1; i < r->step->attempts; i++) {
        seed = seed * 6364136223846793005U + 1442695040888963407U;
    }
    return seed;
}

static enum sf_err ask(struct hop_run *r, struct gen_attempt *line, struct sf_errbuf *eb)
{
    const char *wanted[STORY_PROBLEMS_MAX];
    struct gen_result got;
    struct gen_call call = r->call;
    call.seed = seed_of(r);
    if (r->partial != NULL) {
        line->repair = true;
        call.n_wanted = story_report_wanted(call.request, &r->reports[0], wanted);
        call.wanted = wanted;
        call.partial = r->partial;
    } else {
        tell_start(r);
    }
    enum sf_err err = call_metered(r, &call, &got, line, eb);
    if (err != SF_OK) {
        return err;
    }
    return r->partial == NULL ? judge_whole(r, &got, eb) : judge_missing(r, &got, &call, eb);
}

/* A hop's own words for what only a caller may say: its share of the time being over is slowness,
 * and a code that stops a walk is no code of a target. */
static enum sf_err as_of_target(const struct hop_run *r, enum sf_err err)
{
    const atomic_bool *cancel = r->call.cancel;
    if (err == SF_EDEADLINE) {
        return SF_ESLOW;
    }
    bool canceled = err == SF_ECANCELED && cancel != NULL && atomic_load(cancel);
    return err == SF_OK || canceled || sf_err_info(err)->next_target ? err : SF_EINTERNAL;
}

enum sf_err hop_attempt(struct hop_run *r, struct sf_errbuf *eb)
{
    SF_BUG_ON(r->step->attempts >= GEN_ATTEMPTS_MAX);
    struct gen_attempt *line = &r->step->list[r->step->attempts++];
    struct sf_time started = sf_now();
    *eb = (struct sf_errbuf){.code = SF_OK};
    *line = (struct gen_attempt){.started_ms = sf_between(r->walk_started, started)};
    enum sf_err err = ask(r, line, eb);
    line->took_ms = sf_between(started, sf_now());
    line->code = as_of_target(r, err);
    if (err != SF_OK) {
        (void)snprintf(line->reason, sizeof line->reason, "%.255s", sf_err_text(eb, err));
    }
    return line->code;
}
