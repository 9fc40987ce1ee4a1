/* SPDX-License-Identifier: MIT */
#include "generator/chain.h"

#include "base/log.h"
#include "base/mem.h"
#include "generator/chain_internal.h"

#include <string.h>

struct gen_chain_options gen_chain_options_default(void)
{
    return (struct gen_chain_options){.progress_ms = 10000,
                                      .reserve_ms = 4000,
                                      .min_tokens_per_second = 2,
                                      .min_tokens_window_ms = 5000,
                                      .jitter_min_ms = 50,
                                      .jitter_max_ms = 200,
                                      .account_open_ms = 900000,
                                      .rate_bench_ms = 5000,
                                      .breaker = breaker_options_default()};
}

/* ---- opening -----------------------------------------------------------------------------------
 */

/* The stricter one of two limits, 0 being none. */
#define STRICTER(a, b) ((a) > 0 && ((b) <= 0 || (a) < (b)) ? (a) : (b))

/* Hops of one name share an account; one without a name has its own. */
static struct account *account_of(struct gen_chain *c, size_t i)
{
    const struct gen_chain_hop *hop = &c->hops[i].given;
    for (size_t k = 0; k < i && hop->account[0] != '\0'; k++) {
        struct account *a = c->hops[k].account;
        if (strcmp(a->name, hop->account) == 0) {
            a->budget.requests_per_hour =
                STRICTER(hop->limits.requests_per_hour, a->budget.requests_per_hour);
            a->budget.cost_per_day = STRICTER(hop->limits.cost_per_day, a->budget.cost_per_day);
            return a;
        }
    }
    struct account *a = &c->accounts[i];
    (void)snprintf(a->name, sizeof a->name, "%s", hop->account);
    budget_init(&a->budget, hop->limits.requests_per_hour, hop->limits.cost_per_day);
    return a;
}

static void add_hop(struct gen_chain *c, size_t i, const struct gen_chain_hop *given)
{
    struct hop *h = &c->hops[i];
    struct breaker_options o = c->options.breaker;
    o.bench_ms = c->options.rate_bench_ms;
    h->given = *given;
    h->worth = -1;
    h->prober = (struct prober){.chain = c, .hop = h};
    h->account = account_of(c, i);
    breaker_init(&h->breaker, &o);
    c->order[i] = i;
}

static void free_chain(struct gen_chain *c)
{
    watch_close(c->watch);
    (void)pthread_cond_destroy(&c->changed);
    (void)pthread_mutex_destroy(&c->lock);
    free(c);
}

enum sf_err gen_chain_open(const struct gen_chain_options *o, const struct gen_chain_hop *hops_own,
                           size_t n, struct gen_chain **out, struct sf_errbuf *eb)
{
    SF_BUG_ON(n > GEN_CHAIN_MAX);
    pthread_condattr_t monotonic;
    struct gen_chain *c = sf_alloc(sizeof *c);
    enum sf_err err = c == NULL ? SF_ENOMEM : watch_open(&c->watch);
    if (err != SF_OK) {
        free(c);
        return sf_fail(eb, err, "chain of generators: %s", sf_err_info(err)->text);
    }
    c->options = *o;
    c->n = n;
    (void)pthread_mutex_init(&c->lock, NULL);
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&c->changed, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    for (size_t i = 0; i < n; i++) {
        add_hop(c, i, &hops_own[i]);
    }
    err = o->probe_interval_ms > 0 ? probers_start(c) : SF_OK;
    if (err != SF_OK) {
        free_chain(c);
        return sf_fail(eb, err, "chain of generators: no thread for probes");
    }
    *out = c;
    return SF_OK;
}

