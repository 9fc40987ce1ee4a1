/* SPDX-License-Identifier: MIT */
/* What goes over the wire for one file: the question where it is, and its ranges. */
#include "app/model_fetch_internal.h"

#include "base/mem.h"

#include <string.h>

#define ASK_MS 30000
#define MAX_REDIRECTS 6
#define SAVE_MS 2000
#define MAX_TOTAL (INT64_C(1) << 50)

/* ---- asking ---------------------------------------------------------------------------------- */

/* The head is all that is wanted of an answer with the whole file in it. */
static bool stop_at_body(void *arg, int status, struct sf_str piece)
{
    (void)arg;
    (void)piece;
    return status != 200;
}

static struct sf_str unquoted(struct sf_str s)
{
    if (sf_str_has_prefix(s, "W/")) {
        return (struct sf_str){"", 0}; /* a weak one proves nothing about bytes */
    }
    if (s.n >= 2 && s.p[0] == '"' && s.p[s.n - 1] == '"') {
        return (struct sf_str){s.p + 1, s.n - 2};
    }
    return s;
}

static bool is_sha256(struct sf_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (memchr("0123456789abcdef", s.p[i], 16) == NULL) {
            return false;
        }
    }
    return s.n == 64;
}

/* Printable, so that it may stand in the state file and a request. */
static bool is_token_text(struct sf_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] <= ' ' || s.p[i] > '~') {
            return false;
        }
    }
    return s.n > 0;
}

/* "bytes 0-0/1234": the three numbers. */
static bool scan_range(struct sf_str s, int64_t *first, int64_t *last, int64_t *total)
{
    struct sf_str part;
    if (!sf_str_has_prefix(s, "bytes ")) {
        return false;
    }
    s = sf_str_trim((struct sf_str){s.p + 6, s.n - 6});
    return sf_str_next(&s, '-', &part) && sf_scan_i64(part, 0, MAX_TOTAL, first) &&
           sf_str_next(&s, '/', &part) && sf_scan_i64(part, 0, MAX_TOTAL, last) &&
           sf_scan_i64(s, 0, MAX_TOTAL, total);
}

/* The hub names content and size of a large file on the redirect to where it lies. */
static void read_linked(const struct http_answer *a, struct fetch_info *info)
{
    struct sf_str linked = unquoted(http_answer_header(a, "x-linked-etag"));
    if (is_sha256(linked)) {
        (void)snprintf(info->sha256, sizeof info->sha256, "%.*s", SF_STR_ARG(linked));
    }
    (void)sf_scan_i64(http_answer_header(a, "x-linked-size"), 1, MAX_TOTAL, &info->total);
}

static enum sf_err follow(struct fetch_info *info, const struct http_answer *a,
                          struct sf_errbuf *eb)
{
    struct sf_str to = http_answer_header(a, "location");
    char next[FETCH_URL_MAX];
    bool whole = sf_str_has_prefix(to, "https://") || sf_str_has_prefix(to, "http://");
    if (!is_token_text(to) || to.n + 300 > sizeof next || (!whole && to.p[0] != '/') ||
        sf_str_has_prefix(to, "//")) {
        return sf_fail(eb, SF_EIO, "%.200s: redirects to nowhere", info->url);
    }
    if (strncmp(info->url, "https:", 6) == 0 && sf_str_has_prefix(to, "http:")) {
        return sf_fail(eb, SF_EIO, "%.200s: redirects from https to http: not followed", info->url);
    }
    size_t origin = whole ? 0
                          : strcspn(strstr(info->url, "://") + 3, "/?#") +
                                (size_t)(strstr(info->url, "://") - info->url) + 3;
    (void)snprintf(next, sizeof next, "%.*s%.*s", (int)(origin < 280 ? origin : 280), info->url,
                   SF_STR_ARG(to));
    info->redirected = info->redirected || !hub_same_origin(info->url, next);
    (void)snprintf(info->url, sizeof info->url, "%s", next);
    return SF_OK;
}

static bool may_have_token(const struct fetch *f)
{
    return f->host == 0 && f->want->token != NULL && !f->info.redirected;
}

/* Size, validator and name of the content from the answer that has (a byte of) it. */
static enum sf_err read_content(struct fetch *f, const struct http_answer *a, struct sf_errbuf *eb)
{
    struct fetch_info *info = &f->info;
    int64_t first, last, total = 0;
    struct sf_str etag = unquoted(http_answer_header(a, "etag"));
    info->ranges = a->status == 206 &&
                   scan_range(http_answer_header(a, "content-range"), &first, &last, &total) &&
                   first == 0;
    if (!info->ranges) {
        (void)sf_scan_i64(http_answer_header(a, "content-length"), 1, MAX_TOTAL, &total);
    }
    if (a->status == 206 && !info->ranges) {
        return sf_fail(eb, SF_EIO, "%.200s: a partial answer without a range that makes sense",
                       info->url);
    }
    if (total == 0) {
        return sf_fail(eb, SF_EIO, "%.200s: the server does not say how large the file is",
                       info->url);
    }
    info->total = total;
    if (is_token_text(etag) && etag.n < sizeof info->etag) {
        (void)snprintf(info->etag, sizeof info->etag, "%.*s", SF_STR_ARG(etag));
    }
    (void)snprintf(info->identity, sizeof info->identity, "%s%s",
                   info->sha256[0] != '\0' ? "sha256:"
                   : info->etag[0] != '\0' ? "etag:"
                                           : "",
                   info->sha256[0] != '\0' ? info->sha256 : info->etag);
    return SF_OK;
}

