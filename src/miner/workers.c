/* SPDX-License-Identifier: MIT */
#include "miner/workers.h"

#include "app/recording.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "miner/guest.h"
#include "miner/tally.h"

#include <string.h>

#define LATE_MS 150 /* a worker gets this long to answer 408 by itself */

struct workers {
    struct axon *axon;
    size_t n;
    pthread_t threads[];
};

static struct answer_to answer_to_job(const struct job *j)
{
    return (struct answer_to){.exchange = j->exchange,
                              .synapse = &j->synapse,
                              .route = "StoryGenerationSynapse",
                              .id = j->id,
                              .peer_ip = j->peer_ip,
                              .peer_port = j->peer_port,
                              .standing = j->standing,
                              .received = j->received};
}

/* Errors as the validator is told them: it learns that, not why. */
static void fail_job(struct axon *a, struct job *j, int status, const char *message,
                     const char *detail)
{
    struct answer_to to = answer_to_job(j);
    if (!job_take_answer(j, status)) {
        return;
    }
    if (j->origin != ORIGIN_VALIDATOR) {
        guest_fail(j, status, detail);
    } else {
        axon_note(&to, story_task_name(j->request.task), status, "", detail);
        answer_error(&a->me, &to, status, message);
    }
}

static void succeed(struct axon *a, struct job *j, const struct gen_trail *trail,
                    const struct gen_result *result)
{
    char fallback[512];
    struct answer_to to = answer_to_job(j);
    if (j->origin != ORIGIN_VALIDATOR) {
        if (job_take_answer(j, 200)) {
            guest_succeed(j, trail, result);
        }
        return;
    }
    json_t *info = app_model_info(trail, result);
    struct synapse_answer answer = {.output_data = result->output,
                                    .model_info = info,
                                    .generation_seconds =
                                        sf_seconds(sf_between(j->received, sf_now())),
                                    .miner_version = STORYFI_VERSION};
    if (info == NULL) {
        fail_job(a, j, 503, "out of memory", "out of memory");
    } else if (job_take_answer(j, 200)) {
        job_name_fallback(j, trail, fallback, sizeof fallback);
        axon_note(&to, story_task_name(j->request.task), 200, trail->answered->name, fallback);
        answer_success(&a->me, &to, j->body, &answer);
    }
    json_decref(info);
}

/* After the answer has left: nobody waits for it. */
static void record(struct job *j, const struct recording *known)
{
    struct recording r = *known;
    int status = atomic_load(&j->answered);
    r.id = j->id;
    r.origin = j->origin;
    r.hotkey = j->origin == ORIGIN_VALIDATOR ? j->synapse.dendrite_hotkey : NULL;
    r.peer = j->peer_ip;
    r.request = &j->request;
    r.received = j->received;
    r.deadline = j->deadline;
    r.answered = sf_now();
    r.status = status;
    if (status != 200 && r.message == NULL) {
        r.message = "the answer came too late";
    }
    recording_put(j->app, &r);
}

/* ---- who looks on ---------------------------------------------------------------------------- */

struct onlooker {
    struct live *live;
    int place;
};

static void on_trail(void *arg, const struct gen_trail *trail)
{
    const struct onlooker *o = arg;
    live_trail(o->live, o->place, trail);
}

static void begin_live(struct axon *a, const struct job *j, struct gen_call *call,
                       struct onlooker *o)
{
    bool guest = j->origin != ORIGIN_VALIDATOR;
    o->live = a->live;
    o->place = live_begin(
        a->live, &(struct live_start){.id = j->id,
                                      .task = story_task_name(j->request.task),
                                      .origin = request_origin_name(j->origin),
                                      .caller = guest ? j->peer_ip : j->synapse.dendrite_hotkey,
                                      .only = j->only,
                                      .received = j->received,
                                      .deadline = j->deadline});
    if (o->place != LIVE_NONE) {
        call->on_trail = on_trail;
        call->trail_arg = o;
        call->tokens = live_tokens(a->live, o->place);
    }
    if (j->listener != NULL) {
        call->on_event = j->listener->event;
        call->event_arg = j->listener_arg;
    }
}

