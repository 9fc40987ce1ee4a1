/* SPDX-License-Identifier: MIT */
#include "journal/journal_backup.h"

#include "journal/journal_db.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define BUSY_MS 10000

/* Any version that this program knows: it migrates older ones when it writes. */
static enum sf_err open_any(const char *path, sqlite3 **db, struct sf_errbuf *eb)
{
    int64_t version = 0;
    if (access(path, F_OK) != 0) {
        return sf_fail(eb, SF_ENOTFOUND, "no journal at %.300s: nothing was recorded yet", path);
    }
    if (sqlite3_open_v2(path, db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
        return journal_db_error(*db, path, eb);
    }
    (void)sqlite3_busy_timeout(*db, BUSY_MS);
    return journal_db_check_owner(*db, path, &version, eb);
}

static enum sf_err read_through(sqlite3 *db, const char *path, struct sf_errbuf *eb)
{
    sqlite3_stmt *s = NULL;
    int code = sqlite3_prepare_v2(db, "PRAGMA integrity_check(1)", -1, &s, NULL);
    code = code == SQLITE_OK ? sqlite3_step(s) : code;
    const char *found = code == SQLITE_ROW ? (const char *)sqlite3_column_text(s, 0) : NULL;
    enum sf_err err = SF_OK;
    if (found == NULL) {
        err = journal_db_error(db, path, eb);
    } else if (strcmp(found, "ok") != 0) {
        err = sf_fail(eb, SF_EPARSE, "journal %.200s: damaged: %.200s", path, found);
    }
    (void)sqlite3_finalize(s);
    return err;
}

enum sf_err journal_verify(const char *path, struct sf_errbuf *eb)
{
    sqlite3 *db = NULL;
    enum sf_err err = open_any(path, &db, eb);
    if (err == SF_OK) {
        err = read_through(db, path, eb);
    }
    (void)sqlite3_close(db);
    return err;
}

/* All pages in one step: a writer beside it is not kept waiting (WAL), and would make steps of a
 * few pages begin anew each time. */
static enum sf_err copy(sqlite3 *from, sqlite3 *to, const char *path, struct sf_errbuf *eb)
{
    sqlite3_backup *b = sqlite3_backup_init(to, "main", from, "main");
    int code = b == NULL ? SQLITE_ERROR : sqlite3_backup_step(b, -1);
    if (b != NULL && sqlite3_backup_finish(b) == SQLITE_OK && code == SQLITE_DONE) {
        return journal_db_exec(to, path, "PRAGMA journal_mode=DELETE", eb);
    }
    if (code == SQLITE_BUSY || code == SQLITE_LOCKED) {
        return sf_fail(eb, SF_EBUSY, "journal %.200s: locked by another program for long", path);
    }
    return journal_db_error(to, path, eb);
}

enum sf_err journal_backup(const char *from, const char *to, struct sf_errbuf *eb)
{
    sqlite3 *source = NULL, *target = NULL;
    enum sf_err err = open_any(from, &source, eb);
    int fd = err == SF_OK ? open(to, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : -1;
    if (fd >= 0) {
        (void)close(fd);
    } else if (err == SF_OK) {
        err = sf_fail_errno(eb, SF_EIO, "%s", to);
    }
    if (err == SF_OK && sqlite3_open_v2(to, &target, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
                                        NULL) != SQLITE_OK) {
        err = journal_db_error(target, to, eb);
    }
    if (err == SF_OK) {
        err = copy(source, target, to, eb);
    }
    if (err == SF_OK) {
        err = read_through(target, to, eb);
    }
    (void)sqlite3_close(target);
    (void)sqlite3_close(source);
    return err;
}

enum sf_err journal_retire(const char *path, struct sf_errbuf *eb)
{
    sqlite3 *db = NULL;
    int64_t version = 0;
    if (access(path, F_OK) != 0 ||
        sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) !=
            SQLITE_OK) {
        (void)sqlite3_close(db);
        return SF_OK;
    }
    enum sf_err err = SF_OK;
    if (journal_db_check_owner(db, path, &version, NULL) == SF_OK) {
        int code = sqlite3_exec(db, "PRAGMA journal_mode=DELETE", NULL, NULL, NULL) & 0xff;
        if (code == SQLITE_BUSY || code == SQLITE_LOCKED) {
            err = sf_fail(eb, SF_EBUSY,
                          "journal %.200s: another program has it open: end storyfi serve, history "
                          "or whatever reads it, and try again",
                          path);
        }
    }
    (void)sqlite3_close(db);
    return err;
}
