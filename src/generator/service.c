/* SPDX-License-Identifier: MIT */
#include "generator/service.h"

#include "base/mem.h"
#include "generator/content.h"
#include "generator/gate.h"
#include "http/client.h"

#include <poll.h>
#include <pthread.h>
#include <string.h>

#define LOOK_MS 2000
#define FIRST_LOOK_WAIT_MS 250 /* so that a service that is there counts from the start */
#define ERROR_BODY_MAX 65536
#define HEADERS_MAX 6
#define MARGIN_MS                                                                                  \
    200 /* so that the other side's answer, or its reason, comes before we give up                 \
         */

struct service {
    char *url, *health_url, *token, *mode;
    char what[64], key[64];
    char label[224]; /* "custom endpoint http://host/generate" */
    sf_ms timeout_ms;
    size_t max_output_bytes;
    struct gate gate;
    struct http_client *client;
    pthread_t looker;
    bool has_looker;
    atomic_bool closing;
    pthread_mutex_t lock; /* of health */
    struct gen_health health;
};

/* ---- what is asked --------------------------------------------------------------------------- */

/* The headers of a call; texts live in it. */
struct headers {
    struct http_header list[HEADERS_MAX];
    size_t n;
    struct sf_buf bearer;
    char relays[16], timeout[32];
};

static void add(struct headers *h, const char *name, const char *value)
{
    h->list[h->n++] = (struct http_header){sf_str(name), sf_str(value)};
}

static void headers_init(struct headers *h, const struct service *s, int relays, sf_ms left)
{
    h->n = 0;
    sf_buf_init(&h->bearer, 8192);
    add(h, "Content-Type", "application/json");
    add(h, "Accept", "application/json");
    (void)snprintf(h->relays, sizeof h->relays, "%d", relays);
    add(h, "X-Storyfi-Hops", h->relays);
    if (left > 0) {
        sf_ms told = left > 2 * MARGIN_MS ? left - MARGIN_MS : left;
        (void)snprintf(h->timeout, sizeof h->timeout, "%.3f", sf_seconds(told));
        add(h, "X-Storyfi-Timeout", h->timeout);
    }
    if (s->mode != NULL) {
        add(h, "X-Storyfi-Mode", s->mode);
    }
    if (s->token[0] != '\0') {
        sf_buf_printf(&h->bearer, "Bearer %s", s->token);
        add(h, "Authorization", sf_buf_z(&h->bearer));
    }
}

static void headers_fini(struct headers *h)
{
    sf_buf_wipe(&h->bearer);
}

/* ---- what comes back ------------------------------------------------------------------------- */

static const struct {
    int status;
    enum sf_err code;
    const char *words;
} refusals[] = {
    {401, SF_EACCOUNT, "it refuses the token: check the variable that api_key_env names"},
    {402, SF_EACCOUNT, "it wants to be paid"},
    {403, SF_EACCOUNT, "it refuses the caller: check the token that api_key_env names"},
    {404, SF_ECONFIG, "nothing is served at this address: it should end in the route, /generate"},
    {405, SF_ECONFIG, "this address takes no POST: it should end in the route, /generate"},
    {408, SF_ETRANSIENT, "its own deadline passed"},
    {429, SF_ERATE, "it takes no more requests for now"},
    {508, SF_ECONFIG, "the request went in a circle: a storyfi serve asks one that asks it back"},
};

/* Statuses without a row of their own, by their hundred. */
static const struct {
    enum sf_err code;
    const char *words;
} by_class[] = {
    [2] = {SF_EINCOMPLETE, "a success without an answer: it should be 200 with {\"content\": …}"},
    [3] = {SF_ECONFIG, "redirects are not followed: set the address it points to"},
    [4] = {SF_ESHAPE, "it refuses the request"},
    [5] = {SF_ETRANSIENT, "it failed"},
};

/* What the body says went wrong: {"message"}, {"error": text or {"message"}}. */
static void read_message(const struct http_answer *answer, char *out, size_t n_out)
{
    json_t *body = NULL;
    struct json_limits limits = {.max_bytes = ERROR_BODY_MAX, .max_depth = 8};
    out[0] = '\0';
    if (json_parse(sf_buf_str(&answer->body), limits, &body, NULL) != SF_OK) {
        return;
    }
    struct sf_str said = json_get_str(body, "message");
    if (said.n == 0) {
        said = json_get_str(body, "error");
    }
    if (said.n == 0) {
        said = json_get_str(json_get_object(body, "error"), "message");
    }
    content_copy_text(said, out, n_out);
    json_decref(body);
}

