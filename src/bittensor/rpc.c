/* SPDX-License-Identifier: MIT */
#include "bittensor/rpc.h"

#include "base/hex.h"
#include "base/log.h"
#include "base/mem.h"
#include "http/client.h"
#include "http/ws.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

#define ATTEMPT_MS 20000
#define REST_MIN_MS 1000
#define REST_MAX_MS 60000
#define STRAYS_MAX 64 /* messages that answer nothing we asked */
#define ANSWER_LIMITS ((struct json_limits){.max_bytes = RPC_ANSWER_MAX, .max_depth = 32})

struct endpoint {
    char *url;
    bool by_post;
    unsigned failures; /* in a row */
    struct sf_time up; /* not asked before */
};

struct rpc {
    pthread_mutex_t lock; /* one call at a time; all below */
    struct endpoint list[RPC_ENDPOINTS_MAX];
    size_t n, current;
    sf_ms attempt_ms, rest_min_ms, rest_max_ms;
    const atomic_bool *cancel;
    struct ws *ws; /* to `current`, or NULL */
    uint64_t id;
};

/* ---------------------------------------------------------------- open and close */

static void free_all(struct rpc *r)
{
    ws_close(r->ws), r->ws = NULL;
    for (size_t i = 0; i < r->n; i++) {
        free(r->list[i].url), r->list[i].url = NULL;
    }
    free(r);
}

enum sf_err rpc_open(const struct rpc_options *o, struct rpc **out, struct sf_errbuf *eb)
{
    if (o->n_endpoints == 0 || o->n_endpoints > RPC_ENDPOINTS_MAX) {
        return sf_fail(eb, SF_EINVAL, "a chain has 1 to %d endpoints", RPC_ENDPOINTS_MAX);
    }
    struct rpc *r = sf_alloc(sizeof *r);
    if (r == NULL) {
        return SF_ENOMEM;
    }
    bool whole = true;
    for (; r->n < o->n_endpoints; r->n++) {
        struct endpoint *e = &r->list[r->n];
        e->url = sf_strdup(o->endpoints[r->n]);
        e->by_post = sf_str_has_prefix(sf_str(o->endpoints[r->n]), "http");
        whole = whole && e->url != NULL;
    }
    r->attempt_ms = o->attempt_ms > 0 ? o->attempt_ms : ATTEMPT_MS;
    r->rest_min_ms = o->rest_min_ms > 0 ? o->rest_min_ms : REST_MIN_MS;
    r->rest_max_ms = o->rest_max_ms > 0 ? o->rest_max_ms : REST_MAX_MS;
    r->cancel = o->cancel;
    if (!whole) {
        free_all(r);
        return SF_ENOMEM;
    }
    (void)pthread_mutex_init(&r->lock, NULL);
    *out = r;
    return SF_OK;
}

void rpc_close(struct rpc *r)
{
    if (r != NULL) {
        (void)pthread_mutex_destroy(&r->lock);
        free_all(r);
    }
}

/* ---------------------------------------------------------------- reading answers */

static void copy_text(char *out, size_t room, const json_t *value)
{
    struct sf_buf b;
    sf_buf_init(&b, 4096);
    if (json_is_string(value)) {
        sf_buf_puts(&b, json_string_value(value));
    } else if (value != NULL) {
        json_print(value, &b);
    }
    (void)snprintf(out, room, "%s", sf_buf_z(&b));
    sf_buf_fini(&b);
}

/* Errors of the node's door, not of what was asked: another node may do better. */
static bool is_busy_code(int64_t code)
{
    static const int64_t codes[] = {429, -32005, -32029, -32097, -32098, -32999};
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        if (code == codes[i]) {
            return true;
        }
    }
    return false;
}

static enum sf_err read_error(const json_t *error, const struct rpc_call *call,
                              struct sf_errbuf *eb)
{
    struct rpc_error e = {.code = 0};
    if (!json_get_int(error, "code", &e.code) || json_get_string(error, "message") == NULL) {
        return sf_fail(eb, SF_ETRANSIENT, "answer is no JSON-RPC");
    }
    copy_text(e.message, sizeof e.message, json_object_get(error, "message"));
    copy_text(e.data, sizeof e.data, json_object_get(error, "data"));
    if (is_busy_code(e.code)) {
        return sf_fail(eb, SF_ERATE, "the node limits its callers: %s (%lld)", e.message,
                       (long long)e.code);
    }
    if (call->error != NULL) {
        *call->error = e;
    }
    return sf_fail(eb, SF_ENEGATIVE, "%s: %s (%lld)%s%s", call->method, e.message,
                   (long long)e.code, e.data[0] == '\0' ? "" : ": ", e.data);
}

