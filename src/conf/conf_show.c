/* SPDX-License-Identifier: MIT */
#include "conf/conf_internal.h"

#include "base/file.h"

#include <string.h>

#define ORIGIN_COLUMN 52

/* ------------------------------------------------------------------ as YAML */

struct printing {
    const struct conf *conf;
    struct sf_buf *out;
    char element[CONF_MAX_KEY]; /* of a list, the one being printed */
};

/* Indentation of a key. */
static size_t depth_of(const char *key)
{
    size_t depth = 0;
    for (const char *p = key; *p != '\0'; p++) {
        depth += *p == '.' || *p == '[';
    }
    return depth;
}

/* Whether the key begins an element of a list: "custom[0].name", and no other of that element yet.
 */
static bool begins_element(struct printing *p, const char *key)
{
    const char *bracket = strrchr(key, ']');
    size_t n = bracket == NULL ? 0 : (size_t)(bracket - key);
    if (bracket == NULL || n >= sizeof p->element ||
        (strncmp(p->element, key, n) == 0 && p->element[n] == '\0')) {
        return false;
    }
    (void)snprintf(p->element, sizeof p->element, "%.*s", (int)n, key);
    return true;
}

static void print_row(void *arg, const char *key, const struct conf_row *row, const void *base)
{
    struct printing *p = arg;
    bool dash = begins_element(p, key);
    size_t depth = depth_of(key);
    size_t start = p->out->n;
    for (size_t i = 0; i < 2 * depth; i++) {
        sf_buf_putc(p->out, dash && i == 2 * depth - 2 ? '-' : ' ');
    }
    sf_buf_printf(p->out, "%s:", row->name);
    if (row->type == CONF_SECTION) {
        sf_buf_putc(p->out, '\n');
        return;
    }
    if (row->type == CONF_RECORDS) {
        if (conf_records_get(base).n > 0) {
            sf_buf_putc(p->out, '\n');
            return;
        }
        sf_buf_puts(p->out, conf_records_get(base).set ? " []" : " null");
    } else {
        sf_buf_putc(p->out, ' ');
        conf_value_print(row, base, p->out);
    }
    do {
        sf_buf_putc(p->out, ' ');
    } while (p->out->err == SF_OK && p->out->n - start < ORIGIN_COLUMN);
    sf_buf_printf(p->out, "# %s\n", conf_origin(p->conf, key));
}

void conf_print(const struct conf *conf, struct sf_buf *out)
{
    struct printing p = {.conf = conf, .out = out};
    sf_buf_printf(out, "# %s%s\n",
                  conf->file[0] != '\0' ? "file: " : "no file: defaults, environment and flags",
                  conf->file);
    conf_visit(conf, print_row, &p);
}

/* ------------------------------------------------------------------ as JSON */

struct json_printing {
    const struct conf *conf;
    json_t *list;
    bool failed;
};

static json_t *default_json(struct json_printing *p, const struct conf_row *row)
{
    struct conf *scratch = conf_new();
    union {
        bool truth;
        int three;
        int64_t whole;
        double real;
        const char *text;
        struct conf_strings list;
    } value = {0};
    json_t *json = NULL;
    if (scratch != NULL && conf_value_default(scratch, row, &value) == SF_OK) {
        json = conf_value_json(row, &value);
    }
    p->failed = p->failed || json == NULL;
    conf_unref(scratch);
    return json;
}

static void json_row(void *arg, const char *key, const struct conf_row *row, const void *base)
{
    struct json_printing *p = arg;
    if (row->type == CONF_SECTION || row->type == CONF_RECORDS || p->failed) {
        return;
    }
    json_t *option =
        json_pack("{s:s, s:o, s:s, s:o, s:b, s:b, s:s}", "key", key, "value",
                  conf_value_json(row, base), "origin", conf_origin(p->conf, key), "default",
                  default_json(p, row), "reload", (row->flags & CONF_RELOAD) != 0, "secret",
                  (row->flags & CONF_SECRET) != 0, "doc", row->doc == NULL ? "" : row->doc);
    p->failed = p->failed || option == NULL || json_array_append_new(p->list, option) != 0;
}

json_t *conf_to_json(const struct conf *conf)
{
    struct json_printing p = {.conf = conf, .list = json_array()};
    p.failed = p.list == NULL;
    conf_visit(conf, json_row, &p);
    json_t *file = conf->file[0] != '\0' ? json_string(conf->file) : json_null();
    if (p.failed || file == NULL) {
        json_decref(p.list);
        json_decref(file);
        return NULL;
    }
    return json_pack("{s:o, s:o}", "file", file, "options", p.list);
}

/* ------------------------------------------------------------------ what differs */

struct side {
    const struct conf *conf;
    const struct conf *other;
    conf_diff_fn fn;
    void *arg;
    bool only_missing; /* second pass: what the first side does not have at all */
    const char *wanted;
    const struct conf_row *row;
    const void *base;
};

static void find_key(void *arg, const char *key, const struct conf_row *row, const void *base)
{
    struct side *s = arg;
    if (strcmp(key, s->wanted) == 0) {
        s->row = row;
        s->base = base;
    }
}

/* The values as they are, not masked: a changed secret is a change. */
static bool same_value(const struct conf_row *row, const void *a, const void *b)
{
    if (row->type == CONF_MAP) {
        struct conf_pairs x, y;
        memcpy(&x, a, sizeof x);
        memcpy(&y, b, sizeof y);
        bool same = x.n == y.n;
        for (size_t i = 0; same && i < x.n; i++) {
            same = strcmp(x.v[i].name, y.v[i].name) == 0 && strcmp(x.v[i].value, y.v[i].value) == 0;
        }
        return same;
    }
    struct conf_row open = *row;
    struct sf_buf x, y;
    open.flags &= ~(unsigned)CONF_SECRET;
    sf_buf_init(&x, 1U << 20);
    sf_buf_init(&y, 1U << 20);
    conf_value_print(&open, a, &x);
    conf_value_print(&open, b, &y);
    bool same = strcmp(sf_buf_z(&x), sf_buf_z(&y)) == 0;
    sf_buf_wipe(&x);
    sf_buf_wipe(&y);
    return same;
}

static void compare_row(void *arg, const char *key, const struct conf_row *row, const void *base)
{
    struct side *s = arg;
    if (row->type == CONF_SECTION || row->type == CONF_RECORDS) {
        return;
    }
    struct side find = {.wanted = key};
    conf_visit(s->other, find_key, &find);
    bool differs =
        s->only_missing ? find.row == NULL : find.row == NULL || !same_value(row, base, find.base);
    if (differs) {
        s->fn(s->arg, key, (row->flags & CONF_RELOAD) != 0);
    }
}

void conf_diff(const struct conf *before, const struct conf *after, conf_diff_fn fn, void *arg)
{
    struct side s = {.conf = before, .other = after, .fn = fn, .arg = arg};
    conf_visit(before, compare_row, &s);
    struct side added = {.other = before, .fn = fn, .arg = arg, .only_missing = true};
    conf_visit(after, compare_row, &added);
}
