/* SPDX-License-Identifier: MIT */
#include "generator/chain_internal.h"

#include "base/log.h"

#include <string.h>

/* ---- may it be asked --------------------------------------------------------------------------
 */

bool hop_is_open(struct gen_chain *c, struct hop *h, char why[256])
{
    (void)pthread_mutex_lock(&c->lock);
    bool open = h->given.generator.ctx != NULL;
    if (!open && why != NULL) {
        memcpy(why, h->given.reason, sizeof h->given.reason);
    }
    (void)pthread_mutex_unlock(&c->lock);
    return open;
}

static bool is_up(struct gen_chain *c, struct hop *h, const char *only, char why[256])
{
    const struct generator *g = &h->given.generator;
    struct gen_health health = {.state = GEN_DOWN};
    if (!generator_is(g, only)) {
        (void)snprintf(why, 256, "only %.64s is asked for", only);
        return false;
    }
    if (!hop_is_open(c, h, why)) {
        return false;
    }
    g->type->health(g->ctx, &health);
    if (health.state == GEN_READY || health.state == GEN_DEGRADED) {
        return true;
    }
    (void)snprintf(why, 256, "%s",
                   health.reason[0] != '\0'       ? health.reason
                   : health.state == GEN_STARTING ? "not started yet"
                                                  : "not up");
    return false;
}

/* `bench_ms`: how long a rate limit alone is in the way. Locked. */
static bool is_shut(const struct hop *h, char why[256], sf_ms *bench_ms)
{
    sf_ms left;
    char span[24];
    *bench_ms = 0;
    if (account_is_out(h->account, why, 256, &left)) {
        return true;
    }
    if (!breaker_is_open(&h->breaker)) {
        return false;
    }
    enum breaker_state state = breaker_state(&h->breaker, &left);
    budget_span(left < 0 ? 0 : left, span);
    switch (state) {
    case BREAKER_BENCHED:
        *bench_ms = left;
        (void)snprintf(why, 256, "rate limited, free in %s: %.180s", span, h->last_error);
        break;
    case BREAKER_OPEN:
        (void)snprintf(why, 256, "circuit breaker open for %s after: %.180s", span, h->last_error);
        break;
    case BREAKER_RELOAD:
        (void)snprintf(why, 256, "out until the configuration is loaded again: %.180s",
                       h->last_error);
        break;
    case BREAKER_HALF_OPEN:
    case BREAKER_CLOSED: /* its time ended between the two looks */
        (void)snprintf(why, 256, "circuit breaker half open, one call is trying it after: %.180s",
                       h->last_error);
        break;
    }
    return true;
}

/* True when this bench by the budget is to be logged now: once each. Locked. */
static bool budget_speaks(struct account *a, char why[256])
{
    sf_ms left;
    bool spent = budget_is_spent(&a->budget, why, 256, &left) && left > 0;
    bool speaks = spent && !a->budget_said;
    a->budget_said = spent;
    return speaks;
}

static void say_budget(const struct hop *h, const char *why)
{
    log_event(LOG_WARN, LOG_CHAIN, "account benched by its budget",
              LOG_S("account", h->account->name), LOG_S("generator", h->given.generator.name),
              LOG_S("err", why));
}

bool hop_can_be_asked(struct gen_chain *c, struct hop *h, const char *only, char why[256])
{
    char unused[256];
    sf_ms bench_ms;
    char *text = why != NULL ? why : unused;
    if (!is_up(c, h, only, text)) {
        return false;
    }
    (void)pthread_mutex_lock(&c->lock);
    bool shut = is_shut(h, text, &bench_ms);
    (void)pthread_mutex_unlock(&c->lock);
    return !shut;
}

bool hop_admit(struct gen_chain *c, struct hop *h, const struct gen_call *call, struct ticket *t,
               char why[256], sf_ms *bench_ms)
{
    char said[256];
    const struct story_request *request = call->request;
    *t = (struct ticket){.breaker_probe = false};
    *bench_ms = 0;
    if (!is_up(c, h, call->only, why)) {
        return false;
    }
    (void)pthread_mutex_lock(&c->lock);
    bool speaks = budget_speaks(h->account, said);
    bool admits = !is_shut(h, why, bench_ms);
    bool many = h->fans_out && request->task == STORY_CHAPTERS_TASK;
    if (admits && !budget_reserve(&h->account->budget, many ? (int64_t)request->n_chapter_ids : 1,
                                  &t->hold)) {
        (void)snprintf(why, 256, "budget: too little is left for this request");
        admits = false;
    }
    if (admits) {
        (void)breaker_admits(&h->breaker, &t->breaker_probe);
        t->account_probe = account_take_probe(h->account);
    }
    (void)pthread_mutex_unlock(&c->lock);
    if (speaks) {
        say_budget(h, said);
    }
    return admits;
}

