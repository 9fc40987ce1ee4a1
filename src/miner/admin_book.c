/* SPDX-License-Identifier: MIT */
#include "miner/admin_book.h"

#include "story/book.h"

#define BOOK_CAP (16U << 20)

/* A page that holds a story as JSON gets it back as a book to keep: it may be one that is written
 * in part, or by parts of several requests. Its members come from models: the book takes any. */
static void handle_book(struct admin *a, struct http_exchange *x, const struct http_request *r)
{
    (void)a;
    json_t *story = NULL;
    struct sf_errbuf eb = {.code = SF_OK};
    struct sf_buf html;
    sf_buf_init(&html, BOOK_CAP);
    enum sf_err err = json_parse(r->body, JSON_LIMITS_DEFAULT, &story, &eb);
    if (err == SF_OK && !json_is_object(story)) {
        err = sf_fail(&eb, SF_EPARSE, "the body is no story: send the JSON object of a story.json");
    }
    if (err == SF_OK) {
        err = story_book_render(story, &html);
    }
    if (err == SF_OK) {
        const struct http_header headers[] = {
            {SF_STR("Content-Type"), SF_STR("text/html; charset=utf-8")},
            {SF_STR("Cache-Control"), SF_STR("no-store")},
            {SF_STR("Content-Disposition"), SF_STR("attachment; filename=\"story.html\"")}};
        http_reply(x, 200, headers, sizeof headers / sizeof headers[0], sf_buf_str(&html));
    } else {
        reply_message(x, sf_err_info(err)->http_status, sf_err_text(&eb, err));
    }
    sf_buf_fini(&html);
    json_decref(story);
}

static const struct admin_route rows[] = {{"POST", "/api/book", handle_book, ADMIN_SLOW}};
const struct admin_routes admin_book_routes = {rows, sizeof rows / sizeof rows[0]};
