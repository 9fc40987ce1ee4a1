/* SPDX-License-Identifier: MIT */
#include "generator/chain_internal.h"

#include "base/mem.h"
#include "generator/hedge_queue.h"

#include <string.h>
#include <time.h>

#define AT_ONCE 2
#define TURN_MS 10
#define ACCOUNT_TURNS 6 /* for the bill of those that are called off */

/* One hop of a race, on a thread of its own, with a request of its own: a loser that is slow to
 * give way outlives the call without touching what the caller lent. */
struct racer {
    struct race *race;
    struct hop_run run;
    struct gen_step step;   /* the thread's until `done` */
    struct gen_step *place; /* in the caller's trail; the coordinator's */
    struct story_request request;
    atomic_bool cancel;
    /* Under the race's lock: */
    bool done, seen, taken;
    bool lossy; /* an event of a slot was held back: only the end tells its texts */
    enum sf_err err;
    struct gen_usage spent;
};

struct race {
    struct gen_chain *chain;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    size_t refs; /* the coordinator and each thread */
    struct hedge_queue queue;
    struct racer *lead; /* whose events are passed on: the first one still at work */
    bool listens;
    char *prompt;
    size_t n;
    struct racer racers[GEN_CHAIN_MAX];
};

/* ---- lifetimes --------------------------------------------------------------------------------
 */

static struct race *race_open(const struct walk *w)
{
    pthread_condattr_t monotonic;
    struct race *race = sf_alloc(sizeof *race);
    if (race == NULL) {
        return NULL;
    }
    race->prompt = sf_strdup(w->call->prompt);
    if (race->prompt == NULL && w->call->prompt != NULL) {
        free(race);
        return NULL;
    }
    race->chain = w->chain;
    race->listens = w->replay != NULL;
    race->refs = 1;
    hedge_queue_init(&race->queue);
    (void)pthread_mutex_init(&race->lock, NULL);
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&race->changed, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    return race;
}

static void race_unref(struct race *race)
{
    (void)pthread_mutex_lock(&race->lock);
    bool last = --race->refs == 0;
    (void)pthread_mutex_unlock(&race->lock);
    if (!last) {
        return;
    }
    for (size_t i = 0; i < race->n; i++) {
        if (!race->racers[i].taken) {
            gen_result_fini(&race->racers[i].run.result);
        }
        story_request_fini(&race->racers[i].request);
    }
    hedge_notes_tell(hedge_queue_take(&race->queue), NULL, NULL);
    (void)pthread_cond_destroy(&race->changed);
    (void)pthread_mutex_destroy(&race->lock);
    free(race->prompt), race->prompt = NULL;
    free(race);
}

static json_t *copied(const json_t *v, bool *ok)
{
    json_t *copy = v == NULL ? NULL : json_deep_copy(v);
    *ok = *ok && (v == NULL || copy != NULL);
    return copy;
}

static bool copy_request(const struct story_request *from, struct story_request *to)
{
    bool ok = true;
    *to = *from;
    to->user_input = sf_strdup(from->user_input);
    to->blueprint = copied(from->blueprint, &ok);
    to->characters = copied(from->characters, &ok);
    to->story_arc = copied(from->story_arc, &ok);
    return ok && to->user_input != NULL;
}

/* ---- a racer ----------------------------------------------------------------------------------
 */

static bool is_of_slot(const struct gen_event *e)
{
    return e->kind == GEN_EVENT_SLOT_STARTED || e->kind == GEN_EVENT_SLOT_TEXT ||
           e->kind == GEN_EVENT_SLOT_DONE;
}

static void on_event(void *arg, const struct gen_event *event)
{
    struct racer *me = arg;
    struct race *race = me->race;
    bool of_slot = is_of_slot(event);
    (void)pthread_mutex_lock(&race->lock);
    if (event->kind == GEN_EVENT_USAGE && event->usage != NULL) {
        me->spent = *event->usage;
    }
    if (event->kind == GEN_EVENT_HOP_STARTED) {
        me->lossy = false;
    }
    bool passes = race->listens && race->lead == me && !(of_slot && me->lossy);
    if (passes && hedge_queue_put(&race->queue, event)) {
        (void)pthread_cond_signal(&race->changed);
    } else if (of_slot) {
        me->lossy = true;
    }
    (void)pthread_mutex_unlock(&race->lock);
}

static void finish(struct racer *me, enum sf_err err)
{
    (void)pthread_mutex_lock(&me->race->lock);
    me->err = err;
    me->done = true;
    (void)pthread_cond_signal(&me->race->changed);
    (void)pthread_mutex_unlock(&me->race->lock);
}

