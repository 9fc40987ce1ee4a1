/* SPDX-License-Identifier: MIT */
#include "generator/chain.h"

#include "base/log.h"
#include "base/mem.h"
#include "generator/watch.h"
#include "story/repair.h"
#include "story/validate.h"

#include <pthread.h>
#include <string.h>

struct hop {
    struct gen_chain_hop given;
    struct breaker breaker;
    uint64_t answers, failures;
    char last_error[256];
};

struct gen_chain {
    struct gen_chain_options options;
    pthread_mutex_t lock; /* of breakers and counters */
    struct watch *watch;
    size_t n;
    struct hop hops[GEN_CHAIN_MAX];
};

struct gen_chain_options gen_chain_options_default(void)
{
    return (struct gen_chain_options){
        .progress_ms = 10000, .reserve_ms = 2000, .breaker = breaker_options_default()};
}

enum sf_err gen_chain_open(const struct gen_chain_options *o, const struct gen_chain_hop *hops_own,
                           size_t n, struct gen_chain **out, struct sf_errbuf *eb)
{
    SF_BUG_ON(n > GEN_CHAIN_MAX);
    struct gen_chain *c = sf_alloc(sizeof *c);
    enum sf_err err = c == NULL ? SF_ENOMEM : watch_open(&c->watch);
    if (err != SF_OK) {
        free(c);
        return sf_fail(eb, err, "chain of generators: %s", sf_err_info(err)->text);
    }
    c->options = *o;
    c->n = n;
    (void)pthread_mutex_init(&c->lock, NULL);
    for (size_t i = 0; i < n; i++) {
        c->hops[i].given = hops_own[i];
        breaker_init(&c->hops[i].breaker, &o->breaker);
    }
    *out = c;
    return SF_OK;
}

void gen_chain_close(struct gen_chain *c)
{
    if (c == NULL) {
        return;
    }
    for (size_t i = 0; i < c->n; i++) {
        const struct generator *g = &c->hops[i].given.generator;
        if (g->ctx != NULL) {
            g->type->close(g->ctx);
        }
    }
    watch_close(c->watch);
    (void)pthread_mutex_destroy(&c->lock);
    free(c);
}

/* ---- one hop --------------------------------------------------------------------------------- */

static bool hop_admits(struct gen_chain *c, struct hop *h, struct gen_step *step)
{
    struct gen_health health = {.state = GEN_READY};
    const struct generator *g = &h->given.generator;
    (void)snprintf(step->name, sizeof step->name, "%s", g->name);
    (void)snprintf(step->kind, sizeof step->kind, "%s", g->type->kind);
    step->outcome = GEN_STEP_SKIPPED;
    step->code = SF_EUNAVAILABLE;
    if (g->ctx == NULL) {
        (void)snprintf(step->reason, sizeof step->reason, "%s", h->given.reason);
        return false;
    }
    g->type->health(g->ctx, &health);
    if (health.state == GEN_DOWN || health.state == GEN_STARTING) {
        (void)snprintf(step->reason, sizeof step->reason, "%s",
                       health.reason[0] != '\0' ? health.reason : "not ready");
        return false;
    }
    (void)pthread_mutex_lock(&c->lock);
    bool admits = breaker_admits(&h->breaker);
    (void)pthread_mutex_unlock(&c->lock);
    if (!admits) {
        (void)snprintf(step->reason, sizeof step->reason, "circuit breaker open after: %.200s",
                       h->last_error);
    }
    return admits;
}

static void hop_note(struct gen_chain *c, struct hop *h, const struct gen_step *step)
{
    (void)pthread_mutex_lock(&c->lock);
    breaker_note(&h->breaker, step->code);
    if (step->code == SF_OK) {
        h->answers++;
    } else {
        h->failures++;
        memcpy(h->last_error, step->reason, sizeof h->last_error);
    }
    (void)pthread_mutex_unlock(&c->lock);
}