static bool is_redirect(int status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

static enum sf_err ask_once(struct fetch *f, bool *more, struct sf_errbuf *eb)
{
    struct sf_buf auth;
    bool token = may_have_token(f);
    sf_buf_init(&auth, 1024);
    sf_buf_printf(&auth, "Bearer %s", token ? f->want->token : "");
    const struct http_header headers[] = {{SF_STR("Range"), SF_STR("bytes=0-0")},
                                          {SF_STR("Accept-Encoding"), SF_STR("identity")},
                                          {SF_STR("Authorization"), sf_buf_str(&auth)}};
    struct http_transfer t = {.call = {.url = f->info.url,
                                       .headers = headers,
                                       .n_headers = token ? 3 : 2,
                                       .deadline = sf_after(sf_now(), ASK_MS),
                                       .stream = true,
                                       .on_data = stop_at_body}};
    http_client_perform(f->client, &t, 1, 1, f->want->cancel);
    const struct http_answer *a = &t.answer;
    bool canceled = f->want->cancel != NULL && atomic_load(f->want->cancel);
    enum sf_err err = t.err == SF_ECANCELED && !canceled && a->status == 200 ? SF_OK : t.err;
    *more = false;
    if (err != SF_OK) {
        *eb = t.eb;
    } else if (is_redirect(a->status)) {
        read_linked(a, &f->info);
        *more = true;
        err = follow(&f->info, a, eb);
    } else if (a->status == 200 || a->status == 206) {
        err = read_content(f, a, eb);
    } else {
        err = hub_refusal(a->status, f->want->what, token, a, eb);
    }
    http_answer_fini(&t.answer);
    sf_buf_wipe(&auth);
    return err;
}

enum sf_err fetch_ask(struct fetch *f, struct sf_errbuf *eb)
{
    enum sf_err err = SF_OK;
    bool more = true;
    f->info = (struct fetch_info){.total = 0};
    (void)snprintf(f->info.url, sizeof f->info.url, "%s", f->want->urls[f->host]);
    for (int i = 0; more && err == SF_OK; i++) {
        if (i > MAX_REDIRECTS) {
            return sf_fail(eb, SF_EIO, "%.200s: redirects in circles", f->want->urls[f->host]);
        }
        err = ask_once(f, &more, eb);
    }
    return err;
}

/* ---- the bytes ------------------------------------------------------------------------------- */

/* One range under way. */
struct lane {
    struct fetch *f;
    struct http_transfer *t;
    size_t segment;
    struct sf_time heard;
    char range[64], if_range[140];
    struct sf_buf auth;
    struct http_header headers[4];
    enum sf_err err; /* ours: disk full, too much, … */
    struct sf_errbuf eb;
};

/* The head of the answer: is it the range asked for? */
static bool take_head(struct lane *l, int status)
{
    struct part_segment *s = &l->f->part.segments[l->segment];
    int64_t first = 0, last = 0, total = 0;
    if (status == 206) {
        struct sf_str range = http_answer_header(&l->t->answer, "content-range");
        if (scan_range(range, &first, &last, &total) && first == s->begin + s->done &&
            total == l->f->part.total) {
            return true;
        }
        l->err = sf_fail(&l->eb, SF_ETRANSIENT, "the server sent another range than asked for");
        return false;
    }
    if (status == 200 && l->f->part.n == 1) {
        s->done = 0; /* all of it from the start */
        return true;
    }
    if (status == 200) {
        l->f->no_ranges = true;
        l->err = sf_fail(&l->eb, SF_ETRANSIENT, "the server sends no ranges");
    }
    return false;
}

static bool take_piece(void *arg, int status, struct sf_str piece)
{
    struct lane *l = arg;
    l->heard = sf_now();
    if (piece.n == 0) {
        return take_head(l, status);
    }
    if (status != 200 && status != 206) {
        return false;
    }
    l->err = model_part_write(&l->f->part, l->segment, piece, &l->eb);
    return l->err == SF_OK;
}

static bool on_tick(void *arg)
{
    struct lane *l = arg;
    struct fetch *f = l->f;
    fetch_show(f, FETCH_LOADING, model_part_done(&f->part), NULL);
    int64_t done = model_part_done(&f->part);
    if (done != f->saved_done && sf_between(f->part.saved, sf_now()) > SAVE_MS) {
        f->saved_done = done;
        l->err = model_part_save(&f->part, &l->eb);
    }
    /* A slow disk is no silence of the server's: while it is written to, nothing is read. */
    struct sf_time since = l->heard.ms > f->part.saved.ms ? l->heard : f->part.saved;
    if (l->err == SF_OK && sf_between(since, sf_now()) > f->want->stall_ms) {
        l->err = sf_fail(&l->eb, SF_ETRANSIENT, "no byte came for %lld s",
                         (long long)(f->want->stall_ms / 1000));
    }
    return l->err == SF_OK;
}

static void ready_lane(struct lane *l, struct fetch *f, size_t segment, struct http_transfer *t)
{
    const struct part_segment *s = &f->part.segments[segment];
    size_t n = 0;
    *l = (struct lane){.f = f, .t = t, .segment = segment, .heard = sf_now(), .err = SF_OK};
    sf_buf_init(&l->auth, 1024);
    l->headers[n++] = (struct http_header){SF_STR("Accept-Encoding"), SF_STR("identity")};
    if (f->info.ranges && !f->no_ranges) {
        (void)snprintf(l->range, sizeof l->range, "bytes=%lld-%lld",
                       (long long)(s->begin + s->done), (long long)(s->end - 1));
        l->headers[n++] = (struct http_header){SF_STR("Range"), sf_str(l->range)};
        if (f->info.etag[0] != '\0') {
            (void)snprintf(l->if_range, sizeof l->if_range, "\"%s\"", f->info.etag);
            l->headers[n++] = (struct http_header){SF_STR("If-Range"), sf_str(l->if_range)};
        }
    }
    if (may_have_token(f)) {
        sf_buf_printf(&l->auth, "Bearer %s", f->want->token);
        l->headers[n++] = (struct http_header){SF_STR("Authorization"), sf_buf_str(&l->auth)};
    }
    *t = (struct http_transfer){.call = {.url = f->info.url,
                                         .headers = l->headers,
                                         .n_headers = n,
                                         .deadline = SF_NEVER,
                                         .stream = true,
                                         .on_data = take_piece,
                                         .on_tick = on_tick,
                                         .arg = l}};
}

/* What one range came to. */
static enum sf_err lane_outcome(const struct lane *l, struct sf_errbuf *eb)
{
    const struct http_transfer *t = l->t;
    const struct part_segment *s = &l->f->part.segments[l->segment];
    int status = t->answer.status;
    if (l->err != SF_OK) {
        *eb = l->eb;
        return l->err;
    }
    if (status == 416 || status == 412) {
        return sf_fail(eb, SF_ETRANSIENT, "the file changed on the server (HTTP %d)", status);
    }
    if (status != 0 && status != 200 && status != 206) {
        enum sf_err err =
            hub_refusal(status, l->f->want->what, may_have_token(l->f), &t->answer, eb);
        /* Signed addresses expire: asked anew, the hub says a fresh one. */
        return l->f->info.redirected && err == SF_ECONFIG
                   ? sf_fail(eb, SF_ETRANSIENT, "the storage refused (HTTP %d)", status)
                   : err;
    }
    if (t->err != SF_OK) {
        *eb = t->eb;
        eb->code = t->err == SF_EDEADLINE ? SF_ETRANSIENT : t->err;
        return eb->code;
    }
    return s->done == s->end - s->begin ? SF_OK
                                        : sf_fail(eb, SF_ETRANSIENT, "the answer ended too soon");
}

static enum sf_err run_lanes(struct fetch *f, struct lane *lanes, struct http_transfer *list,
                             size_t n, struct sf_errbuf *eb)
{
    enum sf_err err = SF_OK;
    http_client_perform(f->client, list, n, f->want->connections, f->want->cancel);
    for (size_t i = 0; i < n; i++) {
        struct sf_errbuf one = {.code = SF_OK};
        enum sf_err now = lane_outcome(&lanes[i], &one);
        bool worse = now != SF_OK && (err == SF_OK || err == SF_ETRANSIENT || err == SF_ECANCELED);
        if (worse) {
            err = now;
            *eb = one;
        }
    }
    bool changed = false;
    for (size_t i = 0; i < n; i++) {
        changed = changed || list[i].answer.status == 416 || list[i].answer.status == 412;
    }
    if (changed) {
        f->part.identity[0] = '\0'; /* next time from the start */
    }
    return err;
}

enum sf_err fetch_transfer(struct fetch *f, struct sf_errbuf *eb)
{
    struct lane *lanes = sf_alloc(PART_MAX_SEGMENTS * sizeof *lanes);
    struct http_transfer *list = sf_alloc(PART_MAX_SEGMENTS * sizeof *list);
    size_t n = 0;
    enum sf_err err = lanes == NULL || list == NULL ? SF_ENOMEM : SF_OK;
    for (size_t i = 0; err == SF_OK && i < f->part.n; i++) {
        const struct part_segment *s = &f->part.segments[i];
        if (s->done < s->end - s->begin) {
            ready_lane(&lanes[n], f, i, &list[n]);
            n++;
        }
    }
    if (err == SF_OK) {
        err = run_lanes(f, lanes, list, n, eb);
    }
    for (size_t i = 0; i < n; i++) {
        http_answer_fini(&list[i].answer);
        sf_buf_wipe(&lanes[i].auth);
    }
    free(lanes);
    free(list);
    return err;
}