enum sf_err service_judge(const char *what, const struct http_answer *answer, struct sf_errbuf *eb)
{
    char said[160];
    size_t class =
        answer->status / 100 >= 2 && answer->status / 100 <= 5 ? (size_t)answer->status / 100 : 5;
    enum sf_err code = by_class[class].code;
    const char *words = by_class[class].words;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        if (refusals[i].status == answer->status) {
            code = refusals[i].code;
            words = refusals[i].words;
        }
    }
    read_message(answer, said, sizeof said);
    (void)sf_fail(eb, code, "%s: HTTP %d: %s%s%s", what, answer->status, words,
                  said[0] == '\0' ? "" : ": ", said);
    if (eb != NULL && code == SF_ERATE) {
        sf_ms pause = http_answer_retry_after(answer);
        eb->retry_after_ms = pause < 0 ? 0 : pause;
    }
    return code;
}

/* What the client says, without the address in front: we name it in our own way. */
static const char *reason_of(const struct http_transfer *t)
{
    const char *text = sf_err_text(&t->eb, t->err);
    size_t n = strlen(t->call.url);
    return strncmp(text, t->call.url, n) == 0 && strncmp(text + n, ": ", 2) == 0 ? text + n + 2
                                                                                 : text;
}

/* What a transfer that did not come to its end means. */
static enum sf_err judge_transfer(const struct service *s, const struct http_transfer *t,
                                  struct sf_errbuf *eb)
{
    switch (t->err) {
    case SF_EDEADLINE:
        return sf_fail(eb, SF_ESLOW, "%s: did not answer in time", s->label);
    case SF_ELIMIT:
        return sf_fail(eb, SF_EINCOMPLETE, "%s: answered more than %zu bytes", s->label,
                       s->max_output_bytes);
    case SF_ECANCELED:
        return sf_fail(eb, SF_ECANCELED, "%s: canceled", s->label);
    case SF_ETRANSIENT:
        if (t->answer.status / 100 == 2) {
            return sf_fail(eb, SF_EINCOMPLETE, "%s: the answer was cut: %.200s", s->label,
                           reason_of(t));
        }
        return sf_fail(eb, SF_ETRANSIENT, "%s: %.250s", s->label, reason_of(t));
    default:
        return sf_fail(eb, t->err, "%s: %.250s", s->label, reason_of(t));
    }
}

static enum sf_err judge(const struct service *s, const struct http_transfer *t, json_t **output,
                         json_t **answer, struct sf_errbuf *eb)
{
    if (t->err != SF_OK) {
        return judge_transfer(s, t, eb);
    }
    if (t->answer.status != 200) {
        return service_judge(s->label, &t->answer, eb);
    }
    enum sf_err err = content_parse(sf_buf_str(&t->answer.body), s->max_output_bytes, "the answer",
                                    output, answer, eb);
    return err == SF_OK ? err : sf_fail_prefix(eb, "%s", s->label);
}

/* ---- asking ---------------------------------------------------------------------------------- */

struct receiving {
    const struct gen_call *call;
    int64_t bytes;
};

static bool on_data(void *arg, int status, struct sf_str piece)
{
    struct receiving *r = arg;
    (void)status;
    r->bytes += (int64_t)piece.n;
    if (r->call->on_event != NULL) {
        r->call->on_event(r->call->event_arg,
                          &(struct gen_event){.kind = GEN_EVENT_HEARTBEAT, .done = r->bytes});
    }
    return true;
}

static enum sf_err ask(struct service *s, const struct gen_call *call, struct sf_str body,
                       json_t **output, json_t **answer, struct sf_errbuf *eb)
{
    struct headers headers;
    struct receiving receiving = {.call = call};
    struct sf_time deadline = sf_earlier(call->deadline, sf_after(sf_now(), s->timeout_ms));
    sf_ms left = sf_until(deadline);
    headers_init(&headers, s, call->relays, left < 1 ? 1 : left);
    struct http_transfer t = {.call = {.url = s->url,
                                       .headers = headers.list,
                                       .n_headers = headers.n,
                                       .body = body,
                                       .post = true,
                                       .deadline = deadline,
                                       .max_body_bytes = s->max_output_bytes,
                                       .on_data = on_data,
                                       .arg = &receiving}};
    http_client_perform(s->client, &t, 1, 0, call->cancel);
    enum sf_err err = judge(s, &t, output, answer, eb);
    http_answer_fini(&t.answer);
    headers_fini(&headers);
    return err;
}

