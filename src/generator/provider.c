/* SPDX-License-Identifier: MIT */
#include "generator/provider.h"

#include <stdarg.h>
#include <string.h>

#define LIMITS ((struct json_limits){.max_bytes = 8U << 20, .max_depth = 32})

const struct provider *provider_find(const char *name)
{
    static const struct {
        const char *name;
        const struct provider *provider;
    } list[] = {{"openai", &provider_openai},
                {"gemini", &provider_gemini},
                {"anthropic", &provider_anthropic},
                {"custom", &provider_openai}};
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        if (strcmp(list[i].name, name) == 0) {
            return list[i].provider;
        }
    }
    return NULL;
}

/* ---- replies --------------------------------------------------------------------------------- */

void provider_reply_init(struct provider_reply *r, size_t max_text_bytes)
{
    *r = (struct provider_reply){.ended = false};
    sf_buf_init(&r->text, max_text_bytes);
}

void provider_reply_fini(struct provider_reply *r)
{
    sf_buf_fini(&r->text);
}

void provider_reply_stop(struct provider_reply *r, enum sf_err why, const char *fmt, ...)
{
    va_list ap;
    if (r->stop != SF_OK) {
        return;
    }
    r->stop = why;
    va_start(ap, fmt);
    (void)vsnprintf(r->why, sizeof r->why, fmt, ap);
    va_end(ap);
}

static void read_object(const struct provider *p, struct provider_reply *r, const char *event,
                        const json_t *data)
{
    if (!r->failed && p->read_fault(data, &r->fault)) {
        r->failed = true;
    } else if (!r->failed) {
        p->read(r, event, data);
    }
}

void provider_read_event(const struct provider *p, struct provider_reply *r, const char *event,
                         struct sf_str data)
{
    json_t *v = NULL;
    struct sf_errbuf why = {.code = SF_OK};
    data = sf_str_trim(data);
    if (data.n == 0) {
        return;
    }
    if (sf_str_is(data, "[DONE]")) {
        r->ended = true;
        return;
    }
    if (json_parse(data, LIMITS, &v, &why) != SF_OK) {
        provider_reply_stop(r, SF_EINCOMPLETE, "an event of the stream is no JSON: %.100s",
                            why.text);
        return;
    }
    read_object(p, r, event, v);
    json_decref(v);
}

void provider_read_whole(const struct provider *p, struct provider_reply *r, struct sf_str body)
{
    json_t *v = NULL;
    struct sf_errbuf why = {.code = SF_OK};
    if (sf_str_trim(body).n == 0) {
        provider_reply_stop(r, SF_EINCOMPLETE, "the answer is empty");
        return;
    }
    if (json_parse(body, LIMITS, &v, &why) != SF_OK) {
        provider_reply_stop(r, SF_EINCOMPLETE, "the answer is no whole JSON: %.100s", why.text);
        return;
    }
    if (json_is_array(v)) { /* Gemini's stream without alt=sse */
        for (size_t i = 0; i < json_array_size(v); i++) {
            read_object(p, r, "", json_array_get(v, i));
        }
    } else {
        read_object(p, r, "", v);
    }
    json_decref(v);
}

/* ---- errors ---------------------------------------------------------------------------------- */

void provider_read_error(const struct provider *p, int status, struct sf_str body,
                         struct provider_fault *out)
{
    json_t *v = NULL;
    *out = (struct provider_fault){.status = 0};
    if (json_parse(body, LIMITS, &v, NULL) == SF_OK) {
        const json_t *first = json_is_array(v) ? json_array_get(v, 0) : v;
        (void)p->read_fault(first, out);
        json_decref(v);
    } else {
        struct sf_str text = sf_str_trim(body);
        (void)snprintf(out->message, sizeof out->message, "%.*s",
                       (int)(text.n < 120 ? text.n : 120), text.p == NULL ? "" : text.p);
    }
    out->status = status;
}

bool provider_scan_span(struct sf_str s, sf_ms *out)
{
    static const struct {
        const char *unit;
        double ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}};
    double total = 0;
    s = sf_str_trim(s);
    if (s.n == 0) {
        return false;
    }
    while (s.n > 0) {
        size_t digits = 0, i = 0;
        double value = 0;
        while (digits < s.n && ((s.p[digits] >= '0' && s.p[digits] <= '9') || s.p[digits] == '.')) {
            digits++;
        }
        if (!sf_scan_double((struct sf_str){s.p, digits}, &value)) {
            return false;
        }
        struct sf_str rest = {s.p + digits, s.n - digits};
        while (i < sizeof units / sizeof units[0] && !sf_str_has_prefix(rest, units[i].unit)) {
            i++;
        }
        if (i == sizeof units / sizeof units[0]) {
            return false;
        }
        total += value * units[i].ms;
        s = (struct sf_str){rest.p + strlen(units[i].unit), rest.n - strlen(units[i].unit)};
    }
    *out = total > 86400000.0 ? 86400000 : (sf_ms)(total + 0.999);
    return true;
}

void provider_read_delay(struct provider_fault *f, struct sf_str after_ms, sf_ms after,
                         struct sf_str reset)
{
    double number = 0;
    sf_ms span = 0;
    if (sf_scan_double(after_ms, &number) && number >= 0 && number < 86400000) {
        f->retry_after_ms = (sf_ms)(number + 0.999);
    } else if (after >= 0) {
        f->retry_after_ms = after;
    } else if (f->retry_after_ms == 0 && provider_scan_span(reset, &span)) {
        f->retry_after_ms = span;
    }
}

static bool code_is(const char *pattern, const char *code)
{
    size_t n = strlen(code), suffix = strlen(pattern) - 1;
    if (pattern[0] != '*') {
        return strcmp(pattern, code) == 0;
    }
    return n > suffix && strcmp(code + n - suffix, pattern + 1) == 0;
}

static enum sf_err class_of_code(const struct provider *p, const char *code)
{
    for (const struct provider_code *c = p->codes; code[0] != '\0' && c->code != NULL; c++) {
        if (code_is(c->code, code)) {
            return c->err;
        }
    }
    return SF_OK;
}

/* providers.md, "One retry table"; what a structured code says comes first. */
static enum sf_err class_of_status(int status)
{
    static const struct {
        int status;
        enum sf_err err;
    } table[] = {
        {400, SF_ESHAPE}, {401, SF_EACCOUNT},   {402, SF_EACCOUNT},   {403, SF_EACCOUNT},
        {404, SF_EMODEL}, {405, SF_EMODEL},     {408, SF_ETRANSIENT}, {409, SF_ETRANSIENT},
        {410, SF_EMODEL}, {425, SF_ETRANSIENT}, {429, SF_ERATE},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (table[i].status == status) {
            return table[i].err;
        }
    }
    if (status >= 300 && status < 400) {
        return SF_ECONFIG;
    }
    return status >= 400 && status < 500 ? SF_ESHAPE : SF_ETRANSIENT;
}

enum sf_err provider_class(const struct provider *p, const struct provider_fault *f)
{
    enum sf_err err = class_of_code(p, f->code);
    if (err == SF_OK && (f->status == 0 || f->status == 400 || f->status == 429)) {
        err = class_of_code(p, f->type);
    }
    return err != SF_OK ? err : class_of_status(f->status);
}
