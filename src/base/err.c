/* SPDX-License-Identifier: MIT */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

static const struct sf_err_info table[] = {
#define ROW(n, value, http, exit, retry, next, brk, txt)                                           \
    {.code = SF_##n,                                                                               \
     .name = "SF_" #n,                                                                             \
     .http_status = http,                                                                          \
     .exit_code = exit,                                                                            \
     .same_target_again = retry,                                                                   \
     .next_target = next,                                                                          \
     .breaker = SF_BREAKER_##brk,                                                                  \
     .text = txt},
    SF_ERR_TABLE(ROW)
#undef ROW
};

const struct sf_err_info *sf_err_info(enum sf_err code)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (table[i].code == code) {
            return &table[i];
        }
    }
    return sf_err_info(SF_EINTERNAL);
}

static SF_PRINTF(3, 0) void fill(struct sf_errbuf *eb, enum sf_err code, const char *fmt,
                                 va_list ap)
{
    eb->code = code;
    (void)vsnprintf(eb->text, sizeof eb->text, fmt, ap);
}

enum sf_err sf_fail(struct sf_errbuf *eb, enum sf_err code, const char *fmt, ...)
{
    if (eb != NULL) {
        va_list ap;
        va_start(ap, fmt);
        fill(eb, code, fmt, ap);
        va_end(ap);
    }
    return code;
}

enum sf_err sf_fail_errno(struct sf_errbuf *eb, enum sf_err code, const char *fmt, ...)
{
    int saved = errno;
    if (eb != NULL) {
        va_list ap;
        va_start(ap, fmt);
        fill(eb, code, fmt, ap);
        va_end(ap);
        const char *reason = strerrordesc_np(saved);
        size_t used = strlen(eb->text);
        (void)snprintf(eb->text + used, sizeof eb->text - used, ": %s",
                       reason == NULL ? "unknown error" : reason);
    }
    errno = saved;
    return code;
}

enum sf_err sf_fail_prefix(struct sf_errbuf *eb, const char *fmt, ...)
{
    if (eb == NULL) {
        return SF_EINTERNAL;
    }
    char old[sizeof eb->text];
    memcpy(old, eb->text, sizeof old);
    va_list ap;
    va_start(ap, fmt);
    fill(eb, eb->code, fmt, ap);
    va_end(ap);
    size_t used = strlen(eb->text);
    (void)snprintf(eb->text + used, sizeof eb->text - used, ": %s", old);
    return eb->code;
}

const char *sf_err_text(const struct sf_errbuf *eb, enum sf_err code)
{
    if (eb != NULL && eb->code == code && eb->text[0] != '\0') {
        return eb->text;
    }
    return sf_err_info(code)->text;
}
