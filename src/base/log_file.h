/* SPDX-License-Identifier: MIT */
#ifndef SF_BASE_LOG_FILE_H
#define SF_BASE_LOG_FILE_H

#include "base/str.h"

#include <stdint.h>

/* The log's file, one in a process. A file that cannot be written (a full disk) is said once on
 * stderr and tried again with every line; the program goes on. Thread-safe; blocks on nothing but
 * that file's disk. */
struct log_file_options {
    const char *path;
    int64_t max_bytes; /* larger, and FILE becomes FILE.1, FILE.1 FILE.2 …; 0 never */
    int keep;          /* so many of those are kept */
};

/* Opens it for appending (made when it is not there) and copies the path. 0, or -1 with errno. */
int log_file_open(const struct log_file_options *o);
/* The owner's limits after a reload. */
void log_file_limit(int64_t max_bytes, int keep);
/* Opens the path anew: after somebody (logrotate) has moved the file away. */
void log_file_reopen(void);
void log_file_close(void);

enum log_file_state { LOG_FILE_FINE, LOG_FILE_FAILS, LOG_FILE_WORKS_AGAIN };
/* Appends a whole line. What is to be told is returned once: FAILS (errno says why), WORKS_AGAIN
 * (*lost lines are not in it). Nothing happens, and all is fine, when there is no file. */
enum log_file_state log_file_write(struct sf_str line, uint64_t *lost);

#endif
