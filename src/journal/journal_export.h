/* SPDX-License-Identifier: MIT */
#ifndef SF_JOURNAL_JOURNAL_EXPORT_H
#define SF_JOURNAL_JOURNAL_EXPORT_H

#include "journal/journal_read.h"

/* One request as journal_trail gives it, its answer included; borrowed for the call. Whatever it
 * returns but SF_OK ends the export. */
typedef enum sf_err (*journal_export_fn)(void *arg, const json_t *request);

/* All requests that `f` lets through (before_id and limit do not count), oldest first, one in
 * memory at a time; also while others write. Errors as journal_reader_open, and fn's own. Blocks on
 * the disk. */
SF_MUST_USE enum sf_err journal_export(const char *path, const struct journal_filter *f,
                                       journal_export_fn fn, void *arg, struct sf_errbuf *eb);

#endif
