/* SPDX-License-Identifier: MIT */
#ifndef SF_CMD_HISTORY_EXPORT_H
#define SF_CMD_HISTORY_EXPORT_H

#include "journal/journal_export.h"

enum history_format { HISTORY_JSONL, HISTORY_CSV };
bool history_format_parse(const char *name, enum history_format *out);

/* Writes the journal's requests, oldest first: one JSON object a line, or RFC 4180 with a head
 * line. To the new file `out` (it appears when it is whole), NULL: stdout. No journal is no error:
 * nothing but the head is written, and stderr says so. SF_ECONFIG: `out` is there already, or the
 * journal is another program's; SF_EIO: it cannot be written. */
SF_MUST_USE enum sf_err history_export(const char *journal, const struct journal_filter *f,
                                       enum history_format format, const char *out,
                                       struct sf_errbuf *eb);

/* One field of a CSV line: quoted where it must be, with "'" in front of what a spreadsheet would
 * run. */
void history_csv_field(struct sf_buf *b, struct sf_str text);

#endif
