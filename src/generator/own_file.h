/* SPDX-License-Identifier: MIT */
#ifndef SF_GENERATOR_OWN_FILE_H
#define SF_GENERATOR_OWN_FILE_H

/* The path of a file that the owner named: from the working directory, else from `dir`, with a
 * slash in it. NULL: it is not there (or out of memory). Caller frees. */
char *own_file_find(const char *path, const char *dir);

#endif
