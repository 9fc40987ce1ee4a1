/* SPDX-License-Identifier: MIT */
#ifndef SF_BASE_MEM_H
#define SF_BASE_MEM_H

#include <stddef.h>

/* All heap memory of ours goes through these, so that tests can make the N-th allocation fail.
 * NULL when out of memory (or when told to fail). Free with free(). */
void *sf_alloc(size_t n_bytes);            /* zeroed */
void *sf_realloc(void *p, size_t n_bytes); /* on NULL the old block stays */
char *sf_strdup(const char *s);            /* NULL stays NULL */
char *sf_strndup(const char *s, size_t n_bytes);

/* The same for start-up and one-shot code: ends the program with a message when out of memory. */
void *sf_xalloc(size_t n_bytes);

/* Test seam: the allocation after `n` more successful ones fails, and all that follow while
 * `sticky`; n < 0 turns it off. */
void sf_mem_fail_after(long n, int sticky);

/* Overwrites with zeros in a way the compiler keeps. */
void sf_wipe(void *p, size_t n_bytes);

#endif