/* `mine` is false when the text is somebody else's answer or a notification. */
static enum sf_err read_answer(struct sf_str text, uint64_t id, const struct rpc_call *call,
                               json_t **result, bool *mine, struct sf_errbuf *eb)
{
    json_t *answer = NULL;
    struct sf_errbuf detail = {.code = SF_OK};
    int64_t got = -1;
    enum sf_err err = json_parse(text, ANSWER_LIMITS, &answer, &detail);
    if (err == SF_ENOMEM) {
        return err;
    }
    if (err != SF_OK || !json_is_object(answer)) {
        json_decref(answer);
        return sf_fail(eb, SF_ETRANSIENT, "answer is no JSON-RPC");
    }
    *mine = json_get_int(answer, "id", &got) && got == (int64_t)id;
    const json_t *error = json_get_object(answer, "error");
    json_t *value = json_object_get(answer, "result");
    if (*mine && error != NULL) {
        err = read_error(error, call, eb);
    } else if (*mine && value == NULL) {
        err = sf_fail(eb, SF_ETRANSIENT, "answer has neither result nor error");
    } else if (*mine) {
        *result = json_incref(value);
    } else if (error != NULL && json_is_null(json_object_get(answer, "id"))) {
        /* It could not even read the id: the answer to what was sent last. */
        *mine = true;
        err = read_error(error, call, eb);
        err = err == SF_ENEGATIVE ? SF_ETRANSIENT : err;
    }
    json_decref(answer);
    return err;
}

/* ---------------------------------------------------------------- one attempt */

static enum sf_err status_error(const struct http_answer *answer, struct sf_errbuf *eb)
{
    if (answer->status == 429) {
        sf_ms pause = http_answer_retry_after(answer);
        (void)sf_fail(eb, SF_ERATE, "the node limits its callers (HTTP 429)");
        if (eb != NULL && pause > 0) {
            eb->retry_after_ms = pause;
        }
        return SF_ERATE;
    }
    return sf_fail(eb, SF_ETRANSIENT, "HTTP %d%s", answer->status,
                   answer->status == 403 || answer->status == 404 || answer->status == 405
                       ? " (does it take JSON-RPC by POST? public nodes want wss://)"
                       : "");
}

static enum sf_err attempt_post(struct rpc *r, const struct rpc_call *call, struct sf_str request,
                                struct sf_time deadline, json_t **result, struct sf_errbuf *eb)
{
    static const struct http_header type = {{"Content-Type", 12}, {"application/json", 16}};
    struct http_call http = {.url = r->list[r->current].url,
                             .headers = &type,
                             .n_headers = 1,
                             .body = request,
                             .post = true,
                             .deadline = deadline,
                             .max_body_bytes = RPC_ANSWER_MAX};
    struct http_answer answer;
    bool mine = false;
    enum sf_err err = http_client_call(&http, &answer, eb);
    if (err == SF_OK && answer.status != 200) {
        err = status_error(&answer, eb);
    }
    if (err == SF_OK) {
        err = read_answer(sf_buf_str(&answer.body), r->id, call, result, &mine, eb);
        if (err == SF_OK && !mine) {
            err = sf_fail(eb, SF_ETRANSIENT, "answer to another question");
        }
    }
    http_answer_fini(&answer);
    return err;
}

static enum sf_err connect_ws(struct rpc *r, struct sf_time deadline, struct sf_errbuf *eb)
{
    return ws_open(&(struct ws_options){.url = r->list[r->current].url,
                                        .max_message_bytes = RPC_ANSWER_MAX,
                                        .deadline = deadline,
                                        .cancel = r->cancel},
                   &r->ws, eb);
}

