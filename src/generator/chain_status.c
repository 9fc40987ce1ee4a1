/* SPDX-License-Identifier: MIT */
#include "generator/chain_internal.h"

#include <string.h>

void usage_add(struct gen_usage *sum, const struct gen_usage *more)
{
    sum->prompt_tokens += more->prompt_tokens;
    sum->cached_tokens += more->cached_tokens;
    sum->generated_tokens += more->generated_tokens;
    sum->requests += more->requests;
    sum->cost_usd += more->cost_usd;
    if (more->tokens_per_second > 0) {
        sum->tokens_per_second = more->tokens_per_second;
    }
}

static size_t known(size_t ever)
{
    return ever < CHAIN_SAMPLES ? ever : CHAIN_SAMPLES;
}

static int by_size(const void *a, const void *b)
{
    sf_ms x = *(const sf_ms *)a, y = *(const sf_ms *)b;
    return (x > y) - (x < y);
}

sf_ms latency_at(const struct hop *h, unsigned percent)
{
    sf_ms sorted[CHAIN_SAMPLES];
    size_t n = known(h->n_latencies);
    if (n == 0) {
        return 0;
    }
    memcpy(sorted, h->latencies, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, by_size);
    return sorted[(n * percent + 99) / 100 - 1];
}

static void tell_outcomes(const struct hop *h, struct gen_hop_status *out)
{
    size_t good = 0, n = known(h->n_outcomes);
    for (size_t i = 0; i < n; i++) {
        good += h->outcomes[i] ? 1 : 0;
    }
    out->success_share = n == 0 ? -1 : (double)good / (double)n;
    out->answers = h->answers;
    out->failures = h->failures;
    out->last_code = h->last_code;
    out->last_error_wall_ns = h->last_error_wall_ns;
    out->usage = h->usage;
    out->worth = h->worth;
    memcpy(out->last_error, h->last_error, sizeof h->last_error);
}

static const enum gen_gate gates[] = {
    [BREAKER_CLOSED] = GEN_GATE_CLOSED, [BREAKER_HALF_OPEN] = GEN_GATE_HALF_OPEN,
    [BREAKER_OPEN] = GEN_GATE_OPEN,     [BREAKER_BENCHED] = GEN_GATE_BENCHED,
    [BREAKER_RELOAD] = GEN_GATE_RELOAD,
};

static void tell_gates(const struct hop *h, struct gen_hop_status *out)
{
    out->account = h->account->name;
    out->breaker_open = breaker_is_open(&h->breaker);
    out->gate = gates[breaker_state(&h->breaker, &out->gate_left_ms)];
    if (!account_is_out(h->account, out->account_reason, sizeof out->account_reason,
                        &out->account_left_ms)) {
        out->account_reason[0] = '\0';
    }
    out->can_answer =
        out->health.state == GEN_READY && !out->breaker_open && out->account_reason[0] == '\0';
}

/* Ready by its own word alone is not ready. Locked. */
static void tell_look(const struct hop *h, struct gen_health *out)
{
    if (out->state == GEN_READY && h->looked == LOOK_DUE) {
        out->state = GEN_STARTING;
        (void)snprintf(out->reason, sizeof out->reason, "not looked at yet");
    } else if (out->state == GEN_READY && h->looked == LOOK_BAD) {
        out->state = GEN_DEGRADED;
        memcpy(out->reason, h->look_reason, sizeof h->look_reason);
    }
}

size_t gen_chain_status(struct gen_chain *c, struct gen_hop_status out[static GEN_CHAIN_MAX])
{
    for (size_t i = 0; i < c->n; i++) {
        struct hop *h = &c->hops[i];
        const struct generator *g = &h->given.generator;
        out[i] = (struct gen_hop_status){.generator = g, .health = {.state = GEN_DOWN}};
        if (hop_is_open(c, h, out[i].health.reason)) {
            g->type->health(g->ctx, &out[i].health);
        }
        (void)pthread_mutex_lock(&c->lock);
        tell_look(h, &out[i].health);
        out[i].latency_p50_ms = latency_at(h, 50);
        out[i].latency_p95_ms = latency_at(h, 95);
        tell_outcomes(h, &out[i]);
        tell_gates(h, &out[i]);
        (void)pthread_mutex_unlock(&c->lock);
    }
    return c->n;
}

json_t *gen_chain_facts(struct gen_chain *c, const char *kind)
{
    for (size_t i = 0; i < c->n; i++) {
        const struct generator *g = &c->hops[i].given.generator;
        if (strcmp(g->type->kind, kind) == 0 && g->type->facts != NULL &&
            hop_is_open(c, &c->hops[i], NULL)) {
            return g->type->facts(g->ctx);
        }
    }
    return NULL;
}

bool gen_chain_is_ready(struct gen_chain *c)
{
    struct gen_hop_status status[GEN_CHAIN_MAX];
    size_t n = gen_chain_status(c, status);
    for (size_t i = 0; i < n; i++) {
        if (status[i].can_answer) {
            return true;
        }
    }
    return false;
}
