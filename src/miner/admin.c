/* SPDX-License-Identifier: MIT */
#include "miner/admin.h"

#include "app/ledger.h"
#include "base/log.h"
#include "journal/journal.h"
#include "miner/admin_api.h"
#include "miner/admin_auth.h"
#include "miner/admin_book.h"
#include "miner/admin_doctor.h"
#include "miner/admin_events.h"
#include "miner/admin_metrics.h"
#include "miner/admin_models.h"
#include "miner/admin_slow.h"
#include "miner/admin_static.h"
#include "miner/admin_tls.h"
#include "miner/guest.h"
#include "miner/hop_state.h"
#include "miner/model_desk.h"
#include "miner/network.h"

#include <string.h>
#include <unistd.h>

#define DAY_MS 86400000

static json_t *generators(const struct app *app, const json_t *figures, bool *ready)
{
    struct gen_hop_status status[GEN_CHAIN_MAX];
    size_t n = gen_chain_status(app_chain(app), status);
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        *ready = *ready || status[i].can_answer;
        (void)json_array_append_new(list, hop_state_json(&status[i], figures));
    }
    return list;
}

static json_t *journal_json(const struct app *app)
{
    struct journal *j = app_journal(app);
    struct journal_status s;
    if (j == NULL) {
        return json_null();
    }
    journal_status(j, &s);
    return json_pack("{s:s, s:b, s:s, s:I, s:I, s:I}", "path", journal_path(j), "writing",
                     s.writing, "reason", s.reason, "written", (json_int_t)s.written, "dropped",
                     (json_int_t)s.dropped, "waiting", (json_int_t)s.waiting);
}

/* Who may ask, and how long a verified request takes to the queue. */
static json_t *door_json(const struct axon *axon)
{
    static const char *const states[] = {
        [CALLERS_OPEN] = "open", [CALLERS_FRESH] = "fresh", [CALLERS_STALE] = "stale"};
    struct callers_status s;
    callers_status(axon->callers, &s);
    double p50 = metric_quantile(axon->door, 0.5), p99 = metric_quantile(axon->door, 0.99);
    return json_pack("{s:s, s:s, s:I, s:f, s:I, s:f, s:f}", "state", states[s.state], "text",
                     s.text, "registered", (json_int_t)s.registered, "metagraph_age_seconds",
                     s.age_ms < 0 ? -1.0 : sf_seconds(s.age_ms), "queued",
                     (json_int_t)metric_value(axon->door), "p50_seconds_at_most",
                     p50 > 60 ? 60.0 : p50, "p99_seconds_at_most", p99 > 60 ? 60.0 : p99);
}

json_t *admin_figures(struct admin *a)
{
    struct app *app = axon_take_app(a->axon);
    json_t *figures = ledger_figures(app, DAY_MS);
    app_close(app);
    return figures;
}

json_t *admin_status(struct admin *a)
{
    json_t *figures = admin_figures(a), *status = admin_status_by(a, figures);
    json_decref(figures);
    return status;
}

json_t *admin_status_by(struct admin *a, const json_t *figures)
{
    bool ready = false;
    struct app *app = axon_take_app(a->axon);
    struct queue_counts q = queue_count(a->axon->queue);
    json_t *list = generators(app, figures, &ready);
    const char *file = app_conf(app)->file;
    char *path = file[0] == '\0' ? NULL : realpath(file, NULL);
    json_t *status = json_pack(
        "{s:s, s:i, s:f, s:s, s:{s:s, s:i}, s:b, s:o, s:{s:I, s:I, s:I}, s:I, s:o, s:o, s:s, s:s}",
        "version", STORYFI_VERSION, "pid", (int)getpid(), "uptime_seconds",
        sf_seconds(sf_between(a->started, sf_now())), "hotkey", a->axon->me.hotkey, "axon", "ip",
        a->axon_ip, "port", (int)atomic_load(&a->axon_port), "ready",
        ready && atomic_load(&a->serving), "generators", list, "queue", "depth",
        (json_int_t)q.depth, "in_flight", (json_int_t)q.in_flight, "size", (json_int_t)q.size,
        "requests", (json_int_t)atomic_load(&a->axon->n_requests), "door", door_json(a->axon),
        "journal", journal_json(app), "config_file", file, "config_path", path == NULL ? "" : path);
    free(path);
    json_t *plan = app_plan(app);
    (void)json_object_set_new(status, "plan", plan == NULL ? json_null() : plan);
    (void)json_object_set_new(status, "download", model_desk_download(a->models));
    (void)json_object_set_new(status, "model_change", model_desk_change(a->models));
    app_close(app);
    (void)json_object_set_new(status, "network",
                              a->network == NULL ? json_null() : network_json(a->network));
    return status;
}

