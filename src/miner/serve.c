/* SPDX-License-Identifier: MIT */
#include "miner/serve.h"

#include "base/log.h"
#include "miner/guest.h"
#include "miner/lifecycle.h"
#include "miner/reply.h"
#include "miner/workers.h"

#include <string.h>

#define DEADLINE_MAX_MS 60000

struct serve {
    struct axon axon; /* queue, generators, counter: what workers need; no identity */
    struct http_server *server;
    struct workers *workers;
    struct lifecycle life;
    const char *token;
};

/* ---- the door -------------------------------------------------------------------------------- */

static bool shows_token(const struct serve *s, const struct http_request *r)
{
    struct sf_str given = request_header(r, "authorization");
    size_t n = strlen(s->token);
    struct sf_str scheme = {given.p, given.n < 7 ? given.n : 7};
    if (!sf_str_is_nocase(scheme, "bearer ")) {
        return false;
    }
    given = sf_str_trim((struct sf_str){given.p + 7, given.n - 7});
    return given.n == n && sf_equal_const_time(given.p, s->token, n);
}

static bool is_welcome(const struct serve *s, struct http_exchange *x, const struct http_request *r)
{
    if (s->token == NULL && !request_is_local(r)) {
        reply_message(x, 403, "Host or Origin is not this machine");
        return false;
    }
    if (s->token != NULL && !shows_token(s, r)) {
        log_event(LOG_WARN, LOG_AXON, "caller without the token refused",
                  LOG_S("peer", r->peer_ip));
        reply_message(x, 401,
                      "the token is missing or wrong: send \"Authorization: Bearer …\" with what "
                      "STORYFI_SERVE_TOKEN holds here");
        return false;
    }
    return true;
}

static void handle_generate(struct serve *s, struct http_exchange *x, const struct http_request *r)
{
    static const struct guest_options o = {.origin = ORIGIN_SERVE,
                                           .deadline_max_ms = DEADLINE_MAX_MS};
    if (is_welcome(s, x, r)) {
        guest_handle(&s->axon, &o, x, r);
    }
}

/* Whether somebody could answer now; with X-Storyfi-Mode, whether that one could. */
static void handle_health(struct serve *s, struct http_exchange *x, const struct http_request *r)
{
    struct gen_hop_status status[GEN_CHAIN_MAX];
    char only[64];
    struct sf_str mode = request_header(r, "x-storyfi-mode");
    struct app *app = axon_take_app(&s->axon);
    size_t n = gen_chain_status(app_chain(app), status);
    bool ready = false;
    (void)snprintf(only, sizeof only, "%.*s", mode.n < sizeof only ? (int)mode.n : 0, mode.p);
    for (size_t i = 0; i < n; i++) {
        ready = ready || (status[i].health.state == GEN_READY && !status[i].breaker_open &&
                          generator_is(status[i].generator, only[0] == '\0' ? NULL : only));
    }
    app_close(app);
    if (ready) {
        reply_json(x, 200, json_pack("{s:s}", "status", "ok"));
    } else {
        reply_message(x, 503, "no generator that may answer is ready");
    }
}

static const struct {
    const char *path, *method;
    void (*handle)(struct serve *s, struct http_exchange *x, const struct http_request *r);
} routes[] = {
    {"/generate", "POST", handle_generate},
    {"/health", "GET", handle_health},
};

static void handle(void *arg, struct http_exchange *x, const struct http_request *r)
{
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        if (strcmp(r->path, routes[i].path) == 0 && strcmp(r->method, routes[i].method) == 0) {
            routes[i].handle(arg, x, r);
            return;
        }
        if (strcmp(r->path, routes[i].path) == 0) {
            reply_message(x, 405,
                          i == 0 ? "Method not allowed: use POST" : "Method not allowed: use GET");
            return;
        }
    }
    reply_message(x, 404, "Not found: POST /generate, GET /health");
}

/* ---- opening and running --------------------------------------------------------------------- */

static enum sf_err open_server(struct serve *s, const struct conf *conf,
                               const struct serve_options *so, struct sf_errbuf *eb)
{
    struct http_server_options o = http_server_options_default();
    o.ip = so->ip;
    o.port = so->port;
    o.max_connections = (unsigned)conf->axon.max_connections;
    o.max_connections_per_ip = (unsigned)conf->axon.max_connections_per_ip;
    o.max_body_bytes = (size_t)conf->axon.max_body_bytes;
    o.head_timeout_ms = conf->axon.head_timeout_ms;
    o.body_timeout_ms = conf->axon.body_timeout_ms;
    o.handler = handle;
    o.arg = s;
    enum sf_err err = http_server_open(&o, &s->server, eb);
    if (err == SF_OK) {
        log_status("✅ Serving: http://%s:%u/generate, %s", so->ip, http_server_port(s->server),
                   s->token == NULL ? "this machine only, without a token" : "with a token");
    }
    return err;
}

static enum sf_err open_all(struct serve *s, const struct conf *conf, struct sf_errbuf *eb)
{
    struct app_options o = {.probes = true, .journal = APP_JOURNAL_SERVER};
    enum sf_err err = queue_open((size_t)conf->axon.queue_size, &s->axon.queue);
    if (err == SF_OK) {
        err = app_open(conf, &o, &s->axon.app, eb);
    }
    return err == SF_OK ? workers_open(&s->axon, (size_t)conf->axon.max_workers, &s->workers) : err;
}

static void close_all(struct serve *s)
{
    if (s->workers != NULL) {
        queue_drain(s->axon.queue);
        workers_close(s->workers);
    }
    http_server_close(s->server);
    lifecycle_fini(&s->life);
    app_close(s->axon.app);
    queue_close(s->axon.queue);
    (void)pthread_mutex_destroy(&s->axon.lock);
}

enum sf_err serve_run(const struct conf *conf, const struct serve_options *o,
                      const struct miner_reload *reload, struct sf_errbuf *eb)
{
    struct serve s = {.token = o->token};
    if (o->token == NULL && !address_is_loopback(o->ip)) {
        return sf_fail(eb, SF_ECONFIG,
                       "--ip %s can be reached from other machines: put a token into "
                       "STORYFI_SERVE_TOKEN (environment or .env) that callers have to show, or "
                       "listen on 127.0.0.1",
                       o->ip);
    }
    (void)pthread_mutex_init(&s.axon.lock, NULL);
    s.life = (struct lifecycle){.axon = &s.axon, .reload = *reload};
    lifecycle_init(&s.life, conf); /* every thread inherits the mask */
    enum sf_err err = open_all(&s, conf, eb);
    if (err == SF_OK && !lifecycle_wait_ready(&s.life)) {
        err = open_server(&s, conf, o, eb);
        if (err == SF_OK) {
            lifecycle_serve(&s.life);
        }
    }
    if (err == SF_OK) {
        lifecycle_finish(&s.life, s.server);
    }
    close_all(&s);
    return err;
}
