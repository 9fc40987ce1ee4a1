/* SPDX-License-Identifier: MIT */
#ifndef SF_BASE_BUF_H
#define SF_BASE_BUF_H

#include "base/err.h"
#include "base/str.h"

#include <stdarg.h>

/* A growing text with a hard cap and a sticky error: after one failed append the buffer stays
 * failed, later appends do nothing, and one check at the end is enough. p is NUL-terminated when
 * n > 0 or after any append; p may be NULL while nothing was appended. */
struct sf_buf {
    char *p;
    size_t n;        /* bytes, without the NUL */
    size_t room;     /* allocated */
    size_t cap;      /* never more bytes than this */
    enum sf_err err; /* SF_OK, SF_ENOMEM or SF_ELIMIT */
};

void sf_buf_init(struct sf_buf *b, size_t cap_bytes);
void sf_buf_fini(struct sf_buf *b);  /* frees; the buffer may be used again with the same cap */
void sf_buf_clear(struct sf_buf *b); /* n = 0, error cleared, memory kept */
void sf_buf_wipe(struct sf_buf *b);  /* overwrites the content with zeros, then as _fini */

void sf_buf_add(struct sf_buf *b, const void *p, size_t n);
void sf_buf_add_str(struct sf_buf *b, struct sf_str s);
void sf_buf_puts(struct sf_buf *b, const char *z);
void sf_buf_putc(struct sf_buf *b, char c);
void sf_buf_printf(struct sf_buf *b, const char *fmt, ...) SF_PRINTF(2, 3);
void sf_buf_vprintf(struct sf_buf *b, const char *fmt, va_list ap) SF_PRINTF(2, 0);

/* Content as a slice, and as a C string ("" when empty). Borrowed until the next change. */
struct sf_str sf_buf_str(const struct sf_buf *b);
const char *sf_buf_z(const struct sf_buf *b);

/* Moves the content out, NUL-terminated (caller frees); NULL when failed. The buffer is empty. */
char *sf_buf_take(struct sf_buf *b);

#endif