static void *racer_main(void *arg)
{
    struct racer *me = arg;
    struct race *race = me->race;
    struct gen_chain *c = race->chain;
    finish(me, hop_work(&me->run));
    race_unref(race);
    (void)pthread_mutex_lock(&c->lock);
    c->threads--;
    (void)pthread_cond_broadcast(&c->changed);
    (void)pthread_mutex_unlock(&c->lock);
    return NULL;
}

/* Without a thread it runs here: then nobody races it, and its events come behind it. */
static void launch(struct racer *me, const struct walk *w)
{
    struct gen_chain *c = w->chain;
    pthread_t thread;
    (void)pthread_mutex_lock(&c->lock);
    bool room = c->threads < CHAIN_THREADS_MAX;
    c->threads += room ? 1 : 0;
    (void)pthread_mutex_unlock(&c->lock);
    (void)pthread_mutex_lock(&me->race->lock);
    me->race->refs++;
    (void)pthread_mutex_unlock(&me->race->lock);
    if (room && pthread_create(&thread, NULL, racer_main, me) == 0) {
        (void)pthread_detach(thread);
        return;
    }
    me->run.call.cancel = w->call->cancel;
    finish(me, hop_work(&me->run));
    race_unref(me->race);
    (void)pthread_mutex_lock(&c->lock);
    c->threads -= room ? 1 : 0;
    (void)pthread_mutex_unlock(&c->lock);
}

/* ---- the coordinator: the caller's thread -----------------------------------------------------
 */

/* Starts the next hop that may be asked; false: there is none. */
static bool start_next(struct race *race, struct walk *w, size_t at_work)
{
    struct racer *me = &race->racers[race->n];
    me->run = (struct hop_run){.behind = at_work};
    if (!walk_next(w, &me->run)) {
        return false;
    }
    me->race = race;
    me->place = me->run.step;
    me->place->hedged = at_work > 0;
    me->step = *me->place;
    me->run.step = &me->step;
    atomic_init(&me->cancel, false);
    bool copied_all = copy_request(w->call->request, &me->request);
    me->run.call.request = &me->request;
    me->run.call.prompt = race->prompt;
    me->run.call.cancel = &me->cancel;
    me->run.call.on_event = on_event;
    me->run.call.event_arg = me;
    me->run.call.tokens = NULL; /* two would count into it, and one may outlive it */
    (void)pthread_mutex_lock(&race->lock);
    race->n++;
    race->lead = race->lead == NULL ? me : race->lead;
    (void)pthread_mutex_unlock(&race->lock);
    if (copied_all) {
        launch(me, w);
    } else {
        struct hop_outcome o = {.code = SF_ENOMEM, .reason = "out of memory"};
        hop_note(w->chain, me->run.hop, &me->run.ticket, &o);
        me->step.outcome = GEN_STEP_FAILED;
        me->step.code = SF_ENOMEM;
        (void)snprintf(me->step.reason, sizeof me->step.reason, "%s", o.reason);
        finish(me, SF_ENOMEM);
    }
    return true;
}

/* Takes over the steps of those that ended since; the winner or NULL. Locked. */
static struct racer *collect(struct race *race, size_t *at_work)
{
    struct racer *winner = NULL;
    *at_work = 0;
    for (size_t i = 0; i < race->n; i++) {
        struct racer *one = &race->racers[i];
        if (one->done && !one->seen) {
            bool hedged = one->place->hedged;
            one->seen = true;
            *one->place = one->step;
            one->place->hedged = hedged;
        }
        if (one->done && one->err == SF_OK && winner == NULL) {
            winner = one;
        }
        *at_work += one->done ? 0 : 1;
    }
    return winner;
}

static void tell_leader(const struct racer *lead, struct walk *w)
{
    const char *name = lead->run.hop->given.generator.name;
    struct gen_event e = {.kind = GEN_EVENT_HOP_STARTED, .text = sf_str(name)};
    if (w->replay != NULL) {
        walk_event(w, &e);
    }
}

/* The first one still at work leads from now on. Locked; true when that is another one. */
static bool change_lead(struct race *race)
{
    if (race->lead != NULL && !race->lead->done) {
        return false;
    }
    struct racer *before = race->lead;
    race->lead = NULL;
    for (size_t i = race->n; i-- > 0;) {
        race->lead = race->racers[i].done ? race->lead : &race->racers[i];
    }
    return race->lead != NULL && race->lead != before;
}

/* One turn, or less when somebody ends or tells. Locked. */
static void wait_turn(struct race *race)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += TURN_MS * 1000000L;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    (void)pthread_cond_timedwait(&race->changed, &race->lock, &until);
}

