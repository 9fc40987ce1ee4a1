/* SPDX-License-Identifier: MIT */
#include "base/log.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/log_file.h"
#include "base/log_repeat.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define LINE_CAP 4096
#define VALUE_CAP 512
#define FIELDS_MAX 31

static _Atomic(enum log_level) threshold = LOG_WARN;
static enum log_format output_format = LOG_FORMAT_LOGFMT;
static bool priorities;

static const char *const level_names[] = {"error", "warn", "info", "debug"};
static const char *const area_names[] = {"main",   "conf",      "axon",      "admin",
                                         "chain",  "generator", "engine",    "story",
                                         "wallet", "http",      "subtensor", "journal"};

void log_setup(enum log_level level, enum log_format format)
{
    log_set_level(level);
    output_format = format;
}

void log_set_level(enum log_level level)
{
    atomic_store_explicit(&threshold, level, memory_order_relaxed);
}

void log_use_priorities(bool on)
{
    priorities = on;
}

enum log_level log_level(void)
{
    return atomic_load_explicit(&threshold, memory_order_relaxed);
}

enum log_format log_format(void)
{
    return output_format;
}

static void put_stamp(struct sf_buf *b)
{
    int64_t ns = sf_wall_ns();
    time_t seconds = (time_t)(ns / 1000000000);
    struct tm tm;
    (void)gmtime_r(&seconds, &tm);
    char text[32];
    (void)strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
    sf_buf_printf(b, "%s.%03dZ", text, (int)(ns / 1000000 % 1000));
}

/* A JSON string of `s`, cut at VALUE_CAP; control bytes and bytes outside ASCII pass as \u00XX only
 * when they cannot stand in a line. */
static void put_quoted(struct sf_buf *b, struct sf_str s)
{
    bool cut = s.n > VALUE_CAP;
    if (cut) {
        s.n = VALUE_CAP;
        while (s.n > 0 && ((unsigned char)s.p[s.n] & 0xc0) == 0x80) {
            s.n--;
        }
    }
    sf_buf_putc(b, '"');
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c == '"' || c == '\\') {
            sf_buf_printf(b, "\\%c", c);
        } else if (c == '\n') {
            sf_buf_puts(b, "\\n");
        } else if (c < 0x20 || c == 0x7f) {
            sf_buf_printf(b, "\\u%04x", c);
        } else {
            sf_buf_putc(b, (char)c);
        }
    }
    sf_buf_puts(b, cut ? "…\"" : "\"");
}

static bool needs_quotes(struct sf_str s)
{
    if (s.n == 0 || s.n > VALUE_CAP) {
        return true;
    }
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c == 0x7f) {
            return true;
        }
    }
    return false;
}

static void put_value(struct sf_buf *b, const struct log_field *f, bool json)
{
    switch (f->kind) {
    case LOG_F_STR:
        if (json || needs_quotes(f->s)) {
            put_quoted(b, f->s);
        } else {
            sf_buf_add_str(b, f->s);
        }
        break;
    case LOG_F_I64:
        sf_buf_printf(b, "%lld", (long long)f->i);
        break;
    case LOG_F_F64:
        sf_buf_printf(b, "%.3f", f->f);
        break;
    }
}

static void put_line(struct sf_buf *b, enum log_level level, enum log_area area,
                     const char *message, const struct log_field *fields, size_t n_fields)
{
    bool json = output_format == LOG_FORMAT_JSON;
    sf_buf_puts(b, json ? "{\"time\":\"" : "");
    put_stamp(b);
    sf_buf_printf(b, json ? "\",\"level\":\"%s\",\"area\":\"%s\",\"msg\":" : " %s %s msg=",
                  level_names[level], area_names[area]);
    put_quoted(b, sf_str(message));
    for (size_t i = 0; i < n_fields; i++) {
        if (fields[i].key != NULL) {
            sf_buf_printf(b, json ? ",\"%s\":" : " %s=", fields[i].key);
            put_value(b, &fields[i], json);
        }
    }
    sf_buf_puts(b, json ? "}\n" : "\n");
}

