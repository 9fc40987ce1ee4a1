/* SPDX-License-Identifier: MIT */
#ifndef SF_JOURNAL_JOURNAL_ROWS_H
#define SF_JOURNAL_JOURNAL_ROWS_H

#include "journal/journal_db.h"
#include "journal/journal_read.h"

/* Statements and what they give, as JSON. Internal to the readers. */

struct journal_reader {
    sqlite3 *db;
    char *path;
};

/* A value for "?1", "?2" …: a text, or a number when there is none. */
struct journal_given {
    const char *text;
    int64_t number;
    bool is_text;
};
#define GIVEN_TEXT(z) ((struct journal_given){.text = (z), .is_text = true})
#define GIVEN_NUMBER(v) ((struct journal_given){.number = (v)})

/* Finalize `*out` also after an error. */
SF_MUST_USE enum sf_err journal_prepare(struct journal_reader *r, const char *sql,
                                        const struct journal_given *list, size_t n,
                                        sqlite3_stmt **out, struct sf_errbuf *eb);
/* All rows that a statement gives, as objects, their members named as the columns. Caller owns. */
SF_MUST_USE enum sf_err journal_rows(struct journal_reader *r, const char *sql,
                                     const struct journal_given *list, size_t n, json_t **out,
                                     struct sf_errbuf *eb);
/* A pattern for LIKE ?N ESCAPE '\\' that finds `text` anywhere; NULL stays NULL. Into `b`. */
const char *journal_pattern(const char *text, struct sf_buf *b);
#define JOURNAL_PATTERN_MAX 2048
/* A member that is kept as text is shown as what it says. */
void journal_parse_member(json_t *object, const char *key);

#endif
