/* SPDX-License-Identifier: MIT */
/* One call: its parts go out side by side; refused parameters are left out until the target takes
 * the request. */
#include "generator/cloud_internal.h"

#include "base/log.h"
#include "base/mem.h"

#include <string.h>

#define ROUNDS_MAX 12
#define VAIN_MS 10000 /* a ladder that led nowhere is not walked again so soon */

/* ---- the target's room for requests ---------------------------------------------------------- */

/* Waits for room for at least one request and takes as much as there is, `want` at most. The queue
 * moving on is progress. 0: the caller is gone. */
static int64_t enter(struct cloud_call *k, int64_t want)
{
    struct cloud *c = k->c;
    const atomic_bool *cancel = k->call->cancel;
    int64_t granted = 0, seen = -1;
    while (granted == 0 && sf_until(k->call->deadline) > 0 && !atomic_load(&c->closing) &&
           (cancel == NULL || !atomic_load(cancel))) {
        struct timespec until;
        (void)clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += 20000000;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        (void)pthread_mutex_lock(&c->lock);
        if (c->under_way >= c->concurrency) {
            (void)pthread_cond_timedwait(&c->changed, &c->lock, &until);
        }
        int64_t room = c->concurrency - c->under_way, now = c->under_way;
        granted = room <= 0 ? 0 : room < want ? room : want;
        c->under_way += granted;
        (void)pthread_mutex_unlock(&c->lock);
        if (granted == 0 && now != seen) {
            seen = now;
            cloud_emit(k, (struct gen_event){.kind = GEN_EVENT_QUEUED, .done = 1});
        }
    }
    return granted;
}

static void leave(struct cloud *c, int64_t granted)
{
    (void)pthread_mutex_lock(&c->lock);
    c->under_way -= granted;
    (void)pthread_cond_broadcast(&c->changed);
    (void)pthread_mutex_unlock(&c->lock);
}

/* ---- rounds ---------------------------------------------------------------------------------- */

static size_t fill_transfers(struct cloud_call *k, struct http_transfer *list,
                             const struct http_header *headers, size_t n_headers)
{
    size_t n = 0;
    for (size_t i = 0; i < k->n; i++) {
        struct cloud_sending *s = &k->sends[i];
        if (!s->pending) {
            continue;
        }
        s->part->err = cloud_sending_write(k, s);
        if (s->part->err != SF_OK) {
            (void)sf_fail(&s->part->eb, s->part->err, "%s: out of memory", k->c->name);
            s->pending = false;
            continue;
        }
        cloud_sending_aim(s, headers, n_headers, &list[n++]);
    }
    return n;
}

/* Judges what was sent; parts that were refused for their shape stay pending when there is a step
 * down. The first refusal decides which. */
static void judge_round(struct cloud_call *k)
{
    struct provider_ability next = k->ability;
    bool stepped = false, refused[STORY_CHAPTERS] = {false};
    for (size_t i = 0; i < k->n; i++) {
        struct cloud_sending *s = &k->sends[i];
        struct provider_fault fault = {.status = 0};
        if (!s->pending) {
            continue;
        }
        refused[i] = cloud_sending_judge(s, &fault);
        if (refused[i] && !stepped && !k->vain) {
            stepped = provider_step_down(k->c->provider, &s->ask, &fault, &next);
            log_event(LOG_DEBUG, LOG_GENERATOR, stepped ? "asks for less" : "nothing less to ask",
                      LOG_S("target", k->c->name), LOG_S("err", s->part->eb.text));
        }
    }
    for (size_t i = 0; i < k->n; i++) {
        k->sends[i].pending = refused[i] && stepped;
    }
    k->ability = next;
    k->walked = k->walked || stepped;
}

/* The transfers go, with what they cost kept. */
static void end_transfers(struct cloud_call *k)
{
    for (size_t i = 0; i < k->n; i++) {
        struct cloud_sending *s = &k->sends[i];
        if (s->transfer != NULL) {
            cloud_add_usage(s, &k->spent);
            http_answer_fini(&s->transfer->answer);
            s->transfer = NULL;
            s->counted = false;
            sf_buf_clear(&s->reply.text);
            s->reply.generated_tokens = 0;
        }
    }
}

static enum sf_err run_round(struct cloud_call *k)
{
    struct http_header headers[CLOUD_HEADERS_MAX];
    struct http_transfer *list = sf_alloc(STORY_CHAPTERS * sizeof *list);
    struct sf_buf key_line;
    if (list == NULL) {
        return SF_ENOMEM;
    }
    sf_buf_init(&key_line, 8192);
    size_t n = fill_transfers(k, list, headers, cloud_headers(k->c, headers, &key_line));
    int64_t room = n == 0 ? 0 : enter(k, (int64_t)n);
    enum sf_err err = SF_OK;
    if (room > 0) {
        http_client_perform(k->c->client, list, n, (size_t)room, k->call->cancel);
        leave(k->c, room);
        judge_round(k);
        cloud_tell_usage(k);
        end_transfers(k);
    } else if (n > 0) {
        bool late = sf_until(k->call->deadline) <= 0;
        err = late ? SF_EDEADLINE : SF_ECANCELED;
    }
    for (size_t i = 0; i < k->n && room == 0; i++) {
        k->sends[i].transfer = NULL;
    }
    sf_buf_wipe(&key_line);
    free(list);
    return err;
}