static void handle_status(struct admin *a, struct http_exchange *x, const struct http_request *r)
{
    (void)r;
    reply_json(x, 200, admin_status(a));
}

static void handle_ready(struct admin *a, struct http_exchange *x, const struct http_request *r)
{
    (void)r;
    json_t *status = admin_status(a);
    bool ready = json_get_bool(status, "ready", false);
    json_decref(status);
    reply_json(x, ready ? 200 : 503, json_pack("{s:b}", "ready", ready));
}

/* Alive, and whether it can answer: 200 either way, the reason beside it. */
static void handle_health(struct admin *a, struct http_exchange *x, const struct http_request *r)
{
    struct sf_buf why;
    (void)r;
    json_t *status = admin_status(a);
    bool ready = json_get_bool(status, "ready", false);
    struct app *app = axon_take_app(a->axon);
    sf_buf_init(&why, 8192);
    if (!ready) {
        app_explain(app, &why);
    }
    reply_json(x, 200,
               json_pack("{s:s, s:o, s:O, s:O, s:O, s:O, s:O}", "status", ready ? "ok" : "degraded",
                         "reason", json_text(sf_buf_str(&why)), "generators",
                         json_object_get(status, "generators"), "journal",
                         json_object_get(status, "journal"), "network",
                         json_object_get(status, "network"), "plan",
                         json_object_get(status, "plan"), "download",
                         json_object_get(status, "download")));
    sf_buf_fini(&why);
    app_close(app);
    json_decref(status);
}

/* The owner's own requests (storyfi generate), behind every validator's. */
static void handle_generate(struct admin *a, struct http_exchange *x, const struct http_request *r)
{
    static const struct guest_options o = {.origin = ORIGIN_CLI, .deadline_max_ms = 3600000};
    guest_handle(a->axon, &o, x, r);
}

static const struct admin_route rows[] = {
    {"GET", "/health", handle_health, ADMIN_OPEN},
    {"GET", "/ready", handle_ready, ADMIN_OPEN},
    {"GET", "/status", handle_status, 0},
    {"POST", "/generate", handle_generate, 0},
};
static const struct admin_routes own_routes = {rows, sizeof rows / sizeof rows[0]};

/* Every table, in the order in which they are looked through. */
static const struct admin_routes *const tables[] = {
    &own_routes,           &admin_auth_routes,   &admin_metrics_routes, &admin_history_routes,
    &admin_stories_routes, &admin_play_routes,   &admin_events_routes,  &admin_doctor_routes,
    &admin_config_routes,  &admin_static_routes, &admin_models_routes,  &admin_book_routes,
};

/* ---- the door -------------------------------------------------------------------------------- */

static bool takes_path(const struct admin_route *route, const char *path)
{
    size_t n = strlen(route->path);
    return route->path[n - 1] == '*' ? strncmp(route->path, path, n - 1) == 0
                                     : strcmp(route->path, path) == 0;
}

/* The route of a method and path; NULL none, with the method that the path takes in `*other`. */
static const struct admin_route *find_route(const struct http_request *r, const char **other)
{
    const char *method = strcmp(r->method, "HEAD") == 0 ? "GET" : r->method;
    *other = NULL;
    for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++) {
        for (size_t i = 0; i < tables[t]->n; i++) {
            const struct admin_route *route = &tables[t]->rows[i];
            if (!takes_path(route, r->path)) {
                continue;
            }
            if (strcmp(route->method, method) == 0) {
                return route;
            }
            *other = route->method;
        }
    }
    return NULL;
}

static void refuse_route(struct http_exchange *x, const char *other)
{
    char message[64];
    if (other == NULL) {
        reply_message(x, 404, "Not found: the page is at /, figures at /status and /metrics");
        return;
    }
    (void)snprintf(message, sizeof message, "Method not allowed: use %s", other);
    reply_message(x, 405, message);
}

static void call_route(struct admin *a, const struct admin_route *route, struct http_exchange *x,
                       const struct http_request *r)
{
    if ((route->flags & ADMIN_SLOW) == 0) {
        route->handle(a, x, r);
    } else if (!admin_slow_put(a->slow, route->handle, a, x, r)) {
        reply_message(x, 503, "the miner is busy with other questions: try again in a second");
    }
}

void admin_handle(void *arg, struct http_exchange *x, const struct http_request *r)
{
    struct admin *a = arg;
    const char *other;
    if (!trusted_request(&a->hosts, r)) {
        reply_message(x, 403,
                      "Host or Origin is not this machine: ask by an address or a name of "
                      "admin.allowed_hosts or admin.public_url");
        return;
    }
    const struct admin_route *route = find_route(r, &other);
    enum admin_verdict v = route != NULL && (route->flags & ADMIN_OPEN) != 0
                               ? ADMIN_WELCOME
                               : admin_auth_judge(a->auth, r);
    if (v != ADMIN_WELCOME) {
        admin_auth_refuse(v, x, r);
    } else if (route == NULL) {
        refuse_route(x, other);
    } else if (strcmp(route->method, "POST") == 0 && !request_is_json(r)) {
        reply_message(x, 415, "Content-Type must be application/json");
    } else if (r->body_too_large) {
        reply_message(x, 413, "the body is too large");
    } else {
        call_route(a, route, x, r);
    }
}

