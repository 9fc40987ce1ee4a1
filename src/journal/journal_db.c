/* SPDX-License-Identifier: MIT */
#include "journal/journal_db.h"

#include "base/clock.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define APPLICATION_ID 1398035017 /* "STFI" */
#define BUSY_MS 5000

/* ---- errors ---------------------------------------------------------------------------------- */

static const struct {
    int code; /* SQLite's primary one */
    enum sf_err err;
    const char *text; /* cause and remedy */
} errors[] = {
    {SQLITE_NOTADB, SF_EPARSE, "damaged: not a database"},
    {SQLITE_CORRUPT, SF_EPARSE, "damaged: a page of it makes no sense"},
    {SQLITE_FULL, SF_EIO, "the disk is full: free some space, or set journal.path to another disk"},
    {SQLITE_IOERR, SF_EIO, "the disk refused it: full, over a quota, or failing (df, dmesg)"},
    {SQLITE_READONLY, SF_EIO, "cannot be written: give this user the right to write it"},
    {SQLITE_PERM, SF_EIO, "cannot be written: give this user the right to write it"},
    {SQLITE_CANTOPEN, SF_EIO,
     "cannot be opened: give this user the right to write its folder, or set journal.path"},
    {SQLITE_BUSY, SF_EBUSY, "locked by another program for long"},
    {SQLITE_LOCKED, SF_EBUSY, "locked by another program for long"},
    {SQLITE_NOMEM, SF_ENOMEM, "out of memory"},
};

enum sf_err journal_db_error(sqlite3 *db, const char *path, struct sf_errbuf *eb)
{
    int code = db == NULL ? SQLITE_NOMEM : sqlite3_extended_errcode(db);
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        if (errors[i].code == (code & 0xff)) {
            return sf_fail(eb, errors[i].err, "journal %.200s: %s", path, errors[i].text);
        }
    }
    return sf_fail(eb, SF_EIO, "journal %.200s: %.200s (SQLite %d)", path,
                   db == NULL ? "" : sqlite3_errmsg(db), code);
}

enum sf_err journal_db_exec(sqlite3 *db, const char *path, const char *sql, struct sf_errbuf *eb)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ? SF_OK
                                                                : journal_db_error(db, path, eb);
}

int64_t journal_db_number(sqlite3 *db, const char *sql, int64_t fallback)
{
    sqlite3_stmt *s = NULL;
    int64_t value = fallback;
    if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW) {
        value = sqlite3_column_int64(s, 0);
    }
    (void)sqlite3_finalize(s);
    return value;
}

/* ---- versions -------------------------------------------------------------------------------- */

/* Whose file it is, and of which version; any read may be the one that sees the damage. */
static enum sf_err check_owner(sqlite3 *db, const char *path, int64_t known, int64_t *version,
                               struct sf_errbuf *eb)
{
    int64_t owner = journal_db_number(db, "PRAGMA application_id", -1);
    *version = journal_db_number(db, "PRAGMA user_version", -1);
    int64_t tables = journal_db_number(db, "SELECT count(*) FROM sqlite_schema", -1);
    if (owner < 0 || *version < 0 || tables < 0) {
        return journal_db_error(db, path, eb);
    }
    if (owner != APPLICATION_ID && (owner != 0 || tables != 0)) {
        return sf_fail(eb, SF_ECONFIG,
                       "journal %.200s: the database of another program; it stays as it is: set "
                       "journal.path to a file of its own",
                       path);
    }
    if (*version > known) {
        return sf_fail(eb, SF_ECONFIG,
                       "journal %.200s: written by a newer storyfi (version %lld of the journal; "
                       "this one knows %lld); it stays as it is: install the newer storyfi again, "
                       "or set journal.path to another file",
                       path, (long long)*version, (long long)known);
    }
    return SF_OK;
}

enum sf_err journal_db_check_owner(sqlite3 *db, const char *path, int64_t *version,
                                   struct sf_errbuf *eb)
{
    return check_owner(db, path, (int64_t)journal_migrations_n, version, eb);
}

