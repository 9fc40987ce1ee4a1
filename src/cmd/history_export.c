/* SPDX-License-Identifier: MIT */
#include "cmd/history_export.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define LINE_CAP (64U << 20)

/* The columns of the CSV form, by their names in journal_trail. */
static const char *const columns[] = {
    "id",    "time",        "origin",    "story_id", "hotkey",       "uid",        "peer",
    "task",  "deadline_ms", "took_ms",   "status",   "message",      "generator",  "kind",
    "model", "technical",   "structure", "seed",     "context_hash", "user_input",
};
#define COLUMNS (sizeof columns / sizeof columns[0])

struct sink {
    FILE *out;
    enum history_format format;
    struct sf_buf line;
    struct sf_errbuf *eb;
    const char *name; /* of what is written, for the error */
};

bool history_format_parse(const char *name, enum history_format *out)
{
    *out = strcmp(name, "csv") == 0 ? HISTORY_CSV : HISTORY_JSONL;
    return *out == HISTORY_CSV || strcmp(name, "jsonl") == 0;
}

void history_csv_field(struct sf_buf *b, struct sf_str text)
{
    bool formula = text.n > 0 && strchr("=+-@\t\r", text.p[0]) != NULL;
    bool quote = formula;
    for (size_t i = 0; i < text.n && !quote; i++) {
        quote = strchr(",\"\r\n", text.p[i]) != NULL;
    }
    sf_buf_puts(b, quote ? "\"" : "");
    sf_buf_puts(b, formula ? "'" : "");
    for (size_t i = 0; i < text.n; i++) {
        sf_buf_puts(b, text.p[i] == '"' ? "\"" : "");
        sf_buf_putc(b, text.p[i]);
    }
    sf_buf_puts(b, quote ? "\"" : "");
}

static enum sf_err put_line(struct sink *s)
{
    if (s->line.err != SF_OK) {
        return sf_fail(s->eb, s->line.err, "%s: a request is too long to be written", s->name);
    }
    if (fwrite(sf_buf_z(&s->line), 1, s->line.n, s->out) != s->line.n) {
        return sf_fail_errno(s->eb, SF_EIO, "%s", s->name);
    }
    sf_buf_clear(&s->line);
    return SF_OK;
}

static void put_csv(struct sf_buf *b, const json_t *request)
{
    for (size_t i = 0; i < COLUMNS; i++) {
        const json_t *v = json_object_get(request, columns[i]);
        sf_buf_puts(b, i == 0 ? "" : ",");
        if (json_is_string(v)) {
            history_csv_field(b, json_get_str(request, columns[i]));
        } else if (v != NULL && !json_is_null(v)) {
            json_print(v, b);
        }
    }
    sf_buf_puts(b, "\r\n");
}

static enum sf_err put_request(void *arg, const json_t *request)
{
    struct sink *s = arg;
    if (s->format == HISTORY_CSV) {
        put_csv(&s->line, request);
    } else {
        json_print(request, &s->line);
        sf_buf_putc(&s->line, '\n');
    }
    return put_line(s);
}

static enum sf_err put_head(struct sink *s)
{
    if (s->format != HISTORY_CSV) {
        return SF_OK;
    }
    for (size_t i = 0; i < COLUMNS; i++) {
        sf_buf_printf(&s->line, "%s%s", i == 0 ? "" : ",", columns[i]);
    }
    sf_buf_puts(&s->line, "\r\n");
    return put_line(s);
}

static enum sf_err put_all(struct sink *s, const char *journal, const struct journal_filter *f,
                           struct sf_errbuf *eb)
{
    enum sf_err err = put_head(s);
    if (err == SF_OK) {
        err = journal_export(journal, f, put_request, s, eb);
    }
    if (err == SF_ENOTFOUND) {
        fprintf(stderr, "storyfi: history: %s\n", sf_err_text(eb, err));
        err = SF_OK;
    }
    if (err == SF_OK && fflush(s->out) != 0) {
        err = sf_fail_errno(eb, SF_EIO, "%s", s->name);
    }
    return err;
}

/* Under another name until it is whole. */
static enum sf_err export_to_file(struct sink *s, const char *journal,
                                  const struct journal_filter *f, struct sf_errbuf *eb)
{
    char partial[4096];
    (void)snprintf(partial, sizeof partial, "%.4000s.partial-%ld", s->name, (long)getpid());
    if (access(s->name, F_OK) == 0) {
        return sf_fail(eb, SF_ECONFIG, "%.300s is there already: name a file that is not", s->name);
    }
    int fd = open(partial, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    s->out = fd < 0 ? NULL : fdopen(fd, "w");
    if (s->out == NULL) {
        return sf_fail_errno(eb, SF_EIO, "%.300s", partial);
    }
    enum sf_err err = put_all(s, journal, f, eb);
    bool synced = fsync(fd) == 0;
    bool kept = fclose(s->out) == 0 && synced;
    if (err == SF_OK && (!kept || rename(partial, s->name) != 0)) {
        err = sf_fail_errno(eb, SF_EIO, "%.300s", s->name);
    }
    if (err != SF_OK) {
        (void)unlink(partial);
    }
    return err;
}

enum sf_err history_export(const char *journal, const struct journal_filter *f,
                           enum history_format format, const char *out, struct sf_errbuf *eb)
{
    struct sink s = {
        .out = stdout, .format = format, .eb = eb, .name = out == NULL ? "stdout" : out};
    sf_buf_init(&s.line, LINE_CAP);
    enum sf_err err =
        out == NULL ? put_all(&s, journal, f, eb) : export_to_file(&s, journal, f, eb);
    sf_buf_fini(&s.line);
    return err;
}
