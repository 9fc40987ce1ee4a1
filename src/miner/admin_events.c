/* SPDX-License-Identifier: MIT */
#include "miner/admin_events.h"

#include "base/mem.h"
#include "miner/admin_api.h"
#include "miner/event_stream.h"
#include "miner/model_desk.h"

#include <string.h>
#include <time.h>

#define LOOKERS_MAX 16 /* half of what may be open: players and the doctor have room */
#define TURN_MS 100
#define STATUS_MS 1000
#define STATUS_AT_LEAST_MS 15000
#define DOWNLOAD_MS 500
#define FIGURES_MS 10000 /* so old may be what takes a look into the journal */
#define STATUS_DEPTH 5
#define EVENTS_CAP (4U << 20)

struct admin_events {
    struct admin *admin;
    pthread_t thread;
    pthread_mutex_t lock; /* of the next four */
    pthread_cond_t changed;
    struct http_stream *streams[LOOKERS_MAX];
    size_t n;
    bool ending;
    /* the thread's own: */
    uint64_t seen;     /* of the requests in flight */
    char *last_status; /* as it was told last, without what always changes */
    struct sf_time status_at, told_at, figures_at, download_at;
    json_t *figures, *download; /* the latter as it was told last */
};

/* ---- the status ------------------------------------------------------------------------------ */

struct listing {
    json_t *list;
};

static void list_request(void *arg, const json_t *request)
{
    struct listing *l = arg;
    (void)json_array_append_new(l->list, json_deep_copy(request));
}

static uint64_t each_request(struct admin *a, uint64_t since, live_fn fn, void *arg)
{
    struct gen_hop_status chain[GEN_CHAIN_MAX];
    struct app *app = axon_take_app(a->axon);
    size_t n = gen_chain_status(app_chain(app), chain);
    uint64_t state = live_changes(a->axon->live, since, chain, n, fn, arg);
    app_close(app);
    return state;
}

static json_t *status_by(struct admin *a, const json_t *figures)
{
    struct listing in_flight = {.list = json_array()};
    json_t *status = admin_status_by(a, figures), *rates = rates_json(a->axon->rates);
    (void)each_request(a, 0, list_request, &in_flight);
    (void)json_object_set_new(status, "rates", rates == NULL ? json_null() : rates);
    (void)json_object_set_new(status, "in_flight", in_flight.list);
    return status;
}

json_t *admin_api_status(struct admin *a)
{
    json_t *figures = admin_figures(a), *status = status_by(a, figures);
    json_decref(figures);
    return status;
}

/* Takes out what always changes: how old things are. */
static void forget_ages(json_t *value, unsigned depth)
{
    const char *key;
    json_t *member;
    void *next;
    size_t i;
    if (depth == 0) {
        return;
    }
    json_array_foreach(value, i, member)
    {
        forget_ages(member, depth - 1);
    }
    json_object_foreach_safe(value, next, key, member)
    {
        if (strstr(key, "age_seconds") != NULL || strcmp(key, "out_for_seconds") == 0) {
            (void)json_object_del(value, key);
        } else {
            forget_ages(member, depth - 1);
        }
    }
}

/* What tells whether anything changed. NULL: out of memory. */
static char *fingerprint(const json_t *status)
{
    struct sf_buf text;
    json_t *copy = json_deep_copy(status);
    (void)json_object_del(copy, "uptime_seconds");
    (void)json_object_del(copy, "in_flight"); /* told as requests */
    forget_ages(copy, STATUS_DEPTH);
    sf_buf_init(&text, EVENTS_CAP);
    json_print(copy, &text);
    json_decref(copy);
    return sf_buf_take(&text);
}

/* ---- telling --------------------------------------------------------------------------------- */

/* To all; who has gone or does not read is let go. */
static void tell(struct admin_events *e, struct sf_str bytes)
{
    (void)pthread_mutex_lock(&e->lock);
    for (size_t i = 0; i < e->n;) {
        if (http_stream_write(e->streams[i], bytes)) {
            i++;
        } else {
            http_stream_close(e->streams[i]);
            e->streams[i] = e->streams[--e->n];
        }
    }
    (void)pthread_mutex_unlock(&e->lock);
}

void admin_events_tell(struct admin_events *e, const char *event, json_t *data_own)
{
    struct sf_buf text;
    sf_buf_init(&text, EVENTS_CAP);
    if (e != NULL && data_own != NULL) {
        event_stream_print(&text, event, data_own);
        if (text.err == SF_OK) {
            tell(e, sf_buf_str(&text));
        }
    }
    json_decref(data_own);
    sf_buf_fini(&text);
}

static void print_request(void *arg, const json_t *request)
{
    event_stream_print(arg, "request", request);
}

static void tell_requests(struct admin_events *e)
{
    struct sf_buf text;
    sf_buf_init(&text, EVENTS_CAP);
    e->seen = each_request(e->admin, e->seen, print_request, &text);
    if (text.n > 0 && text.err == SF_OK) {
        tell(e, sf_buf_str(&text));
    }
    sf_buf_fini(&text);
}