/* ---- the listener ---------------------------------------------------------------------------- */

#define HEADER(name, value)                                                                        \
    {                                                                                              \
        {name, sizeof name - 1},                                                                   \
        {                                                                                          \
            value, sizeof value - 1                                                                \
        }                                                                                          \
    }
/* On every answer. Pages take script, style and data from here only, and are framed by nobody. */
static const struct http_header guards[] = {
    HEADER("Content-Security-Policy",
           "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"),
    HEADER("X-Content-Type-Options", "nosniff"),
    HEADER("Referrer-Policy", "no-referrer"),
};

enum sf_err admin_check(const struct conf *conf, struct sf_errbuf *eb)
{
    struct admin_auth *auth = NULL;
    struct admin_tls tls = {.certificate = NULL};
    enum sf_err err = admin_auth_open(conf, &auth, eb);
    if (err == SF_OK) {
        err = admin_tls_read(conf, &tls, eb);
    }
    admin_tls_fini(&tls);
    admin_auth_close(auth);
    return err;
}

static enum sf_err open_server(struct admin *a, const struct admin_tls *tls, struct sf_errbuf *eb)
{
    const struct conf *conf = a->conf;
    struct http_server_options o = http_server_options_default();
    o.ip = conf->admin.ip;
    o.port = (uint16_t)conf->admin.port;
    o.threads = 2;
    o.max_body_bytes = (size_t)conf->axon.max_body_bytes;
    o.handler = admin_handle;
    o.arg = a;
    o.headers = guards;
    o.n_headers = sizeof guards / sizeof guards[0];
    o.tls_certificate = tls->certificate;
    o.tls_key = tls->key;
    enum sf_err err = http_server_open(&o, &a->server, eb);
    if (err == SF_OK) {
        log_event(LOG_INFO, LOG_ADMIN, "admin listener open", LOG_S("ip", o.ip),
                  LOG_I("port", http_server_port(a->server)),
                  LOG_S("tls", tls->certificate == NULL ? "no" : "yes"));
        admin_tls_warn(conf, tls);
        a->certificate_ends = tls->certificate == NULL ? 0 : tls->ends;
    }
    if (err == SF_OK && tls->certificate == NULL && !address_is_loopback(o.ip) &&
        conf->admin.public_url[0] == '\0') {
        log_event(LOG_WARN, LOG_ADMIN, "the admin listener's token travels in clear",
                  LOG_S("remedy", "set admin.tls_certificate and admin.tls_key, or listen on "
                                  "loopback behind a proxy or an SSH tunnel"));
    }
    return err;
}

enum sf_err admin_open(struct admin *a, const struct conf *conf, struct sf_errbuf *eb)
{
    struct admin_tls tls = {.certificate = NULL};
    const struct conf_admin *c = &conf->admin;
    a->conf = conf_ref(conf);
    a->netuid = conf->netuid;
    a->started_wall_ns = sf_wall_ns() - sf_between(a->started, sf_now()) * 1000000;
    a->hosts = (struct trusted_hosts){.any_address = !address_is_loopback(c->ip),
                                      .public_url = c->public_url,
                                      .names = c->allowed_hosts.v,
                                      .n_names = c->allowed_hosts.n};
    enum sf_err err = admin_auth_open(conf, &a->auth, eb);
    if (err == SF_OK) {
        err = admin_slow_open(&a->slow);
    }
    if (err == SF_OK) {
        err = admin_events_open(a, &a->events);
    }
    if (err == SF_OK) {
        err = admin_doctor_open(&a->doctor);
    }
    if (err == SF_OK) {
        err = admin_tls_read(conf, &tls, eb);
    }
    if (err == SF_OK) {
        err = open_server(a, &tls, eb);
    }
    admin_tls_fini(&tls);
    return err;
}

void admin_close(struct admin *a)
{
    if (a->slow != NULL) {
        admin_slow_stop(a->slow); /* answers what waits: the listener must have no open question */
    }
    http_server_close(a->server), a->server = NULL;
    admin_events_close(a->events), a->events = NULL;
    admin_doctor_close(a->doctor), a->doctor = NULL;
    admin_slow_close(a->slow), a->slow = NULL;
    admin_auth_close(a->auth), a->auth = NULL;
    conf_unref(a->conf), a->conf = NULL;
}
