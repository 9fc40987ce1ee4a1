/* SPDX-License-Identifier: MIT */
#include "base/file.h"
#include "base/mem.h"
#include "miner/admin_api.h"
#include "miner/event_stream.h"
#include "miner/guest.h"
#include "story/score.h"

#include <string.h>

#define DEADLINE_S 60.0
#define DEADLINE_MAX_S 3600.0
#define SEED_BITS 53 /* what a page can hold as a number */

/* A request from the playground: its job's events go to the page as they come. */
struct play {
    struct job *job;
    pthread_mutex_t lock;       /* of the stream: worker, sweep and end meet here */
    struct http_stream *stream; /* NULL: ended */
};

/* ---- events ---------------------------------------------------------------------------------- */

/* False: nobody reads any more. Takes the data over. */
static bool send(struct play *p, const char *event, json_t *data_own)
{
    (void)pthread_mutex_lock(&p->lock);
    bool ok = p->stream != NULL && event_stream_send(p->stream, event, json_incref(data_own));
    (void)pthread_mutex_unlock(&p->lock);
    json_decref(data_own);
    return ok;
}

/* The last event. */
static void finish(struct play *p, const char *event, json_t *data_own)
{
    (void)send(p, event, data_own);
    (void)pthread_mutex_lock(&p->lock);
    http_stream_close(p->stream);
    p->stream = NULL;
    (void)pthread_mutex_unlock(&p->lock);
}

static json_t *hop_json(const struct play *p, const struct gen_event *e)
{
    struct gen_hop_status chain[GEN_CHAIN_MAX];
    size_t n = gen_chain_status(app_chain(p->job->app), chain);
    const char *kind = "";
    for (size_t i = 0; i < n; i++) {
        kind = sf_str_is(e->text, chain[i].generator->name) ? chain[i].generator->type->kind : kind;
    }
    return json_pack("{s:o, s:s}", "name", json_text(e->text), "kind", kind);
}

static json_t *path_json(const struct play *p, const struct gen_event *e)
{
    (void)p;
    return json_pack("{s:s}", "path", e->path == NULL ? "" : e->path);
}

static json_t *text_json(const struct play *p, const struct gen_event *e)
{
    (void)p;
    return json_pack("{s:s, s:o}", "path", e->path == NULL ? "" : e->path, "text",
                     json_text(e->text));
}

static json_t *progress_json(const struct play *p, const struct gen_event *e)
{
    (void)p;
    return json_pack("{s:I, s:I}", "done", (json_int_t)e->done, "total", (json_int_t)e->total);
}

static json_t *usage_json(const struct play *p, const struct gen_event *e)
{
    const struct gen_usage *u = e->usage;
    (void)p;
    return u == NULL ? NULL
                     : json_pack("{s:I, s:I, s:I, s:f, s:I, s:f}", "prompt_tokens",
                                 (json_int_t)u->prompt_tokens, "cached_tokens",
                                 (json_int_t)u->cached_tokens, "generated_tokens",
                                 (json_int_t)u->generated_tokens, "tokens_per_second",
                                 u->tokens_per_second, "requests", (json_int_t)u->requests,
                                 "cost_usd", u->cost_usd);
}

/* What the page is not told has no row. */
static const struct {
    const char *name;
    json_t *(*data)(const struct play *p, const struct gen_event *e);
} events[] = {
    [GEN_EVENT_PREFILL] = {"prefill", progress_json},
    [GEN_EVENT_LOADING] = {"loading", progress_json},
    [GEN_EVENT_SLOT_STARTED] = {"slot_started", path_json},
    [GEN_EVENT_SLOT_TEXT] = {"slot_text", text_json},
    [GEN_EVENT_SLOT_DONE] = {"slot_done", path_json},
    [GEN_EVENT_USAGE] = {"usage", usage_json},
    [GEN_EVENT_HOP_STARTED] = {"hop", hop_json},
};

static void on_event(void *arg, const struct gen_event *e)
{
    struct play *p = arg;
    size_t kind = (size_t)e->kind;
    json_t *data = kind < sizeof events / sizeof events[0] && events[kind].data != NULL
                       ? events[kind].data(p, e)
                       : NULL;
    if (data != NULL && !send(p, events[kind].name, data)) {
        atomic_store(&p->job->left, true);
        atomic_store(&p->job->cancel, true);
    }
}

static json_t *score_json(const struct job *j, const json_t *model_info,
                          const struct gen_result *result, double seconds)
{
    struct story_score score;
    struct story_report *report = sf_alloc(sizeof *report);
    struct story_score_options o = {.seconds = seconds,
                                    .mode = json_get_string(model_info, "mode")};
    if (report == NULL) {
        return json_null();
    }
    (void)story_validate(&j->request, result->output, report);
    story_score(&j->request, result->output, &o, &score);
    json_t *out = story_score_to_json(&j->request, &score, report);
    free(report);
    return out == NULL ? json_null() : out;
}

static void on_success(void *arg, const struct job *j, const json_t *model_info,
                       const struct gen_result *result)
{
    double seconds = sf_seconds(sf_between(j->received, sf_now()));
    finish(arg, "result",
           json_pack("{s:I, s:O, s:O, s:o, s:f, s:I}", "id", (json_int_t)j->id, "output",
                     result->output, "model_info", model_info, "score",
                     score_json(j, model_info, result, seconds), "seconds", seconds, "seed",
                     (json_int_t)j->seed));
}

