/* SPDX-License-Identifier: MIT */
#include "miner/admin_auth.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/rate.h"
#include "miner/admin_sessions.h"
#include "miner/admin_static.h"

#include <arpa/inet.h>
#include <string.h>

#define TOKEN_MIN 16
#define TRIES_A_MINUTE 5
#define BLOCKED_MS 60000
#define ADDRESSES 4096

struct admin_auth {
    char *token; /* NULL: none is asked for */
    bool secure; /* browsers come over TLS: to us, or to the proxy in front */
    bool proxied;
    char cookie[40]; /* its name has the port: browsers share cookies between a host's ports */
    struct admin_sessions sessions;
    struct rate_table *wrong, *blocked;
};

/* ---- opening --------------------------------------------------------------------------------- */

static enum sf_err read_token(const struct conf *conf, struct admin_auth *a, struct sf_errbuf *eb)
{
    const struct conf_admin *c = &conf->admin;
    const char *token = c->token_env[0] == '\0' ? NULL : conf_secret(conf, c->token_env);
    if (c->token_env[0] == '\0' && address_is_loopback(c->ip) && c->public_url[0] == '\0') {
        return SF_OK;
    }
    if (c->token_env[0] == '\0') {
        return sf_fail(eb, SF_ECONFIG,
                       "admin.%s lets others than this machine look in, and no token protects it: "
                       "put one (openssl rand -hex 32) into a variable or .env, and name that "
                       "variable with admin.token_env",
                       c->public_url[0] == '\0' ? "ip" : "public_url");
    }
    if (token == NULL) {
        return sf_fail(eb, SF_ECONFIG,
                       "admin.token_env names %s, which is not set: put a token into it, in the "
                       "environment or .env (openssl rand -hex 32 makes one)",
                       c->token_env);
    }
    if (strlen(token) < TOKEN_MIN) {
        return sf_fail(eb, SF_ECONFIG,
                       "the token in %s has %zu characters and could be guessed: it takes %d or "
                       "more (openssl rand -hex 32 makes one)",
                       c->token_env, strlen(token), TOKEN_MIN);
    }
    a->token = sf_strdup(token);
    return a->token == NULL ? SF_ENOMEM : SF_OK;
}

enum sf_err admin_auth_open(const struct conf *conf, struct admin_auth **out, struct sf_errbuf *eb)
{
    struct admin_auth *a = sf_alloc(sizeof *a);
    if (a == NULL) {
        return SF_ENOMEM;
    }
    admin_sessions_init(&a->sessions);
    a->proxied = conf->admin.public_url[0] != '\0';
    (void)snprintf(a->cookie, sizeof a->cookie, "storyfi_session_%lld",
                   (long long)conf->admin.port);
    a->secure =
        conf->admin.tls_certificate[0] != '\0' || strncmp(conf->admin.public_url, "https:", 6) == 0;
    enum sf_err err = read_token(conf, a, eb);
    if (err == SF_OK) {
        err = rate_table_open(ADDRESSES, &a->wrong);
    }
    if (err == SF_OK) {
        err = rate_table_open(ADDRESSES, &a->blocked);
    }
    if (err != SF_OK) {
        admin_auth_close(a);
        return err;
    }
    *out = a;
    return SF_OK;
}

void admin_auth_close(struct admin_auth *a)
{
    if (a == NULL) {
        return;
    }
    admin_sessions_fini(&a->sessions);
    rate_table_close(a->wrong);
    rate_table_close(a->blocked);
    if (a->token != NULL) {
        sf_wipe(a->token, strlen(a->token));
    }
    free(a->token), a->token = NULL;
    free(a);
}

/* ---- judging --------------------------------------------------------------------------------- */

/* Who asks, for the limits: an address, or the /64 of an IPv6 one. Behind the owner's proxy on this
 * machine all come from loopback: the last name in X-Forwarded-For is the one that it wrote. */
static void key_of(const struct admin_auth *a, const struct http_request *r,
                   uint8_t key[static RATE_KEY_LEN])
{
    struct sf_str list = request_header(r, "x-forwarded-for"), name, last = sf_str(r->peer_ip);
    char text[46];
    struct in6_addr v6;
    while (a->proxied && address_is_loopback(r->peer_ip) && sf_str_next(&list, ',', &name)) {
        last = sf_str_trim(name);
    }
    memset(key, 0, RATE_KEY_LEN);
    (void)snprintf(text, sizeof text, "%.*s", last.n < sizeof text ? (int)last.n : 0, last.p);
    if (inet_pton(AF_INET6, text, &v6) == 1 && !IN6_IS_ADDR_V4MAPPED(&v6)) {
        key[RATE_KEY_LEN - 1] = 6;
        memcpy(key, &v6, 8);
    } else {
        memcpy(key, text, strnlen(text, RATE_KEY_LEN));
    }
}

static enum admin_verdict judge_token(struct admin_auth *a, const struct http_request *r,
                                      struct sf_str given)
{
    uint8_t key[RATE_KEY_LEN];
    size_t n = strlen(a->token);
    key_of(a, r, key);
    if (rate_is_marked(a->blocked, key)) {
        return ADMIN_TOO_OFTEN;
    }
    if (given.n == n && sf_equal_const_time(given.p, a->token, n)) {
        return ADMIN_WELCOME;
    }
    log_event(LOG_WARN, LOG_ADMIN, "wrong token for the admin listener", LOG_S("peer", r->peer_ip),
              LOG_S("path", r->path));
    if (!rate_take(a->wrong, key, TRIES_A_MINUTE)) {
        rate_mark(a->blocked, key, BLOCKED_MS);
        return ADMIN_TOO_OFTEN;
    }
    return ADMIN_STRANGER;
}

