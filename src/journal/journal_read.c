/* SPDX-License-Identifier: MIT */
#include "journal/journal_read.h"

#include "base/mem.h"
#include "journal/journal_db.h"

#include <string.h>

struct journal_reader {
    sqlite3 *db;
    char *path;
};

enum sf_err journal_reader_open(const char *path, struct journal_reader **out, struct sf_errbuf *eb)
{
    struct journal_reader *r = sf_alloc(sizeof *r);
    if (r == NULL || (r->path = sf_strdup(path)) == NULL) {
        free(r);
        return sf_fail(eb, SF_ENOMEM, "out of memory");
    }
    enum sf_err err = journal_db_open_readonly(path, &r->db, eb);
    if (err != SF_OK) {
        journal_reader_close(r);
        return err;
    }
    *out = r;
    return SF_OK;
}

void journal_reader_close(struct journal_reader *r)
{
    if (r != NULL) {
        (void)sqlite3_close(r->db);
        free(r->path);
        free(r);
    }
}

/* ---- statements ------------------------------------------------------------------------------ */

/* A value for "?1", "?2" …: a text, or a number when there is none. */
struct given {
    const char *text;
    int64_t number;
    bool is_text;
};
#define TEXT(z) ((struct given){.text = (z), .is_text = true})
#define NUMBER(v) ((struct given){.number = (v)})

static enum sf_err prepare(struct journal_reader *r, const char *sql, const struct given *list,
                           size_t n, sqlite3_stmt **out, struct sf_errbuf *eb)
{
    int code = sqlite3_prepare_v2(r->db, sql, -1, out, NULL);
    for (size_t i = 0; i < n && code == SQLITE_OK; i++) {
        code = list[i].is_text
                   ? sqlite3_bind_text(*out, (int)i + 1, list[i].text, -1, SQLITE_STATIC)
                   : sqlite3_bind_int64(*out, (int)i + 1, list[i].number);
    }
    return code == SQLITE_OK ? SF_OK : journal_db_error(r->db, r->path, eb);
}

static json_t *column_value(sqlite3_stmt *s, int i)
{
    const char *name = sqlite3_column_name(s, i);
    switch (sqlite3_column_type(s, i)) {
    case SQLITE_INTEGER:
        if (strcmp(name, "hedged") == 0 || strcmp(name, "repair") == 0) {
            return json_boolean(sqlite3_column_int(s, i));
        }
        return json_integer(sqlite3_column_int64(s, i));
    case SQLITE_FLOAT:
        return json_real(sqlite3_column_double(s, i));
    case SQLITE_TEXT:
        return json_text((struct sf_str){(const char *)sqlite3_column_text(s, i),
                                         (size_t)sqlite3_column_bytes(s, i)});
    default:
        return json_null();
    }
}

/* A row as an object, its members named as the columns. NULL: out of memory. */
static json_t *row_object(sqlite3_stmt *s)
{
    json_t *row = json_object();
    for (int i = 0; row != NULL && i < sqlite3_column_count(s); i++) {
        if (json_object_set_new(row, sqlite3_column_name(s, i), column_value(s, i)) != 0) {
            json_decref(row);
            row = NULL;
        }
    }
    return row;
}

/* All rows of a statement, which it ends. */
static enum sf_err rows(struct journal_reader *r, const char *sql, const struct given *list,
                        size_t n, json_t **out, struct sf_errbuf *eb)
{
    sqlite3_stmt *s = NULL;
    json_t *all = json_array();
    enum sf_err err = all == NULL ? SF_ENOMEM : prepare(r, sql, list, n, &s, eb);
    int code = SQLITE_DONE;
    while (err == SF_OK && (code = sqlite3_step(s)) == SQLITE_ROW) {
        if (json_array_append_new(all, row_object(s)) != 0) {
            err = sf_fail(eb, SF_ENOMEM, "out of memory");
        }
    }
    if (err == SF_OK && code != SQLITE_DONE) {
        err = journal_db_error(r->db, r->path, eb);
    }
    (void)sqlite3_finalize(s);
    if (err != SF_OK) {
        json_decref(all);
        return err;
    }
    *out = all;
    return SF_OK;
}

/* ---- what is asked --------------------------------------------------------------------------- */

#define TIME "strftime('%Y-%m-%dT%H:%M:%SZ', received_ns / 1000000000, 'unixepoch') AS time"
#define SHOWN                                                                                      \
    "id, " TIME ", origin, story_id, hotkey, uid, peer, task, received_ns, deadline_ms, took_ms, " \
    "status, message, generator, kind, model, technical, structure"