static void set_health(struct service *s, enum gen_state state, const char *reason)
{
    (void)pthread_mutex_lock(&s->lock);
    s->health.state = state;
    (void)snprintf(s->health.reason, sizeof s->health.reason, "%.255s", reason);
    (void)pthread_mutex_unlock(&s->lock);
}

enum sf_err service_ask(struct service *s, const struct gen_call *call, json_t **output,
                        json_t **answer, struct sf_errbuf *eb)
{
    struct sf_buf body;
    json_t *request = story_request_to_json(call->request);
    if (request == NULL) {
        return SF_ENOMEM;
    }
    sf_buf_init(&body, 16U << 20);
    json_print(request, &body);
    json_decref(request);
    enum sf_err err = body.err;
    if (err == SF_OK) {
        err = gate_enter(&s->gate, call, eb);
    }
    if (err == SF_OK) {
        err = ask(s, call, sf_buf_str(&body), output, answer, eb);
        gate_leave(&s->gate);
        if (err == SF_OK) {
            set_health(s, GEN_READY, "");
        }
    }
    sf_buf_fini(&body);
    return err;
}

/* ---- looking --------------------------------------------------------------------------------- */

static enum sf_err look(struct service *s, int *status, struct sf_errbuf *eb)
{
    struct headers headers;
    headers_init(&headers, s, 0, 0);
    struct http_transfer t = {.call = {.url = s->health_url,
                                       .headers = headers.list,
                                       .n_headers = headers.n,
                                       .deadline = sf_after(sf_now(), LOOK_MS),
                                       .max_body_bytes = ERROR_BODY_MAX}};
    http_client_perform(s->client, &t, 1, 0, &s->closing);
    *status = t.answer.status;
    bool routeless = *status == 404 || *status == 405 || *status == 501;
    enum sf_err err = SF_OK;
    if (t.err == SF_ELIMIT) { /* it lives, and has much to say */
        err = SF_OK;
    } else if (t.err != SF_OK) {
        err = judge_transfer(s, &t, eb);
    } else if (*status / 100 != 2 && !routeless) {
        err = service_judge(s->what, &t.answer, eb);
    }
    http_answer_fini(&t.answer);
    headers_fini(&headers);
    return err;
}

enum sf_err service_look(struct service *s, struct sf_errbuf *eb)
{
    int status;
    struct sf_errbuf why = {.code = SF_OK};
    enum sf_err err = look(s, &status, &why);
    if (err == SF_OK) {
        set_health(s, GEN_READY, "");
        return err;
    }
    if (err != SF_ECANCELED) {
        char reason[256];
        (void)snprintf(reason, sizeof reason, "%.170s; start it, or correct %.60s",
                       sf_err_text(&why, err), s->key);
        set_health(s, GEN_DEGRADED, reason);
    }
    return sf_fail(eb, err, "%.500s", sf_err_text(&why, err));
}

static void *first_look(void *arg)
{
    enum sf_err err = service_look(arg, NULL);
    (void)err; /* the health has it */
    return NULL;
}

void service_health(struct service *s, struct gen_health *out)
{
    (void)pthread_mutex_lock(&s->lock);
    *out = s->health;
    (void)pthread_mutex_unlock(&s->lock);
}

void service_check(struct service *s, struct gen_checks *out)
{
    int status;
    struct sf_errbuf eb = {.code = SF_OK};
    char remedy[256];
    if (look(s, &status, &eb) == SF_OK) {
        gen_checks_add(out, GEN_CHECK_OK, "endpoint reachable", "", "%s answers%s", s->label,
                       status / 100 == 2 ? " on its health route" : " (it has no health route)");
        return;
    }
    (void)snprintf(remedy, sizeof remedy, "start the service, or correct %s", s->key);
    gen_checks_add(out, GEN_CHECK_FAIL, "endpoint reachable", remedy, "%.255s", eb.text);
}

/* ---- opening --------------------------------------------------------------------------------- */

