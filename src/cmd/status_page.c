/* SPDX-License-Identifier: MIT */
#include "cmd/status_page.h"

#include "cmd/journal_show.h"

#include <stdarg.h>
#include <string.h>

#define TEXT_MAX 512

struct page {
    const struct status_view *v;
    const struct status_sink *to;
};

/* ---- pieces ---------------------------------------------------------------------------------- */

/* Texts of others (reasons, hotkeys) are made fit for a terminal. */
static void put(const struct page *p, enum screen_style style, const char *fmt, ...)
    SF_PRINTF(3, 4);
static void put(const struct page *p, enum screen_style style, const char *fmt, ...)
{
    char text[TEXT_MAX];
    struct sf_buf clean;
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    sf_buf_init(&clean, 4 * TEXT_MAX);
    journal_show_text(text, TEXT_MAX, &clean);
    p->to->put(style, sf_buf_z(&clean));
    sf_buf_fini(&clean);
}

static void label(const struct page *p, const char *name)
{
    put(p, SCREEN_FAINT, "%-12s", name);
}

static void head(const struct page *p, const char *name)
{
    p->to->end_line();
    put(p, SCREEN_TITLE, "%s", name);
    p->to->end_line();
}

static double number(const json_t *o, const char *key)
{
    double v = 0;
    (void)json_get_number(o, key, &v);
    return v;
}

static const char *text_or(const json_t *o, const char *key, const char *none)
{
    const char *z = json_get_string(o, key);
    return z == NULL || z[0] == '\0' ? none : z;
}

const char *status_span(double seconds, char *out, size_t n)
{
    static const struct {
        double seconds;
        const char *unit;
    } units[] = {{86400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}};
    size_t i = 0;
    while (i + 1 < sizeof units / sizeof units[0] && seconds < units[i].seconds) {
        i++;
    }
    (void)snprintf(out, n, "%.0f %s", seconds / units[i].seconds, units[i].unit);
    return out;
}

/* ---- the hour -------------------------------------------------------------------------------- */

struct hour {
    int64_t answers, failures, tokens, p50_ms, p95_ms;
};

/* Of all generators; times are those of who answered most (the first row). */
static struct hour read_hour(const json_t *figures)
{
    struct hour h = {.answers = 0};
    for (size_t i = 0; i < json_array_size(figures); i++) {
        const json_t *row = json_array_get(figures, i);
        h.answers += journal_show_int(row, "answers");
        h.failures += journal_show_int(row, "failures");
        h.tokens += journal_show_int(row, "generated_tokens");
        if (i == 0) {
            h.p50_ms = journal_show_int(row, "p50_ms");
            h.p95_ms = journal_show_int(row, "p95_ms");
        }
    }
    return h;
}

static void put_hour(const struct page *p)
{
    struct hour h = read_hour(p->v->hour);
    const json_t *rates = json_get_object(p->v->status, "rates");
    const json_t *by = json_get_object(rates, "by_multiplier");
    label(p, "last hour");
    put(p, h.failures > h.answers ? SCREEN_BAD : SCREEN_PLAIN, "%lld answers, %lld failures",
        (long long)h.answers, (long long)h.failures);
    if (h.answers > 0) {
        put(p, SCREEN_PLAIN, ", half within %.1f s, 95 %% within %.1f s", (double)h.p50_ms / 1000,
            (double)h.p95_ms / 1000);
    }
    put(p, SCREEN_PLAIN, ", %lld tokens (%.1f a second)", (long long)h.tokens,
        rates == NULL ? (double)h.tokens / 3600 : number(rates, "tokens_per_second"));
    p->to->end_line();
    if (by != NULL) {
        label(p, "by reward");
        put(p, SCREEN_PLAIN, "×1.5: %lld, ×1.0: %lld, ×0.5: %lld; margin to the deadline %.1f s",
            (long long)journal_show_int(by, "1.5"), (long long)journal_show_int(by, "1.0"),
            (long long)journal_show_int(by, "0.5"), number(rates, "deadline_margin_p5_seconds"));
        p->to->end_line();
    }
}

/* ---- the network ----------------------------------------------------------------------------- */

