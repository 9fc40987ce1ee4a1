/* SPDX-License-Identifier: MIT */
#include "journal/journal_export.h"

#include "journal/journal_db.h"

#define PAGE 500 /* ids read ahead: no reading transaction is held while the caller writes */

struct export
{
    sqlite3 *db; /* for the ids; the trails come from the reader's own connection */
    struct journal_reader *reader;
    sqlite3_stmt *page;
    const char *path;
};

static enum sf_err open_export(struct export *x, const struct journal_filter *f,
                               struct sf_errbuf *eb)
{
    static const char sql[] =
        "SELECT id FROM requests WHERE (?1 IS NULL OR task = ?1) AND (?2 IS NULL OR origin = ?2) "
        "AND (?3 IS NULL OR generator = ?3 OR kind = ?3) AND status >= ?4 AND "
        "(?5 = 0 OR status <= ?5) AND received_ns >= ?6 AND id > ?7 ORDER BY id LIMIT ?8";
    const char *const texts[] = {f->task, f->origin, f->generator};
    const int64_t numbers[] = {f->status_min, f->status_max, f->since_ns, 0, PAGE};
    enum sf_err err = journal_db_open_readonly(x->path, &x->db, eb);
    if (err == SF_OK) {
        err = journal_reader_open(x->path, &x->reader, eb);
    }
    if (err != SF_OK) {
        return err;
    }
    int code = sqlite3_prepare_v2(x->db, sql, -1, &x->page, NULL);
    for (int i = 0; i < 3 && code == SQLITE_OK; i++) {
        code = sqlite3_bind_text(x->page, i + 1, texts[i], -1, SQLITE_STATIC);
    }
    for (int i = 0; i < 5 && code == SQLITE_OK; i++) {
        code = sqlite3_bind_int64(x->page, i + 4, numbers[i]);
    }
    return code == SQLITE_OK ? SF_OK : journal_db_error(x->db, x->path, eb);
}

/* The next ids behind `after`; fewer than PAGE at the end. */
static enum sf_err next_page(struct export *x, int64_t after, int64_t *ids, size_t *n,
                             struct sf_errbuf *eb)
{
    int code = sqlite3_bind_int64(x->page, 7, after);
    *n = 0;
    while (code == SQLITE_OK && (code = sqlite3_step(x->page)) == SQLITE_ROW) {
        ids[(*n)++] = sqlite3_column_int64(x->page, 0);
        code = SQLITE_OK;
    }
    enum sf_err err = code == SQLITE_DONE ? SF_OK : journal_db_error(x->db, x->path, eb);
    (void)sqlite3_reset(x->page);
    return err;
}

enum sf_err journal_export(const char *path, const struct journal_filter *f, journal_export_fn fn,
                           void *arg, struct sf_errbuf *eb)
{
    struct export x = {.path = path};
    int64_t ids[PAGE], after = 0;
    size_t n = PAGE;
    enum sf_err err = open_export(&x, f, eb);
    while (err == SF_OK && n == PAGE) {
        err = next_page(&x, after, ids, &n, eb);
        for (size_t i = 0; i < n && err == SF_OK; i++) {
            json_t *request = NULL;
            err = journal_trail(x.reader, ids[i], true, &request, eb);
            if (err == SF_ENOTFOUND) { /* thrown away meanwhile */
                err = SF_OK;
            } else if (err == SF_OK) {
                err = fn(arg, request);
            }
            json_decref(request);
            after = ids[i];
        }
    }
    (void)sqlite3_finalize(x.page);
    journal_reader_close(x.reader);
    (void)sqlite3_close(x.db);
    return err;
}
