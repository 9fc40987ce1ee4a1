/* SPDX-License-Identifier: MIT */
#include "miner/guest.h"

#include "app/recording.h"
#include "base/log.h"
#include "base/mem.h"
#include "miner/reply.h"
#include "miner/tally.h"

#include <string.h>

#define HOPS_SAID_MAX 1000000

static void note(const struct job *j, int status, const char *generator, const char *message)
{
    const char *origin = request_origin_name(j->origin);
    tally_answer(story_task_name(j->request.task), status, j->standing);
    bool fallback = status == 200 && message[0] != '\0';
    const char *what = status == 200 ? "request answered" : "request refused";
    log_event(status == 200 && !fallback ? LOG_INFO : LOG_WARN, LOG_AXON, fallback ? message : what,
              LOG_I("req", j->id), LOG_S("origin", origin), LOG_S("peer", j->peer_ip),
              LOG_S("task", story_task_name(j->request.task)), LOG_I("status", status),
              LOG_I("ms", sf_between(j->received, sf_now())), LOG_S("generator", generator),
              LOG_S("err", fallback ? "" : message));
}

static json_t *body_of(json_t *info_own, const struct gen_result *result)
{
    const struct gen_usage *u = &result->usage;
    return info_own == NULL ? NULL
                            : json_pack("{s:O, s:o, s:{s:I, s:I, s:I, s:f}}", "content",
                                        result->output, "model_info", info_own, "usage",
                                        "prompt_tokens", (json_int_t)u->prompt_tokens,
                                        "cached_tokens", (json_int_t)u->cached_tokens,
                                        "generated_tokens", (json_int_t)u->generated_tokens,
                                        "tokens_per_second", u->tokens_per_second);
}

void guest_succeed(const struct job *j, const struct gen_trail *trail,
                   const struct gen_result *result)
{
    json_t *info = app_model_info(trail, result);
    bool ok = info != NULL;
    char fallback[512];
    job_name_fallback(j, trail, fallback, sizeof fallback);
    note(j, ok ? 200 : 503, trail->answered->name, ok ? fallback : "out of memory");
    if (j->listener == NULL) {
        reply_to_request(j->exchange, j->id, 200, false, body_of(info, result));
        return;
    }
    if (ok) {
        j->listener->succeed(j->listener_arg, j, info, result);
    } else {
        j->listener->fail(j->listener_arg, j, 503, "out of memory");
    }
    json_decref(info);
}

void guest_fail(const struct job *j, int status, const char *message)
{
    note(j, status, "", message);
    bool again = atomic_load(&j->displaced);
    if (j->listener != NULL) {
        j->listener->fail(j->listener_arg, j, again ? 503 : status, message);
    } else {
        reply_to_request(j->exchange, j->id, again ? 503 : status, again,
                         json_pack("{s:s}", "message", message));
    }
}

void guest_turn_away(struct job *j_own, const char *message)
{
    atomic_store(&j_own->displaced, true);
    if (job_take_answer(j_own, 503)) {
        guest_fail(j_own, 503, message);
    }
    recording_put(j_own->app, &(struct recording){.id = j_own->id,
                                                  .origin = j_own->origin,
                                                  .peer = j_own->peer_ip,
                                                  .request = &j_own->request,
                                                  .received = j_own->received,
                                                  .deadline = j_own->deadline,
                                                  .answered = sf_now(),
                                                  .status = atomic_load(&j_own->answered),
                                                  .message = message});
    job_free(j_own);
}

/* ---- reading --------------------------------------------------------------------------------- */

/* Before there is a job. */
static void refuse(struct http_exchange *x, int status, const char *message)
{
    log_event(LOG_INFO, LOG_AXON, "request refused", LOG_I("status", status),
              LOG_S("err", message));
    reply_message(x, status, message);
}

static enum sf_err read_timeout(const struct job *j, struct sf_str header, sf_ms max,
                                struct sf_time *out, struct sf_errbuf *eb)
{
    double seconds = sf_seconds(max);
    const json_t *member = json_object_get(j->body, "timeout");
    bool ok = true;
    if (header.n > 0) {
        ok = sf_scan_double(header, &seconds);
    } else if (member != NULL && !json_is_null(member)) {
        ok = json_get_number(j->body, "timeout", &seconds);
    }
    if (!ok || seconds <= 0) {
        return sf_fail(eb, SF_EINVAL, "X-Storyfi-Timeout (or \"timeout\") takes seconds above 0");
    }
    double most = sf_seconds(max);
    *out = sf_after(j->received, (sf_ms)((seconds > most ? most : seconds) * 1000));
    return SF_OK;
}

