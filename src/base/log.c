/* SPDX-License-Identifier: MIT */
#include "base/log.h"

#include "base/buf.h"
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINE_CAP 4096
#define VALUE_CAP 512

static enum log_level threshold = LOG_WARN;
static enum log_format output_format = LOG_FORMAT_LOGFMT;
static int record_fd = -1;

static const char *const level_names[] = {"error", "warn", "info", "debug"};
static const char *const area_names[] = {"main",   "conf",      "axon",      "admin",
                                         "chain",  "generator", "engine",    "story",
                                         "wallet", "http",      "subtensor", "journal"};

void log_setup(enum log_level level, enum log_format format)
{
    threshold = level;
    output_format = format;
}

enum log_level log_level(void)
{
    return threshold;
}

enum log_format log_format(void)
{
    return output_format;
}

int log_record(const char *path)
{
    /* A log rotation that copies and truncates works with O_APPEND. */
    record_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    return record_fd < 0 ? -1 : 0;
}

static void put_record(const struct sf_buf *line)
{
    if (record_fd >= 0) {
        ssize_t written = write(record_fd, sf_buf_z(line), line->n);
        (void)written;
    }
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

static void write_line(enum log_level level, enum log_area area, const char *message,
                       const struct log_field *fields, size_t n_fields)
{
    int saved = errno;
    struct sf_buf line;
    sf_buf_init(&line, LINE_CAP);
    put_line(&line, level, area, message, fields, n_fields);
    if (line.err != SF_OK) {
        line.err = SF_OK;
        line.n = line.n > 0 ? line.n - 1 : 0;
        sf_buf_putc(&line, '\n');
    }
    /* One write per line keeps lines of several threads whole. */
    ssize_t written = write(STDERR_FILENO, sf_buf_z(&line), line.n);
    (void)written;
    put_record(&line);
    sf_buf_fini(&line);
    errno = saved;
}

void log_write(enum log_level level, enum log_area area, const char *message,
               const struct log_field *fields, size_t n_fields)
{
    if (level <= threshold) {
        write_line(level, area, message, fields, n_fields);
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
