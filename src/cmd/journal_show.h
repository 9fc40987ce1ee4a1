/* SPDX-License-Identifier: MIT */
#ifndef SF_CMD_JOURNAL_SHOW_H
#define SF_CMD_JOURNAL_SHOW_H

#include "conf/conf.h"
#include "journal/journal_read.h"

/* What history and trail share. */

/* The configured journal; one that cannot be read ends the program with its exit code. NULL when
 * nothing was recorded yet: standard error has said so. */
struct journal_reader *journal_show_open(const char *command, const struct conf *conf);

/* A text of foreign origin for a terminal: control characters out, at most `columns` code points,
 * cut with "…". "" for NULL. */
void journal_show_text(const char *z, size_t columns, struct sf_buf *out);

int64_t journal_show_int(const json_t *row, const char *key);
double journal_show_seconds(const json_t *row, const char *key); /* of a member in milliseconds */

/* Prints a value as JSON, one line of it per line of text. */
void journal_show_json(const json_t *value);

#endif