/* Somebody who is paid is still at work. Locked. */
static bool bill_is_open(const struct race *race)
{
    for (size_t i = 0; i < race->n; i++) {
        if (!race->racers[i].done && race->racers[i].run.hop->account->name[0] != '\0') {
            return true;
        }
    }
    return false;
}

/* The step of one that was called off. Locked. */
static void tell_called_off(struct racer *one, const char *why)
{
    struct gen_step *step = one->place;
    bool hedged = step->hedged;
    if (one->done) {
        one->seen = true;
        *step = one->step;
        step->hedged = hedged;
    } else {
        step->took_ms = sf_between(one->run.walk_started, sf_now()) - step->started_ms;
        step->attempts = 1;
        step->list[0] = (struct gen_attempt){.code = SF_ECANCELED,
                                             .started_ms = step->started_ms,
                                             .took_ms = step->took_ms,
                                             .usage = one->spent};
        (void)snprintf(step->list[0].reason, sizeof step->list[0].reason, "%s", why);
    }
    step->outcome = GEN_STEP_FAILED;
    step->code = SF_ECANCELED;
    (void)snprintf(step->reason, sizeof step->reason, "%s", why);
}

/* Cancels who is still at work; their steps say so, with what they have spent. That is known when
 * they have ended: a provider's call is given a moment for it, so that the journal has it. */
static void call_off(struct race *race, const char *why)
{
    (void)pthread_mutex_lock(&race->lock);
    race->listens = false;
    for (size_t i = 0; i < race->n; i++) {
        atomic_store(&race->racers[i].cancel, true);
    }
    for (int turn = 0; turn < ACCOUNT_TURNS && bill_is_open(race); turn++) {
        wait_turn(race);
    }
    for (size_t i = 0; i < race->n; i++) {
        if (!race->racers[i].seen) {
            tell_called_off(&race->racers[i], why);
        }
    }
    (void)pthread_mutex_unlock(&race->lock);
}

static enum sf_err win(struct race *race, struct walk *w, struct racer *winner,
                       struct gen_result *result)
{
    char why[256];
    const struct generator *g = &winner->run.hop->given.generator;
    (void)pthread_mutex_lock(&race->lock);
    bool led = race->lead == winner;
    *result = winner->run.result;
    winner->taken = true;
    (void)pthread_mutex_unlock(&race->lock);
    if (!led) {
        tell_leader(winner, w);
    }
    (void)snprintf(why, sizeof why, "canceled: %s answered first", g->name);
    call_off(race, why);
    w->trail->answered = g;
    return SF_OK;
}

static void wait_a_turn(struct race *race)
{
    (void)pthread_mutex_lock(&race->lock);
    bool news = race->queue.first != NULL;
    for (size_t i = 0; i < race->n; i++) {
        news = news || (race->racers[i].done && !race->racers[i].seen);
    }
    if (!news) {
        wait_turn(race);
    }
    (void)pthread_mutex_unlock(&race->lock);
}

/* A hop is due when nobody is at work, or the youngest one is late. */
static bool is_due(const struct race *race, const struct walk *w, size_t at_work)
{
    const struct racer *youngest = race->n == 0 ? NULL : &race->racers[race->n - 1];
    sf_ms age =
        youngest == NULL ? 0 : sf_between(w->started, sf_now()) - youngest->place->started_ms;
    return at_work == 0 || (at_work < AT_ONCE && age >= w->chain->options.hedge_after_ms);
}

static enum sf_err run_race(struct race *race, struct walk *w, struct gen_result *result)
{
    for (size_t before = 0, at_work;; before = at_work) {
        (void)pthread_mutex_lock(&race->lock);
        struct racer *winner = collect(race, &at_work);
        struct hedge_note *notes = hedge_queue_take(&race->queue);
        bool changed = winner == NULL && change_lead(race);
        struct racer *lead = race->lead;
        (void)pthread_mutex_unlock(&race->lock);
        hedge_notes_tell(notes, w->replay == NULL ? NULL : walk_event, w);
        if (at_work < before) { /* somebody ended */
            walk_tell_trail(w);
        }
        if (winner != NULL) {
            return win(race, w, winner, result);
        }
        if (changed) {
            tell_leader(lead, w);
        }
        enum sf_err gone = walk_caller_gone(w);
        if (gone != SF_OK) {
            call_off(race, sf_err_info(gone)->text);
            return gone;
        }
        if (is_due(race, w, at_work) && !start_next(race, w, at_work) && at_work == 0) {
            return SF_EUNAVAILABLE;
        }
        wait_a_turn(race);
    }
}

enum sf_err walk_race(struct walk *w, struct gen_result *result)
{
    struct race *race = race_open(w);
    if (race == NULL) {
        return SF_ENOMEM;
    }
    enum sf_err err = run_race(race, w, result);
    race_unref(race);
    return err;
}