static enum sf_err apply(sqlite3 *db, const char *path, const struct journal_migration *m,
                         int64_t version, struct sf_errbuf *eb)
{
    char pragma[96];
    struct sf_buf sql;
    (void)snprintf(pragma, sizeof pragma, "PRAGMA application_id=%d; PRAGMA user_version=%lld",
                   APPLICATION_ID, (long long)version);
    sf_buf_init(&sql, 1U << 20);
    sf_buf_add_str(&sql, *m->sql);
    enum sf_err err = sql.err;
    if (err == SF_OK) {
        err = journal_db_exec(db, path, sf_buf_z(&sql), eb);
    }
    if (err == SF_OK) {
        err = journal_db_exec(db, path, pragma, eb);
    }
    sf_buf_fini(&sql);
    return err;
}

/* All steps in one transaction: the old version or the new one, nothing between. The version is
 * read again inside, as another program may have been faster. */
static enum sf_err migrate(sqlite3 *db, const char *path, const struct journal_migration *list,
                           size_t n, struct sf_errbuf *eb)
{
    int64_t version = 0;
    enum sf_err err = check_owner(db, path, (int64_t)n, &version, eb);
    if (err != SF_OK || version == (int64_t)n) {
        return err;
    }
    err = journal_db_exec(db, path, "BEGIN IMMEDIATE", eb);
    if (err != SF_OK) {
        return err;
    }
    err = check_owner(db, path, (int64_t)n, &version, eb);
    for (size_t i = (size_t)version; i < n && err == SF_OK; i++) {
        err = apply(db, path, &list[i], (int64_t)i + 1, eb);
    }
    if (err == SF_OK) {
        err = journal_db_exec(db, path, "COMMIT", eb);
    }
    if (err != SF_OK) {
        (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    }
    return err;
}

/* ---- opening --------------------------------------------------------------------------------- */

/* The file is the owner's alone, and SQLite gives its -wal and -shm the same mode. A file that is
 * there is not touched: closing a descriptor of it would drop the locks of other connections. */
static enum sf_err make_file(const char *path, struct sf_errbuf *eb)
{
    char *dir = sf_path_dir(path);
    enum sf_err err = dir == NULL ? SF_ENOMEM : sf_dir_make(dir, 0700, eb);
    free(dir), dir = NULL;
    if (err != SF_OK) {
        return err == SF_ENOMEM ? err : SF_EIO;
    }
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0) {
        (void)close(fd);
    } else if (errno != EEXIST) {
        return sf_fail_errno(eb, SF_EIO,
                             "journal %.200s: cannot be made: give this user the right to write "
                             "its folder, or set journal.path",
                             path);
    }
    return SF_OK;
}

static enum sf_err set_up(sqlite3 *db, const char *path, const struct journal_migration *list,
                          size_t n, struct sf_errbuf *eb)
{
    int64_t version = 0;
    enum sf_err err = check_owner(db, path, (int64_t)n, &version, eb); /* before anything is set */
    if (err == SF_OK) {
        err = journal_db_exec(db, path,
                              "PRAGMA auto_vacuum=INCREMENTAL; PRAGMA journal_mode=WAL;"
                              "PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
                              "PRAGMA journal_size_limit=8388608",
                              eb);
    }
    return err == SF_OK ? migrate(db, path, list, n, eb) : err;
}

enum sf_err journal_db_open(const char *path, const struct journal_migration *list, size_t n,
                            sqlite3 **out, struct sf_errbuf *eb)
{
    sqlite3 *db = NULL;
    enum sf_err err = make_file(path, eb);
    if (err != SF_OK) {
        return err;
    }
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(path, &db, flags, NULL) != SQLITE_OK) {
        err = journal_db_error(db, path, eb);
    } else {
        (void)sqlite3_busy_timeout(db, BUSY_MS);
        err = set_up(db, path, list, n, eb);
    }
    if (err != SF_OK) {
        (void)sqlite3_close(db);
        return err;
    }
    *out = db;
    return SF_OK;
}

