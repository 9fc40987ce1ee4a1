/* SPDX-License-Identifier: MIT */
#include "conf/conf_internal.h"

#include "base/file.h"

#include <math.h>
#include <string.h>

#define MAX_ITEMS 256
#define MAX_TEXT 4096

const struct conf_unit conf_units[] = {
    {"TiB", 1LL << 40}, {"TB", 1000000000000}, {"GiB", 1LL << 30},
    {"GB", 1000000000}, {"MiB", 1LL << 20},    {"MB", 1000000},
    {"KiB", 1LL << 10}, {"KB", 1000},          {"T", 1000000000000},
    {"G", 1000000000},  {"M", 1000000},        {"K", 1000},
    {"B", 1},
};
#define N_UNITS (sizeof conf_units / sizeof conf_units[0])

/* ------------------------------------------------------------------ text to numbers */

static bool scan_signed(struct sf_str s, double *out)
{
    bool negative = s.n > 0 && s.p[0] == '-';
    if (s.n > 0 && (s.p[0] == '-' || s.p[0] == '+')) {
        s.p++;
        s.n--;
    }
    double v;
    if (s.n == 0 || s.p[0] == '-' || s.p[0] == '+' || !sf_scan_double(s, &v) || !isfinite(v)) {
        return false;
    }
    *out = negative ? -v : v;
    return true;
}

static bool scan_int(struct sf_str s, int64_t *out)
{
    if (s.n > 1 && s.p[0] == '+' && s.p[1] != '-') {
        s.p++;
        s.n--;
    }
    return sf_scan_i64(s, INT64_MIN, INT64_MAX, out);
}

static bool scan_bytes(struct sf_str s, double *out)
{
    double factor = 1;
    for (size_t i = 0; i < N_UNITS; i++) {
        size_t n = strlen(conf_units[i].name);
        if (s.n > n && sf_str_is_nocase((struct sf_str){s.p + s.n - n, n}, conf_units[i].name)) {
            factor = (double)conf_units[i].bytes;
            s.n -= n;
            break;
        }
    }
    double v;
    if (!scan_signed(sf_str_trim(s), &v)) {
        return false;
    }
    *out = v * factor;
    return true;
}

static bool scan_bool(struct sf_str s, bool *out)
{
    static const struct {
        const char *word;
        bool value;
    } words[] = {{"true", true},   {"yes", true}, {"on", true},   {"1", true},
                 {"false", false}, {"no", false}, {"off", false}, {"0", false}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (sf_str_is_nocase(s, words[i].word)) {
            *out = words[i].value;
            return true;
        }
    }
    return false;
}

static bool in_range(const struct conf_row *row, double v)
{
    return v >= row->min && v <= row->max;
}

/* ------------------------------------------------------------------ one scalar */

static bool is_url(const char *s)
{
    size_t skip = strncmp(s, "http://", 7) == 0 ? 7 : strncmp(s, "https://", 8) == 0 ? 8 : 0;
    if (skip == 0 || s[skip] == '\0' || s[skip] == '/' || s[skip] == ':') {
        return false;
    }
    for (const char *p = s; *p != '\0'; p++) {
        if ((unsigned char)*p <= ' ' || *p == 0x7f) {
            return false;
        }
    }
    return true;
}

/* A name, and not a key put where its variable's name belongs. */
static bool is_variable(const char *s)
{
    size_t n = strlen(s), lower = 0, digits = 0;
    for (size_t i = 0; i < n; i++) {
        bool low = s[i] >= 'a' && s[i] <= 'z';
        bool digit = s[i] >= '0' && s[i] <= '9';
        bool other = (s[i] >= 'A' && s[i] <= 'Z') || s[i] == '_';
        if ((!low && !digit && !other) || (i == 0 && digit)) {
            return false;
        }
        lower += low;
        digits += digit;
    }
    return n <= 128 && !(n >= 30 && lower > 0 && digits > 0);
}

