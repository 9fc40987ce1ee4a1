/* SPDX-License-Identifier: MIT */
#include "miner/admin.h"

#include "app/ledger.h"
#include "journal/journal.h"
#include "miner/guest.h"
#include "miner/hop_state.h"
#include "miner/network.h"
#include "miner/reply.h"

#include <string.h>
#include <unistd.h>

#define DAY_MS 86400000

static json_t *generators(const struct app *app, bool *ready)
{
    struct gen_hop_status status[GEN_CHAIN_MAX];
    size_t n = gen_chain_status(app_chain(app), status);
    json_t *list = json_array(), *figures = ledger_figures(app, DAY_MS);
    for (size_t i = 0; i < n; i++) {
        *ready = *ready || status[i].can_answer;
        (void)json_array_append_new(list, hop_state_json(&status[i], figures));
    }
    json_decref(figures);
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

json_t *admin_status(struct admin *a)
{
    bool ready = false;
    struct app *app = axon_take_app(a->axon);
    struct queue_counts q = queue_count(a->axon->queue);
    json_t *list = generators(app, &ready);
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
               json_pack("{s:s, s:o, s:O, s:O, s:O}", "status", ready ? "ok" : "degraded", "reason",
                         json_text(sf_buf_str(&why)), "generators",
                         json_object_get(status, "generators"), "journal",
                         json_object_get(status, "journal"), "network",
                         json_object_get(status, "network")));
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

static const struct {
    const char *path, *method;
    void (*handle)(struct admin *a, struct http_exchange *x, const struct http_request *r);
} routes[] = {
    {"/health", "GET", handle_health},
    {"/ready", "GET", handle_ready},
    {"/status", "GET", handle_status},
    {"/generate", "POST", handle_generate},
};

void admin_handle(void *arg, struct http_exchange *x, const struct http_request *r)
{
    if (!request_is_local(r)) {
        reply_message(x, 403, "Host or Origin is not this machine");
        return;
    }
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        if (strcmp(r->path, routes[i].path) != 0) {
            continue;
        }
        if (strcmp(r->method, routes[i].method) != 0) {
            char message[64];
            (void)snprintf(message, sizeof message, "Method not allowed: use %s", routes[i].method);
            reply_message(x, 405, message);
        } else {
            routes[i].handle(arg, x, r);
        }
        return;
    }
    reply_message(x, 404, "Not found: /health, /ready, /status, /generate");
}
