/* SPDX-License-Identifier: MIT */
#include "generator/chain_internal.h"

#include "base/log.h"

#include <string.h>
#include <time.h>

/* One thread per hop looks after it while it is out, so that a slow look at one does not delay
 * another, and two at the same one cannot meet. The looks are free ones. */

/* What the kind itself says; a kind without a probe has no other word. */
static bool look(const struct generator *g, char reason[256])
{
    struct gen_health health = {.state = GEN_READY};
    struct sf_errbuf eb = {.code = SF_OK};
    if (g->type->probe == NULL) {
        g->type->health(g->ctx, &health);
        (void)snprintf(reason, 256, "%s", health.reason);
        return health.state == GEN_READY || health.state == GEN_DEGRADED;
    }
    enum sf_err err = g->type->probe(g->ctx, &eb);
    (void)snprintf(reason, 256, "%.255s", err == SF_OK ? "" : sf_err_text(&eb, err));
    log_event(LOG_DEBUG, LOG_CHAIN, "probed", LOG_S("generator", g->name),
              LOG_S("code", sf_err_info(err)->name), LOG_S("err", sf_err_text(&eb, err)));
    return err == SF_OK;
}

static bool needs_a_look(struct prober *p)
{
    const struct generator *g = &p->hop->given.generator;
    struct gen_health health = {.state = GEN_READY};
    g->type->health(g->ctx, &health);
    (void)pthread_mutex_lock(&p->chain->lock);
    bool open = p->hop->breaker.open || p->hop->looked == LOOK_BAD;
    (void)pthread_mutex_unlock(&p->chain->lock);
    return open || health.state == GEN_DOWN || health.state == GEN_DEGRADED;
}

/* A target that answers free looks while calls hang costs each caller its patience: there only a
 * change from no to yes lets the next one try before its pause is over. */
static void note_look(struct prober *p, bool ok, const char *reason)
{
    struct hop *h = p->hop;
    (void)pthread_mutex_lock(&p->chain->lock);
    h->looked = ok ? LOOK_GOOD : LOOK_BAD;
    (void)snprintf(h->look_reason, sizeof h->look_reason, "%s", reason);
    if (ok && (!p->doubted || !p->last_ok)) {
        breaker_half_open(&p->hop->breaker);
    }
    p->last_ok = ok;
    (void)pthread_mutex_unlock(&p->chain->lock);
}

/* Waits for the next turn; false: the chain closes. */
static bool wait_until(struct prober *p, const struct timespec *turn)
{
    struct gen_chain *c = p->chain;
    int rc = 0;
    (void)pthread_mutex_lock(&c->lock);
    while (!c->closing && rc == 0 && p->looks == c->looks) {
        rc = pthread_cond_timedwait(&c->changed, &c->lock, turn);
    }
    bool closing = c->closing;
    p->looks = c->looks;
    (void)pthread_mutex_unlock(&c->lock);
    return !closing;
}

static void add_ms(struct timespec *t, sf_ms span)
{
    t->tv_sec += (time_t)(span / 1000);
    t->tv_nsec += (long)(span % 1000) * 1000000;
    if (t->tv_nsec >= 1000000000) {
        t->tv_sec++;
        t->tv_nsec -= 1000000000;
    }
}

/* What could not be opened at the start may be openable now: a file that was put there. */
static void reopen(struct prober *p)
{
    struct gen_chain *c = p->chain;
    struct hop *h = p->hop;
    struct gen_chain_hop tried = h->given; /* only this thread writes it */
    bool open = c->options.reopen(c->options.reopen_arg, &tried);
    (void)pthread_mutex_lock(&c->lock);
    h->given.generator.ctx = open ? tried.generator.ctx : NULL;
    memcpy(h->given.reason, tried.reason, sizeof tried.reason);
    (void)pthread_mutex_unlock(&c->lock);
    if (open) {
        log_event(LOG_INFO, LOG_CHAIN, "generator could be opened now",
                  LOG_S("generator", h->given.generator.name),
                  LOG_S("target", h->given.generator.target));
    }
}

static void look_at(struct prober *p)
{
    char reason[256];
    bool ok = look(&p->hop->given.generator, reason);
    note_look(p, ok, reason);
}

/* Who calls itself ready at once is looked at once. */
static void look_first(struct prober *p)
{
    const struct generator *g = &p->hop->given.generator;
    struct gen_health health = {.state = GEN_DOWN};
    if (!hop_is_open(p->chain, p->hop, NULL) || g->type->probe == NULL) {
        return;
    }
    g->type->health(g->ctx, &health);
    if (health.state == GEN_READY) {
        look_at(p);
    } else {
        note_look(p, true, "");
    }
}

static void look_after(struct prober *p)
{
    if (!hop_is_open(p->chain, p->hop, NULL)) {
        reopen(p);
    } else if (needs_a_look(p)) {
        look_at(p);
    } else {
        note_look(p, true, "");
    }
}

static void *run(void *arg)
{
    struct prober *p = arg;
    struct timespec turn;
    (void)clock_gettime(CLOCK_MONOTONIC, &turn);
    add_ms(&turn, p->chain->options.probe_interval_ms);
    look_first(p);
    while (wait_until(p, &turn)) {
        (void)clock_gettime(CLOCK_MONOTONIC, &turn);
        add_ms(&turn, p->chain->options.probe_interval_ms);
        look_after(p);
    }
    return NULL;
}

enum sf_err probers_start(struct gen_chain *c)
{
    for (size_t i = 0; i < c->n; i++) {
        struct prober *p = &c->hops[i].prober;
        if (c->hops[i].given.generator.ctx == NULL && c->options.reopen == NULL) {
            continue;
        }
        p->last_ok = true;
        c->hops[i].looked =
            c->hops[i].given.generator.ctx != NULL && c->hops[i].given.generator.type->probe != NULL
                ? LOOK_DUE
                : LOOK_NONE;
        p->runs = pthread_create(&p->thread, NULL, run, p) == 0;
        if (!p->runs) {
            (void)pthread_mutex_lock(&c->lock);
            c->closing = true;
            (void)pthread_cond_broadcast(&c->changed);
            (void)pthread_mutex_unlock(&c->lock);
            probers_join(c);
            return SF_ENOMEM;
        }
    }
    return SF_OK;
}

void gen_chain_look(struct gen_chain *c)
{
    (void)pthread_mutex_lock(&c->lock);
    c->looks++;
    (void)pthread_cond_broadcast(&c->changed);
    (void)pthread_mutex_unlock(&c->lock);
}

void probers_join(struct gen_chain *c)
{
    for (size_t i = 0; i < c->n; i++) {
        struct prober *p = &c->hops[i].prober;
        if (p->runs) {
            (void)pthread_join(p->thread, NULL);
            p->runs = false;
        }
    }
}
