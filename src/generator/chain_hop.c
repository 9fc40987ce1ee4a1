/* SPDX-License-Identifier: MIT */
#include "generator/chain_internal.h"

#include "base/log.h"
#include "base/mem.h"

#include <poll.h>
#include <string.h>

#define POLL_MS 10

void hop_introduce(const struct hop *h, struct gen_step *step)
{
    const struct generator *g = &h->given.generator;
    *step = (struct gen_step){.outcome = GEN_STEP_SKIPPED, .code = SF_EUNAVAILABLE};
    (void)snprintf(step->name, sizeof step->name, "%s", g->name);
    (void)snprintf(step->kind, sizeof step->kind, "%s", g->type->kind);
    (void)snprintf(step->account, sizeof step->account, "%s", h->account->name);
}

void hop_log_step(const struct gen_step *step)
{
    bool failed = step->outcome == GEN_STEP_FAILED && step->code != SF_ECANCELED;
    log_event(failed ? LOG_WARN : LOG_DEBUG, LOG_CHAIN,
              step->outcome == GEN_STEP_OK ? "generator answered" : "generator passed over",
              LOG_S("generator", step->name), LOG_S("code", sf_err_info(step->code)->name),
              LOG_I("ms", step->took_ms), LOG_I("attempts", step->attempts),
              LOG_S("err", step->reason));
}

/* ---- waiting ----------------------------------------------------------------------------------
 */

static bool is_canceled(const struct hop_run *r)
{
    return r->call.cancel != NULL && atomic_load(r->call.cancel);
}

/* False: canceled meanwhile. */
static bool wait_for(const struct hop_run *r, sf_ms span)
{
    struct sf_time until = sf_after(sf_now(), span);
    while (sf_until(until) > 0 && !is_canceled(r)) {
        sf_ms left = sf_until(until);
        (void)poll(NULL, 0, (int)(left < POLL_MS ? left : POLL_MS));
    }
    return !is_canceled(r);
}

static bool fits(const struct hop_run *r, sf_ms wait)
{
    return wait <= sf_until(r->call.deadline) - CHAIN_USEFUL_MS;
}

/* ---- admission --------------------------------------------------------------------------------
 */

bool hop_begin(struct hop_run *r)
{
    sf_ms bench_ms;
    char *why = r->step->reason;
    if (hop_admit(r->chain, r->hop, &r->call, &r->ticket, why, &bench_ms)) {
        why[0] = '\0';
        return true;
    }
    /* A pause that fits costs less than no answer, where nobody else could give one. */
    bool again = bench_ms > 0 && r->behind == 0 && fits(r, bench_ms) && wait_for(r, bench_ms) &&
                 hop_admit(r->chain, r->hop, &r->call, &r->ticket, why, &bench_ms);
    if (again) {
        why[0] = '\0';
    }
    return again;
}

/* ---- once more? -------------------------------------------------------------------------------
 */

/* What has been asked again for already, a bit per way. */
enum { AGAIN_TRANSIENT = 1, AGAIN_RATE = 2, AGAIN_SHAPE = 4, AGAIN_MISSING = 8 };

static const struct {
    enum sf_err code;
    unsigned way;
} ways[] = {
    {SF_ETRANSIENT, AGAIN_TRANSIENT},
    {SF_ERATE, AGAIN_RATE},
    {SF_ESHAPE, AGAIN_SHAPE},
    {SF_EINCOMPLETE, AGAIN_MISSING},
};

static sf_ms jitter(const struct hop_run *r)
{
    const struct gen_chain_options *o = &r->chain->options;
    uint64_t mixed = (r->call.seed + (uint64_t)sf_now().ms) * 0x9e3779b97f4a7c15U;
    sf_ms span = o->jitter_max_ms - o->jitter_min_ms;
    uint64_t range = span > 0 ? (uint64_t)span + 1 : 1;
    return o->jitter_min_ms + (sf_ms)((mixed >> 33) % range);
}

/* The way in which the table lets this target be asked again, 0 for none; `wait` before that. A
 * slow failure leaves no retry: what took long once would take as long again. */