static void put_network(const struct page *p)
{
    const json_t *n = json_get_object(p->v->status, "network");
    const json_t *problems = json_get_array(n, "problems");
    char span[32];
    double age = 0;
    label(p, "earning");
    if (n == NULL) {
        put(p, SCREEN_CARE, "nothing: the miner runs --offline");
        p->to->end_line();
        return;
    }
    put(p, json_get_bool(n, "earns", false) ? SCREEN_GOOD : SCREEN_BAD, "%s",
        text_or(n, "earning", "not known yet"));
    p->to->end_line();
    label(p, "network");
    put(p, SCREEN_PLAIN, "subnet %lld", (long long)journal_show_int(n, "netuid"));
    if (json_get_bool(n, "registered", false)) {
        put(p, SCREEN_PLAIN, ", uid %lld", (long long)journal_show_int(n, "uid"));
    }
    put(p, SCREEN_PLAIN, ", announced %s", text_or(n, "axon_announced", "nothing"));
    if (json_get_number(json_get_object(n, "metagraph"), "age_seconds", &age)) {
        put(p, SCREEN_PLAIN, ", metagraph %s old", status_span(age, span, sizeof span));
    }
    p->to->end_line();
    for (size_t i = 0; i < json_array_size(problems); i++) {
        label(p, i == 0 ? "wrong" : "");
        put(p, SCREEN_CARE, "%s", json_string_value(json_array_get(problems, i)));
        p->to->end_line();
    }
}

/* ---- generators ------------------------------------------------------------------------------ */

static enum screen_style style_of(const char *use)
{
    static const struct {
        const char *use;
        enum screen_style style;
    } uses[] = {{"ready", SCREEN_GOOD},    {"busy", SCREEN_GOOD},    {"loading", SCREEN_CARE},
                {"starting", SCREEN_CARE}, {"resting", SCREEN_CARE}, {"degraded", SCREEN_CARE}};
    for (size_t i = 0; i < sizeof uses / sizeof uses[0]; i++) {
        if (strcmp(uses[i].use, use) == 0) {
            return uses[i].style;
        }
    }
    return SCREEN_BAD;
}

static void put_generators(const struct page *p)
{
    const json_t *list = json_get_array(p->v->status, "generators");
    char span[32];
    double left = 0;
    head(p, "generators");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *g = json_array_get(list, i);
        const char *use = text_or(g, "use", "?");
        put(p, SCREEN_PLAIN, "  %-16s ", text_or(g, "name", "?"));
        put(p, style_of(use), "%-9s", use);
        put(p, SCREEN_PLAIN, " %lld answers, %lld failures",
            (long long)journal_show_int(g, "answers"), (long long)journal_show_int(g, "failures"));
        if (json_get_number(g, "out_for_seconds", &left)) {
            put(p, SCREEN_CARE, ", out for %s", status_span(left, span, sizeof span));
        }
        put(p, SCREEN_FAINT, "  %s", text_or(g, "reason", text_or(g, "target", "")));
        p->to->end_line();
    }
}

/* ---- requests -------------------------------------------------------------------------------- */

/* The hop that is at work on it, or was last. */
static const char *hop_of(const json_t *request, const char **state)
{
    const json_t *hops = json_get_array(request, "hops");
    const json_t *hop = json_array_get(hops, json_array_size(hops) - 1);
    *state = text_or(hop, "state", "queued");
    return text_or(hop, "name", "");
}

static void put_in_flight(const struct page *p)
{
    const json_t *list = json_get_array(p->v->status, "in_flight");
    double now = (double)sf_wall_ns() / 1e9;
    if (json_array_size(list) == 0) {
        return;
    }
    head(p, "in flight");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *r = json_array_get(list, i);
        const char *state, *hop = hop_of(r, &state);
        put(p, SCREEN_PLAIN, "  %8lld %-10s %-10s %5.1f s of %.0f s, %lld tokens  %s %s",
            (long long)journal_show_int(r, "id"), text_or(r, "task", "?"),
            text_or(r, "origin", "?"), now - number(r, "started"), number(r, "deadline_s"),
            (long long)journal_show_int(r, "tokens"), hop, state);
        p->to->end_line();
    }
}

