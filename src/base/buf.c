/* SPDX-License-Identifier: MIT */
#include "base/buf.h"

#include "base/mem.h"

#include <string.h>

void sf_buf_init(struct sf_buf *b, size_t cap_bytes)
{
    *b = (struct sf_buf){.cap = cap_bytes, .err = SF_OK};
}

void sf_buf_fini(struct sf_buf *b)
{
    free(b->p), b->p = NULL;
    sf_buf_init(b, b->cap);
}

void sf_buf_clear(struct sf_buf *b)
{
    b->n = 0;
    b->err = SF_OK;
    if (b->p != NULL) {
        b->p[0] = '\0';
    }
}

void sf_buf_wipe(struct sf_buf *b)
{
    if (b->p != NULL) {
        sf_wipe(b->p, b->room);
    }
    sf_buf_fini(b);
}

/* Makes room for `more` bytes and the NUL; false sets the sticky error. */
static bool reserve(struct sf_buf *b, size_t more)
{
    if (b->err != SF_OK) {
        return false;
    }
    if (more > b->cap || b->n > b->cap - more) {
        b->err = SF_ELIMIT;
        return false;
    }
    size_t need = b->n + more + 1;
    if (need <= b->room) {
        return true;
    }
    size_t room = b->room < 256 ? 256 : b->room;
    while (room < need) {
        room *= 2;
    }
    char *p = sf_realloc(b->p, room);
    if (p == NULL) {
        b->err = SF_ENOMEM;
        return false;
    }
    b->p = p;
    b->room = room;
    return true;
}

void sf_buf_add(struct sf_buf *b, const void *p, size_t n)
{
    if (!reserve(b, n)) {
        return;
    }
    if (n > 0) {
        memcpy(b->p + b->n, p, n);
    }
    b->n += n;
    b->p[b->n] = '\0';
}

void sf_buf_add_str(struct sf_buf *b, struct sf_str s)
{
    sf_buf_add(b, s.p, s.n);
}

void sf_buf_puts(struct sf_buf *b, const char *z)
{
    sf_buf_add(b, z, strlen(z));
}

void sf_buf_putc(struct sf_buf *b, char c)
{
    sf_buf_add(b, &c, 1);
}

void sf_buf_vprintf(struct sf_buf *b, const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    if (n < 0) {
        b->err = SF_EINVAL;
    } else if (reserve(b, (size_t)n)) {
        (void)vsnprintf(b->p + b->n, (size_t)n + 1, fmt, again);
        b->n += (size_t)n;
    }
    va_end(again);
}

void sf_buf_printf(struct sf_buf *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    sf_buf_vprintf(b, fmt, ap);
    va_end(ap);
}

struct sf_str sf_buf_str(const struct sf_buf *b)
{
    return (struct sf_str){b->p == NULL ? "" : b->p, b->n};
}

const char *sf_buf_z(const struct sf_buf *b)
{
    return b->p == NULL ? "" : b->p;
}

char *sf_buf_take(struct sf_buf *b)
{
    if (b->err == SF_OK) {
        sf_buf_add(b, "", 0); /* so that an empty buffer gives "" */
    }
    char *p = b->err == SF_OK ? b->p : NULL;
    if (p == NULL) {
        free(b->p), b->p = NULL;
    }
    sf_buf_init(b, b->cap);
    return p;
}
