/* SPDX-License-Identifier: MIT */
#include "generator/cloud_internal.h"

#include "base/log.h"
#include "base/mem.h"

#include <string.h>

#define ANSWER_MAX ((size_t)4 << 20)
#define LEARN_MS 5000

/* ---- opening --------------------------------------------------------------------------------- */

/* "https://host/v1/" and ".../chat/completions", as people paste them, without the end. */
static char *base_of(const char *endpoint)
{
    static const char *const ends[] = {"/", "/chat/completions", "/messages"};
    struct sf_str s = sf_str_trim(sf_str(endpoint));
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        size_t n = strlen(ends[i]);
        while (s.n > n && memcmp(s.p + s.n - n, ends[i], n) == 0) {
            s.n -= n;
        }
    }
    return sf_strndup(s.p, s.n);
}

static const char *first_model(const struct cloud_options *o)
{
    const char *known = price_default_model(o->provider_name);
    return o->model[0] != '\0' || known == NULL ? o->model : known;
}

enum sf_err cloud_open(const struct cloud_options *o, struct cloud **out, struct sf_errbuf *eb)
{
    struct cloud *c = sf_alloc(sizeof *c);
    if (c == NULL) {
        return SF_ENOMEM;
    }
    (void)pthread_mutex_init(&c->lock, NULL);
    sf_cond_init(&c->changed);
    c->provider = o->provider;
    c->name = sf_strdup(o->provider_name);
    c->endpoint = base_of(o->endpoint[0] == '\0' ? o->provider->base : o->endpoint);
    c->key = sf_strdup(o->key);
    c->key_variable = sf_strdup(o->key_variable);
    c->configured_model = sf_strdup(first_model(o));
    c->temperature = o->temperature;
    c->top_p = o->top_p;
    c->price_input = o->price_input;
    c->price_output = o->price_output;
    c->max_tokens = o->max_tokens;
    c->concurrency = o->concurrency < 1 ? 1 : o->concurrency;
    enum sf_err err = http_client_open(&c->client);
    if (c->name == NULL || c->endpoint == NULL || c->key == NULL || c->key_variable == NULL ||
        c->configured_model == NULL) {
        err = SF_ENOMEM;
    }
    if (err != SF_OK) {
        cloud_close(c);
        return sf_fail(eb, err, "%s: %s", o->provider_name, sf_err_info(err)->text);
    }
    (void)snprintf(c->model, sizeof c->model, "%s", c->configured_model);
    *out = c;
    return SF_OK;
}

void cloud_close(struct cloud *c)
{
    if (c == NULL) {
        return;
    }
    atomic_store(&c->closing, true);
    (void)pthread_mutex_lock(&c->lock);
    while (c->calls > 0) {
        (void)pthread_cond_wait(&c->changed, &c->lock);
    }
    (void)pthread_mutex_unlock(&c->lock);
    http_client_close(c->client), c->client = NULL;
    if (c->key != NULL) {
        sf_wipe(c->key, strlen(c->key));
    }
    free(c->key), c->key = NULL;
    free(c->name), c->name = NULL;
    free(c->endpoint), c->endpoint = NULL;
    free(c->key_variable), c->key_variable = NULL;
    free(c->configured_model), c->configured_model = NULL;
    (void)pthread_cond_destroy(&c->changed);
    (void)pthread_mutex_destroy(&c->lock);
    free(c);
}

void cloud_set_format(struct cloud *c, unsigned format)
{
    (void)pthread_mutex_lock(&c->lock);
    c->ability.format = format;
    (void)pthread_mutex_unlock(&c->lock);
}

/* ---- free requests --------------------------------------------------------------------------- */

size_t cloud_headers(const struct cloud *c, struct http_header list[static CLOUD_HEADERS_MAX],
                     struct sf_buf *key_line)
{
    size_t n = 0;
    list[n++] = (struct http_header){SF_STR("Content-Type"), SF_STR("application/json")};
    if (c->key[0] != '\0') {
        sf_buf_printf(key_line, "%s%s", c->provider->key_prefix, c->key);
        list[n++] = (struct http_header){sf_str(c->provider->key_name), sf_buf_str(key_line)};
    }
    if (c->provider->version_name != NULL) {
        list[n++] = (struct http_header){sf_str(c->provider->version_name),
                                         sf_str(c->provider->version_value)};
    }
    return n;
}

/* "http://host:port" of an address and the path in the place of what follows. */
static void root_url(const char *endpoint, const char *path, struct sf_buf *out)
{
    const char *host = strstr(endpoint, "://");
    size_t scheme = host == NULL ? 0 : (size_t)(host - endpoint) + 3;
    sf_buf_printf(out, "%.*s%s", (int)(scheme + strcspn(endpoint + scheme, "/?")), endpoint, path);
}

enum sf_err cloud_get(struct cloud *c, const char *root, sf_ms within, struct http_answer *answer,
                      struct sf_errbuf *eb)
{
    struct http_header headers[CLOUD_HEADERS_MAX];
    struct sf_buf key_line, url;
    struct http_transfer t;
    sf_buf_init(&key_line, 8192);
    sf_buf_init(&url, 2048);
    if (root != NULL) {
        root_url(c->endpoint, root, &url);
    } else {
        c->provider->url(c->endpoint, "", PROVIDER_MODELS, &url);
    }
    size_t n = cloud_headers(c, headers, &key_line);
    t = (struct http_transfer){.call = {.url = sf_buf_z(&url),
                                        .headers = headers,
                                        .n_headers = n,
                                        .deadline = sf_after(sf_now(), within),
                                        .max_body_bytes = ANSWER_MAX}};
    http_client_perform(c->client, &t, 1, 1, &c->closing);
    if (t.err != SF_OK && eb != NULL) {
        *eb = t.eb;
    }
    sf_buf_wipe(&key_line);
    sf_buf_fini(&url);
    *answer = t.answer;
    return t.err == SF_EDEADLINE ? sf_fail(eb, SF_ETRANSIENT, "%s: no answer within %.0f s",
                                           c->endpoint, sf_seconds(within))
                                 : t.err;
}