/* A folder that this user cannot write has no room for SQLite's shared memory: the file is then
 * read as one that nobody writes to. */
static enum sf_err open_immutable(const char *path, sqlite3 **db, struct sf_errbuf *eb)
{
    struct sf_buf uri;
    sf_buf_init(&uri, 16384);
    sf_buf_puts(&uri, "file:");
    for (const char *p = path; *p != '\0'; p++) {
        if (strchr("%?#", *p) != NULL) {
            sf_buf_printf(&uri, "%%%02x", (unsigned)(unsigned char)*p);
        } else {
            sf_buf_putc(&uri, *p);
        }
    }
    sf_buf_puts(&uri, "?immutable=1");
    enum sf_err err = uri.err;
    if (err == SF_OK && sqlite3_open_v2(sf_buf_z(&uri), db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI,
                                        NULL) != SQLITE_OK) {
        err = journal_db_error(*db, path, eb);
    }
    sf_buf_fini(&uri);
    return err;
}

static enum sf_err open_reading(const char *path, sqlite3 **db, struct sf_errbuf *eb)
{
    int code = sqlite3_open_v2(path, db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
    if (code == SQLITE_OK) {
        (void)sqlite3_busy_timeout(*db, BUSY_MS);
        code = sqlite3_exec(*db, "SELECT 1 FROM sqlite_schema", NULL, NULL, NULL);
    }
    if ((code & 0xff) == SQLITE_CANTOPEN || (code & 0xff) == SQLITE_READONLY) {
        (void)sqlite3_close(*db);
        *db = NULL;
        return open_immutable(path, db, eb);
    }
    return code == SQLITE_OK ? SF_OK : journal_db_error(*db, path, eb);
}

enum sf_err journal_db_open_readonly(const char *path, sqlite3 **out, struct sf_errbuf *eb)
{
    struct stat st;
    sqlite3 *db = NULL;
    int64_t version = 0, known = (int64_t)journal_migrations_n;
    if (stat(path, &st) != 0 && (errno == ENOENT || errno == ENOTDIR)) {
        return sf_fail(eb, SF_ENOTFOUND, "no journal at %.300s: nothing was recorded yet", path);
    }
    enum sf_err err = open_reading(path, &db, eb);
    if (err == SF_OK) {
        err = check_owner(db, path, known, &version, eb);
    }
    if (err == SF_OK && version == 0) {
        err = sf_fail(eb, SF_ENOTFOUND, "the journal at %.300s is empty", path);
    } else if (err == SF_OK && version < known) {
        err = sf_fail(eb, SF_ECONFIG,
                      "journal %.200s: written by an older storyfi: start the miner once, which "
                      "brings it up to date",
                      path);
    }
    if (err != SF_OK) {
        (void)sqlite3_close(db);
        return err;
    }
    *out = db;
    return SF_OK;
}

/* ---- damaged files --------------------------------------------------------------------------- */

enum sf_err journal_db_move_aside(const char *path, char *to, size_t n_to, struct sf_errbuf *eb)
{
    static const char *const parts[] = {"-wal", "-shm", ""};
    char stamp[32], from[4096], target[4096];
    time_t now = (time_t)(sf_wall_ns() / 1000000000);
    struct tm tm;
    (void)gmtime_r(&now, &tm);
    (void)strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &tm);
    (void)snprintf(to, n_to, "%.3900s.damaged-%s", path, stamp);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        (void)snprintf(from, sizeof from, "%.4000s%s", path, parts[i]);
        (void)snprintf(target, sizeof target, "%.4000s%s", to, parts[i]);
        if (rename(from, target) != 0 && errno != ENOENT) {
            return sf_fail_errno(eb, SF_EIO, "journal %.200s: damaged, and cannot be moved aside",
                                 path);
        }
    }
    return SF_OK;
}
