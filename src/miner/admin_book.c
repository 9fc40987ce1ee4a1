/* SPDX-License-Identifier: MIT */
#include "miner/admin_book.h"

#include "miner/admin_api.h"
#include "story/book.h"

#define BOOK_CAP (16U << 20)

/* A page that holds a story as JSON gets it back as a book to keep: it may be one that is written
 * in part, or by parts of several requests. Its members come from models: the book takes any. */
static void handle_book(struct admin *a, struct http_exchange *x, const struct http_request *r)
{
    (void)a;
    json_t *story = admin_body(x, r);
    if (story == NULL) {
        return;
    }
    struct sf_buf html;
    sf_buf_init(&html, BOOK_CAP);
    if (story_book_render(story, &html) == SF_OK) {
        const struct http_header headers[] = {
            {SF_STR("Content-Type"), SF_STR("text/html; charset=utf-8")},
            {SF_STR("Cache-Control"), SF_STR("no-store")},
            {SF_STR("Content-Disposition"), SF_STR("attachment; filename=\"story.html\"")}};
        http_reply(x, 200, headers, sizeof headers / sizeof headers[0], sf_buf_str(&html));
    } else {
        reply_message(x, 503, "out of memory");
    }
    sf_buf_fini(&html);
    json_decref(story);
}

static const struct admin_route rows[] = {{"POST", "/api/book", handle_book, ADMIN_SLOW}};
const struct admin_routes admin_book_routes = {rows, sizeof rows / sizeof rows[0]};