static void end_live(struct axon *a, const struct job *j, const struct onlooker *o,
                     const struct gen_trail *trail, const struct gen_result *result)
{
    int status = atomic_load(&j->answered);
    struct sf_time now = sf_now();
    live_end(a->live, o->place, status, trail);
    if (status == 200 && j->origin == ORIGIN_VALIDATOR) { /* what earns */
        rates_note(a->rates, &(struct rates_answer){.took_ms = sf_between(j->received, now),
                                                    .margin_ms = sf_between(now, j->deadline),
                                                    .multiplier = trail->answered->type->multiplier,
                                                    .tokens = result->usage.generated_tokens});
    }
}

static void work(struct axon *a, struct job *j)
{
    struct onlooker onlooker;
    struct gen_result result = {.output = NULL};
    struct gen_trail trail = {.n = 0};
    struct sf_errbuf eb = {.code = SF_OK};
    char *prompt = app_prompt(j->app, &j->request);
    struct gen_call call = {.prompt = prompt,
                            .request = &j->request,
                            .deadline = j->deadline,
                            .target = j->target,
                            .seed = j->seed,
                            .only = j->only[0] == '\0' ? NULL : j->only,
                            .relays = j->relays,
                            .cancel = &j->cancel};
    if (call.seed == 0) {
        sf_random(&call.seed, sizeof call.seed);
    }
    begin_live(a, j, &call, &onlooker);
    struct recording known = {.seed = call.seed, .trail = &trail, .walked = sf_now()};
    enum sf_err err = gen_chain_generate(app_chain(j->app), &call, &result, &trail, &eb);
    free(prompt), prompt = NULL;
    if (err == SF_OK) {
        succeed(a, j, &trail, &result);
        known.result = &result;
    } else {
        int status = err == SF_EDEADLINE ? 408 : 503;
        const char *why = sf_err_text(&eb, err);
        if (err == SF_ECANCELED && atomic_load(&j->left)) {
            why = "its client has gone";
        } else if (err == SF_ECANCELED && atomic_load(&j->displaced)) {
            why = "gave way to a validator: try again";
        }
        fail_job(a, j, status, status == 408 ? "Deadline passed" : "No generator available", why);
        known.message = why;
    }
    tally_done(j, &trail, known.result);
    end_live(a, j, &onlooker, &trail, &result);
    record(j, &known);
    if (err == SF_OK) {
        gen_result_fini(&result);
    }
}

static void *run(void *arg)
{
    struct axon *a = arg;
    struct job *j;
    while ((j = queue_pop(a->queue)) != NULL) {
        tally_waited(j);
        work(a, j);
        queue_done(a->queue, j);
        job_free(j);
    }
    return NULL;
}

enum sf_err workers_open(struct axon *axon, size_t n, struct workers **out)
{
    struct workers *w = sf_alloc(sizeof *w + n * sizeof w->threads[0]);
    if (w == NULL) {
        return SF_ENOMEM;
    }
    w->axon = axon;
    for (; w->n < n; w->n++) {
        if (pthread_create(&w->threads[w->n], NULL, run, axon) != 0) {
            break;
        }
    }
    if (w->n == 0) {
        free(w);
        return SF_ENOMEM;
    }
    *out = w;
    return SF_OK;
}

void workers_close(struct workers *w)
{
    for (size_t i = 0; w != NULL && i < w->n; i++) {
        (void)pthread_join(w->threads[i], NULL);
    }
    free(w);
}

/* What nobody waits for is not written: a validator's answer is, as it may have half closed. */
static void drop_if_left(struct job *j)
{
    if (j->origin == ORIGIN_VALIDATOR || atomic_load(&j->left)) {
        return;
    }
    if (http_client_has_left(j->client) ||
        (j->listener != NULL && j->listener->has_left(j->listener_arg))) {
        atomic_store(&j->left, true);
        atomic_store(&j->cancel, true);
    }
}

static void sweep_job(void *arg, struct job *j)
{
    drop_if_left(j);
    if (sf_until(j->deadline) < -LATE_MS) {
        atomic_store(&j->cancel, true);
        fail_job(arg, j, 408, "Deadline passed", "the generator did not give way");
    }
}

void workers_sweep(struct axon *axon)
{
    queue_each(axon->queue, sweep_job, axon);
}

static void cancel_job(void *arg, struct job *j)
{
    atomic_store(&j->cancel, true);
    fail_job(arg, j, 503, "Shutting down", "shutting down");
}

void workers_cancel_all(struct axon *axon)
{
    queue_each(axon->queue, cancel_job, axon);
}
