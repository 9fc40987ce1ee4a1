/* SPDX-License-Identifier: MIT */
#include "conf/dotenv.h"

#include <string.h>

static bool is_name_char(char c, bool first)
{
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    return letter || (!first && c >= '0' && c <= '9');
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static void skip_blanks(struct sf_str *s)
{
    while (s->n > 0 && is_blank(s->p[0])) {
        s->p++;
        s->n--;
    }
}

static char unescape(char c)
{
    switch (c) {
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default:
        return c;
    }
}

/* The rest of a line behind a value: nothing, or a comment. */
static const char *check_rest(struct sf_str rest)
{
    skip_blanks(&rest);
    return rest.n == 0 || rest.p[0] == '#' ? NULL : "text behind the closing quote";
}

static const char *quoted_value(struct sf_str s, struct sf_buf *out)
{
    char quote = s.p[0];
    for (size_t i = 1; i < s.n; i++) {
        if (s.p[i] == quote) {
            return check_rest((struct sf_str){s.p + i + 1, s.n - i - 1});
        }
        if (quote == '"' && s.p[i] == '\\' && i + 1 < s.n) {
            char c = s.p[++i];
            if (strchr("nrt\"\\$'", c) == NULL) {
                sf_buf_putc(out, '\\'); /* not an escape: both characters are meant */
            }
            sf_buf_putc(out, unescape(c));
        } else {
            sf_buf_putc(out, s.p[i]);
        }
    }
    return "the closing quote is missing (a value must end on its line)";
}

static void plain_value(struct sf_str s, struct sf_buf *out)
{
    size_t n = 0;
    while (n < s.n && !(s.p[n] == '#' && (n == 0 || is_blank(s.p[n - 1])))) {
        n++;
    }
    sf_buf_add_str(out, sf_str_trim((struct sf_str){s.p, n}));
}

/* NULL, or why the line is no assignment. */
static const char *parse_line(struct sf_str line, struct sf_str *name, struct sf_buf *value)
{
    skip_blanks(&line);
    if (sf_str_has_prefix(line, "export") && line.n > 6 && is_blank(line.p[6])) {
        line.p += 7;
        line.n -= 7;
        skip_blanks(&line);
    }
    size_t n = 0;
    while (n < line.n && is_name_char(line.p[n], n == 0)) {
        n++;
    }
    *name = (struct sf_str){line.p, n};
    struct sf_str rest = {line.p + n, line.n - n};
    skip_blanks(&rest);
    if (n == 0 || rest.n == 0 || rest.p[0] != '=') {
        return "not an assignment: write NAME=value";
    }
    rest.p++;
    rest.n--;
    skip_blanks(&rest);
    if (rest.n > 0 && (rest.p[0] == '"' || rest.p[0] == '\'')) {
        return quoted_value(rest, value);
    }
    plain_value(rest, value);
    return NULL;
}

enum sf_err dotenv_parse(struct sf_str text, dotenv_fn fn, void *arg, struct sf_errbuf *eb)
{
    if (text.n > DOTENV_MAX_BYTES) {
        return sf_fail(eb, SF_ELIMIT, "larger than %u bytes", DOTENV_MAX_BYTES);
    }
    if (text.n >= 3 && memcmp(text.p, "\xef\xbb\xbf", 3) == 0) {
        text.p += 3;
        text.n -= 3;
    }
    struct sf_buf value;
    sf_buf_init(&value, DOTENV_MAX_VALUE);
    enum sf_err err = SF_OK;
    struct sf_str line;
    for (unsigned number = 1; err == SF_OK && sf_str_next(&text, '\n', &line); number++) {
        line = sf_str_trim(line);
        if (line.n == 0 || line.p[0] == '#') {
            continue;
        }
        struct dotenv_entry entry = {.line = number};
        sf_buf_clear(&value);
        const char *problem = parse_line(line, &entry.name, &value);
        if (memchr(line.p, '\0', line.n) != NULL) {
            problem = "a NUL character";
        } else if (value.err == SF_ELIMIT) {
            problem = "the value is too long";
        } else if (value.err != SF_OK) {
            err = sf_fail(eb, value.err, "line %u", number);
            break;
        }
        entry.value = sf_buf_str(&value);
        fn(arg, problem == NULL ? &entry : NULL, number, problem);
    }
    sf_buf_wipe(&value);
    return err;
}
