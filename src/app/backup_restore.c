/* SPDX-License-Identifier: MIT */
#include "app/backup.h"
#include "app/backup_files.h"
#include "base/file.h"
#include "journal/journal_backup.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct restore {
    const struct restore_options *o;
    struct backup_files files;
    char stamp[32];
};

/* An older journal's neighbours, in case they are still there, go the same way as the file. */
static const char *const parts[] = {"-wal", "-shm", ""};
#define PARTS (sizeof parts / sizeof parts[0])

static void source_of(const struct restore *r, const struct backup_file *f, char *out, size_t n)
{
    (void)snprintf(out, n, "%.3800s/%.250s", r->o->dir, f->name);
}

static void staged_of(const struct backup_file *f, char *out, size_t n)
{
    (void)snprintf(out, n, "%.4000s.restore-%ld", f->place, (long)getpid());
}

static void aside_of(const struct restore *r, const struct backup_file *f, const char *part,
                     char *out, size_t n)
{
    (void)snprintf(out, n, "%.4000s.before-restore-%s%s", f->place, r->stamp, part);
}

/* ---- before anything is touched -------------------------------------------------------------- */

static enum sf_err check_one(const struct restore *r, const struct backup_file *f,
                             struct sf_errbuf *eb)
{
    char path[BACKUP_PATH_MAX];
    struct backup_file found = {.mode = 0};
    source_of(r, f, path, sizeof path);
    enum sf_err err = backup_sum(path, &found, eb);
    if (err == SF_OK && (found.bytes != f->bytes || strcmp(found.sha256, f->sha256) != 0)) {
        err = sf_fail(eb, SF_EPARSE,
                      "%.300s: not the file that was saved (its checksum differs): nothing was "
                      "restored; take another backup",
                      path);
    }
    if (err == SF_OK && strcmp(f->name, BACKUP_JOURNAL) == 0) {
        err = journal_verify(path, eb);
    }
    return err;
}

/* Beside its place, so that a rename is all that is left to do. */
static enum sf_err stage_one(const struct restore *r, const struct backup_file *f,
                             struct sf_errbuf *eb)
{
    char from[BACKUP_PATH_MAX], to[BACKUP_PATH_MAX + 32];
    struct backup_file copied = {.mode = 0};
    char *dir = sf_path_dir(f->place);
    enum sf_err err = dir == NULL ? SF_ENOMEM : sf_dir_make(dir, 0700, eb);
    source_of(r, f, from, sizeof from);
    staged_of(f, to, sizeof to);
    if (err == SF_OK) {
        err = backup_copy(from, to, access(f->place, F_OK) == 0 ? f->place : dir, &copied, eb);
    }
    if (err == SF_OK && strcmp(copied.sha256, f->sha256) != 0) {
        err = sf_fail(eb, SF_EPARSE, "%.300s: changed while it was read", from);
    }
    if (err == SF_OK && chmod(to, f->mode | 0600U) != 0) {
        err = sf_fail_errno(eb, SF_EIO, "%.300s", to);
    }
    free(dir);
    return err;
}

/* ---- taking over ----------------------------------------------------------------------------- */

static bool put_aside(const struct restore *r, const struct backup_file *f)
{
    char from[BACKUP_PATH_MAX + 32], to[BACKUP_PATH_MAX + 64];
    bool journal = strcmp(f->name, BACKUP_JOURNAL) == 0;
    for (size_t i = journal ? 0 : PARTS - 1; i < PARTS; i++) {
        (void)snprintf(from, sizeof from, "%.4000s%s", f->place, parts[i]);
        aside_of(r, f, parts[i], to, sizeof to);
        if (rename(from, to) != 0 && errno != ENOENT) {
            return false;
        }
    }
    return true;
}

static void put_back(const struct restore *r, const struct backup_file *f)
{
    char from[BACKUP_PATH_MAX + 64], to[BACKUP_PATH_MAX + 32];
    for (size_t i = 0; i < PARTS; i++) {
        (void)snprintf(to, sizeof to, "%.4000s%s", f->place, parts[i]);
        aside_of(r, f, parts[i], from, sizeof from);
        (void)rename(from, to);
    }
}

static enum sf_err take_over(const struct restore *r, struct sf_errbuf *eb)
{
    char staged[BACKUP_PATH_MAX + 32];
    for (size_t i = 0; i < r->files.n; i++) {
        const struct backup_file *f = &r->files.v[i];
        staged_of(f, staged, sizeof staged);
        if (put_aside(r, f) && rename(staged, f->place) == 0) {
            continue;
        }
        enum sf_err err = sf_fail_errno(eb, SF_EIO, "%.300s", f->place);
        for (size_t k = 0; k <= i; k++) {
            if (k < i) {
                (void)unlink(r->files.v[k].place);
            }
            put_back(r, &r->files.v[k]);
        }
        return err;
    }
    return SF_OK;
}

static enum sf_err restore_all(const struct restore *r, struct sf_errbuf *eb)
{
    char staged[BACKUP_PATH_MAX + 32];
    enum sf_err err = SF_OK;
    size_t n = 0;
    for (size_t i = 0; i < r->files.n && err == SF_OK; i++) {
        err = check_one(r, &r->files.v[i], eb);
    }
    for (size_t i = 0; i < r->files.n && err == SF_OK; i++) {
        if (strcmp(r->files.v[i].name, BACKUP_JOURNAL) == 0) {
            err = journal_retire(r->files.v[i].place, eb);
        }
    }
    while (n < r->files.n && err == SF_OK) {
        err = stage_one(r, &r->files.v[n++], eb);
    }
    if (err == SF_OK) {
        err = take_over(r, eb);
    }
    for (size_t i = 0; i < n && err != SF_OK; i++) {
        staged_of(&r->files.v[i], staged, sizeof staged);
        (void)unlink(staged);
    }
    return err;
}

enum sf_err backup_restore(const struct restore_options *o, backup_said_fn said, void *arg,
                           struct sf_errbuf *eb)
{
    struct restore r = {.o = o};
    time_t now = (time_t)(sf_wall_ns() / 1000000000);
    struct tm tm;
    (void)gmtime_r(&now, &tm);
    (void)strftime(r.stamp, sizeof r.stamp, "%Y%m%dT%H%M%SZ", &tm);
    enum sf_err err = backup_files_init(&r.files, eb);
    if (err == SF_OK) {
        err = backup_files_read(o, &r.files, eb);
        if (err == SF_OK) {
            err = restore_all(&r, eb);
        }
        for (size_t i = 0; i < r.files.n && err == SF_OK; i++) {
            said(arg, r.files.v[i].name, r.files.v[i].place, r.files.v[i].bytes);
        }
        backup_files_fini(&r.files);
    }
    return err;
}
