/* SPDX-License-Identifier: MIT */
#ifndef SF_JOURNAL_JOURNAL_DB_H
#define SF_JOURNAL_JOURNAL_DB_H

#include "base/err.h"
#include "base/str.h"

#include <sqlite3.h>
#include <stddef.h>

/* The database file: opening, versions, what SQLite's errors mean. Internal to the room. */

struct journal_migration {
    const struct sf_str *sql; /* brings version n - 1 to n, n counted from 1 */
};
extern const struct journal_migration journal_migrations[];
extern const size_t journal_migrations_n;

/* Opens for writing; makes file and folder; migrates to version `n`. Errors, nothing open then:
 * SF_EPARSE damaged; SF_ECONFIG a newer storyfi's or another program's; SF_EBUSY locked by another
 * program; SF_EIO not writable or full; SF_ENOMEM. */
SF_MUST_USE enum sf_err journal_db_open(const char *path, const struct journal_migration *list,
                                        size_t n, sqlite3 **out, struct sf_errbuf *eb);

/* Opens for reading. SF_ENOTFOUND: no file, or nothing in it; else as journal_db_open. */
SF_MUST_USE enum sf_err journal_db_open_readonly(const char *path, sqlite3 **out,
                                                 struct sf_errbuf *eb);

/* Whose file it is, and of which version: SF_ECONFIG when it is another program's or a newer
 * storyfi's, SF_EPARSE when it is damaged. */
SF_MUST_USE enum sf_err journal_db_check_owner(sqlite3 *db, const char *path, int64_t *version,
                                               struct sf_errbuf *eb);

/* The last error of `db` as one of ours, with cause and remedy. Never SF_OK. */
enum sf_err journal_db_error(sqlite3 *db, const char *path, struct sf_errbuf *eb);

SF_MUST_USE enum sf_err journal_db_exec(sqlite3 *db, const char *path, const char *sql,
                                        struct sf_errbuf *eb);
/* The one number that a statement gives; `fallback` when it gives none or fails. */
int64_t journal_db_number(sqlite3 *db, const char *sql, int64_t fallback);

/* Renames a damaged file (and its -wal, -shm) to "<path>.damaged-<time>"; the new name into `to`.
 */
SF_MUST_USE enum sf_err journal_db_move_aside(const char *path, char *to, size_t n_to,
                                              struct sf_errbuf *eb);

#endif
