/* SPDX-License-Identifier: MIT */
#include "journal/journal_read.h"
#include "miner/admin_api.h"
#include "miner/ask_query.h"

#define DAY_NS INT64_C(86400000000000)
#define ROWS_MAX 500
#define LINES_MAX 5000 /* of standings, states */
#define BUCKETS_MAX 500
#define TEXT_ROOM 256

static const char *const tasks[] = {"blueprint", "characters", "story_arc", "chapters"};
#define N_TASKS (sizeof tasks / sizeof tasks[0])

/* ---- requests -------------------------------------------------------------------------------- */

static void handle_history(struct admin *a, struct http_exchange *x, const struct http_request *r)
{
    char text[TEXT_ROOM], generator[TEXT_ROOM];
    struct ask q = {.request = r};
    struct sf_errbuf eb = {.code = SF_OK};
    json_t *list = NULL;
    struct journal_filter f = {.task = ask_word(&q, "task", tasks, N_TASKS),
                               .origin = admin_origin(&q),
                               .generator = ask_text(&q, "generator", generator, TEXT_ROOM),
                               .status_min = ask_number(&q, "status_min", 100, 599, 0),
                               .status_max = ask_number(&q, "status_max", 100, 599, 0),
                               .since_ns = ask_time_ns(&q, "since", 0),
                               .before_id = ask_number(&q, "before_id", 1, INT64_MAX, 0),
                               .limit = ask_number(&q, "limit", 1, ROWS_MAX, 50),
                               .text = ask_text(&q, "q", text, TEXT_ROOM)};
    if (admin_refuse(x, &q)) {
        return;
    }
    struct journal_reader *reader =
        admin_journal(a, x, admin_page("requests", json_array(), "id", 0));
    if (reader == NULL) {
        return;
    }
    enum sf_err err = journal_list(reader, &f, &list, &eb);
    journal_reader_close(reader);
    admin_answer(x, err, &eb, err == SF_OK ? admin_page("requests", list, "id", f.limit) : NULL);
}

static void handle_request(struct admin *a, struct http_exchange *x, const struct http_request *r)
{
    int64_t id = 0;
    const char *rest = "";
    json_t *trail = NULL;
    struct sf_errbuf eb = {.code = SF_OK};
    if (!ask_path_id(r->path, "/api/requests/", &id, &rest) || rest[0] != '\0') {
        reply_message(x, 400, "the path takes a request's number: /api/requests/12");
        return;
    }
    struct journal_reader *reader = admin_journal(a, x, NULL);
    if (reader == NULL) {
        return;
    }
    enum sf_err err = journal_trail(reader, id, true, &trail, &eb);
    journal_reader_close(reader);
    admin_answer(x, err, &eb, trail);
}

/* ---- over time ------------------------------------------------------------------------------- */

static void handle_series(struct admin *a, struct http_exchange *x, const struct http_request *r)
{
    struct ask q = {.request = r};
    struct sf_errbuf eb = {.code = SF_OK};
    json_t *points = NULL;
    int64_t now = sf_wall_ns();
    struct journal_series o = {.since_ns = ask_time_ns(&q, "since", now - DAY_NS),
                               .n = ask_number(&q, "buckets", 1, BUCKETS_MAX, 48),
                               .origin = admin_origin(&q)};
    if (admin_refuse(x, &q)) {
        return;
    }
    if (o.since_ns >= now) {
        reply_message(x, 400, "since: takes a time that is over");
        return;
    }
    int64_t seconds = (now - o.since_ns) / 1000000000 / o.n + 1;
    o.step_ns = seconds * 1000000000;
    struct journal_reader *reader =
        admin_journal(a, x, json_pack("{s:I, s:[]}", "step_s", (json_int_t)seconds, "points"));
    if (reader == NULL) {
        return;
    }
    enum sf_err err = journal_series(reader, &o, &points, &eb);
    journal_reader_close(reader);
    admin_answer(x, err, &eb,
                 err == SF_OK
                     ? json_pack("{s:I, s:o}", "step_s", (json_int_t)seconds, "points", points)
                     : NULL);
}

typedef enum sf_err (*lines_fn)(struct journal_reader *r, int64_t since_ns, int64_t limit,
                                json_t **out, struct sf_errbuf *eb);

static void reply_lines(struct admin *a, struct http_exchange *x, const struct http_request *r,
                        const char *name, lines_fn read)
{
    struct ask q = {.request = r};
    struct sf_errbuf eb = {.code = SF_OK};
    json_t *list = NULL;
    int64_t since = ask_time_ns(&q, "since", 0);
    int64_t limit = ask_number(&q, "limit", 1, LINES_MAX, LINES_MAX);
    if (admin_refuse(x, &q)) {
        return;
    }
    struct journal_reader *reader = admin_journal(a, x, json_pack("{s:[]}", name));
    if (reader == NULL) {
        return;
    }
    enum sf_err err = read(reader, since, limit, &list, &eb);
    journal_reader_close(reader);
    admin_answer(x, err, &eb, err == SF_OK ? json_pack("{s:o}", name, list) : NULL);
}

static void handle_standings(struct admin *a, struct http_exchange *x, const struct http_request *r)
{
    reply_lines(a, x, r, "standings", journal_standings);
}

static void handle_states(struct admin *a, struct http_exchange *x, const struct http_request *r)
{
    reply_lines(a, x, r, "states", journal_states);
}

static const struct admin_route rows[] = {
    {"GET", "/api/history", handle_history, ADMIN_SLOW},
    {"GET", "/api/history/series", handle_series, ADMIN_SLOW},
    {"GET", "/api/requests/*", handle_request, ADMIN_SLOW},
    {"GET", "/api/standings", handle_standings, ADMIN_SLOW},
    {"GET", "/api/states", handle_states, ADMIN_SLOW},
};
const struct admin_routes admin_history_routes = {rows, sizeof rows / sizeof rows[0]};