static const char *choice_of(const char *choices, const char *text)
{
    struct sf_str rest = sf_str(choices), one;
    while (sf_str_next(&rest, '|', &one)) {
        if (sf_str_is_nocase(one, text)) {
            return one.p;
        }
    }
    return NULL;
}

static const char *text_problem(const struct conf_row *row, const char *text)
{
    for (const char *p = text; *p != '\0'; p++) {
        if ((unsigned char)*p < ' ' || *p == 0x7f) {
            return "control characters";
        }
    }
    if (strlen(text) > MAX_TEXT) {
        return "a text that is too long";
    }
    if (text[0] == '\0' && row->type != CONF_CHOICE) {
        return NULL; /* not set */
    }
    switch (row->type) {
    case CONF_URL:
        return is_url(text) ? NULL : "something else";
    case CONF_VARIABLE:
        return is_variable(text) ? NULL : "something else (not shown: it may be a key)";
    case CONF_CHOICE:
        return choice_of(row->choices, text) != NULL ? NULL : "something else";
    default:
        return NULL;
    }
}

static enum sf_err put_text(struct conf *conf, const struct conf_row *row, void *base,
                            const char *text)
{
    const char *kept;
    if (row->type == CONF_PATH) {
        char *path = sf_path_expand(text, conf->internal->home);
        kept = path == NULL ? NULL : conf_keep(conf, sf_str(path));
        free(path), path = NULL;
    } else if (row->type == CONF_CHOICE) {
        kept = conf_keep(conf, (struct sf_str){choice_of(row->choices, text), strlen(text)});
    } else {
        kept = conf_keep(conf, sf_str(text));
    }
    if (kept == NULL) {
        return SF_ENOMEM;
    }
    memcpy(base, &kept, sizeof kept);
    return SF_OK;
}

/* Puts a scalar's text into a field that is no text; false when it does not fit. */
static bool put_number(const struct conf_row *row, void *base, struct sf_str s)
{
    int64_t whole;
    double real;
    bool truth;
    int three;
    switch (row->type) {
    case CONF_BOOL:
        return scan_bool(s, &truth) && (memcpy(base, &truth, sizeof truth), true);
    case CONF_SWITCH3:
        three = -1;
        if (!sf_str_is_nocase(s, "auto")) {
            if (!scan_bool(s, &truth)) {
                return false;
            }
            three = truth ? 1 : 0;
        }
        memcpy(base, &three, sizeof three);
        return true;
    case CONF_INT:
    case CONF_MILLIS:
        return scan_int(s, &whole) && in_range(row, (double)whole) &&
               (memcpy(base, &whole, sizeof whole), true);
    case CONF_BYTES:
        if (!scan_bytes(s, &real) || !in_range(row, real)) {
            return false;
        }
        whole = (int64_t)real;
        memcpy(base, &whole, sizeof whole);
        return true;
    case CONF_SECONDS:
        if (s.n > 1 && s.p[s.n - 1] == 's') {
            s.n--;
        }
        if (!scan_signed(s, &real) || !in_range(row, real)) {
            return false;
        }
        whole = (int64_t)llround(real * 1000);
        memcpy(base, &whole, sizeof whole);
        return true;
    case CONF_REAL:
        return scan_signed(s, &real) && in_range(row, real) &&
               (memcpy(base, &real, sizeof real), true);
    default:
        return false;
    }
}

bool conf_is_text(enum conf_type type)
{
    return type == CONF_TEXT || type == CONF_CHOICE || type == CONF_PATH || type == CONF_URL ||
           type == CONF_VARIABLE;
}

enum sf_err conf_value_default(struct conf *conf, const struct conf_row *row, void *base)
{
    if (conf_is_text(row->type)) {
        return put_text(conf, row, base, row->fallback);
    }
    if (row->type == CONF_LIST || row->type == CONF_MAP || row->type == CONF_RECORDS) {
        struct conf_records none = {0};
        memcpy(base, &none, sizeof none);
        return SF_OK;
    }
    SF_BUG_ON(row->type != CONF_SECTION && !put_number(row, base, sf_str(row->fallback)));
    return SF_OK;
}

