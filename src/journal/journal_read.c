/* SPDX-License-Identifier: MIT */
#include "journal/journal_read.h"

#include "base/mem.h"
#include "journal/journal_rows.h"

#include <string.h>

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

/* ---- what is asked --------------------------------------------------------------------------- */

#define TIME "strftime('%Y-%m-%dT%H:%M:%SZ', received_ns / 1000000000, 'unixepoch') AS time"
#define SHOWN                                                                                      \
    "id, " TIME ", origin, story_id, hotkey, uid, peer, task, received_ns, deadline_ms, took_ms, " \
    "status, message, generator, kind, model, technical, structure"

enum sf_err journal_list(struct journal_reader *r, const struct journal_filter *f, json_t **out,
                         struct sf_errbuf *eb)
{
    struct sf_buf pattern;
    const char *text = journal_pattern(f->text, &pattern);
    const struct journal_given list[] = {
        GIVEN_TEXT(f->task),         GIVEN_TEXT(f->origin),       GIVEN_TEXT(f->generator),
        GIVEN_NUMBER(f->status_min), GIVEN_NUMBER(f->status_max), GIVEN_NUMBER(f->since_ns),
        GIVEN_NUMBER(f->before_id),  GIVEN_NUMBER(f->limit),      GIVEN_TEXT(text),
    };
    enum sf_err err =
        pattern.err == SF_OK
            ? journal_rows(
                  r,
                  "SELECT " SHOWN ", substr(user_input, 1, 160) AS user_input FROM requests WHERE "
                  "(?1 IS NULL OR task = ?1) AND (?2 IS NULL OR origin = ?2) AND (?3 IS NULL OR "
                  "generator = ?3 OR kind = ?3) AND status >= ?4 AND (?5 = 0 OR status <= ?5) AND "
                  "received_ns >= ?6 AND (?7 = 0 OR id < ?7) AND (?9 IS NULL OR user_input LIKE ?9 "
                  "ESCAPE '\\' OR generator LIKE ?9 ESCAPE '\\') ORDER BY id DESC LIMIT ?8",
                  list, sizeof list / sizeof list[0], out, eb)
            : sf_fail(eb, SF_EINVAL, "the text looked for is too long");
    sf_buf_fini(&pattern);
    return err;
}

static enum sf_err add_steps(struct journal_reader *r, int64_t id, json_t *trail,
                             struct sf_errbuf *eb)
{
    const struct journal_given given[] = {GIVEN_NUMBER(id)};
    json_t *steps = NULL, *attempts = NULL, *step, *attempt;
    size_t i, k;
    enum sf_err err =
        journal_rows(r,
                     "SELECT step, hop, kind, account, outcome, code, reason, started_ms, "
                     "took_ms, hedged FROM steps WHERE request = ?1 ORDER BY step",
                     given, 1, &steps, eb);
    if (err == SF_OK) {
        err = journal_rows(r,
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

static enum sf_err add_answer(struct journal_reader *r, int64_t id, json_t *trail,
                              struct sf_errbuf *eb)
{
    const struct journal_given given[] = {GIVEN_NUMBER(id)};
    json_t *list = NULL;
    enum sf_err err = journal_rows(
        r, "SELECT bytes, output, model_info FROM answers WHERE request = ?1", given, 1, &list, eb);
    if (err != SF_OK) {
        return err;
    }
    json_t *answer = json_array_get(list, 0);
    if (answer != NULL) {
        journal_parse_member(answer, "output");
        journal_parse_member(answer, "model_info");
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
    const struct journal_given given[] = {GIVEN_NUMBER(id)};
    json_t *list = NULL;
    enum sf_err err = journal_rows(
        r, "SELECT " SHOWN ", user_input, context_hash, seed FROM requests WHERE id = ?1", given, 1,
        &list, eb);
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
    const struct journal_given list[] = {GIVEN_NUMBER(since_ns)};
    return journal_rows(
        r,
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
    const struct journal_given list[] = {GIVEN_NUMBER(since_ns), GIVEN_NUMBER(limit)};
    return journal_rows(
        r,
        "SELECT wall_ns, name, kind, from_state, to_state, reason FROM generator_states "
        "WHERE wall_ns >= ?1 ORDER BY id DESC LIMIT ?2",
        list, 2, out, eb);
}

enum sf_err journal_standings(struct journal_reader *r, int64_t since_ns, int64_t limit,
                              json_t **out, struct sf_errbuf *eb)
{
    const struct journal_given list[] = {GIVEN_NUMBER(since_ns), GIVEN_NUMBER(limit)};
    return journal_rows(
        r,
        "SELECT wall_ns, netuid, block, hotkey, uid, stake_rao, emission_rao, incentive, "
        "position, miners, immunity_left_blocks FROM standings "
        "WHERE wall_ns >= ?1 ORDER BY id DESC LIMIT ?2",
        list, 2, out, eb);
}

enum sf_err journal_spending(struct journal_reader *r, int64_t since_ns, journal_spending_fn fn,
                             void *arg, struct sf_errbuf *eb)
{
    const struct journal_given list[] = {GIVEN_NUMBER(since_ns)};
    sqlite3_stmt *s = NULL;
    int code = SQLITE_DONE;
    enum sf_err err =
        journal_prepare(r,
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
    const struct journal_given list[] = {GIVEN_TEXT(hop), GIVEN_NUMBER(since_ns)};
    sqlite3_stmt *s = NULL;
    enum sf_err err =
        journal_prepare(r,
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
