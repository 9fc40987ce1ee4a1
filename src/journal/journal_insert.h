/* SPDX-License-Identifier: MIT */
#ifndef SF_JOURNAL_JOURNAL_INSERT_H
#define SF_JOURNAL_JOURNAL_INSERT_H

#include "journal/journal_story.h"

/* Rows into tables, with prepared statements; one table of columns per kind of row. */
#define JOURNAL_INSERTS 7
struct journal_inserts {
    sqlite3 *db;
    sqlite3_stmt *statements[JOURNAL_INSERTS];
    sqlite3_stmt *begin, *end; /* of a row's savepoint */
    struct journal_stories stories;
};

/* An SQLite result code, as all of these; SQLITE_OK is success. After another the transaction is to
 * be rolled back, except after SQLITE_CONSTRAINT: then nothing of the row is in. */
SF_MUST_USE int journal_inserts_open(sqlite3 *db, struct journal_inserts *in);
void journal_inserts_close(struct journal_inserts *in);
SF_MUST_USE int journal_insert(struct journal_inserts *in, const struct journal_row *row);

#endif
