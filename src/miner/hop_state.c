/* SPDX-License-Identifier: MIT */
#include "miner/hop_state.h"

#include "base/log.h"
#include "journal/journal.h"

#include <string.h>

#define LOOK_MS 500

static const char *const health_names[] = {[GEN_STARTING] = "starting",
                                           [GEN_READY] = "ready",
                                           [GEN_DEGRADED] = "degraded",
                                           [GEN_DOWN] = "down"};
static const char *const gate_names[] = {[GEN_GATE_CLOSED] = "ready",
                                         [GEN_GATE_HALF_OPEN] = "trial",
                                         [GEN_GATE_OPEN] = "resting",
                                         [GEN_GATE_BENCHED] = "benched",
                                         [GEN_GATE_RELOAD] = "refused"};

const char *hop_state_name(const struct gen_hop_status *s)
{
    if (s->health.state != GEN_READY) {
        return health_names[s->health.state];
    }
    return s->account_reason[0] != '\0' ? "account" : gate_names[s->gate];
}

const char *hop_state_reason(const struct gen_hop_status *s)
{
    if (s->health.reason[0] != '\0') {
        return s->health.reason;
    }
    if (s->account_reason[0] != '\0') {
        return s->account_reason;
    }
    return s->gate == GEN_GATE_CLOSED ? "" : s->last_error;
}

/* ---- as JSON --------------------------------------------------------------------------------- */

static void set(json_t *o, const char *key, json_t *value_own)
{
    (void)json_object_set_new(o, key, value_own); /* a missing member: out of memory */
}

static void set_text(json_t *o, const char *key, const char *z)
{
    set(o, key, json_text(sf_str(z)));
}

static json_t *seconds_or_null(sf_ms ms)
{
    return ms > 0 ? json_real(sf_seconds(ms)) : json_null();
}

static json_t *usage_json(const struct gen_usage *u)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:f}", "requests", (json_int_t)u->requests,
                     "prompt_tokens", (json_int_t)u->prompt_tokens, "cached_tokens",
                     (json_int_t)u->cached_tokens, "generated_tokens",
                     (json_int_t)u->generated_tokens, "cost_usd", u->cost_usd);
}

static json_t *find_figures(const json_t *figures, const char *name)
{
    for (size_t i = 0; i < json_array_size(figures); i++) {
        json_t *f = json_array_get(figures, i);
        const char *hop = json_get_string(f, "hop");
        if (hop != NULL && strcmp(hop, name) == 0) {
            return json_incref(f);
        }
    }
    return json_null();
}

static void set_error(json_t *o, const struct gen_hop_status *s)
{
    bool any = s->last_error_wall_ns > 0;
    set_text(o, "last_error", s->last_error);
    set(o, "last_error_code", any ? json_string(sf_err_info(s->last_code)->name) : json_null());
    set(o, "last_error_age_seconds",
        any ? json_real((double)(sf_wall_ns() - s->last_error_wall_ns) / 1e9) : json_null());
}

json_t *hop_state_json(const struct gen_hop_status *s, const json_t *figures)
{
    const struct generator *g = s->generator;
    json_t *o = json_object();
    set_text(o, "name", g->name);
    set_text(o, "kind", g->type->kind);
    set_text(o, "target", g->target);
    set_text(o, "state", health_names[s->health.state]);
    set_text(o, "use", hop_state_name(s));
    set_text(o, "reason", hop_state_reason(s));
    set(o, "can_answer", json_boolean(s->can_answer));
    set(o, "breaker_open", json_boolean(s->breaker_open));
    set(o, "out_for_seconds",
        seconds_or_null(s->account_left_ms > s->gate_left_ms ? s->account_left_ms
                                                             : s->gate_left_ms));
    set_text(o, "account", s->account);
    set(o, "multiplier", json_real(g->type->multiplier));
    set(o, "worth", s->worth < 0 ? json_null() : json_real(s->worth));
    set(o, "answers", json_integer((json_int_t)s->answers));
    set(o, "failures", json_integer((json_int_t)s->failures));
    set(o, "success_share", s->success_share < 0 ? json_null() : json_real(s->success_share));
    set(o, "p50_seconds", seconds_or_null(s->latency_p50_ms));
    set(o, "p95_seconds", seconds_or_null(s->latency_p95_ms));
    set_error(o, s);
    set(o, "usage", usage_json(&s->usage));
    set(o, "last_24h", find_figures(figures, g->name));
    return o;
}

/* ---- changes --------------------------------------------------------------------------------- */

static void note(struct app *a, const struct gen_hop_status *s, const char *from, const char *to)
{
    struct journal *j = app_journal(a);
    const char *reason = hop_state_reason(s);
    log_event(LOG_INFO, LOG_GENERATOR, "generator changed", LOG_S("generator", s->generator->name),
              LOG_S("from", from), LOG_S("to", to), LOG_S("reason", reason));
    if (j != NULL) {
        journal_put_state(j, &(struct journal_state){.wall_ns = sf_wall_ns(),
                                                     .name = s->generator->name,
                                                     .kind = s->generator->type->kind,
                                                     .from = from,
                                                     .to = to,
                                                     .reason = reason});
    }
}

static const char *last_state(const struct hop_states *h, const char *name)
{
    for (size_t i = 0; i < h->n; i++) {
        if (strcmp(h->last[i].name, name) == 0) {
            return h->last[i].state;
        }
    }
    return "absent"; /* the first look, or new with a reload */
}

static void summarize(struct hop_states *h, const struct gen_hop_status *status)
{
    size_t i = 0;
    while (i < h->n && !status[i].can_answer) {
        i++;
    }
    h->ready = i < h->n;
    if (h->ready) {
        (void)snprintf(h->summary, sizeof h->summary, "answering: %s", status[i].generator->name);
    } else if (h->n > 0) {
        (void)snprintf(h->summary, sizeof h->summary, "no generator available: %s: %.160s",
                       status[0].generator->name, hop_state_reason(&status[0]));
    } else {
        (void)snprintf(h->summary, sizeof h->summary, "no generator is configured");
    }
}

void hop_states_tick(struct hop_states *h, struct app *a)
{
    struct gen_hop_status status[GEN_CHAIN_MAX];
    struct hop_states now = {.n = 0};
    if (sf_until(h->next) > 0) {
        return;
    }
    now.next = sf_after(sf_now(), LOOK_MS);
    now.n = gen_chain_status(app_chain(a), status);
    summarize(&now, status);
    for (size_t i = 0; i < now.n; i++) {
        const char *name = status[i].generator->name, *before = last_state(h, name);
        now.last[i].state = hop_state_name(&status[i]);
        (void)snprintf(now.last[i].name, sizeof now.last[i].name, "%s", name);
        if (strcmp(before, now.last[i].state) != 0) {
            note(a, &status[i], before, now.last[i].state);
        }
    }
    *h = now;
}
