/* SPDX-License-Identifier: MIT */
#include "app/model_hub.h"

#include "app/model_catalogue.h"
#include "base/mem.h"

#include <string.h>

#define DEFAULT_HOST "https://huggingface.co"
#define LIST_CAP (4U << 20)
#define LIST_MS 30000
#define MAX_RETRY_AFTER_MS 3600000

static void add_host(struct hub *h, const char *url)
{
    size_t n = strlen(url);
    while (n > 0 && url[n - 1] == '/') {
        n--;
    }
    if (n > 0 && n < sizeof h->hosts[0] && h->n < HUB_MAX_HOSTS) {
        (void)snprintf(h->hosts[h->n++], sizeof h->hosts[0], "%.*s", (int)n, url);
    }
}

void hub_init(const struct conf *conf, struct hub *out)
{
    const struct conf_local *l = &conf->generator.local;
    const char *env = conf_env(conf, "HF_ENDPOINT");
    *out = (struct hub){.token = conf_secret(conf, "HF_TOKEN")};
    add_host(out, l->hub_endpoint[0] != '\0'      ? l->hub_endpoint
                  : env != NULL && env[0] != '\0' ? env
                                                  : DEFAULT_HOST);
    for (size_t i = 0; i < l->hub_mirrors.n; i++) {
        add_host(out, l->hub_mirrors.v[i]);
    }
}

void hub_url(const char *host, const char *repo, const char *file, struct sf_buf *out)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
    sf_buf_printf(out, "%s/%s/resolve/main/", host, repo);
    for (const char *p = file; *p != '\0'; p++) {
        if (strchr(plain, *p) != NULL) {
            sf_buf_putc(out, *p);
        } else {
            sf_buf_printf(out, "%%%02X", (unsigned)(unsigned char)*p);
        }
    }
}

static struct sf_str origin_of(const char *url)
{
    const char *start = strstr(url, "://");
    size_t n = start == NULL ? strlen(url) : (size_t)(start - url) + 3;
    n += start == NULL ? 0 : strcspn(start + 3, "/?#");
    return (struct sf_str){url, n};
}

bool hub_same_origin(const char *a, const char *b)
{
    struct sf_str one = origin_of(a), two = origin_of(b);
    return one.n == two.n && strncasecmp(one.p, two.p, one.n) == 0;
}

/* ---- refusals -------------------------------------------------------------------------------- */

bool hub_try_next(enum sf_err err)
{
    return err == SF_ETRANSIENT || err == SF_EDEADLINE || err == SF_ERATE || err == SF_EPARSE;
}

static enum sf_err locked(const char *what, bool had_token, int status, struct sf_errbuf *eb)
{
    if (had_token) {
        return sf_fail(
            eb, SF_ECONFIG,
            "%s: refused (HTTP %d) with the token in HF_TOKEN. 1. Open the model's page, "
            "signed in with that token's account, and accept its terms (some take hours "
            "to be granted). 2. See that the token may read gated repositories. "
            "3. Pull again. If the name is wrong, the hub says the same.",
            what, status);
    }
    return sf_fail(
        eb, SF_ECONFIG,
        "%s: not there, private, or gated (HTTP %d). If it is gated: 1. make an account at "
        "huggingface.co; 2. open the model's page and accept its terms; 3. make a read "
        "token at huggingface.co/settings/tokens; 4. put HF_TOKEN=hf_… into .env or the "
        "environment; 5. pull again.",
        what, status);
}

enum sf_err hub_refusal(int status, const char *what, bool had_token,
                        const struct http_answer *answer, struct sf_errbuf *eb)
{
    if (status == 401 || status == 403) {
        return locked(what, had_token, status, eb);
    }
    if (status == 404 || status == 410) {
        return sf_fail(eb, SF_ENOTFOUND, "%s: not there (HTTP %d): check the name", what, status);
    }
    if (status == 429) {
        enum sf_err err =
            sf_fail(eb, SF_ERATE, "%s: the hub asks for a pause (HTTP 429): try later%s", what,
                    had_token ? "" : ", or set HF_TOKEN, which has a larger allowance");
        sf_ms pause = answer == NULL ? 0 : http_answer_retry_after(answer);
        if (eb != NULL && pause > 0) {
            eb->retry_after_ms = pause < MAX_RETRY_AFTER_MS ? pause : MAX_RETRY_AFTER_MS;
        }
        return err;
    }
    if (status >= 500 || status == 408) {
        return sf_fail(eb, SF_ETRANSIENT, "%s: the hub has trouble (HTTP %d): try later", what,
                       status);
    }
    return sf_fail(eb, SF_EIO, "%s: an answer that a hub does not give (HTTP %d)", what, status);
}

/* ---- the list -------------------------------------------------------------------------------- */

void hub_files_fini(struct hub_files *f)
{
    free(f->v), f->v = NULL;
    f->n = 0;
}

/* Of a model's weights as they are trained, which no file of ours is named by. */
static bool is_weights(const char *path)
{
    size_t n = strlen(path);
    return n > 12 && strcmp(path + n - 12, ".safetensors") == 0;
}

/* Takes files whose names may be made on a disk, or weights; others are as if they were not there.
 */