enum sf_err cloud_get_root(struct cloud *c, const char *path, sf_ms within, struct sf_buf *body,
                           struct sf_errbuf *eb)
{
    struct http_answer answer;
    enum sf_err err = cloud_get(c, path, within, &answer, eb);
    if (err == SF_OK && answer.status != 200) {
        err = sf_fail(eb, SF_ETRANSIENT, "%s answers %d", path, answer.status);
    }
    if (err == SF_OK) {
        sf_buf_add_str(body, sf_buf_str(&answer.body));
        err = body->err;
    }
    http_answer_fini(&answer);
    return err;
}

/* ---- errors ---------------------------------------------------------------------------------- */

void cloud_read_fault(const struct cloud *c, const struct http_answer *a,
                      struct provider_fault *out)
{
    provider_read_error(c->provider, a->status, sf_buf_str(&a->body), out);
    provider_read_delay(out, http_answer_header(a, "retry-after-ms"), http_answer_retry_after(a),
                        http_answer_header(a, "x-ratelimit-reset-requests"));
}

/* What others say may hold our key: it is never shown. */
static void hide_key(const struct cloud *c, char *text)
{
    size_t n = strlen(c->key);
    for (char *at = n < 8 ? NULL : strstr(text, c->key); at != NULL; at = strstr(at, c->key)) {
        memset(at, '*', n);
    }
}

static void describe(const struct provider_fault *f, char out[static 480])
{
    char status[24] = "";
    if (f->status != 0) {
        (void)snprintf(status, sizeof status, "%d ", f->status);
    }
    const char *code = f->code[0] != '\0' ? f->code : f->type;
    const char *message = f->message[0] != '\0' ? f->message : "no more was said";
    (void)snprintf(out, 480, "%s%s%s%.300s", status, code, code[0] != '\0' ? ": " : "", message);
}

static const char *remedy_for(enum sf_err err)
{
    static const struct {
        enum sf_err err;
        const char *remedy;
    } remedies[] = {
        {SF_EACCOUNT, "; check the key and the account's balance and limits"},
        {SF_EMODEL, "; check the model's name and the endpoint (storyfi doctor lists models)"},
        {SF_ECONFIG, "; check the endpoint"},
    };
    for (size_t i = 0; i < sizeof remedies / sizeof remedies[0]; i++) {
        if (remedies[i].err == err) {
            return remedies[i].remedy;
        }
    }
    return "";
}

enum sf_err cloud_fail(const struct cloud *c, const struct provider_fault *f, struct sf_errbuf *eb)
{
    char what[480];
    enum sf_err err = provider_class(c->provider, f);
    describe(f, what);
    hide_key(c, what);
    bool key = err == SF_EACCOUNT && c->key_variable[0] != '\0';
    (void)sf_fail(eb, err, "%s: %.330s%s%s%s%s", c->name, what, remedy_for(err),
                  key ? " (key from " : "", key ? c->key_variable : "", key ? ")" : "");
    if (eb != NULL) {
        eb->retry_after_ms = f->retry_after_ms;
    }
    return err;
}

/* ---- the model ------------------------------------------------------------------------------- */

static enum sf_err ask_for_model(struct cloud *c, char out[static 128], struct sf_errbuf *eb)
{
    struct http_answer answer;
    struct provider_fault fault;
    json_t *list = NULL;
    enum sf_err err = cloud_get(c, NULL, LEARN_MS, &answer, eb);
    if (err == SF_OK && answer.status != 200) {
        cloud_read_fault(c, &answer, &fault);
        err = cloud_fail(c, &fault, eb);
    } else if (err == SF_OK) {
        (void)!json_parse(sf_buf_str(&answer.body), JSON_LIMITS_DEFAULT, &list, NULL);
        const char *id =
            json_get_string(json_array_get(json_get_array(list, c->provider->models_array), 0),
                            c->provider->models_id);
        err = id == NULL ? sf_fail(eb, SF_EMODEL, "%s: the server lists no model: set model_name",
                                   c->endpoint)
                         : SF_OK;
        if (err == SF_OK) {
            (void)snprintf(out, 128, "%s", id);
        }
        json_decref(list);
    }
    http_answer_fini(&answer);
    return err;
}

enum sf_err cloud_model(struct cloud *c, char out[static 128], struct sf_errbuf *eb)
{
    (void)pthread_mutex_lock(&c->lock);
    (void)snprintf(out, 128, "%s", c->model);
    (void)pthread_mutex_unlock(&c->lock);
    if (out[0] != '\0') {
        return SF_OK;
    }
    enum sf_err err = ask_for_model(c, out, eb);
    if (err == SF_OK) {
        (void)pthread_mutex_lock(&c->lock);
        (void)snprintf(c->model, sizeof c->model, "%s", out);
        (void)pthread_mutex_unlock(&c->lock);
        log_event(LOG_INFO, LOG_GENERATOR, "the server's model is used",
                  LOG_S("endpoint", c->endpoint), LOG_S("model", out));
    }
    return err;
}
