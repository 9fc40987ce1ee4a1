/* SPDX-License-Identifier: MIT */
#ifndef SF_BASE_FILE_H
#define SF_BASE_FILE_H

#include "base/buf.h"

/* Reads a whole file into `out` (its cap is the size limit: SF_ELIMIT). SF_ENOTFOUND when there is
 * none, SF_EIO otherwise. "-" is not special. */
SF_MUST_USE enum sf_err sf_file_read(const char *path, struct sf_buf *out, struct sf_errbuf *eb);

/* Writes a whole file: temporary beside it, fsync, rename. The old content or the new, never half.
 * `mode` as for open(2). */
SF_MUST_USE enum sf_err sf_file_write(const char *path, struct sf_str content, unsigned mode,
                                      struct sf_errbuf *eb);

/* Makes a folder and its parents; existing ones are fine. */
SF_MUST_USE enum sf_err sf_dir_make(const char *path, unsigned mode, struct sf_errbuf *eb);

/* "~/x" with the home directory put in, "$VAR" untouched; caller frees. NULL: out of memory. */
char *sf_path_expand(const char *path, const char *home);
/* "dir/name" (or `name` when it is absolute); caller frees. */
char *sf_path_join(const char *dir, const char *name);
/* The folder part of a path ("." when it has none); caller frees. */
char *sf_path_dir(const char *path);

/* Fills `out` from the kernel's random generator; ends the program when that fails. */
void sf_random(void *out, size_t n_bytes);

#endif