static enum sf_err read_headers(struct job *j, const struct guest_options *o,
                                const struct http_request *r, struct sf_errbuf *eb)
{
    struct sf_str hops = request_header(r, "x-storyfi-hops");
    struct sf_str mode = request_header(r, "x-storyfi-mode");
    struct sf_str seed = request_header(r, "x-storyfi-seed");
    uint64_t n = 0;
    if (hops.n > 0 && !sf_scan_u64(hops, HOPS_SAID_MAX, &n)) {
        return sf_fail(eb, SF_EINVAL, "X-Storyfi-Hops takes a whole number");
    }
    j->relays = (int)n;
    if (mode.n >= sizeof j->only) {
        return sf_fail(eb, SF_EINVAL, "X-Storyfi-Mode takes the name of a generator");
    }
    (void)snprintf(j->only, sizeof j->only, "%.*s", SF_STR_ARG(mode));
    if (seed.n > 0 && !sf_scan_u64(seed, INT64_MAX, &j->seed)) {
        return sf_fail(eb, SF_EINVAL, "X-Storyfi-Seed takes a whole number");
    }
    return read_timeout(j, request_header(r, "x-storyfi-timeout"), o->deadline_max_ms, &j->deadline,
                        eb);
}

static enum sf_err read_job(struct job *j, const struct guest_options *o,
                            const struct http_request *r, struct sf_errbuf *eb)
{
    enum sf_err err = json_parse(r->body, JSON_LIMITS_DEFAULT, &j->body, eb);
    if (err == SF_OK && !json_is_object(j->body)) {
        err = sf_fail(eb, SF_EPARSE, "the body is not a JSON object");
    }
    if (err == SF_OK) {
        err = story_request_init(&j->request, j->body, eb);
    }
    if (err == SF_OK) {
        err = read_headers(j, o, r, eb);
    }
    return err == SF_ELIMIT ? SF_EPARSE : err; /* too deep: malformed, not too large */
}

struct job *guest_job(struct axon *a, enum request_origin origin, struct http_exchange *x,
                      const struct http_request *r)
{
    struct job *j = sf_alloc(sizeof *j);
    if (j != NULL) {
        j->exchange = x;
        j->client = http_exchange_watch(x);
        j->origin = origin;
        j->priority = JOB_PRIORITY_GUEST;
        j->standing = STANDING_GUEST;
        j->received = sf_now();
        j->app = axon_take_app(a);
        (void)snprintf(j->peer_ip, sizeof j->peer_ip, "%s", r->peer_ip);
        j->peer_port = r->peer_port;
    }
    return j;
}

void guest_queue(struct axon *a, struct job *j)
{
    const struct conf *conf = app_conf(j->app);
    j->id = app_next_id(j->app);
    (void)atomic_fetch_add(&a->n_requests, 1);
    j->relays++;
    j->target = sf_earlier(j->deadline, sf_after(j->received, conf->deadline.target_ms));
    if (queue_push(a->queue, j) != SF_OK) {
        guest_turn_away(j, "the queue is full, or the program is ending: try again");
    }
}

void guest_handle(struct axon *a, const struct guest_options *o, struct http_exchange *x,
                  const struct http_request *r)
{
    struct sf_errbuf eb = {.code = SF_OK};
    if (!request_is_json(r)) {
        refuse(x, 415, "Content-Type must be application/json");
        return;
    }
    if (r->body_too_large) {
        refuse(x, 413, "the body is too large");
        return;
    }
    struct job *j = guest_job(a, o->origin, x, r);
    if (j == NULL) {
        refuse(x, 503, "out of memory");
        return;
    }
    enum sf_err err = read_job(j, o, r, &eb);
    if (err != SF_OK) {
        job_free(j);
        refuse(x, sf_err_info(err)->http_status, sf_err_text(&eb, err));
    } else if (j->relays >= GUEST_HOPS_MAX) {
        job_free(j);
        refuse(x, 508,
               "this request was passed on by 4 servers already: it goes in a circle; one of them "
               "has to stop asking another");
    } else {
        guest_queue(a, j);
    }
}
