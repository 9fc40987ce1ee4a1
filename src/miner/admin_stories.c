/* SPDX-License-Identifier: MIT */
#include "journal/journal_read.h"
#include "miner/admin_api.h"
#include "story/book.h"

#define STORIES_MAX 500
#define TEXT_ROOM 256
#define BOOK_CAP (16U << 20)

static void handle_stories(struct admin *a, struct http_exchange *x, const struct http_request *r)
{
    char text[TEXT_ROOM];
    struct ask q = {.request = r};
    struct sf_errbuf eb = {.code = SF_OK};
    json_t *list = NULL;
    struct journal_story_filter f = {.origin = admin_origin(&q),
                                     .text = ask_text(&q, "q", text, TEXT_ROOM),
                                     .before = ask_number(&q, "before_id", 1, INT64_MAX, 0),
                                     .limit = ask_number(&q, "limit", 1, STORIES_MAX, 100),
                                     .fragments = ask_flag(&q, "all")};
    if (admin_refuse(x, &q)) {
        return;
    }
    struct journal_reader *reader =
        admin_journal(a, x, admin_page("stories", json_array(), "last_request", 0));
    if (reader == NULL) {
        return;
    }
    enum sf_err err = journal_stories(reader, &f, &list, &eb);
    journal_reader_close(reader);
    admin_answer(x, err, &eb,
                 err == SF_OK ? admin_page("stories", list, "last_request", f.limit) : NULL);
}

/* ---- one story ------------------------------------------------------------------------------- */

/* What a story.json holds, no more: the book goes to other people. */
static json_t *for_readers(const json_t *story)
{
    static const char *const members[] = {"user_input", "blueprint", "characters", "story_arc",
                                          "chapters"};
    json_t *out = json_object();
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        (void)json_object_set(out, members[i], json_object_get(story, members[i]));
    }
    return out;
}

static void reply_book(struct http_exchange *x, int64_t id, const json_t *story)
{
    struct sf_buf html;
    char disposition[64];
    json_t *shown = for_readers(story);
    sf_buf_init(&html, BOOK_CAP);
    (void)snprintf(disposition, sizeof disposition, "attachment; filename=\"story-%lld.html\"",
                   (long long)id);
    const struct http_header headers[] = {
        {SF_STR("Content-Type"), SF_STR("text/html; charset=utf-8")},
        {SF_STR("Cache-Control"), SF_STR("no-store")},
        {SF_STR("Content-Disposition"), sf_str(disposition)},
    };
    if (shown != NULL && story_book_render(shown, &html) == SF_OK) {
        http_reply(x, 200, headers, sizeof headers / sizeof headers[0], sf_buf_str(&html));
    } else {
        reply_message(x, 503, "out of memory");
    }
    json_decref(shown);
    sf_buf_fini(&html);
}

static void handle_story(struct admin *a, struct http_exchange *x, const struct http_request *r)
{
    int64_t id = 0;
    const char *rest = "";
    json_t *story = NULL;
    struct sf_errbuf eb = {.code = SF_OK};
    bool ok = ask_path_id(r->path, "/api/stories/", &id, &rest);
    bool book = sf_str_is(sf_str(rest), "/book");
    if (!ok || (rest[0] != '\0' && !book)) {
        reply_message(x, 400,
                      "the path takes a story's number: /api/stories/12 or "
                      "/api/stories/12/book");
        return;
    }
    struct journal_reader *reader = admin_journal(a, x, NULL);
    if (reader == NULL) {
        return;
    }
    enum sf_err err = journal_story(reader, id, &story, &eb);
    journal_reader_close(reader);
    if (err == SF_OK && book) {
        reply_book(x, id, story);
        json_decref(story);
    } else {
        admin_answer(x, err, &eb, story);
    }
}

static const struct admin_route rows[] = {
    {"GET", "/api/stories", handle_stories, ADMIN_SLOW},
    {"GET", "/api/stories/*", handle_story, ADMIN_SLOW},
};
const struct admin_routes admin_stories_routes = {rows, sizeof rows / sizeof rows[0]};