/* ------------------------------------------------------------------ what it got */

static void put_got(const struct conf_row *row, const struct yaml_node *node, struct sf_buf *out)
{
    static const char *const kinds[] = {[YAML_NULL] = "nothing",
                                        [YAML_BOOL] = NULL,
                                        [YAML_INT] = NULL,
                                        [YAML_FLOAT] = NULL,
                                        [YAML_STRING] = NULL,
                                        [YAML_LIST] = "a list",
                                        [YAML_MAP] = "keys with values"};
    if (kinds[node->kind] != NULL) {
        sf_buf_puts(out, kinds[node->kind]);
    } else if (row->type == CONF_VARIABLE || (row->flags & CONF_SECRET) != 0) {
        sf_buf_puts(out, "something else (not shown: it may be a key)");
    } else {
        struct sf_str s = sf_str(node->text);
        bool cut = s.n > 80;
        for (s.n = cut ? 77 : s.n; cut && s.n > 0 && ((unsigned char)s.p[s.n] & 0xc0) == 0x80;) {
            s.n--;
        }
        sf_buf_printf(out, "\"%.*s%s\"", SF_STR_ARG(s), cut ? "…" : "");
        if (node->kind == YAML_BOOL && conf_is_text(row->type)) {
            sf_buf_puts(out, " without quotes");
        }
    }
}

/* Says "got X, takes Y". */
static void refuse(const struct conf_give *g, const struct yaml_node *node)
{
    struct sf_buf text;
    sf_buf_init(&text, 1024);
    sf_buf_puts(&text, "got ");
    put_got(g->row, node, &text);
    sf_buf_puts(&text, ", takes ");
    conf_value_takes(g->row, &text);
    conf_say(g->report, CONF_ERROR, g->where, g->key, "%s", sf_buf_z(&text));
    sf_buf_fini(&text);
}

/* ------------------------------------------------------------------ lists and maps */

static size_t count_children(const struct yaml_node *node)
{
    size_t n = 0;
    for (const struct yaml_node *c = node->child; c != NULL; c = c->next) {
        n++;
    }
    return n;
}

static bool is_scalar(const struct yaml_node *node)
{
    return node->kind != YAML_LIST && node->kind != YAML_MAP && node->kind != YAML_NULL;
}

static enum sf_err set_list(const struct conf_give *g, const struct yaml_node *node)
{
    struct yaml_node one = *node;
    one.next = NULL;
    bool single = is_scalar(node); /* `fallback: api` is a list of one */
    const struct yaml_node *first = single ? &one : node->child;
    size_t n = single ? 1 : count_children(node);
    if (node->kind == YAML_MAP || n > MAX_ITEMS) {
        refuse(g, node);
        return SF_OK;
    }
    const char **v = conf_alloc(g->conf, (n + 1) * sizeof *v);
    if (v == NULL) {
        return SF_ENOMEM;
    }
    size_t i = 0;
    for (const struct yaml_node *c = first; c != NULL; c = c->next) {
        if (!is_scalar(c) || text_problem(g->row, c->text) != NULL) {
            refuse(g, c);
            return SF_OK;
        }
        v[i] = conf_keep(g->conf, sf_str(c->text));
        if (v[i++] == NULL) {
            return SF_ENOMEM;
        }
    }
    struct conf_strings list = {.v = v, .n = n, .set = true};
    memcpy(g->base, &list, sizeof list);
    return SF_OK;
}

/* Puts ${NAME} in from the environment; false names a variable that is not there. */
static bool expand_vars(const struct conf *conf, struct sf_str s, struct sf_buf *out,
                        struct sf_str *missing)
{
    while (s.n > 0) {
        const char *end = s.n > 2 && s.p[0] == '$' && s.p[1] == '{' ? memchr(s.p, '}', s.n) : NULL;
        if (end == NULL) {
            sf_buf_putc(out, s.p[0]);
            s.p++;
            s.n--;
            continue;
        }
        char name[128];
        size_t n = (size_t)(end - s.p) - 2;
        (void)snprintf(name, sizeof name, "%.*s", (int)(n < sizeof name ? n : sizeof name - 1),
                       s.p + 2);
        const char *value = conf_env(conf, name);
        if (value == NULL) {
            *missing = (struct sf_str){s.p + 2, n};
            return false;
        }
        sf_buf_puts(out, value);
        s.n -= (size_t)(end - s.p) + 1;
        s.p = end + 1;
    }
    return true;
}

