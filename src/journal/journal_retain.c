/* SPDX-License-Identifier: MIT */
#include "journal/journal_internal.h"

#define DAY_NS INT64_C(86400000000000)
#define HOUR_NS INT64_C(3600000000000)
#define TALLY_DAYS 7  /* no longer than rows are kept */
#define STEP_ROWS 100 /* deleted at a time: a few milliseconds */
#define STEP_PAGES 256

struct limits {
    int64_t keep_days, max_bytes;
    int64_t now_ns; /* what age is counted from */
};

/* A clock that was set ahead makes nothing old: time goes on as the monotonic clock does since the
 * journal was opened. */
static int64_t plausible_now(const struct journal *j)
{
    int64_t now = sf_wall_ns(),
            most = j->opened_wall_ns + sf_between(j->opened, sf_now()) * 1000000 + HOUR_NS;
    return now < most ? now : most;
}

static int run(sqlite3 *db, const char *sql, int64_t first, int64_t second)
{
    sqlite3_stmt *s = NULL;
    int code = sqlite3_prepare_v2(db, sql, -1, &s, NULL);
    if (code == SQLITE_OK) {
        (void)sqlite3_bind_int64(s, 1, first);
        if (sqlite3_bind_parameter_count(s) > 1) {
            (void)sqlite3_bind_int64(s, 2, second);
        }
        while ((code = sqlite3_step(s)) == SQLITE_ROW) {
        }
    }
    (void)sqlite3_finalize(s);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

/* Adds up what each deletion changed: a full step means that there may be more. */
static int delete_old(sqlite3 *db, const struct limits *l, int64_t *deleted)
{
    static const char *const sqls[] = {
        "DELETE FROM requests WHERE id IN (SELECT id FROM requests WHERE received_ns < ?1 "
        "ORDER BY received_ns LIMIT ?2)",
        "DELETE FROM generator_states WHERE id IN (SELECT id FROM generator_states "
        "WHERE wall_ns < ?1 ORDER BY wall_ns LIMIT ?2)",
        "DELETE FROM standings WHERE id IN (SELECT id FROM standings "
        "WHERE wall_ns < ?1 ORDER BY wall_ns LIMIT ?2)",
    };
    /* All requests that they belong to are gone, or all that there were. */
    static const char *const orphans[] = {
        "DELETE FROM stories WHERE id IN (SELECT id FROM stories WHERE last_request < "
        "ifnull((SELECT min(id) FROM requests), 9223372036854775807) ORDER BY last_request LIMIT "
        "?1)",
        "DELETE FROM contexts WHERE hash IN (SELECT hash FROM contexts WHERE request < "
        "ifnull((SELECT min(id) FROM requests), 9223372036854775807) ORDER BY request LIMIT ?1)",
    };
    int64_t now = l->now_ns;
    int64_t tally_days = l->keep_days < TALLY_DAYS ? l->keep_days : TALLY_DAYS;
    int code = SQLITE_OK;
    for (size_t i = 0; i < sizeof sqls / sizeof sqls[0] && code == SQLITE_OK; i++) {
        code = run(db, sqls[i], now - l->keep_days * DAY_NS, STEP_ROWS);
        *deleted += sqlite3_changes(db);
    }
    for (size_t i = 0; i < sizeof orphans / sizeof orphans[0] && code == SQLITE_OK; i++) {
        code = run(db, orphans[i], STEP_ROWS, 0);
        *deleted += sqlite3_changes(db);
    }
    return code == SQLITE_OK ? run(db, "DELETE FROM tallies WHERE minute < ?1",
                                   (now - tally_days * DAY_NS) / 60000000000, 0)
                             : code;
}

struct space {
    int64_t page, pages, free;
};

static struct space measure(sqlite3 *db)
{
    return (struct space){.page = journal_db_number(db, "PRAGMA page_size", 4096),
                          .pages = journal_db_number(db, "PRAGMA page_count", 0),
                          .free = journal_db_number(db, "PRAGMA freelist_count", 0)};
}

int journal_retain(struct journal *j, bool *more)
{
    (void)pthread_mutex_lock(&j->lock);
    struct limits l = {j->options.keep_days, j->options.max_bytes, plausible_now(j)};
    (void)pthread_mutex_unlock(&j->lock);
    int64_t old = 0, big = 0;
    int code = sqlite3_exec(j->db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    if (code == SQLITE_OK) {
        code = delete_old(j->db, &l, &old);
    }
    struct space s = measure(j->db);
    if (code == SQLITE_OK && (s.pages - s.free) * s.page > l.max_bytes) {
        code = run(j->db,
                   "DELETE FROM requests WHERE id IN (SELECT id FROM requests ORDER BY received_ns "
                   "LIMIT ?1)",
                   STEP_ROWS, 0);
        big = sqlite3_changes(j->db);
    }
    s = measure(j->db);
    bool shrink =
        s.free > STEP_PAGES / 4 && (s.pages * s.page > l.max_bytes || s.free > s.pages / 4);
    if (code == SQLITE_OK && shrink) {
        code = sqlite3_exec(j->db, "PRAGMA incremental_vacuum(256)", NULL, NULL, NULL);
    }
    code = code == SQLITE_OK ? sqlite3_exec(j->db, "COMMIT", NULL, NULL, NULL) : code;
    if (code != SQLITE_OK) {
        (void)sqlite3_exec(j->db, "ROLLBACK", NULL, NULL, NULL);
    }
    *more = old >= STEP_ROWS || big > 0 || shrink;
    return code;
}