static bool is_pending(const struct cloud_call *k)
{
    for (size_t i = 0; i < k->n; i++) {
        if (k->sends[i].pending) {
            return true;
        }
    }
    return false;
}

static void recall_ability(struct cloud_call *k)
{
    struct cloud *c = k->c;
    (void)pthread_mutex_lock(&c->lock);
    k->ability = c->ability;
    k->vain = c->vain.ms != 0 && sf_between(c->vain, sf_now()) < VAIN_MS;
    (void)pthread_mutex_unlock(&c->lock);
}

/* What was found is worth remembering when the target took a request of that shape. */
static void remember_ability(const struct cloud_call *k, const struct cloud_part *parts)
{
    struct cloud *c = k->c;
    bool taken = false, vain = k->walked;
    for (size_t i = 0; i < k->n; i++) {
        vain = vain && parts[i].err == SF_ESHAPE;
        taken = taken || parts[i].err == SF_OK || parts[i].err == SF_EINCOMPLETE ||
                parts[i].err == SF_ECONTENT;
    }
    (void)pthread_mutex_lock(&c->lock);
    c->vain = vain ? sf_now() : c->vain;
    (void)pthread_mutex_unlock(&c->lock);
    if (!k->walked || !taken) {
        return;
    }
    (void)pthread_mutex_lock(&c->lock);
    c->ability = k->ability;
    (void)pthread_mutex_unlock(&c->lock);
    log_event(LOG_INFO, LOG_GENERATOR, "target takes less than was asked; remembered",
              LOG_S("target", c->name), LOG_S("model", k->model),
              LOG_I("format", k->ability.format), LOG_I("output_cap", k->ability.output_cap));
}

/* The answer goes on without them; the chain asks for what is missing. */
static void log_missing(const struct cloud_call *k, const struct cloud_part *parts)
{
    for (size_t i = 0; i < k->n; i++) {
        if (parts[i].err != SF_OK) {
            log_event(
                LOG_INFO, LOG_GENERATOR, "a chapter is missing from the answer",
                LOG_S("target", k->c->name), LOG_I("chapter", parts[i].request.chapter_ids[0]),
                LOG_S("code", sf_err_info(parts[i].err)->name), LOG_S("err", parts[i].eb.text));
        }
    }
}

static void fill_result(const struct cloud_call *k, struct gen_result *result)
{
    const char *answered = k->sends[0].reply.model;
    bool same = answered[0] == '\0' || strcmp(answered, k->model) == 0;
    cloud_total_usage(k, &result->usage);
    (void)snprintf(result->name, sizeof result->name, "%s", k->model);
    (void)snprintf(result->provider, sizeof result->provider, "%s", k->c->name);
    (void)snprintf(result->version, sizeof result->version, "%.63s", same ? "" : answered);
    double temperature = k->sends[0].ask.temperature;
    if (temperature >= 0 && !k->ability.no_temperature) {
        result->parameters = json_pack("{s:f}", "temperature", temperature);
    }
}

static enum sf_err run(struct cloud_call *k, struct gen_result *result, struct sf_errbuf *eb)
{
    struct cloud_part parts[STORY_CHAPTERS];
    enum sf_err err = cloud_parts_make(k->call, parts, &k->n);
    if (err != SF_OK) {
        return err;
    }
    for (size_t i = 0; i < k->n; i++) {
        k->sends[i] = (struct cloud_sending){.of = k, .part = &parts[i], .pending = true};
    }
    for (int round = 0; round < ROUNDS_MAX && err == SF_OK && is_pending(k); round++) {
        err = run_round(k);
    }
    if (err == SF_OK) {
        remember_ability(k, parts);
        err = cloud_parts_join(k->call, parts, k->n, &result->output, eb);
    } else {
        (void)sf_fail(eb, err, "%s: %s", k->c->name, sf_err_info(err)->text);
    }
    if (k->call->cancel != NULL && atomic_load(k->call->cancel) && err == SF_OK) {
        json_decref(result->output), result->output = NULL;
        err = sf_fail(eb, SF_ECANCELED, "%s: canceled", k->c->name);
    }
    if (err == SF_OK) {
        log_missing(k, parts);
        fill_result(k, result);
    }
    for (size_t i = 0; i < k->n; i++) {
        cloud_sending_clear(&k->sends[i]);
    }
    cloud_parts_free(parts, k->n);
    return err;
}

enum sf_err cloud_generate(struct cloud *c, const struct gen_call *call,
                           const struct cloud_progress *progress, struct gen_result *result,
                           struct sf_errbuf *eb)
{
    struct cloud_call *k = sf_alloc(sizeof *k);
    struct gen_result mine = {.output = NULL};
    if (k == NULL) {
        return SF_ENOMEM;
    }
    (void)pthread_mutex_lock(&c->lock);
    c->calls++;
    (void)pthread_mutex_unlock(&c->lock);
    k->c = c;
    k->call = call;
    k->progress = progress;
    enum sf_err err = cloud_model(c, k->model, eb);
    if (err == SF_OK) {
        k->price = price_find(c->name, k->model);
        recall_ability(k);
        err = run(k, &mine, eb);
    }
    if (err == SF_OK) {
        *result = mine;
    }
    free(k);
    (void)pthread_mutex_lock(&c->lock);
    c->calls--;
    (void)pthread_cond_broadcast(&c->changed);
    (void)pthread_mutex_unlock(&c->lock);
    return err;
}