static enum sf_err set_pair(const struct conf_give *g, const struct yaml_node *c,
                            struct conf_pair *pair)
{
    if ((!is_scalar(c) && c->kind != YAML_NULL) || c->key[0] == '\0' ||
        strchr(c->key, '=') != NULL) {
        refuse(g, c);
        return SF_OK;
    }
    struct sf_buf value;
    struct sf_str missing = {NULL, 0};
    sf_buf_init(&value, 64U << 10);
    struct sf_str given = c->kind == YAML_NULL ? SF_STR("") : sf_str(c->text);
    if (!expand_vars(g->conf, given, &value, &missing)) {
        conf_say(g->report, CONF_WARNING, g->where, g->key,
                 "%.60s is left out: the variable %.*s is not set in the environment or .env",
                 c->key, (int)(missing.n < 64 ? missing.n : 64), missing.p);
    } else if (value.err == SF_OK) {
        pair->name = conf_keep(g->conf, sf_str(c->key));
        pair->value = conf_keep(g->conf, sf_buf_str(&value));
    }
    enum sf_err err = value.err;
    if (err == SF_OK && missing.p == NULL && (pair->name == NULL || pair->value == NULL)) {
        err = SF_ENOMEM;
    } else if (err == SF_ELIMIT) {
        refuse(g, c);
        err = SF_OK;
    }
    sf_buf_wipe(&value);
    return err;
}

static enum sf_err set_map(const struct conf_give *g, const struct yaml_node *node)
{
    size_t n = count_children(node);
    if (node->kind != YAML_MAP || n > MAX_ITEMS) {
        refuse(g, node);
        return SF_OK;
    }
    struct conf_pair *v = conf_alloc(g->conf, (n + 1) * sizeof *v);
    if (v == NULL) {
        return SF_ENOMEM;
    }
    size_t used = 0;
    for (const struct yaml_node *c = node->child; c != NULL; c = c->next) {
        enum sf_err err = set_pair(g, c, &v[used]);
        if (err != SF_OK) {
            return err;
        }
        used += v[used].value != NULL;
    }
    struct conf_pairs map = {.v = v, .n = used, .set = true};
    memcpy(g->base, &map, sizeof map);
    return SF_OK;
}

enum sf_err conf_value_set(const struct conf_give *g, const struct yaml_node *node)
{
    if (node->kind == YAML_NULL && (g->row->flags & CONF_NULL_NONE) != 0) {
        return put_text(g->conf, g->row, g->base, "none");
    }
    if (node->kind == YAML_NULL) { /* `key:` with nothing behind: not set */
        return conf_value_default(g->conf, g->row, g->base);
    }
    if (g->row->type == CONF_LIST) {
        return set_list(g, node);
    }
    if (g->row->type == CONF_MAP) {
        return set_map(g, node);
    }
    if (!is_scalar(node)) {
        refuse(g, node);
        return SF_OK;
    }
    if (conf_is_text(g->row->type)) {
        bool bare_bool = node->kind == YAML_BOOL;
        if (bare_bool || text_problem(g->row, node->text) != NULL) {
            refuse(g, node);
            return SF_OK;
        }
        return put_text(g->conf, g->row, g->base, node->text);
    }
    bool wants_bool = g->row->type == CONF_BOOL || g->row->type == CONF_SWITCH3;
    bool bare_number = !node->quoted && (node->kind == YAML_INT || node->kind == YAML_FLOAT);
    if ((wants_bool && bare_number) || !put_number(g->row, g->base, sf_str(node->text))) {
        refuse(g, node);
    }
    return SF_OK;
}