/* ---- what became of it ------------------------------------------------------------------------
 */

/* What is worth a line: the states before and after. */
static void say_change(const struct hop *h, enum breaker_state was, enum breaker_state is,
                       sf_ms left, const char *reason)
{
    const char *name = h->given.generator.name;
    if (is == was) {
        return;
    }
    if (is == BREAKER_RELOAD) {
        log_event(LOG_ERROR, LOG_CHAIN,
                  "generator is out until the configuration is loaded again: mend it and send "
                  "SIGHUP",
                  LOG_S("generator", name), LOG_S("target", h->given.generator.target),
                  LOG_S("err", reason));
    } else if (is == BREAKER_OPEN || is == BREAKER_BENCHED) {
        log_event(LOG_WARN, LOG_CHAIN,
                  is == BREAKER_OPEN ? "circuit breaker opened" : "generator benched",
                  LOG_S("generator", name), LOG_I("ms", left), LOG_S("err", reason));
    } else if (is == BREAKER_CLOSED) {
        log_event(LOG_INFO, LOG_CHAIN, "generator is back", LOG_S("generator", name));
    }
}

/* True when the account was not refused before. Locked. */
static bool note_account(struct gen_chain *c, struct hop *h, const struct ticket *t,
                         const struct hop_outcome *o)
{
    struct account *a = h->account;
    bool was = a->refused && !t->account_probe;
    if (sf_err_info(o->code)->breaker == SF_BREAKER_ACCOUNT) {
        account_refuse(a, c->options.account_open_ms, o->reason);
        return !was;
    }
    if (o->code == SF_OK) {
        account_answered(a);
    } else if (t->account_probe) {
        account_drop_probe(a);
    }
    return false;
}

void hop_note(struct gen_chain *c, struct hop *h, struct ticket *t, const struct hop_outcome *o)
{
    sf_ms left;
    (void)pthread_mutex_lock(&c->lock);
    enum breaker_state was = breaker_state(&h->breaker, &left);
    breaker_note(&h->breaker, o->code, t->breaker_probe, o->retry_after_ms);
    enum breaker_state is = breaker_state(&h->breaker, &left);
    bool refused = note_account(c, h, t, o);
    budget_release(&h->account->budget, &t->hold, o->cost_usd);
    if (o->code != SF_OK && o->code != SF_ECANCELED) {
        (void)snprintf(h->last_error, sizeof h->last_error, "%s", o->reason);
        h->last_code = o->code;
        h->last_error_wall_ns = sf_wall_ns();
    }
    if (o->code == SF_OK) {
        h->prober.doubted = false;
        h->looked = LOOK_GOOD;
    } else if (o->code == SF_ESLOW) {
        h->prober.doubted = true;
    }
    (void)pthread_mutex_unlock(&c->lock);
    t->breaker_probe = t->account_probe = false;
    say_change(h, was, is, left, o->reason);
    if (refused) {
        log_event(LOG_WARN, LOG_CHAIN, "provider refuses the account; nobody asks it for a while",
                  LOG_S("account", h->account->name), LOG_S("generator", h->given.generator.name),
                  LOG_I("ms", c->options.account_open_ms), LOG_S("err", o->reason));
    }
}

void hop_spend(struct gen_chain *c, struct hop *h, struct ticket *t, const struct gen_usage *more)
{
    char said[256];
    (void)pthread_mutex_lock(&c->lock);
    usage_add(&h->usage, more);
    budget_count(&h->account->budget, 0, more->requests, more->cost_usd, &t->hold);
    bool speaks = budget_speaks(h->account, said);
    struct gen_chain *heir = c->heir;
    (void)pthread_mutex_unlock(&c->lock);
    if (speaks) {
        say_budget(h, said);
    }
    if (heir != NULL) {
        gen_chain_charge(heir, h->account->name, sf_wall_ns(), more->requests, more->cost_usd);
    }
}

sf_ms hop_usual_ms(struct gen_chain *c, struct hop *h)
{
    (void)pthread_mutex_lock(&c->lock);
    sf_ms usual = latency_at(h, 50);
    (void)pthread_mutex_unlock(&c->lock);
    return usual;
}

void hop_count(struct gen_chain *c, struct hop *h, const struct gen_step *step)
{
    if (step->code == SF_ECANCELED) { /* says nothing about the hop */
        return;
    }
    bool ok = step->outcome == GEN_STEP_OK;
    (void)pthread_mutex_lock(&c->lock);
    h->outcomes[h->n_outcomes++ % CHAIN_SAMPLES] = ok;
    if (ok) {
        h->answers++;
        h->latencies[h->n_latencies++ % CHAIN_SAMPLES] = step->took_ms;
    } else {
        h->failures++;
    }
    (void)pthread_mutex_unlock(&c->lock);
}
