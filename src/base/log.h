/* SPDX-License-Identifier: MIT */
#ifndef SF_BASE_LOG_H
#define SF_BASE_LOG_H

#include "base/err.h"
#include "base/str.h"

/* One line is one event, on stderr: logfmt ("2026-11-24T10:15:00.123Z info axon msg=\"...\" k=v")
 * or JSON. Values from outside are escaped and cut at 512 bytes. errno is preserved.
 *
 * The same event (log_repeat.h: area and message, whatever its fields) is written five times a
 * minute at most; the next one, or a line of its own when the minute is over, has the number of
 * those left out. At debug all are written. */
enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };
enum log_format { LOG_FORMAT_LOGFMT, LOG_FORMAT_JSON };
enum log_area {
    LOG_MAIN,
    LOG_CONF,
    LOG_AXON,
    LOG_ADMIN,
    LOG_CHAIN, /* the chain of generators */
    LOG_GENERATOR,
    LOG_ENGINE,
    LOG_STORY,
    LOG_WALLET,
    LOG_HTTP,
    LOG_SUBTENSOR,
    LOG_JOURNAL,
};

/* A field behind the message. Kinds by constructor: */
struct log_field {
    const char *key;
    enum { LOG_F_STR, LOG_F_I64, LOG_F_F64 } kind;
    struct sf_str s;
    int64_t i;
    double f;
};
#define LOG_S(k, z) ((struct log_field){.key = (k), .kind = LOG_F_STR, .s = sf_str(z)})
#define LOG_STR(k, slice) ((struct log_field){.key = (k), .kind = LOG_F_STR, .s = (slice)})
#define LOG_I(k, v) ((struct log_field){.key = (k), .kind = LOG_F_I64, .i = (int64_t)(v)})
#define LOG_F(k, v) ((struct log_field){.key = (k), .kind = LOG_F_F64, .f = (v)})
#define LOG_ERR(eb, code) LOG_S("err", sf_err_text(eb, code))

/* log_event(LOG_WARN, LOG_AXON, "request refused", LOG_S("peer", ip), LOG_I("status", 401)); */
#define log_event(level, area, message, ...)                                                       \
    log_write(level, area, message, (const struct log_field[]){{.key = NULL}, ##__VA_ARGS__},      \
              sizeof((struct log_field[]){{.key = NULL}, ##__VA_ARGS__}) /                         \
                  sizeof(struct log_field))

void log_write(enum log_level level, enum log_area area, const char *message,
               const struct log_field *fields, size_t n_fields);

/* The same without the limit: for lists that end by themselves. */
#define log_each(level, area, message, ...)                                                        \
    log_write_each(level, area, message, (const struct log_field[]){{.key = NULL}, ##__VA_ARGS__}, \
                   sizeof((struct log_field[]){{.key = NULL}, ##__VA_ARGS__}) /                    \
                       sizeof(struct log_field))
void log_write_each(enum log_level level, enum log_area area, const char *message,
                    const struct log_field *fields, size_t n_fields);

/* Writes how many events were left out, of those whose minute is over; with `all` of all, for the
 * end. To be called now and then. */
void log_tell_repeated(bool all);

/* Not thread-safe: call at start. Default: warnings, logfmt. */
void log_setup(enum log_level level, enum log_format format);
void log_set_level(enum log_level level); /* at any time */
enum log_level log_level(void);
enum log_format log_format(void);

/* Lines on stderr begin with their priority ("<4>"), which journald takes off again. Off unless
 * told; not thread-safe: call at start. */
void log_use_priorities(bool on);

/* A status line for people ("✅ Generator Mode: local"): stdout and flushed, or with the JSON format
 * an event on stderr. Shown at any level. */
void log_status(const char *fmt, ...) SF_PRINTF(1, 2);

/* Ends the program with `exit_code` after an error line. Only for main and cmd_*. */
_Noreturn void fatal(int exit_code, const char *fmt, ...) SF_PRINTF(2, 3);

#endif