/* One write per line keeps lines of several threads whole. */
static void write_stderr(enum log_level level, const struct sf_buf *line)
{
    /* As in syslog(3): what is in front of a line that journald reads. */
    static const char *const marks[] = {"<3>", "<4>", "<6>", "<7>"};
    struct iovec parts[2] = {{.iov_len = 0}, {.iov_base = line->p, .iov_len = line->n}};
    char mark[4];
    if (priorities) {
        memcpy(mark, marks[level], sizeof mark);
        parts[0] = (struct iovec){mark, 3};
    }
    ssize_t written = writev(STDERR_FILENO, parts, 2);
    (void)written;
}

static void put_record(const struct sf_buf *line);

static void write_line(enum log_level level, enum log_area area, const char *message,
                       const struct log_field *fields, size_t n_fields)
{
    int saved = errno;
    struct sf_buf line;
    sf_buf_init(&line, LINE_CAP);
    put_line(&line, level, area, message, fields, n_fields);
    if (line.err != SF_OK && line.n > 0) { /* cut */
        line.err = SF_OK;
        line.n--;
        sf_buf_putc(&line, '\n');
    }
    if (line.n > 0) {
        write_stderr(level, &line);
        put_record(&line);
    }
    sf_buf_fini(&line);
    errno = saved;
}

/* Into the file too, when there is one; what is wrong with that is said once on stderr (and, when
 * it is over, in the file). */
static void put_record(const struct sf_buf *line)
{
    uint64_t lost = 0;
    switch (log_file_write(sf_buf_str(line), &lost)) {
    case LOG_FILE_FAILS: {
        const struct log_field why[] = {
            LOG_S("err", strerrordesc_np(errno)),
            LOG_S("remedy", "free some space, or set logging.file to another disk")};
        write_line(LOG_ERROR, LOG_MAIN, "the log's file cannot be written", why, 2);
        break;
    }
    case LOG_FILE_WORKS_AGAIN: {
        const struct log_field lines = LOG_I("lost_lines", lost);
        write_line(LOG_WARN, LOG_MAIN, "the log's file is written again", &lines, 1);
        break;
    }
    case LOG_FILE_FINE:
        break;
    }
}

void log_write_each(enum log_level level, enum log_area area, const char *message,
                    const struct log_field *fields, size_t n_fields)
{
    if (level <= log_level()) {
        write_line(level, area, message, fields, n_fields);
    }
}

/* With how many like it were not written before it. */
static void write_counted(enum log_level level, enum log_area area, const char *message,
                          const struct log_field *fields, size_t n_fields, uint64_t left_out)
{
    struct log_field more[FIELDS_MAX + 1];
    size_t n = n_fields < FIELDS_MAX ? n_fields : FIELDS_MAX;
    if (n > 0) {
        memcpy(more, fields, n * sizeof *more);
    }
    more[n] = LOG_I("left_out", left_out);
    write_line(level, area, message, more, n + 1);
}

void log_write(enum log_level level, enum log_area area, const char *message,
               const struct log_field *fields, size_t n_fields)
{
    uint64_t left_out = 0;
    if (level > log_level()) {
        return;
    }
    if (log_level() < LOG_DEBUG && !log_repeat_pass(level, area, message, &left_out)) {
        return;
    }
    if (left_out > 0) {
        write_counted(level, area, message, fields, n_fields, left_out);
    } else {
        write_line(level, area, message, fields, n_fields);
    }
}

void log_tell_repeated(bool all)
{
    struct log_repeated r;
    while (log_repeat_take(all, &r)) {
        write_counted(r.level, r.area, r.message, NULL, 0, r.left_out);
    }
}

void log_status(const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (output_format == LOG_FORMAT_JSON) {
        write_line(LOG_INFO, LOG_MAIN, text, NULL, 0);
        return;
    }
    (void)puts(text);
    (void)fflush(stdout);
    struct sf_buf line;
    sf_buf_init(&line, LINE_CAP);
    put_line(&line, LOG_INFO, LOG_MAIN, text, NULL, 0);
    put_record(&line);
    sf_buf_fini(&line);
}

_Noreturn void fatal(int exit_code, const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    (void)fflush(stdout);
    fprintf(stderr, "storyfi: %s\n", text);
    exit(exit_code);
}