static void put_last(const struct page *p)
{
    head(p, "last requests");
    if (json_array_size(p->v->last) == 0) {
        put(p, SCREEN_FAINT, "  none is on record");
        p->to->end_line();
    }
    for (size_t i = 0; i < json_array_size(p->v->last); i++) {
        const json_t *r = json_array_get(p->v->last, i);
        int64_t status = journal_show_int(r, "status");
        put(p, SCREEN_PLAIN, "  %8lld %.20s %-10s %-10s ", (long long)journal_show_int(r, "id"),
            text_or(r, "time", ""), text_or(r, "task", "-"), text_or(r, "origin", "?"));
        put(p, status == 200 ? SCREEN_GOOD : SCREEN_BAD, "%3lld", (long long)status);
        put(p, SCREEN_PLAIN, " %5.1f s  %-16s", journal_show_seconds(r, "took_ms"),
            text_or(r, "generator", "-"));
        put(p, SCREEN_FAINT, " %s", text_or(r, "message", ""));
        p->to->end_line();
    }
}

/* ---- the page -------------------------------------------------------------------------------- */

static void put_top(const struct page *p)
{
    const json_t *s = p->v->status, *q = json_get_object(s, "queue"),
                 *j = json_get_object(s, "journal");
    char span[32];
    bool ready = json_get_bool(s, "ready", false);
    put(p, SCREEN_TITLE, "storyfi %s", text_or(s, "version", "?"));
    put(p, SCREEN_PLAIN, "  up %s  ", status_span(number(s, "uptime_seconds"), span, sizeof span));
    put(p, ready ? SCREEN_GOOD : SCREEN_BAD, "%s", ready ? "ready" : "not ready");
    put(p, SCREEN_FAINT, "  %s  q quits", text_or(s, "hotkey", ""));
    p->to->end_line();
    put_network(p);
    label(p, "queue");
    put(p, SCREEN_PLAIN, "%lld waiting of %lld, %lld in flight, %lld verified since the start",
        (long long)journal_show_int(q, "depth"), (long long)journal_show_int(q, "size"),
        (long long)journal_show_int(q, "in_flight"), (long long)journal_show_int(s, "requests"));
    p->to->end_line();
    put_hour(p);
    if (j != NULL && !json_get_bool(j, "writing", true)) {
        label(p, "journal");
        put(p, SCREEN_BAD, "requests are not recorded: %s", text_or(j, "reason", ""));
        p->to->end_line();
    }
}

void status_page(const struct status_view *v, const struct status_sink *to)
{
    const struct page p = {.v = v, .to = to};
    if (v->status == NULL) {
        put(&p, SCREEN_BAD, "no miner answers: %s", v->error);
        to->end_line();
        put(&p, SCREEN_FAINT, "start one with storyfi miner, or name its --admin.port; q quits");
        to->end_line();
    } else {
        put_top(&p);
        put_generators(&p);
        put_in_flight(&p);
    }
    put_last(&p);
}

void status_line(const struct status_view *v, struct sf_buf *out)
{
    const json_t *s = v->status, *q = json_get_object(s, "queue"),
                 *n = json_get_object(s, "network"), *list = json_get_array(s, "generators");
    struct hour h = read_hour(v->hour);
    char text[TEXT_MAX];
    if (s == NULL) {
        (void)snprintf(text, sizeof text, "no miner answers: %s", v->error);
        journal_show_text(text, TEXT_MAX, out);
        return;
    }
    (void)snprintf(text, sizeof text, "%s; earning %s; queue %lld, in flight %lld, verified %lld",
                   json_get_bool(s, "ready", false) ? "ready" : "not ready",
                   n == NULL ? "nothing (--offline)" : text_or(n, "earning", "not known yet"),
                   (long long)journal_show_int(q, "depth"),
                   (long long)journal_show_int(q, "in_flight"),
                   (long long)journal_show_int(s, "requests"));
    journal_show_text(text, TEXT_MAX, out);
    sf_buf_printf(out, "; last hour %lld answers, %lld failures", (long long)h.answers,
                  (long long)h.failures);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *g = json_array_get(list, i);
        (void)snprintf(text, sizeof text, "; %s %s", text_or(g, "name", "?"),
                       text_or(g, "use", "?"));
        journal_show_text(text, TEXT_MAX, out);
    }
}