/* What stands behind "Bearer "; empty when it does not say so. */
static struct sf_str bearer(const struct http_request *r)
{
    struct sf_str h = request_header(r, "authorization");
    bool is = h.n > 7 && sf_str_is_nocase((struct sf_str){h.p, 7}, "bearer ");
    return is ? sf_str_trim((struct sf_str){h.p + 7, h.n - 7}) : (struct sf_str){"", 0};
}

enum admin_verdict admin_auth_judge(struct admin_auth *a, const struct http_request *r)
{
    struct sf_str given = bearer(r);
    if (a->token == NULL ||
        admin_sessions_has(&a->sessions, cookie_value(request_header(r, "cookie"), a->cookie))) {
        return ADMIN_WELCOME;
    }
    return given.n == 0 ? ADMIN_STRANGER : judge_token(a, r, given);
}

static void refuse(enum admin_verdict v, struct http_exchange *x, const char *message)
{
    struct http_header headers[] = {{SF_STR("Content-Type"), SF_STR("application/json")},
                                    {SF_STR("Cache-Control"), SF_STR("no-store")},
                                    {SF_STR("WWW-Authenticate"), SF_STR("Bearer")}};
    struct sf_buf body;
    if (v == ADMIN_TOO_OFTEN) {
        headers[2] = (struct http_header){SF_STR("Retry-After"), SF_STR("60")};
        message = "too many wrong tokens from this address: try again in a minute";
    }
    sf_buf_init(&body, 512);
    sf_buf_printf(&body, "{\"message\":\"%s\"}", message);
    http_reply(x, v == ADMIN_TOO_OFTEN ? 429 : 401, headers, 3, sf_buf_str(&body));
    sf_buf_fini(&body);
}

static void go_to(struct http_exchange *x, const char *path)
{
    struct http_header headers[] = {{SF_STR("Location"), sf_str(path)},
                                    {SF_STR("Cache-Control"), SF_STR("no-store")}};
    http_reply(x, 303, headers, 2, (struct sf_str){"", 0});
}

void admin_auth_refuse(enum admin_verdict v, struct http_exchange *x, const struct http_request *r)
{
    if (v == ADMIN_STRANGER && strcmp(r->path, "/") == 0) {
        go_to(x, "/login");
    } else {
        refuse(
            v, x,
            "the token is missing or wrong: log in at /login, or send Authorization: Bearer with "
            "what the variable named by admin.token_env holds");
    }
}

/* ---- logging in and out ---------------------------------------------------------------------- */

static void reply_cookie(const struct admin_auth *a, struct http_exchange *x, const char *id,
                         int max_age_s)
{
    char cookie[256];
    (void)snprintf(cookie, sizeof cookie, "%s=%s; HttpOnly; SameSite=Strict; Path=/; Max-Age=%d%s",
                   a->cookie, id, max_age_s, a->secure ? "; Secure" : "");
    struct http_header headers[] = {{SF_STR("Set-Cookie"), sf_str(cookie)},
                                    {SF_STR("Cache-Control"), SF_STR("no-store")}};
    http_reply(x, 204, headers, 2, (struct sf_str){"", 0});
    sf_wipe(cookie, sizeof cookie);
}

static void handle_login_page(struct admin *a, struct http_exchange *x,
                              const struct http_request *r)
{
    if (admin_auth_judge(a->auth, r) == ADMIN_WELCOME) {
        go_to(x, "/");
    } else {
        admin_static_reply(x, r, "login.html");
    }
}

static void handle_login(struct admin *admin, struct http_exchange *x, const struct http_request *r)
{
    struct admin_auth *a = admin->auth;
    char id[SESSION_ID_LEN + 1];
    json_t *body = NULL;
    enum sf_err err =
        json_parse(r->body, (struct json_limits){.max_bytes = 4096, .max_depth = 2}, &body, NULL);
    struct sf_str given = json_get_str(body, "token");
    if (a->token == NULL) {
        reply_message(x, 404, "no token is set (admin.token_env): nobody needs to log in");
    } else if (err != SF_OK || given.n == 0) {
        reply_message(x, 400, "the body is not {\"token\": \"…\"}");
    } else {
        enum admin_verdict v = judge_token(a, r, sf_str_trim(given));
        if (v == ADMIN_WELCOME) {
            admin_sessions_begin(&a->sessions, id);
            log_event(LOG_INFO, LOG_ADMIN, "logged in", LOG_S("peer", r->peer_ip));
            reply_cookie(a, x, id, (int)(SESSION_LIFE_MS / 1000));
            sf_wipe(id, sizeof id);
        } else {
            refuse(v, x,
                   "the token is wrong: it is what the variable named by admin.token_env holds "
                   "where the miner runs");
        }
    }
    json_decref(body);
}

static void handle_logout(struct admin *a, struct http_exchange *x, const struct http_request *r)
{
    admin_sessions_end(&a->auth->sessions,
                       cookie_value(request_header(r, "cookie"), a->auth->cookie));
    reply_cookie(a->auth, x, "", 0);
}

static void handle_session(struct admin *a, struct http_exchange *x, const struct http_request *r)
{
    (void)r;
    reply_json(x, 200,
               json_pack("{s:s, s:b, s:s, s:I}", "version", STORYFI_VERSION, "login_required",
                         a->auth->token != NULL, "hotkey", a->axon->me.hotkey, "netuid",
                         (json_int_t)a->netuid));
}

static const struct admin_route rows[] = {
    {"GET", "/login", handle_login_page, ADMIN_OPEN},
    {"POST", "/login", handle_login, ADMIN_OPEN},
    {"POST", "/logout", handle_logout, 0},
    {"GET", "/api/session", handle_session, 0},
};
const struct admin_routes admin_auth_routes = {rows, sizeof rows / sizeof rows[0]};