static void tell_status(struct admin_events *e)
{
    if (sf_until(e->status_at) > 0) {
        return;
    }
    e->status_at = sf_after(sf_now(), STATUS_MS);
    if (sf_until(e->figures_at) <= 0) {
        e->figures_at = sf_after(sf_now(), FIGURES_MS);
        json_decref(e->figures);
        e->figures = admin_figures(e->admin);
    }
    json_t *status = status_by(e->admin, e->figures);
    char *now = fingerprint(status);
    bool same = now != NULL && e->last_status != NULL && strcmp(now, e->last_status) == 0;
    if (!same || sf_between(e->told_at, sf_now()) >= STATUS_AT_LEAST_MS - STATUS_MS) {
        e->told_at = sf_now();
        admin_events_tell(e, "status", json_incref(status));
    }
    free(e->last_status);
    e->last_status = now;
    json_decref(status);
}

static void tell_download(struct admin_events *e)
{
    if (sf_until(e->download_at) > 0) {
        return;
    }
    e->download_at = sf_after(sf_now(), DOWNLOAD_MS);
    json_t *now = model_desk_download(e->admin->models);
    if (json_is_object(now) && !json_equal(now, e->download)) {
        admin_events_tell(e, "pull", json_deep_copy(now));
    }
    json_decref(e->download);
    e->download = now;
}

/* ---- the thread ------------------------------------------------------------------------------ */

static void wait_turn(struct admin_events *e)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += TURN_MS * 1000000L;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    (void)pthread_cond_timedwait(&e->changed, &e->lock, &until);
}

static void *run(void *arg)
{
    struct admin_events *e = arg;
    (void)pthread_mutex_lock(&e->lock);
    while (!e->ending) {
        if (e->n == 0) {
            (void)pthread_cond_wait(&e->changed, &e->lock);
            continue;
        }
        (void)pthread_mutex_unlock(&e->lock);
        tell_requests(e);
        tell_download(e);
        tell_status(e);
        (void)pthread_mutex_lock(&e->lock);
        if (!e->ending) {
            wait_turn(e);
        }
    }
    (void)pthread_mutex_unlock(&e->lock);
    return NULL;
}

enum sf_err admin_events_open(struct admin *a, struct admin_events **out)
{
    pthread_condattr_t monotonic;
    struct admin_events *e = sf_alloc(sizeof *e);
    if (e == NULL) {
        return SF_ENOMEM;
    }
    e->admin = a;
    e->seen = 1; /* the state of a table that nobody has touched */
    (void)pthread_mutex_init(&e->lock, NULL);
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&e->changed, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    if (pthread_create(&e->thread, NULL, run, e) != 0) {
        free(e);
        return SF_ENOMEM;
    }
    *out = e;
    return SF_OK;
}

void admin_events_close(struct admin_events *e)
{
    if (e == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&e->lock);
    e->ending = true;
    (void)pthread_cond_broadcast(&e->changed);
    (void)pthread_mutex_unlock(&e->lock);
    (void)pthread_join(e->thread, NULL);
    for (size_t i = 0; i < e->n; i++) {
        http_stream_close(e->streams[i]);
    }
    (void)pthread_cond_destroy(&e->changed);
    (void)pthread_mutex_destroy(&e->lock);
    free(e->last_status);
    json_decref(e->figures);
    json_decref(e->download);
    free(e);
}

/* ---- the door -------------------------------------------------------------------------------- */

/* SF_EBUSY: as many look on as may. */
static enum sf_err look_on(struct admin_events *e, struct http_stream *s)
{
    enum sf_err err = SF_EBUSY;
    (void)pthread_mutex_lock(&e->lock);
    for (size_t i = 0; i < e->n && e->n == LOOKERS_MAX; i++) {
        if (http_stream_is_gone(e->streams[i])) {
            http_stream_close(e->streams[i]);
            e->streams[i] = e->streams[--e->n];
        }
    }
    if (e->n < LOOKERS_MAX && !e->ending) {
        e->streams[e->n++] = s;
        err = SF_OK;
        (void)pthread_cond_broadcast(&e->changed);
    }
    (void)pthread_mutex_unlock(&e->lock);
    return err;
}

static void send_request(void *arg, const json_t *request)
{
    (void)event_stream_send(arg, "request", json_deep_copy(request));
}

static void handle_events(struct admin *a, struct http_exchange *x, const struct http_request *r)
{
    (void)r;
    json_t *status = admin_api_status(a);
    struct http_stream *s = event_stream_open(x);
    if (s == NULL) {
        json_decref(status);
        return;
    }
    (void)event_stream_send(s, "status", status);
    (void)each_request(a, 0, send_request, s);
    if (look_on(a->events, s) != SF_OK) {
        (void)event_stream_send(
            s, "error", json_pack("{s:s}", "message", "too many look on: close another page"));
        http_stream_close(s);
    }
}

static void handle_status(struct admin *a, struct http_exchange *x, const struct http_request *r)
{
    (void)r;
    reply_json(x, 200, admin_api_status(a));
}

static const struct admin_route rows[] = {
    {"GET", "/api/events", handle_events, ADMIN_SLOW},
    {"GET", "/api/status", handle_status, ADMIN_SLOW},
};
const struct admin_routes admin_events_routes = {rows, sizeof rows / sizeof rows[0]};
