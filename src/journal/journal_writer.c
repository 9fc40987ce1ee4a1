/* SPDX-License-Identifier: MIT */
#include "base/log.h"
#include "journal/journal_internal.h"

#include <time.h>

/* ---- waiting --------------------------------------------------------------------------------- */

/* When there is something to do next, as far as time alone decides. */
static struct sf_time next_time(const struct journal *j)
{
    if (j->db == NULL) {
        return j->refused ? SF_NEVER : j->retry_at;
    }
    return j->n_rows > 0 ? sf_earlier(j->commit_at, j->retention_at) : j->retention_at;
}

static bool is_due(const struct journal *j)
{
    bool work = j->db != NULL && (j->n_rows >= JOURNAL_BATCH_ROWS || journal_ids_are_low(j));
    return j->stopping || work || sf_until(next_time(j)) <= 0;
}

/* At most a second at a time: the clock may be an injected one. */
static void wait_a_while(struct journal *j)
{
    struct timespec until;
    sf_ms left = sf_until(next_time(j));
    left = left > 1000 ? 1000 : left + 1;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t ns = until.tv_nsec + left * 1000000;
    until.tv_sec += (time_t)(ns / 1000000000);
    until.tv_nsec = (long)(ns % 1000000000);
    (void)pthread_cond_timedwait(&j->changed, &j->lock, &until);
}

/* ---- rows ------------------------------------------------------------------------------------ */

/* Takes up to a batch off the queue; they still count as waiting until they are settled. */
static struct journal_row *take_batch(struct journal *j, size_t *n)
{
    struct journal_row *batch = j->first, **end = &batch;
    for (*n = 0; *end != NULL && *n < JOURNAL_BATCH_ROWS; (*n)++) {
        end = &(*end)->next;
    }
    j->first = *end;
    if (j->first == NULL) {
        j->last = &j->first;
    }
    *end = NULL;
    return batch;
}

/* Back to the front of the queue: the disk did not take them. */
static void put_back(struct journal *j, struct journal_row *batch)
{
    struct journal_row **end = &batch;
    (void)pthread_mutex_lock(&j->lock);
    while (*end != NULL) {
        end = &(*end)->next;
    }
    *end = j->first;
    if (j->first == NULL) {
        j->last = end;
    }
    j->first = batch;
    (void)pthread_mutex_unlock(&j->lock);
}

static void settle(struct journal *j, struct journal_row *batch, size_t n, size_t refused)
{
    size_t bytes = 0;
    while (batch != NULL) {
        struct journal_row *next = batch->next;
        bytes += batch->bytes;
        free(batch);
        batch = next;
    }
    (void)pthread_mutex_lock(&j->lock);
    j->n_rows -= n;
    j->n_bytes -= bytes;
    j->settled += n;
    j->written += n - refused;
    j->dropped += refused;
    j->behind = j->behind && j->n_rows > 0;
    (void)pthread_cond_broadcast(&j->settled_changed);
    (void)pthread_mutex_unlock(&j->lock);
}

/* An id that was counted on while the file was away may be taken by now: the row gets another. */
static int insert_row(struct journal *j, struct journal_row *row, size_t *refused)
{
    int code = journal_insert(&j->inserts, row);
    if (code == SQLITE_CONSTRAINT && row->kind == JOURNAL_ROW_REQUEST) {
        int64_t was = row->request.id;
        row->request.id = journal_next_id(j);
        code = journal_insert(&j->inserts, row);
        if (code == SQLITE_OK) {
            log_event(LOG_WARN, LOG_JOURNAL, "a request got another number: its own was taken",
                      LOG_I("req", was), LOG_I("now", row->request.id));
        }
    }
    if (code == SQLITE_CONSTRAINT) {
        (*refused)++;
        return SQLITE_OK;
    }
    return code;
}

static int write_batch(struct journal *j, struct journal_row *batch, size_t *refused)
{
    int code = sqlite3_exec(j->db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    for (struct journal_row *row = batch; row != NULL && code == SQLITE_OK; row = row->next) {
        code = insert_row(j, row, refused);
    }
    return code == SQLITE_OK ? sqlite3_exec(j->db, "COMMIT", NULL, NULL, NULL) : code;
}

/* False: the disk does not take it. */
static bool write_rows(struct journal *j)
{
    size_t n = 0, refused = 0;
    (void)pthread_mutex_lock(&j->lock);
    struct journal_row *batch = take_batch(j, &n);
    (void)pthread_mutex_unlock(&j->lock);
    if (batch == NULL) {
        return true;
    }
    j->commit_at = sf_after(sf_now(), j->options.commit_ms);
    if (write_batch(j, batch, &refused) != SQLITE_OK) {
        put_back(j, batch);
        journal_file_failed(j);
        return false;
    }
    journal_file_wrote(j);
    settle(j, batch, n, refused);
    return true;
}

/* Tries again what failed, with a write when nothing waits for one. */
static void reopen(struct journal *j)
{
    if (!journal_file_open(j)) {
        return;
    }
    (void)pthread_mutex_lock(&j->lock);
    bool probe = j->failing && j->n_rows == 0;
    (void)pthread_mutex_unlock(&j->lock);
    if (!probe) {
        return;
    }
    if (sqlite3_exec(j->db, "UPDATE counters SET value = value", NULL, NULL, NULL) == SQLITE_OK) {
        journal_file_wrote(j);
    } else {
        journal_file_failed(j);
    }
}

/* ---- the thread ------------------------------------------------------------------------------ */

static void look_after(struct journal *j)
{
    bool more = false;
    if (journal_file_is_gone(j)) {
        log_event(LOG_WARN, LOG_JOURNAL, "the journal's file is gone: a new one is begun",
                  LOG_S("path", j->path));
        journal_file_close(j);
        (void)journal_file_open(j);
        return;
    }
    if (journal_retain(j, &more) != SQLITE_OK) {
        journal_file_failed(j);
        return;
    }
    j->retention_at = more ? sf_now() : sf_after(sf_now(), j->options.retention_ms);
}

static void work(struct journal *j, bool stopping)
{
    if (j->db == NULL && !j->refused && (stopping || sf_until(j->retry_at) <= 0)) {
        reopen(j);
    }
    if (j->db == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&j->lock);
    bool rows = j->n_rows >= JOURNAL_BATCH_ROWS || (j->n_rows > 0 && sf_until(j->commit_at) <= 0);
    (void)pthread_mutex_unlock(&j->lock);
    if ((rows || stopping) && !write_rows(j)) {
        return;
    }
    if (journal_ids_refill(j) != SQLITE_OK) {
        journal_file_failed(j);
    } else if (!stopping && sf_until(j->retention_at) <= 0) {
        look_after(j);
    }
}

void *journal_writer_run(void *arg)
{
    struct journal *j = arg;
    journal_file_check(j);
    (void)pthread_mutex_lock(&j->lock);
    for (;;) {
        while (!is_due(j)) {
            wait_a_while(j);
        }
        bool stopping = j->stopping;
        (void)pthread_mutex_unlock(&j->lock);
        work(j, stopping);
        (void)pthread_mutex_lock(&j->lock);
        if (stopping && (j->n_rows == 0 || j->db == NULL)) {
            break;
        }
    }
    (void)pthread_mutex_unlock(&j->lock);
    if (j->db != NULL) {
        journal_ids_return(j);
    }
    return NULL;
}