static void keep_file(const json_t *o, bool weights, struct hub_files *out)
{
    const char *path = json_get_string(o, "path"), *type = json_get_string(o, "type");
    const json_t *lfs = json_get_object(o, "lfs");
    const char *oid = json_get_string(lfs, "oid");
    struct hub_file *f = &out->v[out->n];
    *f = (struct hub_file){.bytes = 0};
    if (path == NULL || (type != NULL && strcmp(type, "file") != 0) ||
        strlen(path) >= sizeof f->path || strstr(path, "..") != NULL || path[0] == '/' ||
        !(weights ? is_weights(path) : model_is_file_name(model_base_name(path)))) {
        return;
    }
    (void)snprintf(f->path, sizeof f->path, "%s", path);
    if (!json_get_int(lfs, "size", &f->bytes) && !json_get_int(o, "size", &f->bytes)) {
        f->bytes = 0;
    }
    f->bytes = f->bytes < 0 ? 0 : f->bytes;
    if (oid != NULL && strlen(oid) == 64 && strspn(oid, "0123456789abcdef") == 64) {
        (void)snprintf(f->sha256, sizeof f->sha256, "%s", oid);
    }
    out->n++;
}

static enum sf_err parse_list(struct sf_str text, bool weights, struct hub_files *out,
                              struct sf_errbuf *eb)
{
    struct json_limits limits = {.max_bytes = LIST_CAP, .max_depth = 8};
    json_t *root = NULL;
    *out = (struct hub_files){.n = 0};
    enum sf_err err = json_parse(text, limits, &root, eb);
    size_t n = json_array_size(root);
    if (err == SF_OK && !json_is_array(root)) {
        err = sf_fail(eb, SF_EPARSE, "not a list of files");
    } else if (err == SF_OK) {
        out->v = sf_alloc(((n < HUB_MAX_FILES ? n : HUB_MAX_FILES) + 1) * sizeof *out->v);
        err = out->v == NULL ? sf_fail(eb, SF_ENOMEM, "out of memory") : SF_OK;
    }
    for (size_t i = 0; out->v != NULL && i < n && out->n < HUB_MAX_FILES; i++) {
        keep_file(json_array_get(root, i), weights, out);
    }
    json_decref(root);
    return err;
}

enum sf_err hub_parse_list(struct sf_str text, struct hub_files *out, struct sf_errbuf *eb)
{
    return parse_list(text, false, out, eb);
}

/* One question to the hub. */
struct question {
    const struct hub *h;
    const char *repo;
    bool weights;
};

static enum sf_err ask_host(const struct question *q, size_t i, struct hub_files *out,
                            struct sf_errbuf *eb)
{
    const struct hub *h = q->h;
    struct sf_buf url, auth;
    bool token = i == 0 && h->token != NULL;
    sf_buf_init(&url, 1024);
    sf_buf_init(&auth, 1024);
    sf_buf_printf(&url, "%s/api/models/%s/tree/main?recursive=true", h->hosts[i], q->repo);
    sf_buf_printf(&auth, "Bearer %s", token ? h->token : "");
    struct http_header header = {SF_STR("Authorization"), sf_buf_str(&auth)};
    struct http_client *client = NULL;
    struct http_transfer t = {.call = {.url = sf_buf_z(&url),
                                       .headers = &header,
                                       .n_headers = token ? 1 : 0,
                                       .deadline = sf_after(sf_now(), LIST_MS),
                                       .max_body_bytes = LIST_CAP}};
    enum sf_err err = http_client_open(&client);
    if (err == SF_OK) {
        http_client_perform(client, &t, 1, 1, h->cancel);
        err = t.err;
        *eb = t.eb;
    }
    if (err == SF_OK && t.answer.status != 200) {
        err = hub_refusal(t.answer.status, q->repo, token, &t.answer, eb);
    } else if (err == SF_OK) {
        err = parse_list(sf_buf_str(&t.answer.body), q->weights, out, eb);
        err = err == SF_OK ? SF_OK : sf_fail_prefix(eb, "%s", t.call.url);
    }
    http_answer_fini(&t.answer);
    http_client_close(client);
    sf_buf_wipe(&auth);
    sf_buf_fini(&url);
    return err;
}

static enum sf_err ask(const struct question *q, struct hub_files *out, struct sf_errbuf *eb)
{
    const struct hub *h = q->h;
    enum sf_err err = SF_ETRANSIENT;
    *out = (struct hub_files){.n = 0};
    for (size_t i = 0; i < h->n && (i == 0 || hub_try_next(err)); i++) {
        struct sf_errbuf one = {.code = SF_OK};
        hub_files_fini(out);
        enum sf_err now = ask_host(q, i, out, &one);
        if (now == SF_OK || i == 0) { /* the first host's words, unless a mirror has it */
            err = now;
            *eb = one;
        }
    }
    return err;
}

enum sf_err hub_list(const struct hub *h, const char *repo, struct hub_files *out,
                     struct sf_errbuf *eb)
{
    return ask(&(struct question){h, repo, false}, out, eb);
}

int64_t hub_weight_bytes(const struct hub *h, const char *repo)
{
    struct hub_files files;
    struct sf_errbuf eb = {.code = SF_OK};
    int64_t sum = 0;
    if (ask(&(struct question){h, repo, true}, &files, &eb) == SF_OK) {
        for (size_t i = 0; i < files.n && sum < INT64_MAX / 2; i++) {
            sum += files.v[i].bytes < INT64_MAX / 2 ? files.v[i].bytes : 0;
        }
    }
    hub_files_fini(&files);
    return sum;
}
