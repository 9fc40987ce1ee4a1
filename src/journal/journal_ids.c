/* SPDX-License-Identifier: MIT */
#include "journal/journal_internal.h"

/* Several programs write to one journal (a miner, `generate --alone`, a second miner), and ids
 * stand in logs before their row is on the disk: each program takes a block of them from a counter
 * in the file. What was given out once is never given again, whatever ended the program. */

#define GROWTH 16 /* the largest block, in smallest ones */

bool journal_ids_are_low(const struct journal *j)
{
    return j->ids.end - j->ids.next < (j->id_block + 1) / 2 && j->spare.end == 0;
}

/* A block that lasts less than a second is too small: the writer may be busy for a while. */
static int64_t block_size(const struct journal *j)
{
    int64_t least = j->options.id_block, more = 2 * j->id_block;
    bool fast = sf_between(j->ids_at, sf_now()) < 1000;
    return !fast ? least : more < GROWTH * least ? more : GROWTH * least;
}

static int take_block(struct journal *j, int64_t least, int64_t n, struct journal_ids *out)
{
    sqlite3_stmt *s = NULL;
    int code = sqlite3_prepare_v2(
        j->db,
        "UPDATE counters SET value = max(value, ?1, (SELECT coalesce(max(id), 0) + 1 FROM "
        "requests)) + ?2 WHERE name = 'request' RETURNING value",
        -1, &s, NULL);
    if (code == SQLITE_OK) {
        (void)sqlite3_bind_int64(s, 1, least);
        (void)sqlite3_bind_int64(s, 2, n);
        code = sqlite3_step(s);
    }
    if (code == SQLITE_ROW) {
        out->end = sqlite3_column_int64(s, 0);
        out->next = out->end - n;
        code = sqlite3_step(s);
    }
    (void)sqlite3_finalize(s);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

int journal_ids_refill(struct journal *j)
{
    struct journal_ids block = {0, 0};
    (void)pthread_mutex_lock(&j->lock);
    bool low = journal_ids_are_low(j);
    int64_t next = j->ids.next;
    (void)pthread_mutex_unlock(&j->lock);
    if (!low) {
        return SQLITE_OK;
    }
    int64_t n = block_size(j);
    int code = take_block(j, next, n, &block);
    if (code != SQLITE_OK) {
        return code;
    }
    j->ids_at = sf_now();
    (void)pthread_mutex_lock(&j->lock);
    j->id_block = n;
    if (block.next == j->ids.end) {
        j->ids.end = block.end;
    } else if (j->ids.next >= j->ids.end) {
        block.next = block.next > j->ids.next ? block.next : j->ids.next;
        j->ids = block;
    } else {
        j->spare = block;
    }
    (void)pthread_mutex_unlock(&j->lock);
    return SQLITE_OK;
}

void journal_ids_return(struct journal *j)
{
    sqlite3_stmt *s = NULL;
    struct journal_ids last = j->spare.end > 0 ? j->spare : j->ids;
    if (last.next < last.end &&
        sqlite3_prepare_v2(j->db,
                           "UPDATE counters SET value = ?1 WHERE name = 'request' AND value = ?2",
                           -1, &s, NULL) == SQLITE_OK) {
        (void)sqlite3_bind_int64(s, 1, last.next);
        (void)sqlite3_bind_int64(s, 2, last.end);
        (void)sqlite3_step(s); /* else a gap in the ids */
    }
    (void)sqlite3_finalize(s);
}
