/* SPDX-License-Identifier: MIT */
#include "http/sse.h"

void sse_init(struct sse *s, size_t max_bytes)
{
    *s = (struct sse){.err = SF_OK};
    sf_buf_init(&s->line, max_bytes);
    sf_buf_init(&s->data, max_bytes);
}

void sse_fini(struct sse *s)
{
    sf_buf_fini(&s->line);
    sf_buf_fini(&s->data);
}

static void take_field(struct sse *s, struct sf_str line)
{
    size_t colon = sf_str_find(line, SF_STR(":"));
    struct sf_str name = {line.p, colon}, value = {"", 0};
    if (colon < line.n) {
        value = (struct sf_str){line.p + colon + 1, line.n - colon - 1};
        if (value.n > 0 && value.p[0] == ' ') {
            value.p++;
            value.n--;
        }
    }
    if (sf_str_is(name, "data")) {
        if (s->has_data) {
            sf_buf_putc(&s->data, '\n');
        }
        s->has_data = true;
        sf_buf_add_str(&s->data, value);
    } else if (sf_str_is(name, "event")) {
        (void)snprintf(s->event, sizeof s->event, "%.*s", SF_STR_ARG(value));
    }
}

static bool dispatch(struct sse *s, sse_fn fn, void *arg)
{
    bool wanted = !s->has_data || fn(arg, s->event, sf_buf_str(&s->data));
    sf_buf_clear(&s->data);
    s->has_data = false;
    s->event[0] = '\0';
    return wanted;
}

static enum sf_err end_line(struct sse *s, sse_fn fn, void *arg)
{
    struct sf_str line = sf_buf_str(&s->line);
    if (!s->begun && sf_str_has_prefix(line, "\xef\xbb\xbf")) {
        line.p += 3;
        line.n -= 3;
    }
    s->begun = true;
    if (line.n == 0) {
        s->err = dispatch(s, fn, arg) ? SF_OK : SF_ECANCELED;
    } else {
        take_field(s, line);
        s->err = s->data.err;
    }
    sf_buf_clear(&s->line);
    return s->err;
}

enum sf_err sse_feed(struct sse *s, struct sf_str piece, sse_fn fn, void *arg)
{
    while (s->err == SF_OK && piece.n > 0) {
        size_t end = 0;
        if (s->after_cr && piece.p[0] == '\n') {
            piece.p++;
            piece.n--;
        }
        s->after_cr = false;
        while (end < piece.n && piece.p[end] != '\n' && piece.p[end] != '\r') {
            end++;
        }
        sf_buf_add(&s->line, piece.p, end);
        s->err = s->line.err;
        if (s->err == SF_OK && end < piece.n) {
            s->after_cr = piece.p[end++] == '\r';
            s->err = end_line(s, fn, arg);
        }
        piece.p += end;
        piece.n -= end;
    }
    return s->err;
}