enum sf_err journal_list(struct journal_reader *r, const struct journal_filter *f, json_t **out,
                         struct sf_errbuf *eb)
{
    const struct given list[] = {
        TEXT(f->task),         TEXT(f->origin),     TEXT(f->generator),   NUMBER(f->status_min),
        NUMBER(f->status_max), NUMBER(f->since_ns), NUMBER(f->before_id), NUMBER(f->limit),
    };
    return rows(r,
                "SELECT " SHOWN " FROM requests WHERE (?1 IS NULL OR task = ?1) AND (?2 IS NULL OR "
                "origin = ?2) AND (?3 IS NULL OR generator = ?3 OR kind = ?3) AND status >= ?4 AND "
                "(?5 = 0 OR status <= ?5) AND received_ns >= ?6 AND (?7 = 0 OR id < ?7) "
                "ORDER BY id DESC LIMIT ?8",
                list, sizeof list / sizeof list[0], out, eb);
}

static enum sf_err add_steps(struct journal_reader *r, int64_t id, json_t *trail,
                             struct sf_errbuf *eb)
{
    const struct given given[] = {NUMBER(id)};
    json_t *steps = NULL, *attempts = NULL, *step, *attempt;
    size_t i, k;
    enum sf_err err = rows(r,
                           "SELECT step, hop, kind, account, outcome, code, reason, started_ms, "
                           "took_ms, hedged FROM steps WHERE request = ?1 ORDER BY step",
                           given, 1, &steps, eb);
    if (err == SF_OK) {
        err = rows(r,
                   "SELECT step, attempt, code, reason, started_ms, took_ms, repair, "
                   "prompt_tokens, cached_tokens, generated_tokens, requests, cost_usd "
                   "FROM attempts WHERE request = ?1 ORDER BY step, attempt",
                   given, 1, &attempts, eb);
    }
    if (err == SF_OK) {
        json_array_foreach(steps, i, step)
        {
            json_t *mine = json_array();
            json_array_foreach(attempts, k, attempt)
            {
                if (json_equal(json_object_get(attempt, "step"), json_object_get(step, "step"))) {
                    (void)json_array_append(mine, attempt);
                }
            }
            (void)json_object_set_new(step, "attempts", mine);
        }
        (void)json_object_set(trail, "steps", steps);
    }
    json_decref(steps);
    json_decref(attempts);
    return err;
}

/* Kept as texts, shown as what they say. */
static void parse_member(json_t *object, const char *key)
{
    json_t *value = NULL;
    if (json_get_string(object, key) != NULL &&
        json_parse(json_get_str(object, key), JSON_LIMITS_DEFAULT, &value, NULL) == SF_OK) {
        (void)json_object_set_new(object, key, value);
    }
}

static enum sf_err add_answer(struct journal_reader *r, int64_t id, json_t *trail,
                              struct sf_errbuf *eb)
{
    const struct given given[] = {NUMBER(id)};
    json_t *list = NULL;
    enum sf_err err = rows(r, "SELECT bytes, output, model_info FROM answers WHERE request = ?1",
                           given, 1, &list, eb);
    if (err != SF_OK) {
        return err;
    }
    json_t *answer = json_array_get(list, 0);
    if (answer != NULL) {
        parse_member(answer, "output");
        parse_member(answer, "model_info");
        (void)json_object_set(trail, "answer", answer);
    } else {
        (void)json_object_set_new(trail, "answer", json_null());
    }
    json_decref(list);
    return SF_OK;
}

enum sf_err journal_trail(struct journal_reader *r, int64_t id, bool answer, json_t **out,
                          struct sf_errbuf *eb)
{
    const struct given given[] = {NUMBER(id)};
    json_t *list = NULL;
    enum sf_err err =
        rows(r, "SELECT " SHOWN ", user_input, context_hash, seed FROM requests WHERE id = ?1",
             given, 1, &list, eb);
    if (err != SF_OK) {
        return err;
    }
    json_t *trail = json_incref(json_array_get(list, 0));
    json_decref(list);
    if (trail == NULL) {
        return sf_fail(
            eb, SF_ENOTFOUND,
            "the journal %.200s has no request %lld (one is there a second after its answer)",
            r->path, (long long)id);
    }
    err = add_steps(r, id, trail, eb);
    if (err == SF_OK && answer) {
        err = add_answer(r, id, trail, eb);
    }
    if (err != SF_OK) {
        json_decref(trail);
        return err;
    }
    *out = trail;
    return SF_OK;
}

