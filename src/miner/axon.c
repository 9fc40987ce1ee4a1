/* SPDX-License-Identifier: MIT */
#include "miner/axon.h"

#include "app/recording.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metric.h"
#include "miner/gates.h"
#include "miner/guest.h"
#include "miner/tally.h"

#include <string.h>

struct app *axon_take_app(struct axon *a)
{
    (void)pthread_mutex_lock(&a->lock);
    struct app *app = app_ref(a->app);
    (void)pthread_mutex_unlock(&a->lock);
    return app;
}

void axon_swap_app(struct axon *a, struct app *app_own)
{
    (void)pthread_mutex_lock(&a->lock);
    struct app *old = a->app;
    a->app = app_own;
    (void)pthread_mutex_unlock(&a->lock);
    if (a->callers != NULL) {
        callers_configure(a->callers, app_conf(app_own));
    }
    app_close(old);
}

struct sf_time axon_deadline(const struct conf *conf, struct sf_time received,
                             double timeout_seconds)
{
    const struct conf_deadline *d = &conf->deadline;
    double asked = timeout_seconds * 1000.0;
    double total = asked > (double)d->max_ms ? (double)d->max_ms : asked;
    double share = total * d->margin_percent / 100.0;
    double margin = share > (double)d->margin_ms ? share : (double)d->margin_ms;
    return sf_after(received, total > margin ? (sf_ms)(total - margin) : 0);
}

void axon_note(const struct answer_to *to, const char *task, int status, const char *generator,
               const char *message)
{
    sf_ms took = sf_between(to->received, sf_now());
    tally_answer(task, status, to->standing);
    bool fallback = status == 200 && message[0] != '\0';
    char what[40] = "request answered";
    if (status != 200) { /* each status is an event of its own */
        (void)snprintf(what, sizeof what, "request refused with %d", status);
    }
    log_event(status == 200 && !fallback ? LOG_INFO : LOG_WARN, LOG_AXON, fallback ? message : what,
              LOG_I("req", to->id), LOG_S("peer", to->peer_ip),
              LOG_S("hotkey", to->synapse->dendrite_hotkey), LOG_S("task", task),
              LOG_I("status", status), LOG_I("ms", took), LOG_S("generator", generator),
              LOG_S("err", fallback ? "" : message));
}

struct metric *axon_door_metric(void)
{
    static const double buckets[] = {1e-4, 2e-4, 5e-4, 1e-3, 1.5e-3, 2e-3, 3e-3,
                                     5e-3, 1e-2, 2e-2, 5e-2, 0.1,    0.5,  1};
    return metric_histogram("storyfi_door_seconds", "",
                            "Time from the whole request at the door to its place in the queue.",
                            buckets, sizeof buckets / sizeof buckets[0]);
}

/* Answers that no generator had a part in: counted and logged by the gate that gave them. */
static void refuse(struct axon *a, const struct answer_to *to, const char *gate, int status,
                   const char *message)
{
    tally_refused(gate);
    axon_note(to, "", status, "", message);
    answer_error(&a->me, to, status, message);
}

/* ---- the synapse ----------------------------------------------------------------------------- */

/* What a handler of a route has to go by. */
struct call {
    struct axon *axon;
    const struct http_request *request;
    const struct admission *in;
    struct answer_to *to;
    struct app *app;
    int64_t began_ns; /* when the body was there */
    const char *gate; /* where it failed, if it does */
};

static enum sf_err make_job(const struct call *c, struct job **out, struct sf_errbuf *eb)
{
    const struct http_request *r = c->request;
    const struct answer_to *to = c->to;
    const struct conf *conf = app_conf(c->app);
    struct job *j = sf_alloc(sizeof *j);
    if (j == NULL) {
        return sf_fail(eb, SF_EBUSY, "out of memory");
    }
    enum sf_err err = json_parse(r->body, JSON_LIMITS_DEFAULT, &j->body, eb);
    if (err == SF_OK && !json_is_object(j->body)) {
        err = sf_fail(eb, SF_EPARSE, "body is not a JSON object");
    }
    if (err == SF_OK) {
        err = story_request_init(&j->request, j->body, eb);
    }
    if (err != SF_OK) {
        job_free(j);
        return err == SF_ELIMIT ? SF_EPARSE : err; /* too deep: malformed, not too large */
    }
    j->id = to->id;
    j->exchange = to->exchange;
    j->synapse = *to->synapse;
    j->app = app_ref(c->app);
    j->received = to->received;
    j->priority = c->in->stake_tao;
    j->standing = c->in->standing;
    j->deadline = axon_deadline(conf, to->received, to->synapse->timeout_seconds);
    j->target = sf_earlier(j->deadline, sf_after(to->received, conf->deadline.target_ms));
    (void)snprintf(j->peer_ip, sizeof j->peer_ip, "%s", r->peer_ip);
    j->peer_port = r->peer_port;
    *out = j;
    return SF_OK;
}

/* Into the queue; a guest that waits there leaves when there is no room. */
static enum sf_err push(struct axon *a, struct job *j)
{
    struct job *guest = NULL;
    enum sf_err err = queue_push(a->queue, j);
    while (err == SF_EBUSY && (guest = queue_evict_guest(a->queue)) != NULL) {
        guest_turn_away(guest, "the queue is full of validators' requests: try again");
        err = queue_push(a->queue, j);
    }
    return err;
}

