/* SPDX-License-Identifier: MIT */
#include "miner/admin_api.h"

#include "app/origin.h"
#include "journal/journal.h"
#include "journal/journal_read.h"

void admin_fail(struct http_exchange *x, enum sf_err err, const struct sf_errbuf *eb)
{
    bool asked_wrong = err == SF_ENOTFOUND || err == SF_EINVAL;
    reply_message(x, asked_wrong ? sf_err_info(err)->http_status : 503, sf_err_text(eb, err));
}

struct journal_reader *admin_journal(struct admin *a, struct http_exchange *x, json_t *nothing_own)
{
    struct journal_reader *reader = NULL;
    struct sf_errbuf eb = {.code = SF_OK};
    struct app *app = axon_take_app(a->axon);
    struct journal *journal = app_journal(app);
    enum sf_err err =
        journal == NULL ? SF_ENOTFOUND : journal_reader_open(journal_path(journal), &reader, &eb);
    app_close(app);
    if (err == SF_ENOTFOUND && nothing_own != NULL) {
        reply_json(x, 200, nothing_own);
        return NULL;
    }
    json_decref(nothing_own);
    if (err != SF_OK) {
        admin_fail(x, err, &eb);
    }
    return reader;
}

json_t *admin_body(struct http_exchange *x, const struct http_request *r)
{
    json_t *body = NULL;
    struct sf_errbuf eb = {.code = SF_OK};
    enum sf_err err = SF_OK;
    if (r->body_too_large) {
        reply_message(x, 413, "the body is too large: axon.max_body_bytes says what is taken");
        return NULL;
    }
    err = json_parse(r->body, JSON_LIMITS_DEFAULT, &body, &eb);
    if (err == SF_OK && !json_is_object(body)) {
        err = sf_fail(&eb, SF_EPARSE, "the body is not a JSON object");
    }
    if (err != SF_OK) {
        reply_message(x, 400, sf_err_text(&eb, err));
        json_decref(body);
        return NULL;
    }
    return body;
}

const char *admin_origin(struct ask *q)
{
    const char *names[ORIGIN_COUNT];
    for (int i = 0; i < ORIGIN_COUNT; i++) {
        names[i] = request_origin_name((enum request_origin)i);
    }
    return ask_word(q, "origin", names, ORIGIN_COUNT);
}

bool admin_refuse(struct http_exchange *x, const struct ask *q)
{
    if (q->wrong[0] != '\0') {
        reply_message(x, 400, q->wrong);
    }
    return q->wrong[0] != '\0';
}

void admin_answer(struct http_exchange *x, enum sf_err err, const struct sf_errbuf *eb,
                  json_t *body_own)
{
    if (err != SF_OK) {
        json_decref(body_own);
        admin_fail(x, err, eb);
    } else {
        reply_json(x, 200, body_own);
    }
}

json_t *admin_page(const char *name, json_t *list_own, const char *key, int64_t limit)
{
    size_t n = json_array_size(list_own);
    int64_t last = 0;
    bool more =
        n > 0 && (int64_t)n == limit && json_get_int(json_array_get(list_own, n - 1), key, &last);
    return json_pack("{s:o, s:o}", name, list_own, "next_before_id",
                     more ? json_integer(last) : json_null());
}
