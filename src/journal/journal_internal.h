/* SPDX-License-Identifier: MIT */
#ifndef SF_JOURNAL_JOURNAL_INTERNAL_H
#define SF_JOURNAL_JOURNAL_INTERNAL_H

#include "journal/journal_db.h"
#include "journal/journal_insert.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

#define JOURNAL_BATCH_ROWS 400 /* as many are committed without waiting for the time */

/* Ids [next, end) that no other program hands out. */
struct journal_ids {
    int64_t next, end;
};

struct journal {
    atomic_int refs;
    char *path;
    struct journal_options options; /* limits: under the lock */
    const struct journal_migration *migrations;
    size_t n_migrations;

    pthread_mutex_t lock; /* a leaf; of everything to the next blank line */
    pthread_cond_t changed, settled_changed;
    struct journal_row *first, **last;
    size_t n_rows, n_bytes;
    uint64_t put, settled, written, dropped;
    bool stopping, behind; /* behind: rows were dropped since the queue was last empty */
    bool failing;
    char reason[512];
    struct journal_ids ids, spare; /* spare: the block after */
    int64_t id_block;              /* how many were taken last */

    /* The writer's alone (before it starts: the opener's). */
    pthread_t thread;
    sqlite3 *db;
    struct journal_inserts inserts;
    dev_t device;
    ino_t inode;
    bool refused; /* somebody else's file: not tried again */
    struct sf_time retry_at, commit_at, retention_at, ids_at;
    uint64_t dropped_before; /* when the failure began */
    int64_t opened_wall_ns;  /* both clocks at the start: */
    struct sf_time opened;
};

/* ---- journal_file.c: the file of an open journal */

/* Opens it, moving a damaged one aside, and takes a block of ids. False: the state says why. */
bool journal_file_open(struct journal *j);
void journal_file_close(struct journal *j);
/* A commit went through: a failure is over. */
void journal_file_wrote(struct journal *j);
/* After an error of SQLite on the open file: closes it, moves a damaged one aside, plans the next
 * try. */
void journal_file_failed(struct journal *j);
/* Whether the path no longer names the open file. */
bool journal_file_is_gone(const struct journal *j);
/* Reads a smaller file through for damage; for the first time of the writer. */
void journal_file_check(struct journal *j);

/* ---- journal_ids.c */

/* Whether less than half a block is left; under the lock. */
bool journal_ids_are_low(const struct journal *j);
/* Takes more ids from the file when they are low, more at once the faster they go; SQLite's code.
 */
SF_MUST_USE int journal_ids_refill(struct journal *j);
/* Gives back what is left at the end, when nobody has taken ids since. */
void journal_ids_return(struct journal *j);

/* ---- journal_retain.c */

/* One small step of throwing away what is too old or too much, and giving space back. `*more` says
 * whether another is due. SQLite's code. */
SF_MUST_USE int journal_retain(struct journal *j, bool *more);

/* ---- journal_writer.c */
void *journal_writer_run(void *journal);

#endif