static enum sf_err exchange_ws(struct rpc *r, const struct rpc_call *call, struct sf_str request,
                               struct sf_time deadline, json_t **result, struct sf_errbuf *eb)
{
    struct sf_buf text;
    bool mine = false;
    enum sf_err err = ws_send(r->ws, request, deadline, eb);
    for (unsigned i = 0; err == SF_OK && !mine; i++) {
        sf_buf_init(&text, RPC_ANSWER_MAX);
        err = i == STRAYS_MAX ? sf_fail(eb, SF_ETRANSIENT, "answers to other questions only")
                              : ws_receive(r->ws, &text, deadline, eb);
        if (err == SF_OK) {
            err = read_answer(sf_buf_str(&text), r->id, call, result, &mine, eb);
        }
        sf_buf_fini(&text);
    }
    if (err != SF_OK && err != SF_ENEGATIVE) {
        ws_close(r->ws), r->ws = NULL;
    }
    return err;
}

/* A socket that was open before may have been closed by the node meanwhile: once more with a new
 * one. */
static enum sf_err attempt_ws(struct rpc *r, const struct rpc_call *call, struct sf_str request,
                              struct sf_time deadline, json_t **result, struct sf_errbuf *eb)
{
    bool used = r->ws != NULL;
    enum sf_err err = SF_OK;
    for (int i = 0; i < 2; i++) {
        err = r->ws == NULL ? connect_ws(r, deadline, eb) : SF_OK;
        if (err == SF_OK) {
            err = exchange_ws(r, call, request, deadline, result, eb);
        }
        if (err != SF_ETRANSIENT || !used) {
            break;
        }
        used = false;
    }
    return err;
}

static enum sf_err print_request(struct rpc *r, const struct rpc_call *call, struct sf_buf *out)
{
    json_t *request = json_object();
    r->id++;
    (void)json_object_set_new(request, "jsonrpc", json_string("2.0"));
    (void)json_object_set_new(request, "id", json_integer((json_int_t)r->id));
    (void)json_object_set_new(request, "method", json_string(call->method));
    (void)json_object_set_new(
        request, "params", call->params_own == NULL ? json_array() : json_incref(call->params_own));
    bool whole = json_object_size(request) == 4;
    sf_buf_clear(out);
    json_print(request, out);
    json_decref(request);
    return whole ? out->err : SF_ENOMEM;
}

static enum sf_err attempt(struct rpc *r, const struct rpc_call *call, json_t **result,
                           struct sf_errbuf *eb)
{
    struct sf_buf request;
    const struct endpoint *e = &r->list[r->current];
    struct sf_time deadline = sf_earlier(call->deadline, sf_after(sf_now(), r->attempt_ms));
    sf_buf_init(&request, RPC_ANSWER_MAX);
    enum sf_err err = print_request(r, call, &request);
    if (err == SF_OK) {
        err = (e->by_post ? attempt_post : attempt_ws)(r, call, sf_buf_str(&request), deadline,
                                                       result, eb);
    }
    sf_buf_fini(&request);
    return err;
}

/* ---------------------------------------------------------------- failover */

static void rest(struct rpc *r, sf_ms at_least)
{
    struct endpoint *e = &r->list[r->current];
    unsigned doublings = e->failures < 16 ? e->failures : 16;
    sf_ms pause = r->rest_min_ms << doublings;
    pause = pause > r->rest_max_ms ? r->rest_max_ms : pause;
    e->failures++;
    e->up = sf_after(sf_now(), pause > at_least ? pause : at_least);
    ws_close(r->ws), r->ws = NULL;
}

/* Sleeps in short pieces; false when called off or the time is over. */
static bool wait_for(struct rpc *r, struct sf_time up, struct sf_time deadline)
{
    while (sf_until(up) > 0) {
        if (sf_until(deadline) <= 0 || (r->cancel != NULL && atomic_load(r->cancel))) {
            return false;
        }
        sf_ms left = sf_until(sf_earlier(up, deadline));
        long ms = left > 50 ? 50 : left < 1 ? 1 : (long)left;
        (void)nanosleep(&(struct timespec){.tv_nsec = ms * 1000000L}, NULL);
    }
    return true;
}

/* The next endpoint to ask, from the current one on: the first that does not rest and was not asked
 * yet (`asked` has a bit for each), else none: r->n. `first_up` gets when the first is up again. */
static size_t pick(const struct rpc *r, unsigned asked, struct sf_time *first_up)
{
    *first_up = SF_NEVER;
    for (size_t i = 0; i < r->n; i++) {
        size_t at = (r->current + i) % r->n;
        if ((asked >> at & 1U) != 0) {
            continue;
        }
        if (sf_until(r->list[at].up) <= 0) {
            return at;
        }
        *first_up = sf_earlier(*first_up, r->list[at].up);
    }
    return r->n;
}