void gen_chain_close(struct gen_chain *c)
{
    if (c == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&c->lock);
    c->closing = true;
    (void)pthread_cond_broadcast(&c->changed);
    while (c->threads > 0) {
        (void)pthread_cond_wait(&c->changed, &c->lock);
    }
    (void)pthread_mutex_unlock(&c->lock);
    probers_join(c);
    for (size_t i = 0; i < c->n; i++) {
        const struct generator *g = &c->hops[i].given.generator;
        if (g->ctx != NULL) {
            g->type->close(g->ctx);
        }
    }
    free_chain(c);
}

/* The account of that name; NULL when no hop has it. Locked. */
static struct account *account_named(struct gen_chain *c, const char *name)
{
    for (size_t i = 0; i < c->n && name[0] != '\0'; i++) {
        struct account *a = c->hops[i].account;
        if (a == &c->accounts[i] && strcmp(a->name, name) == 0) {
            return a;
        }
    }
    return NULL;
}

void gen_chain_charge(struct gen_chain *c, const char *account, int64_t wall_ns, int64_t requests,
                      double cost_usd)
{
    sf_ms age = (sf_wall_ns() - wall_ns) / 1000000;
    while (c != NULL) {
        (void)pthread_mutex_lock(&c->lock);
        struct account *a = account_named(c, account);
        struct gen_chain *heir = c->heir;
        if (a != NULL) {
            budget_count(&a->budget, age, requests, cost_usd, NULL);
        }
        (void)pthread_mutex_unlock(&c->lock);
        c = heir;
    }
}

void gen_chain_inherit(struct gen_chain *c, struct gen_chain *from)
{
    (void)pthread_mutex_lock(&from->lock);
    (void)pthread_mutex_lock(&c->lock); /* always in this order: old before new */
    for (size_t i = 0; i < from->n; i++) {
        const struct account *old = &from->accounts[i];
        struct account *fresh = account_named(c, old->name);
        if (fresh != NULL && from->hops[i].account == old) {
            budget_inherit(&fresh->budget, &old->budget);
        }
    }
    from->heir = c;
    (void)pthread_mutex_unlock(&c->lock);
    (void)pthread_mutex_unlock(&from->lock);
}

void gen_chain_set_worth(struct gen_chain *c, const char *name, double worth)
{
    (void)pthread_mutex_lock(&c->lock);
    for (size_t i = 0; i < c->n; i++) {
        if (strcmp(c->hops[i].given.generator.name, name) == 0) {
            c->hops[i].worth = worth;
        }
    }
    /* Stable: ties keep the configured order. */
    for (size_t i = 0; i < c->n; i++) {
        size_t at = i;
        for (; at > 0 && c->hops[c->order[at - 1]].worth < c->hops[i].worth; at--) {
            c->order[at] = c->order[at - 1];
        }
        c->order[at] = i;
    }
    (void)pthread_mutex_unlock(&c->lock);
}

/* ---- the walk ----------------------------------------------------------------------------------
 */

enum sf_err walk_caller_gone(const struct walk *w)
{
    const struct gen_call *call = w->call;
    if (call->cancel != NULL && atomic_load(call->cancel)) {
        return SF_ECANCELED;
    }
    return sf_until(call->deadline) <= 0 ? SF_EDEADLINE : SF_OK;
}

void walk_tell_trail(const struct walk *w)
{
    if (w->call->on_trail != NULL) {
        w->call->on_trail(w->call->trail_arg, w->trail);
    }
}

void walk_event(void *walk, const struct gen_event *event)
{
    struct walk *w = walk;
    replay_pass(w->replay, event);
}

/* Those behind the current one that could be asked in its stead. */
static size_t count_behind(const struct walk *w)
{
    size_t n = 0;
    for (size_t i = w->next; i < w->n; i++) {
        n += hop_can_be_asked(w->chain, &w->chain->hops[w->order[i]], w->call->only, NULL) ? 1 : 0;
    }
    return n;
}