static unsigned way_of(const struct hop_run *r, enum sf_err err, const struct sf_errbuf *eb,
                       sf_ms *wait)
{
    const struct gen_attempt *last = &r->step->list[r->step->attempts - 1];
    unsigned way = 0;
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        way = ways[i].code == err ? ways[i].way : way;
    }
    *wait = way == AGAIN_TRANSIENT ? jitter(r) : way == AGAIN_RATE ? eb->retry_after_ms : 0;
    bool slow = way == AGAIN_TRANSIENT && (last->took_ms > r->chain->options.progress_ms / 2 ||
                                           !fits(r, *wait + last->took_ms));
    /* Behind the pause there must be time for an answer as this target usually gives it. */
    bool idle = way == AGAIN_RATE &&
                (*wait <= 0 || !fits(r, *wait) || !fits(r, *wait + hop_usual_ms(r->chain, r->hop)));
    return slow || idle || !fits(r, *wait) || r->step->attempts == GEN_ATTEMPTS_MAX ? 0 : way;
}

/* Under so little time a hop's slowness says nothing about it. */
static enum sf_err counted_as(const struct hop_run *r, enum sf_err err)
{
    sf_ms patience = r->chain->options.progress_ms;
    sf_ms had = sf_between(r->walk_started, r->call.deadline) - r->step->started_ms;
    bool no_chance = had < (patience < 1000 ? patience : 1000);
    return err == SF_ESLOW && no_chance ? SF_EBUSY : err;
}

static void note(struct hop_run *r, enum sf_err err, const struct sf_errbuf *eb)
{
    const struct gen_attempt *last = &r->step->list[r->step->attempts - 1];
    struct hop_outcome o = {.code = counted_as(r, err),
                            .retry_after_ms = eb->retry_after_ms,
                            .reason = last->reason,
                            .cost_usd = last->usage.cost_usd};
    hop_note(r->chain, r->hop, &r->ticket, &o);
}

/* Waits, and takes the right to one more call; false: another hop's turn, or `err` says canceled.
 */
static bool may_again(struct hop_run *r, sf_ms wait, enum sf_err *err)
{
    char why[256];
    sf_ms bench_ms;
    if (!wait_for(r, wait)) {
        *err = SF_ECANCELED;
        return false;
    }
    return hop_admit(r->chain, r->hop, &r->call, &r->ticket, why, &bench_ms);
}

/* Notes what became of the last call, and whether there is another one. The repair of an answer
 * belongs to the call that decides whether an open breaker closes: its outcome counts. */
static bool goes_on(struct hop_run *r, enum sf_err *err, const struct sf_errbuf *eb, unsigned *used)
{
    sf_ms wait = 0;
    unsigned way = *err == SF_OK ? 0 : way_of(r, *err, eb, &wait);
    way = (*used & way) != 0 ? 0 : way;
    *used |= way;
    bool probe = r->ticket.breaker_probe;
    if (way == AGAIN_MISSING && probe) {
        return true;
    }
    note(r, *err, eb);
    return way != 0 && may_again(r, wait, err);
}

/* ---- one hop, as often as the table allows -----------------------------------------------------
 */

static enum sf_err ask_until_done(struct hop_run *r)
{
    struct sf_errbuf eb = {.code = SF_OK};
    unsigned used = 0;
    enum sf_err err;
    do {
        err = hop_attempt(r, &eb);
    } while (goes_on(r, &err, &eb, &used));
    return err;
}

enum sf_err hop_work(struct hop_run *r)
{
    struct gen_step *step = r->step;
    struct sf_time started = sf_now();
    struct story_report reports[2]; /* 50 KiB: dear to allocate, and worse to clear each time */
    reports[0].n = reports[0].total = 0;
    reports[1].n = reports[1].total = 0;
    step->started_ms = sf_between(r->walk_started, started);
    r->partial = NULL;
    r->result = (struct gen_result){.output = NULL};
    r->reports = reports;
    enum sf_err err = ask_until_done(r);
    r->reports = NULL;
    step->took_ms = sf_between(started, sf_now());
    step->outcome = err == SF_OK ? GEN_STEP_OK : GEN_STEP_FAILED;
    step->code = err;
    if (err != SF_OK && step->attempts > 0) {
        memcpy(step->reason, step->list[step->attempts - 1].reason, sizeof step->reason);
    }
    if (err != SF_OK) {
        gen_result_fini(&r->result);
    }
    hop_count(r->chain, r->hop, step);
    hop_log_step(step);
    return err;
}