static bool goes_on(enum sf_err err)
{
    return err == SF_ETRANSIENT || err == SF_ERATE || err == SF_EDEADLINE || err == SF_ELIMIT;
}

/* The transports name the address themselves, the readers of answers do not. */
static void name_node(struct sf_errbuf *eb, const char *url)
{
    struct sf_str text = sf_str(eb->text), address = sf_str(url);
    size_t scheme = sf_str_find(address, SF_STR("://"));
    size_t skip = scheme < address.n ? scheme + 3 : 0;
    struct sf_str host = {address.p + skip, address.n - skip};
    if (sf_str_find(text, host) == text.n) {
        (void)sf_fail_prefix(eb, "%s", url);
    }
}

static enum sf_err call_locked(struct rpc *r, const struct rpc_call *call, json_t **result,
                               struct sf_errbuf *eb)
{
    enum sf_err err = sf_fail(eb, SF_ETRANSIENT, "no node of the chain answers");
    unsigned asked = 0;
    for (;;) {
        struct sf_time first_up;
        size_t next = pick(r, asked, &first_up);
        if (next == r->n) {
            if (first_up.ms == SF_NEVER.ms || asked != 0 ||
                !wait_for(r, first_up, call->deadline)) {
                return err; /* all were asked, or those left rest longer than there is time */
            }
            continue;
        }
        if (next != r->current) {
            ws_close(r->ws), r->ws = NULL;
            r->current = next;
        }
        asked |= 1U << next;
        err = attempt(r, call, result, eb);
        if (!goes_on(err)) {
            r->list[next].failures = 0;
            return err;
        }
        name_node(eb, r->list[next].url);
        log_event(LOG_INFO, LOG_SUBTENSOR, "node does not answer", LOG_S("method", call->method),
                  LOG_ERR(eb, err));
        rest(r, err == SF_ERATE && eb != NULL ? eb->retry_after_ms : 0);
        if (sf_until(call->deadline) <= 0) {
            return err;
        }
    }
}

enum sf_err rpc_call(struct rpc *r, const struct rpc_call *call, json_t **result,
                     struct sf_errbuf *eb)
{
    struct sf_errbuf own = {.code = SF_OK};
    eb = eb == NULL ? &own : eb;
    if (call->params_own == NULL) {
        return sf_fail(eb, SF_ENOMEM, "out of memory");
    }
    (void)pthread_mutex_lock(&r->lock);
    enum sf_err err = call_locked(r, call, result, eb);
    (void)pthread_mutex_unlock(&r->lock);
    json_decref(call->params_own);
    return err;
}

const char *rpc_endpoint(struct rpc *r)
{
    (void)pthread_mutex_lock(&r->lock);
    const char *url = r->list[r->current].url;
    (void)pthread_mutex_unlock(&r->lock);
    return url;
}

void rpc_bench(struct rpc *r, sf_ms rest_ms)
{
    (void)pthread_mutex_lock(&r->lock);
    rest(r, rest_ms);
    (void)pthread_mutex_unlock(&r->lock);
}

/* ---------------------------------------------------------------- hex */

enum sf_err rpc_hex(const json_t *value, struct sf_buf *out, struct sf_errbuf *eb)
{
    struct sf_str s = {json_string_value(value), json_string_length(value)};
    if (s.p == NULL || !sf_str_has_prefix(s, "0x") || s.n % 2 != 0) {
        return sf_fail(eb, SF_EPARSE, "the node's answer is not 0x and hex digits");
    }
    uint8_t piece[256];
    for (size_t i = 2; i < s.n; i += 2 * sizeof piece) {
        size_t n = (s.n - i) / 2 < sizeof piece ? (s.n - i) / 2 : sizeof piece;
        if (!sf_hex_decode((struct sf_str){s.p + i, 2 * n}, piece, n)) {
            return sf_fail(eb, SF_EPARSE, "the node's answer is not 0x and hex digits");
        }
        sf_buf_add(out, piece, n);
    }
    return out->err;
}

json_t *rpc_hex_new(const void *bytes, size_t n)
{
    char *text = sf_alloc(2 * n + 3);
    if (text == NULL) {
        return NULL;
    }
    text[0] = '0';
    text[1] = 'x';
    sf_hex_encode(bytes, n, text + 2);
    json_t *value = json_string(text);
    free(text);
    return value;
}