/* What remains, less a reserve for each hop that could follow, but never less than half of it. */
static struct sf_time share_of(const struct walk *w, size_t behind)
{
    sf_ms left = sf_until(w->call->deadline);
    sf_ms reserve = w->chain->options.reserve_ms * (sf_ms)behind;
    return sf_after(w->call->deadline, -(reserve > left / 2 ? left / 2 : reserve));
}

bool walk_next(struct walk *w, struct hop_run *r)
{
    size_t others = r->behind; /* at work already */
    while (w->next < w->n) {
        struct gen_step *step = &w->trail->steps[w->trail->n++];
        *r = (struct hop_run){.chain = w->chain,
                              .hop = &w->chain->hops[w->order[w->next++]],
                              .call = *w->call,
                              .walk_started = w->started,
                              .step = step};
        hop_introduce(r->hop, step);
        size_t behind = count_behind(w);
        r->behind = behind + others;
        r->call.deadline = share_of(w, behind);
        r->call.target = sf_earlier(w->call->target, r->call.deadline);
        r->call.on_event = w->replay == NULL ? NULL : walk_event;
        r->call.event_arg = w;
        step->started_ms = sf_between(w->started, sf_now());
        if (hop_begin(r)) {
            r->call.only = NULL; /* it may outlive the caller's text */
            walk_tell_trail(w);
            return true;
        }
        walk_tell_trail(w);
        hop_log_step(step);
    }
    return false;
}

static enum sf_err walk_in_turn(struct walk *w, struct gen_result *result)
{
    struct hop_run r = {.behind = 0};
    while (walk_caller_gone(w) == SF_OK && walk_next(w, &r)) {
        enum sf_err err = hop_work(&r);
        walk_tell_trail(w);
        if (err == SF_OK) {
            *result = r.result;
            w->trail->answered = &r.hop->given.generator;
            return SF_OK;
        }
        r.behind = 0;
    }
    return SF_EUNAVAILABLE;
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

static enum sf_err walk(struct walk *w, struct gen_result *result, struct sf_errbuf *eb)
{
    enum sf_err gone = walk_caller_gone(w);
    if (gone != SF_OK) {
        return sf_fail(eb, gone, "%s", sf_err_info(gone)->text);
    }
    bool hedged = w->chain->options.hedge_after_ms > 0 && w->n > 1;
    enum sf_err err = hedged ? walk_race(w, result) : SF_ENOMEM;
    if (err == SF_ENOMEM) { /* no race */
        err = walk_in_turn(w, result);
    }
    if (err == SF_OK && w->replay != NULL) {
        replay_finish(w->replay, w->call->request, result->output);
    }
    if (err != SF_OK) {
        gone = walk_caller_gone(w);
        list_reasons(w->trail, eb);
        err = gone == SF_OK ? SF_EUNAVAILABLE : sf_fail(eb, gone, "%s", sf_err_info(gone)->text);
    }
    return err;
}

enum sf_err gen_chain_generate(struct gen_chain *c, const struct gen_call *call,
                               struct gen_result *result, struct gen_trail *trail,
                               struct sf_errbuf *eb)
{
    struct walk w = {.chain = c, .call = call, .trail = trail, .started = sf_now(), .n = c->n};
    *trail = (struct gen_trail){.n = 0};
    if (call->on_event != NULL) {
        w.replay = replay_open(call->on_event, call->event_arg);
        if (w.replay == NULL) {
            return sf_fail(eb, SF_ENOMEM, "out of memory");
        }
    }
    (void)pthread_mutex_lock(&c->lock);
    memcpy(w.order, c->order, sizeof w.order);
    (void)pthread_mutex_unlock(&c->lock);
    enum sf_err err = walk(&w, result, eb);
    replay_close(w.replay);
    return err;
}

const struct gen_step *gen_trail_first_failure(const struct gen_trail *trail)
{
    bool fell_through =
        trail->answered != NULL && trail->n > 0 && trail->steps[0].outcome != GEN_STEP_OK;
    return fell_through ? &trail->steps[0] : NULL;
}
