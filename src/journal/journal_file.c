/* SPDX-License-Identifier: MIT */
#include "base/log.h"
#include "journal/journal_internal.h"

#include <string.h>
#include <sys/stat.h>

/* Small enough to be read through at every start without anybody noticing. */
#define CHECK_BYTES (64 << 20)

static void set_state(struct journal *j, bool failing, const char *reason)
{
    (void)pthread_mutex_lock(&j->lock);
    bool changed = j->failing != failing;
    uint64_t lost = j->dropped - j->dropped_before;
    j->failing = failing;
    if (changed) {
        j->dropped_before = j->dropped;
    }
    (void)snprintf(j->reason, sizeof j->reason, "%s", reason);
    (void)pthread_mutex_unlock(&j->lock);
    if (changed && failing) {
        log_event(LOG_ERROR, LOG_JOURNAL, "requests are not recorded", LOG_S("err", reason));
    } else if (changed) {
        log_event(LOG_WARN, LOG_JOURNAL, "the journal is written again", LOG_S("path", j->path),
                  LOG_I("lost", lost));
    }
}

static enum sf_err move_aside(struct journal *j, const char *why, struct sf_errbuf *eb)
{
    char to[4096];
    enum sf_err err = journal_db_move_aside(j->path, to, sizeof to, eb);
    if (err == SF_OK) {
        log_event(LOG_ERROR, LOG_JOURNAL,
                  "the journal was damaged: moved aside, a new one is begun", LOG_S("err", why),
                  LOG_S("kept_as", to),
                  LOG_S("remedy", "check the disk; sqlite3 FILE .recover may save what was in it"));
    }
    return err;
}

static void note_identity(struct journal *j)
{
    struct stat st = {.st_ino = 0};
    (void)stat(j->path, &st);
    j->device = st.st_dev;
    j->inode = st.st_ino;
}

bool journal_file_is_gone(const struct journal *j)
{
    struct stat st;
    return stat(j->path, &st) != 0 || st.st_dev != j->device || st.st_ino != j->inode;
}

void journal_file_close(struct journal *j)
{
    if (j->db != NULL) {
        journal_inserts_close(&j->inserts);
        (void)sqlite3_close(j->db);
        j->db = NULL;
    }
}

static enum sf_err open_file(struct journal *j, struct sf_errbuf *eb)
{
    enum sf_err err = journal_db_open(j->path, j->migrations, j->n_migrations, &j->db, eb);
    if (err != SF_OK) {
        return err;
    }
    if (journal_inserts_open(j->db, &j->inserts) != SQLITE_OK ||
        journal_ids_refill(j) != SQLITE_OK) {
        err = journal_db_error(j->db, j->path, eb);
        journal_file_close(j);
    }
    return err;
}

bool journal_file_open(struct journal *j)
{
    struct sf_errbuf eb = {.code = SF_OK};
    enum sf_err err = open_file(j, &eb);
    if (err == SF_EPARSE) {
        err = move_aside(j, eb.text, &eb);
        if (err == SF_OK) {
            err = open_file(j, &eb);
        }
    }
    if (err != SF_OK) {
        j->refused = err == SF_ECONFIG;
        j->retry_at = sf_after(sf_now(), j->options.retry_ms);
        set_state(j, true, sf_err_text(&eb, err));
        return false;
    }
    note_identity(j);
    return true;
}

/* Opening a file on a full disk works: only a write shows that it is good again. */
void journal_file_wrote(struct journal *j)
{
    set_state(j, false, "");
}

void journal_file_failed(struct journal *j)
{
    struct sf_errbuf eb = {.code = SF_OK};
    enum sf_err err = journal_db_error(j->db, j->path, &eb);
    journal_file_close(j);
    if (err == SF_EPARSE) {
        err = move_aside(j, eb.text, &eb);
    }
    j->retry_at = err == SF_OK ? sf_now() : sf_after(sf_now(), j->options.retry_ms);
    if (err != SF_OK) {
        set_state(j, true, sf_err_text(&eb, err));
    }
}

static int give_way(void *arg)
{
    struct journal *j = arg;
    (void)pthread_mutex_lock(&j->lock);
    int stop = j->stopping ? 1 : 0;
    (void)pthread_mutex_unlock(&j->lock);
    return stop;
}

void journal_file_check(struct journal *j)
{
    struct sf_errbuf eb = {.code = SF_OK};
    sqlite3_stmt *s = NULL;
    struct stat st;
    if (j->db == NULL || stat(j->path, &st) != 0 || st.st_size > CHECK_BYTES) {
        return;
    }
    sqlite3_progress_handler(j->db, 10000, give_way, j);
    int code = sqlite3_prepare_v2(j->db, "PRAGMA quick_check(1)", -1, &s, NULL);
    code = code == SQLITE_OK ? sqlite3_step(s) : code;
    const char *found = code == SQLITE_ROW ? (const char *)sqlite3_column_text(s, 0) : NULL;
    bool bad = code == SQLITE_CORRUPT || (found != NULL && strcmp(found, "ok") != 0);
    (void)sqlite3_finalize(s);
    sqlite3_progress_handler(j->db, 0, NULL, NULL);
    if (bad) {
        journal_file_close(j);
        if (move_aside(j, "a page of it makes no sense", &eb) != SF_OK) {
            j->retry_at = sf_after(sf_now(), j->options.retry_ms);
            set_state(j, true, eb.text);
        }
    }
}
