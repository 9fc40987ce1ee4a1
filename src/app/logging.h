/* SPDX-License-Identifier: MIT */
#ifndef SF_APP_LOGGING_H
#define SF_APP_LOGGING_H

#include "conf/conf.h"

/* The log as a configuration wants it. */

/* Level, format, and priorities where journald (JOURNAL_STREAM) reads stderr. Not thread-safe: call
 * at start. */
void logging_begin(const struct conf *conf);

/* What a reload takes over: level, and the limits of the file. Any thread. */
void logging_change(const struct conf *conf);

/* The log's file of a program that runs long: logging.file, or with record_log
 * logging_dir/WALLET/HOTKEY/`name`, as the network's own tools lay their logs out. Nothing when
 * neither is set. SF_ECONFIG: it cannot be written. */
SF_MUST_USE enum sf_err logging_open_file(const struct conf *conf, const char *name,
                                          struct sf_errbuf *eb);

/* Whether descriptor `fd` is what JOURNAL_STREAM's value ("device:inode") names; NULL: no. */
bool logging_is_journal(const char *stream, int fd);

#endif