/* One call of a generator under the watch: without progress or past its budget it is canceled. */
static enum sf_err call_once(struct gen_chain *c, const struct generator *g,
                             const struct gen_call *call, struct gen_result *result,
                             struct sf_errbuf *eb)
{
    struct watched w;
    struct gen_call inner = *call;
    watch_begin(c->watch, &w, call, c->options.progress_ms, &inner);
    *result = (struct gen_result){.output = NULL};
    enum sf_err err = g->type->generate(g->ctx, &inner, result, eb);
    bool stalled = watch_end(c->watch, &w);
    if (err == SF_ECANCELED && stalled) {
        err = sf_fail(eb, SF_ESLOW, "no progress for %.1f s", sf_seconds(c->options.progress_ms));
    }
    return err;
}

/* Repairs and validates; the report says what is missing. */
static bool is_valid(const struct gen_call *call, struct gen_result *result,
                     struct story_report *report)
{
    return story_repair(call->request, result->output) == SF_OK &&
           story_validate(call->request, result->output, report);
}

/* Asks the same hop once more for what is missing, and merges. */
static enum sf_err complete(struct gen_chain *c, const struct generator *g,
                            const struct gen_call *call, struct gen_result *result,
                            struct story_report *report, struct sf_errbuf *eb)
{
    const char *wanted[STORY_PROBLEMS_MAX];
    struct gen_result more;
    struct gen_call again = *call;
    struct story_problem first = report->list[0];
    again.n_wanted = story_report_wanted(call->request, report, wanted);
    again.wanted = wanted;
    again.partial = result->output;
    again.seed = call->seed * 6364136223846793005U + 1442695040888963407U;
    enum sf_err err = call_once(c, g, &again, &more, eb);
    if (err != SF_OK) {
        return err;
    }
    err = story_merge(result->output, more.output, wanted, again.n_wanted);
    result->usage.prompt_tokens += more.usage.prompt_tokens;
    result->usage.cached_tokens += more.usage.cached_tokens;
    result->usage.generated_tokens += more.usage.generated_tokens;
    gen_result_fini(&more);
    if (err == SF_OK && is_valid(call, result, report)) {
        return SF_OK;
    }
    if (report->n > 0) {
        first = report->list[0];
    }
    return sf_fail(eb, SF_EINCOMPLETE, "answer still not valid: %s: %s (%zu in all)", first.path,
                   first.problem, report->total);
}

static enum sf_err run_hop(struct gen_chain *c, const struct generator *g,
                           const struct gen_call *call, struct gen_result *result,
                           struct gen_step *step, struct sf_errbuf *eb)
{
    struct story_report *report = sf_alloc(sizeof *report);
    if (report == NULL) {
        return SF_ENOMEM;
    }
    step->attempts = 1;
    enum sf_err err = call_once(c, g, call, result, eb);
    if (err == SF_OK && !json_is_object(result->output)) {
        err = sf_fail(eb, SF_EINCOMPLETE, "the answer is no object");
    } else if (err == SF_OK && !is_valid(call, result, report)) {
        (void)sf_fail(eb, SF_EINCOMPLETE, "answer not valid: %s: %s (%zu in all)",
                      report->list[0].path, report->list[0].problem, report->total);
        step->attempts = 2;
        err = complete(c, g, call, result, report, eb);
    }
    if (err != SF_OK) {
        gen_result_fini(result);
    }
    free(report);
    return err;
}

/* ---- the walk -------------------------------------------------------------------------------- */

/* What remains, less a reserve for each hop behind this one, but never less than half of it. */
static struct sf_time hop_deadline(const struct gen_chain *c, size_t index,
                                   const struct gen_call *call)
{
    sf_ms left = sf_until(call->deadline);
    sf_ms reserve = c->options.reserve_ms * (sf_ms)(c->n - index - 1);
    if (reserve > left / 2) {
        reserve = left / 2;
    }
    return sf_after(call->deadline, -reserve);
}

/* The caller's reasons to stop win over the hop's. */
static enum sf_err caller_gone(const struct gen_call *call)
{
    if (call->cancel != NULL && atomic_load(call->cancel)) {
        return SF_ECANCELED;
    }
    return sf_until(call->deadline) <= 0 ? SF_EDEADLINE : SF_OK;
}

static void log_step(const struct gen_step *step)
{
    log_event(step->outcome == GEN_STEP_FAILED ? LOG_WARN : LOG_DEBUG, LOG_CHAIN,
              step->outcome == GEN_STEP_OK ? "generator answered" : "generator passed over",
              LOG_S("generator", step->name), LOG_S("code", sf_err_info(step->code)->name),
              LOG_I("ms", step->took_ms), LOG_S("err", step->reason));
}