static void on_failure(void *arg, const struct job *j, int status, const char *message)
{
    finish(arg, "error",
           json_pack("{s:I, s:i, s:s}", "id", (json_int_t)j->id, "status", status, "message",
                     message));
}

static bool has_left(void *arg)
{
    struct play *p = arg;
    (void)pthread_mutex_lock(&p->lock);
    bool gone = p->stream != NULL && http_stream_is_gone(p->stream);
    (void)pthread_mutex_unlock(&p->lock);
    return gone;
}

static void release(void *arg)
{
    struct play *p = arg;
    if (p != NULL) {
        http_stream_close(p->stream);
        (void)pthread_mutex_destroy(&p->lock);
        free(p);
    }
}

static const struct job_listener listener = {.event = on_event,
                                             .succeed = on_success,
                                             .fail = on_failure,
                                             .has_left = has_left,
                                             .release = release};

/* ---- the question ---------------------------------------------------------------------------- */

static enum sf_err read_generator(struct job *j, struct sf_errbuf *eb)
{
    struct gen_hop_status chain[GEN_CHAIN_MAX];
    const json_t *given = json_object_get(j->body, "generator");
    struct sf_str name = json_get_str(j->body, "generator");
    if (given == NULL || json_is_null(given) || (json_is_string(given) && name.n == 0)) {
        return SF_OK;
    }
    size_t n = gen_chain_status(app_chain(j->app), chain);
    bool found = false;
    if (name.n > 0 && name.n < sizeof j->only) {
        (void)snprintf(j->only, sizeof j->only, "%.*s", SF_STR_ARG(name));
        for (size_t i = 0; i < n; i++) {
            found = found || generator_is(chain[i].generator, j->only);
        }
    }
    return found ? SF_OK
                 : sf_fail(eb, SF_EINVAL,
                           "generator: takes the name or kind of a configured one, or null for all "
                           "in their order: GET /api/status lists them");
}

static enum sf_err read_numbers(struct job *j, struct sf_errbuf *eb)
{
    double seconds = DEADLINE_S;
    int64_t seed = 0;
    const json_t *given = json_object_get(j->body, "seed");
    if (given != NULL && !json_is_null(given) &&
        (!json_get_int(j->body, "seed", &seed) || seed < 0)) {
        return sf_fail(eb, SF_EINVAL, "seed: takes a whole number from 0 on (0: a random one)");
    }
    j->seed = (uint64_t)seed;
    if (seed == 0) { /* chosen here, so that the page can show it and ask for it again */
        sf_random(&j->seed, sizeof j->seed);
        j->seed >>= 64 - SEED_BITS;
    }
    given = json_object_get(j->body, "deadline_s");
    if (given != NULL && !json_is_null(given) &&
        (!json_get_number(j->body, "deadline_s", &seconds) || seconds <= 0 ||
         seconds > DEADLINE_MAX_S)) {
        return sf_fail(eb, SF_EINVAL, "deadline_s: takes seconds above 0, at most %.0f",
                       DEADLINE_MAX_S);
    }
    j->deadline = sf_after(j->received, (sf_ms)(seconds * 1000));
    return SF_OK;
}

/* "task" is what validators call task_type. */
static enum sf_err read_ask(struct job *j, struct sf_errbuf *eb)
{
    json_t *task = json_object_get(j->body, "task");
    if (task != NULL) {
        (void)json_object_set(j->body, "task_type", task);
    }
    enum sf_err err = story_request_init(&j->request, j->body, eb);
    if (err == SF_OK) {
        err = read_generator(j, eb);
    }
    return err == SF_OK ? read_numbers(j, eb) : err;
}

/* From here on the page hears of the job, not the exchange. False: 503 was answered. */
static bool begin_stream(struct job *j, struct play *p)
{
    p->job = j;
    (void)pthread_mutex_init(&p->lock, NULL);
    j->listener = &listener;
    j->listener_arg = p;
    p->stream = event_stream_open(j->exchange);
    j->exchange = NULL;
    return p->stream != NULL;
}

static void handle_play(struct admin *a, struct http_exchange *x, const struct http_request *r)
{
    struct sf_errbuf eb = {.code = SF_OK};
    json_t *body = admin_body(x, r);
    if (body == NULL) {
        return;
    }
    struct job *j = guest_job(a->axon, ORIGIN_PLAYGROUND, x, r);
    struct play *p = j == NULL ? NULL : sf_alloc(sizeof *p);
    if (p == NULL) {
        json_decref(body);
        job_free(j);
        reply_message(x, 503, "out of memory");
        return;
    }
    j->body = body;
    enum sf_err err = read_ask(j, &eb);
    if (err != SF_OK) {
        free(p);
        job_free(j);
        reply_message(x, sf_err_info(err)->http_status, sf_err_text(&eb, err));
    } else if (!begin_stream(j, p)) {
        job_free(j);
    } else {
        struct queue_counts q = queue_count(a->axon->queue);
        (void)send(p, "queued", json_pack("{s:I}", "before", (json_int_t)q.depth));
        guest_queue(a->axon, j);
    }
}

static const struct admin_route rows[] = {
    {"POST", "/api/play", handle_play, 0},
};
const struct admin_routes admin_play_routes = {rows, sizeof rows / sizeof rows[0]};