/* The last "/generate" of the path replaced; an address without one is looked at itself. */
static char *health_url(const char *url)
{
    static const char route[] = "/generate";
    const char *last = NULL;
    struct sf_buf b;
    for (const char *at = strstr(url, route); at != NULL; at = strstr(at + 1, route)) {
        last = at;
    }
    if (last == NULL) {
        return sf_strdup(url);
    }
    sf_buf_init(&b, 8192);
    sf_buf_printf(&b, "%.*s/health%s", (int)(last - url), url, last + sizeof route - 1);
    return sf_buf_take(&b);
}

static bool is_printable(const char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text <= ' ' || (unsigned char)*text >= 0x7f) {
            return false;
        }
    }
    return true;
}

static enum sf_err check_options(const struct service_options *o, struct sf_errbuf *eb)
{
    const char *authority = strstr(o->url, "://");
    authority = authority == NULL ? o->url : authority + 3;
    const char *at = memchr(authority, '@', strcspn(authority, "/?#"));
    if (at != NULL) {
        return sf_fail(eb, SF_ECONFIG,
                       "%s must hold no user or password: put the token into a variable and name "
                       "it in api_key_env",
                       o->key);
    }
    if (!is_printable(o->url)) {
        return sf_fail(eb, SF_ECONFIG, "%s has spaces or other signs that no address has", o->key);
    }
    if (o->token != NULL && (!is_printable(o->token) || strlen(o->token) > 4096)) {
        return sf_fail(eb, SF_ECONFIG, "the token for %s has spaces or line ends in it", o->key);
    }
    return SF_OK;
}

void service_close(struct service *s)
{
    if (s == NULL) {
        return;
    }
    atomic_store(&s->closing, true);
    if (s->has_looker) {
        (void)pthread_join(s->looker, NULL);
    }
    http_client_close(s->client);
    if (s->token != NULL) {
        sf_wipe(s->token, strlen(s->token));
    }
    free(s->token), s->token = NULL;
    free(s->url), s->url = NULL;
    free(s->health_url), s->health_url = NULL;
    free(s->mode), s->mode = NULL;
    (void)pthread_mutex_destroy(&s->lock);
    free(s);
}

static void copy_options(struct service *s, const struct service_options *o)
{
    s->url = sf_strdup(o->url);
    s->health_url = health_url(o->url);
    s->token = sf_strdup(o->token == NULL ? "" : o->token);
    s->mode = sf_strdup(o->mode);
    (void)snprintf(s->what, sizeof s->what, "%s", o->what);
    (void)snprintf(s->key, sizeof s->key, "%s", o->key);
    /* A query may hold what is nobody's business. */
    (void)snprintf(s->label, sizeof s->label, "%.60s %.*s", o->what, (int)strcspn(o->url, "?#"),
                   o->url);
    s->timeout_ms = o->timeout_ms;
    s->max_output_bytes = o->max_output_bytes;
    gate_init(&s->gate, o->concurrency);
    (void)pthread_mutex_init(&s->lock, NULL);
    s->health.state = GEN_STARTING;
}

static void wait_a_little(struct service *s)
{
    struct sf_time until = sf_after(sf_now(), FIRST_LOOK_WAIT_MS);
    struct gen_health health;
    service_health(s, &health);
    while (health.state == GEN_STARTING && sf_until(until) > 0) {
        (void)poll(NULL, 0, 2);
        service_health(s, &health);
    }
}

enum sf_err service_open(const struct service_options *o, struct service **out,
                         struct sf_errbuf *eb)
{
    enum sf_err err = check_options(o, eb);
    struct service *s = err == SF_OK ? sf_alloc(sizeof *s) : NULL;
    if (s == NULL) {
        return err == SF_OK ? SF_ENOMEM : err;
    }
    copy_options(s, o);
    if (s->url == NULL || s->health_url == NULL || s->token == NULL ||
        (o->mode != NULL && s->mode == NULL)) {
        err = SF_ENOMEM;
    }
    if (err == SF_OK) {
        err = http_client_open(&s->client);
    }
    if (err == SF_OK) {
        s->has_looker = pthread_create(&s->looker, NULL, first_look, s) == 0;
        err = s->has_looker ? SF_OK : SF_ENOMEM;
    }
    if (err != SF_OK) {
        service_close(s);
        return err;
    }
    wait_a_little(s);
    *out = s;
    return SF_OK;
}