static enum sf_err walk_hop(struct gen_chain *c, size_t index, const struct gen_call *call,
                            struct gen_result *result, struct gen_step *step)
{
    struct hop *h = &c->hops[index];
    struct sf_errbuf eb = {.code = SF_OK};
    struct sf_time started = sf_now();
    if (!hop_admits(c, h, step)) {
        log_step(step);
        return SF_EUNAVAILABLE;
    }
    struct gen_call mine = *call;
    mine.deadline = hop_deadline(c, index, call);
    mine.target = sf_earlier(call->target, mine.deadline);
    enum sf_err err = run_hop(c, &h->given.generator, &mine, result, step, &eb);
    step->took_ms = sf_between(started, sf_now());
    step->outcome = err == SF_OK ? GEN_STEP_OK : GEN_STEP_FAILED;
    /* The hop's share of the time is over: that is slowness of the hop, not the caller's deadline.
     */
    step->code = err == SF_EDEADLINE ? SF_ESLOW : err;
    if (err != SF_OK) {
        (void)snprintf(step->reason, sizeof step->reason, "%.255s", sf_err_text(&eb, err));
    }
    hop_note(c, h, step);
    log_step(step);
    return step->code;
}

static void list_reasons(const struct gen_trail *trail, struct sf_errbuf *eb)
{
    char text[400] = "";
    size_t used = 0;
    for (size_t i = 0; i < trail->n && used < sizeof text - 1; i++) {
        int n = snprintf(text + used, sizeof text - used, "%s%s: %s", i == 0 ? "" : "; ",
                         trail->steps[i].name, trail->steps[i].reason);
        used += n > 0 ? (size_t)n : 0;
    }
    (void)sf_fail(eb, SF_EUNAVAILABLE, "No generator available: %s",
                  trail->n == 0 ? "none is configured" : text);
}

enum sf_err gen_chain_generate(struct gen_chain *c, const struct gen_call *call,
                               struct gen_result *result, struct gen_trail *trail,
                               struct sf_errbuf *eb)
{
    *trail = (struct gen_trail){.n = 0};
    for (size_t i = 0; i < c->n; i++) {
        enum sf_err gone = caller_gone(call);
        if (gone != SF_OK) {
            return sf_fail(eb, gone, "%s", sf_err_info(gone)->text);
        }
        struct gen_step *step = &trail->steps[trail->n++];
        if (walk_hop(c, i, call, result, step) == SF_OK) {
            trail->answered = &c->hops[i].given.generator;
            return SF_OK;
        }
    }
    enum sf_err gone = caller_gone(call);
    list_reasons(trail, eb);
    if (gone != SF_OK) {
        return sf_fail(eb, gone, "%s", sf_err_info(gone)->text);
    }
    return SF_EUNAVAILABLE;
}

size_t gen_chain_status(struct gen_chain *c, struct gen_hop_status out[static GEN_CHAIN_MAX])
{
    for (size_t i = 0; i < c->n; i++) {
        struct hop *h = &c->hops[i];
        const struct generator *g = &h->given.generator;
        out[i] = (struct gen_hop_status){.generator = g, .health = {.state = GEN_DOWN}};
        if (g->ctx != NULL) {
            g->type->health(g->ctx, &out[i].health);
        } else {
            memcpy(out[i].health.reason, h->given.reason, sizeof h->given.reason);
        }
        (void)pthread_mutex_lock(&c->lock);
        out[i].breaker_open = breaker_is_open(&h->breaker);
        out[i].answers = h->answers;
        out[i].failures = h->failures;
        memcpy(out[i].last_error, h->last_error, sizeof h->last_error);
        (void)pthread_mutex_unlock(&c->lock);
    }
    return c->n;
}

bool gen_chain_is_ready(struct gen_chain *c)
{
    struct gen_hop_status status[GEN_CHAIN_MAX];
    size_t n = gen_chain_status(c, status);
    for (size_t i = 0; i < n; i++) {
        if (status[i].health.state == GEN_READY && !status[i].breaker_open) {
            return true;
        }
    }
    return false;
}
