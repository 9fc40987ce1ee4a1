/* SPDX-License-Identifier: MIT */
#ifndef SF_BASE_ERR_H
#define SF_BASE_ERR_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define SF_MUST_USE __attribute__((warn_unused_result))
#define SF_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/* What an error does to the circuit breaker of the target it came from. */
enum sf_breaker_effect {
    SF_BREAKER_NONE,    /* says nothing about the target */
    SF_BREAKER_SOFT,    /* half a failure */
    SF_BREAKER_COUNT,   /* one failure */
    SF_BREAKER_BENCH,   /* out of use until the delay the target named is over */
    SF_BREAKER_ACCOUNT, /* the whole provider account is out, for long */
    SF_BREAKER_RELOAD,  /* out until the configuration is loaded again */
};

/* The one table of errors:
 * X(name, value, HTTP status, CLI exit code, same target again?, next target?, breaker, short text)
 */
#define SF_ERR_TABLE(X)                                                                            \
    X(OK, 0, 200, 0, false, false, NONE, "ok")                                                     \
    X(EINVAL, -1, 400, 100, false, false, NONE, "invalid argument")                                \
    X(EPARSE, -2, 400, 100, false, false, NONE, "malformed input")                                 \
    X(ELIMIT, -3, 413, 100, false, false, NONE, "over a size limit")                               \
    X(ECONFIG, -4, 500, 100, false, true, RELOAD, "configuration error")                           \
    X(ENOMEM, -5, 503, 111, false, true, SOFT, "out of memory")                                    \
    X(EIO, -6, 500, 111, false, true, COUNT, "input/output error")                                 \
    X(EAUTH, -7, 401, 1, false, false, NONE, "not verified")                                       \
    X(EREPLAY, -8, 401, 1, false, false, NONE, "nonce refused")                                    \
    X(EFORBIDDEN, -9, 403, 1, false, false, NONE, "forbidden")                                     \
    X(ENOTFOUND, -10, 404, 100, false, false, NONE, "not found")                                   \
    X(EMETHOD, -11, 405, 100, false, false, NONE, "method not allowed")                            \
    X(EBUSY, -12, 503, 111, false, true, NONE, "overloaded")                                       \
    X(EDEADLINE, -13, 408, 111, false, false, NONE, "deadline passed")                             \
    X(ECANCELED, -14, 503, 111, false, false, NONE, "canceled")                                    \
    X(EUNAVAILABLE, -15, 503, 111, false, true, NONE, "not available")                             \
    X(ETRANSIENT, -16, 503, 111, true, true, COUNT, "temporary failure")                           \
    X(ERATE, -17, 503, 111, true, true, BENCH, "rate limited")                                     \
    X(EACCOUNT, -18, 503, 111, false, true, ACCOUNT, "account refused")                            \
    X(ESHAPE, -19, 503, 111, true, true, NONE, "request shape refused")                            \
    X(EMODEL, -20, 503, 111, false, true, RELOAD, "model not found")                               \
    X(ECONTENT, -21, 503, 111, false, true, NONE, "content refused")                               \
    X(EINCOMPLETE, -22, 503, 111, true, true, SOFT, "incomplete answer")                           \
    X(ESLOW, -23, 503, 111, false, true, COUNT, "too slow")                                        \
    X(ECRASH, -24, 503, 111, false, true, COUNT, "process died")                                   \
    X(EINTERNAL, -25, 500, 111, false, true, COUNT, "internal error")                              \
    X(ENEGATIVE, -26, 200, 1, false, false, NONE, "negative answer")                               \
    X(ETOOMANY, -27, 429, 111, false, false, NONE, "too many requests")

enum sf_err {
#define SF_ERR_ENUM(name, value, http, exit, retry, next, breaker, text) SF_##name = value,
    SF_ERR_TABLE(SF_ERR_ENUM)
#undef SF_ERR_ENUM
};

struct sf_err_info {
    enum sf_err code;
    const char *name; /* "SF_EINVAL" */
    int http_status;
    int exit_code;
    bool same_target_again;
    bool next_target;
    enum sf_breaker_effect breaker;
    const char *text;
};

/* The table row of `code`; an unknown value gets SF_EINTERNAL's. Never NULL. */
const struct sf_err_info *sf_err_info(enum sf_err code);

/* Caller-owned detail of an error, filled once where it is known; upper layers only prefix. */
struct sf_errbuf {
    enum sf_err code;
    int64_t retry_after_ms; /* SF_ERATE: the pause that the target named; 0 none */
    char text[512];
};

/* Fills `eb` (NULL: nothing) and returns `code`, so that `return sf_fail(eb, SF_EIO, "...")` works.
 */
enum sf_err sf_fail(struct sf_errbuf *eb, enum sf_err code, const char *fmt, ...) SF_PRINTF(3, 4);

/* Like sf_fail, with ": <strerror(errno)>" behind. */
enum sf_err sf_fail_errno(struct sf_errbuf *eb, enum sf_err code, const char *fmt, ...)
    SF_PRINTF(3, 4);

/* Puts "<prefix>: " before the text in `eb`; keeps the code and returns it. */
enum sf_err sf_fail_prefix(struct sf_errbuf *eb, const char *fmt, ...) SF_PRINTF(2, 3);

/* Text of `eb` when filled, else the table's text of `code`. */
const char *sf_err_text(const struct sf_errbuf *eb, enum sf_err code);

/* For states that cannot be: always compiled in, logs and aborts. Never for input. */
#define SF_BUG_ON(cond)                                                                            \
    do {                                                                                           \
        if (cond) {                                                                                \
            fprintf(stderr, "BUG at %s:%d: %s\n", __FILE__, __LINE__, #cond);                      \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

#endif
