/* SPDX-License-Identifier: MIT */
#include "miner/admin.h"

#include <string.h>
#include <unistd.h>

static const char *const state_names[] = {"starting", "ready", "degraded", "down"};

static json_t *generator_status(const struct gen_hop_status *s)
{
    const struct generator *g = s->generator;
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:f, s:I, s:I, s:s}", "name", g->name, "kind",
                     g->type->kind, "target", g->target, "state", state_names[s->health.state],
                     "reason", s->health.reason, "breaker_open", s->breaker_open, "multiplier",
                     g->type->multiplier, "answers", (json_int_t)s->answers, "failures",
                     (json_int_t)s->failures, "last_error", s->last_error);
}

static json_t *generators(struct app *app, bool *ready)
{
    struct gen_hop_status status[GEN_CHAIN_MAX];
    size_t n = gen_chain_status(app_chain(app), status);
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        *ready = *ready || status[i].can_answer;
        (void)json_array_append_new(list, generator_status(&status[i]));
    }
    return list;
}

json_t *admin_status(struct admin *a)
{
    bool ready = false;
    struct app *app = axon_take_app(a->axon);
    struct queue_counts q = queue_count(a->axon->queue);
    json_t *list = generators(app, &ready);
    const char *file = app_conf(app)->file;
    json_t *status = json_pack(
        "{s:s, s:i, s:f, s:s, s:{s:s, s:i}, s:b, s:o, s:{s:I, s:I, s:I}, s:I, s:s}", "version",
        STORYFI_VERSION, "pid", (int)getpid(), "uptime_seconds",
        sf_seconds(sf_between(a->started, sf_now())), "hotkey", a->axon->me.hotkey, "axon", "ip",
        a->axon_ip, "port", (int)a->axon_port, "ready", ready && atomic_load(&a->serving),
        "generators", list, "queue", "depth", (json_int_t)q.depth, "in_flight",
        (json_int_t)q.in_flight, "size", (json_int_t)q.size, "requests",
        (json_int_t)atomic_load(&a->axon->last_id), "config_file", file);
    app_close(app);
    return status;
}

static void reply_json(struct http_exchange *x, int status, json_t *body_own)
{
    static const struct http_header headers[] = {
        {{"Content-Type", 12}, {"application/json", 16}},
        {{"Cache-Control", 13}, {"no-store", 8}},
    };
    struct sf_buf text;
    sf_buf_init(&text, 1U << 20);
    if (body_own != NULL) {
        json_print(body_own, &text);
    }
    bool ok = body_own != NULL && text.err == SF_OK;
    http_reply(x, ok ? status : 503, headers, 2,
               ok ? sf_buf_str(&text) : SF_STR("{\"message\":\"out of memory\"}"));
    json_decref(body_own);
    sf_buf_fini(&text);
}

static void handle_status(struct admin *a, struct http_exchange *x)
{
    reply_json(x, 200, admin_status(a));
}

static void handle_ready(struct admin *a, struct http_exchange *x)
{
    json_t *status = admin_status(a);
    bool ready = json_get_bool(status, "ready", false);
    json_decref(status);
    reply_json(x, ready ? 200 : 503, json_pack("{s:b}", "ready", ready));
}

/* Alive, and whether it can answer: 200 either way, the reason beside it. */
static void handle_health(struct admin *a, struct http_exchange *x)
{
    struct sf_buf why;
    json_t *status = admin_status(a);
    bool ready = json_get_bool(status, "ready", false);
    struct app *app = axon_take_app(a->axon);
    sf_buf_init(&why, 8192);
    if (!ready) {
        app_explain(app, &why);
    }
    reply_json(x, 200,
               json_pack("{s:s, s:s, s:O}", "status", ready ? "ok" : "degraded", "reason",
                         sf_buf_z(&why), "generators", json_object_get(status, "generators")));
    sf_buf_fini(&why);
    app_close(app);
    json_decref(status);
}

static const struct {
    const char *path;
    void (*handle)(struct admin *a, struct http_exchange *x);
} routes[] = {
    {"/health", handle_health},
    {"/ready", handle_ready},
    {"/status", handle_status},
};

/* A page elsewhere must not reach us by a name it points here (DNS rebinding): only loopback names.
 */
static bool is_local_host(struct sf_str host)
{
    static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        size_t n = strlen(names[i]);
        if (sf_str_has_prefix(host, names[i]) && (host.n == n || host.p[n] == ':')) {
            return true;
        }
    }
    return false;
}

static struct sf_str header(const struct http_request *r, const char *name)
{
    for (size_t i = 0; i < r->n_headers; i++) {
        if (sf_str_is_nocase(r->headers[i].name, name)) {
            return r->headers[i].value;
        }
    }
    return (struct sf_str){"", 0};
}

static bool is_trusted(const struct http_request *r)
{
    struct sf_str origin = header(r, "origin");
    size_t scheme = sf_str_find(origin, SF_STR("://"));
    bool same = origin.n == 0 ||
                (scheme < origin.n &&
                 is_local_host((struct sf_str){origin.p + scheme + 3, origin.n - scheme - 3}));
    return same && is_local_host(header(r, "host"));
}

void admin_handle(void *arg, struct http_exchange *x, const struct http_request *r)
{
    if (!is_trusted(r)) {
        reply_json(x, 403, json_pack("{s:s}", "message", "Host or Origin is not this machine"));
        return;
    }
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        if (strcmp(r->path, routes[i].path) != 0) {
            continue;
        }
        if (strcmp(r->method, "GET") != 0) {
            reply_json(x, 405, json_pack("{s:s}", "message", "Method not allowed: use GET"));
        } else {
            routes[i].handle(arg, x);
        }
        return;
    }
    reply_json(x, 404, json_pack("{s:s}", "message", "Not found: /health, /ready, /status"));
}