enum sf_err journal_figures(struct journal_reader *r, int64_t since_ns, json_t **out,
                            struct sf_errbuf *eb)
{
    const struct given list[] = {NUMBER(since_ns)};
    return rows(r,
                "WITH ranked AS (SELECT hop, took_ms, row_number() OVER (PARTITION BY hop ORDER BY "
                "took_ms) AS at, count(*) OVER (PARTITION BY hop) AS n FROM steps WHERE wall_ns >= "
                "?1 AND outcome = 'answered'), times AS (SELECT hop, min(CASE WHEN at * 2 >= n "
                "THEN took_ms END) AS p50_ms, min(CASE WHEN at * 20 >= n * 19 THEN took_ms END) AS "
                "p95_ms FROM ranked GROUP BY hop) SELECT t.hop, kind, max(account) AS account, "
                "sum(answers) AS answers, sum(failures) AS failures, max(p50_ms) AS p50_ms, "
                "max(p95_ms) AS p95_ms, sum(requests) AS requests, sum(prompt_tokens) AS "
                "prompt_tokens, sum(cached_tokens) AS cached_tokens, sum(generated_tokens) AS "
                "generated_tokens, sum(cost_usd) AS cost_usd FROM tallies AS t LEFT JOIN times ON "
                "times.hop = t.hop WHERE minute >= ?1 / 60000000000 GROUP BY t.hop, kind "
                "ORDER BY answers DESC",
                list, 1, out, eb);
}

enum sf_err journal_states(struct journal_reader *r, int64_t since_ns, int64_t limit, json_t **out,
                           struct sf_errbuf *eb)
{
    const struct given list[] = {NUMBER(since_ns), NUMBER(limit)};
    return rows(r,
                "SELECT wall_ns, name, kind, from_state, to_state, reason FROM generator_states "
                "WHERE wall_ns >= ?1 ORDER BY id DESC LIMIT ?2",
                list, 2, out, eb);
}

enum sf_err journal_standings(struct journal_reader *r, int64_t since_ns, int64_t limit,
                              json_t **out, struct sf_errbuf *eb)
{
    const struct given list[] = {NUMBER(since_ns), NUMBER(limit)};
    return rows(r,
                "SELECT wall_ns, netuid, block, hotkey, uid, stake_rao, emission_rao, incentive, "
                "position, miners, immunity_left_blocks FROM standings "
                "WHERE wall_ns >= ?1 ORDER BY id DESC LIMIT ?2",
                list, 2, out, eb);
}

enum sf_err journal_spending(struct journal_reader *r, int64_t since_ns, journal_spending_fn fn,
                             void *arg, struct sf_errbuf *eb)
{
    const struct given list[] = {NUMBER(since_ns)};
    sqlite3_stmt *s = NULL;
    int code = SQLITE_DONE;
    enum sf_err err =
        prepare(r,
                "SELECT account, minute, sum(requests), sum(cost_usd) FROM tallies "
                "WHERE minute >= ?1 / 60000000000 AND account <> '' GROUP BY account, "
                "minute HAVING sum(requests) > 0 OR sum(cost_usd) > 0",
                list, 1, &s, eb);
    while (err == SF_OK && (code = sqlite3_step(s)) == SQLITE_ROW) {
        struct journal_spending spent = {.account = (const char *)sqlite3_column_text(s, 0),
                                         .wall_ns = (sqlite3_column_int64(s, 1) + 1) * 60000000000,
                                         .requests = sqlite3_column_int64(s, 2),
                                         .cost_usd = sqlite3_column_double(s, 3)};
        fn(arg, &spent);
    }
    if (err == SF_OK && code != SQLITE_DONE) {
        err = journal_db_error(r->db, r->path, eb);
    }
    (void)sqlite3_finalize(s);
    return err;
}

enum sf_err journal_share(struct journal_reader *r, const char *hop, int64_t since_ns,
                          int64_t *answers, int64_t *failures, struct sf_errbuf *eb)
{
    const struct given list[] = {TEXT(hop), NUMBER(since_ns)};
    sqlite3_stmt *s = NULL;
    enum sf_err err = prepare(r,
                              "SELECT total(answers), total(failures) FROM tallies WHERE hop = ?1 "
                              "AND minute >= ?2 / 60000000000",
                              list, 2, &s, eb);
    if (err == SF_OK && sqlite3_step(s) != SQLITE_ROW) {
        err = journal_db_error(r->db, r->path, eb);
    }
    if (err == SF_OK) {
        *answers = sqlite3_column_int64(s, 0);
        *failures = sqlite3_column_int64(s, 1);
    }
    (void)sqlite3_finalize(s);
    return err;
}
