/* SPDX-License-Identifier: MIT */
#include "journal/journal.h"

#include "base/log.h"
#include "base/mem.h"
#include "journal/journal_internal.h"

#include <string.h>
#include <time.h>

struct journal_options journal_options_default(void)
{
    return (struct journal_options){.path = "journal.db",
                                    .keep_days = 30,
                                    .max_bytes = INT64_C(1) << 30,
                                    .id_block = 256,
                                    .queue_rows = 4096,
                                    .queue_bytes = 32U << 20,
                                    .commit_ms = 750,
                                    .retry_ms = 2000,
                                    .retention_ms = 60000};
}

static void free_rows(struct journal_row *row)
{
    while (row != NULL) {
        struct journal_row *next = row->next;
        free(row);
        row = next;
    }
}

static void destroy(struct journal *j)
{
    journal_file_close(j);
    free_rows(j->first);
    j->first = NULL;
    (void)pthread_cond_destroy(&j->changed);
    (void)pthread_cond_destroy(&j->settled_changed);
    (void)pthread_mutex_destroy(&j->lock);
    free(j->path);
    free(j);
}

static enum sf_err open_with(const struct journal_options *o, const struct journal_migration *list,
                             size_t n, struct journal **out)
{
    pthread_condattr_t monotonic;
    struct journal *j = sf_alloc(sizeof *j);
    if (j == NULL) {
        return SF_ENOMEM;
    }
    atomic_init(&j->refs, 1);
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_mutex_init(&j->lock, NULL);
    (void)pthread_cond_init(&j->changed, &monotonic);
    (void)pthread_cond_init(&j->settled_changed, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    j->options = *o;
    j->path = sf_strdup(o->path);
    j->options.path = j->path;
    j->migrations = list;
    j->n_migrations = n;
    j->last = &j->first;
    j->ids = (struct journal_ids){1, 1};
    j->id_block = o->id_block;
    j->ids_at = sf_after(sf_now(), -1000);
    j->opened_wall_ns = sf_wall_ns();
    j->opened = sf_now();
    if (j->path == NULL) {
        destroy(j);
        return SF_ENOMEM;
    }
    (void)journal_file_open(j);
    if (pthread_create(&j->thread, NULL, journal_writer_run, j) != 0) {
        destroy(j);
        return SF_ENOMEM;
    }
    *out = j;
    return SF_OK;
}

enum sf_err journal_open(const struct journal_options *o, struct journal **out)
{
    return open_with(o, journal_migrations, journal_migrations_n, out);
}

struct journal *journal_ref(struct journal *j)
{
    (void)atomic_fetch_add(&j->refs, 1);
    return j;
}

void journal_close(struct journal *j)
{
    if (j == NULL || atomic_fetch_sub(&j->refs, 1) > 1) {
        return;
    }
    (void)pthread_mutex_lock(&j->lock);
    j->stopping = true;
    (void)pthread_cond_signal(&j->changed);
    (void)pthread_mutex_unlock(&j->lock);
    (void)pthread_join(j->thread, NULL);
    if (j->n_rows > 0) {
        log_event(LOG_WARN, LOG_JOURNAL, "the journal could not take the last requests",
                  LOG_I("lost", j->n_rows), LOG_S("err", j->reason));
    }
    destroy(j);
}

const char *journal_path(const struct journal *j)
{
    return j->path;
}

void journal_set_limits(struct journal *j, int64_t keep_days, int64_t max_bytes)
{
    (void)pthread_mutex_lock(&j->lock);
    j->options.keep_days = keep_days;
    j->options.max_bytes = max_bytes;
    (void)pthread_mutex_unlock(&j->lock);
}

int64_t journal_next_id(struct journal *j)
{
    (void)pthread_mutex_lock(&j->lock);
    if (j->ids.next >= j->ids.end && j->spare.end > 0) {
        j->ids = j->spare;
        j->spare = (struct journal_ids){0, 0};
    }
    /* Without the file nobody gives blocks: it counts on, and the writer sorts it out later. */
    int64_t id = j->ids.next++;
    if (journal_ids_are_low(j)) {
        (void)pthread_cond_signal(&j->changed);
    }
    (void)pthread_mutex_unlock(&j->lock);
    return id;
}

/* True when the queue was fine until now: the caller says so. */
static bool put_row(struct journal *j, struct journal_row *row)
{
    (void)pthread_mutex_lock(&j->lock);
    bool fits = row != NULL && j->n_rows < j->options.queue_rows &&
                j->n_bytes + row->bytes <= j->options.queue_bytes;
    bool first_loss = !fits && !j->behind && !j->failing;
    j->put++;
    if (fits) {
        *j->last = row;
        j->last = &row->next;
        j->n_rows++;
        j->n_bytes += row->bytes;
        if (j->n_rows == 1 ||
            j->n_rows == JOURNAL_BATCH_ROWS) { /* else the writer is in no hurry */
            (void)pthread_cond_signal(&j->changed);
        }
    } else {
        j->settled++;
        j->dropped++;
        j->behind = true;
        free(row);
    }
    (void)pthread_mutex_unlock(&j->lock);
    return first_loss;
}

static void put_or_say(struct journal *j, struct journal_row *row)
{
    if (put_row(j, row)) {
        log_event(LOG_WARN, LOG_JOURNAL,
                  "the disk is slower than the requests: some are not recorded",
                  LOG_S("path", j->path));
    }
}

void journal_put(struct journal *j, const struct journal_request *r)
{
    put_or_say(j, journal_row_request(r));
}

void journal_put_state(struct journal *j, const struct journal_state *s)
{
    put_or_say(j, journal_row_state(s));
}

void journal_put_standing(struct journal *j, const struct journal_standing *s)
{
    put_or_say(j, journal_row_standing(s));
}

bool journal_flush(struct journal *j, sf_ms span)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t ns = until.tv_nsec + span % 1000 * 1000000;
    until.tv_sec += (time_t)(span / 1000 + ns / 1000000000);
    until.tv_nsec = (long)(ns % 1000000000);
    (void)pthread_mutex_lock(&j->lock);
    uint64_t wanted = j->put;
    int waited = 0;
    while (j->settled < wanted && waited == 0) {
        waited = pthread_cond_timedwait(&j->settled_changed, &j->lock, &until);
    }
    bool done = j->settled >= wanted;
    (void)pthread_mutex_unlock(&j->lock);
    return done;
}

void journal_status(struct journal *j, struct journal_status *out)
{
    (void)pthread_mutex_lock(&j->lock);
    *out = (struct journal_status){
        .writing = !j->failing, .written = j->written, .dropped = j->dropped, .waiting = j->n_rows};
    memcpy(out->reason, j->reason, sizeof j->reason);
    (void)pthread_mutex_unlock(&j->lock);
}