/* A verified caller is told no: that too is on record. */
static void record_refusal(const struct answer_to *to, struct app *app, const struct job *j,
                           enum sf_err err, const struct sf_errbuf *eb)
{
    const struct conf *conf = app_conf(app);
    recording_put(app, &(struct recording){.id = to->id,
                                           .origin = ORIGIN_VALIDATOR,
                                           .hotkey = to->synapse->dendrite_hotkey,
                                           .peer = to->peer_ip,
                                           .request = j == NULL ? NULL : &j->request,
                                           .received = to->received,
                                           .deadline = axon_deadline(conf, to->received,
                                                                     to->synapse->timeout_seconds),
                                           .answered = sf_now(),
                                           .status = sf_err_info(err)->http_status,
                                           .message = sf_err_text(eb, err)});
}

static enum sf_err handle_story(struct call *c, struct sf_errbuf *eb)
{
    struct axon *a = c->axon;
    struct job *j = NULL;
    c->to->id = app_next_id(c->app);
    (void)atomic_fetch_add(&a->n_requests, 1);
    enum sf_err err = make_job(c, &j, eb);
    if (err == SF_OK) {
        err = push(a, j);
        if (err == SF_OK) {
            int64_t took = c->in->took_ns + sf_now_ns() - c->began_ns;
            metric_observe(a->door, (double)took / 1e9);
            tally_verified(c->in->took_ns);
            return SF_OK;
        }
        c->gate = "queue";
        err = sf_fail(eb, err, "queue is full");
    }
    record_refusal(c->to, c->app, j, err, eb);
    job_free(j);
    return err;
}

static enum sf_err handle_ping(struct call *c, struct sf_errbuf *eb)
{
    json_t *body = NULL;
    enum sf_err err = json_parse(c->request->body, JSON_LIMITS_DEFAULT, &body, eb);
    if (err == SF_OK) {
        axon_note(c->to, "ping", 200, "", "");
        answer_success(&c->axon->me, c->to, body, NULL);
    }
    json_decref(body);
    return err == SF_ELIMIT ? SF_EPARSE : err;
}

static const struct route {
    const char *path, *name;
    enum sf_err (*handle)(struct call *c, struct sf_errbuf *eb);
} routes[] = {
    {"/StoryGenerationSynapse", "StoryGenerationSynapse", handle_story},
    {"/Synapse", "Synapse", handle_ping},
};

static const struct route *find_route(const char *path)
{
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        if (strcmp(path, routes[i].path) == 0) {
            return &routes[i];
        }
    }
    return NULL;
}

const char *axon_route_name(const char *path)
{
    const struct route *route = find_route(path);
    return route == NULL ? NULL : route->name;
}

/* A request that passed all gates. */
static void handle_admitted(struct axon *a, const struct route *route, struct answer_to *to,
                            const struct http_request *r, const struct admission *in)
{
    struct sf_errbuf eb = {.code = SF_OK};
    struct call c = {.axon = a,
                     .request = r,
                     .in = in,
                     .to = to,
                     .app = axon_take_app(a),
                     .began_ns = sf_now_ns(),
                     .gate = "body"};
    enum sf_err err = SF_OK;
    if (r->body_too_large) {
        err = sf_fail(&eb, SF_ELIMIT, "body larger than %lld bytes",
                      (long long)app_conf(c.app)->axon.max_body_bytes);
    } else {
        err = route->handle(&c, &eb);
    }
    if (err != SF_OK) {
        refuse(a, to, c.gate, sf_err_info(err)->http_status, sf_err_text(&eb, err));
    }
    app_close(c.app);
}

void axon_handle(void *arg, struct http_exchange *x, const struct http_request *r)
{
    static const struct synapse none = {.timeout_seconds = SYNAPSE_TIMEOUT_DEFAULT};
    struct axon *a = arg;
    const struct admission *in = r->judgement;
    struct answer_to to = {.exchange = x,
                           .synapse = in == NULL ? &none : &in->synapse,
                           .route = "Synapse",
                           .peer_ip = r->peer_ip,
                           .peer_port = r->peer_port,
                           .standing = in == NULL ? STANDING_UNVERIFIED : in->standing,
                           .received = sf_now()};
    const struct route *route = find_route(r->path);
    if (strcmp(r->path, "/health") == 0 && strcmp(r->method, "GET") == 0) {
        static const struct http_header json[] = {{{"content-type", 12}, {"application/json", 16}}};
        http_reply(x, 200, json, 1, SF_STR("{\"status\":\"ok\"}"));
    } else if (route == NULL) {
        refuse(a, &to, "route", 404, "Synapse not found");
    } else if (strcmp(r->method, "POST") != 0) {
        refuse(a, &to, "route", 405, "Method not allowed: use POST");
    } else if (in == NULL) {
        refuse(a, &to, "memory", 503, "out of memory");
    } else {
        to.route = route->name;
        if (in->err != SF_OK) {
            refuse(a, &to, in->gate, sf_err_info(in->err)->http_status,
                   sf_err_text(&in->why, in->err));
        } else {
            handle_admitted(a, route, &to, r, in);
        }
    }
}
