/* SPDX-License-Identifier: MIT */
#include "conf/conf_internal.h"

#include <stdio.h>
#include <string.h>

struct visit {
    conf_visit_fn fn;
    void *arg;
    char key[CONF_MAX_KEY];
};

struct conf_records conf_records_get(const void *base)
{
    struct conf_records r;
    memcpy(&r, base, sizeof r); /* every list of records has this layout */
    return r;
}

static void visit_table(struct visit *v, const struct conf_table *table, const void *base);

static void visit_records(struct visit *v, const struct conf_row *row, const void *base,
                          size_t key_len)
{
    if (base == NULL) {
        (void)snprintf(v->key + key_len, sizeof v->key - key_len, "[]");
        visit_table(v, row->table, NULL);
        return;
    }
    struct conf_records r = conf_records_get(base);
    for (size_t i = 0; i < r.n; i++) {
        (void)snprintf(v->key + key_len, sizeof v->key - key_len, "[%zu]", i);
        visit_table(v, row->table, (const char *)r.v + i * row->table->size);
    }
}

static void visit_table(struct visit *v, const struct conf_table *table, const void *base)
{
    size_t prefix = strlen(v->key);
    for (size_t i = 0; i < table->n; i++) {
        const struct conf_row *row = &table->rows[i];
        const void *field = base == NULL ? NULL : (const char *)base + row->offset;
        (void)snprintf(v->key + prefix, sizeof v->key - prefix, "%s%s", prefix > 0 ? "." : "",
                       row->name);
        v->fn(v->arg, v->key, row, field);
        if (row->type == CONF_SECTION) {
            visit_table(v, row->table, field);
        } else if (row->type == CONF_RECORDS) {
            visit_records(v, row, field, strlen(v->key));
        }
        v->key[prefix] = '\0';
    }
}

void conf_visit(const struct conf *conf, conf_visit_fn fn, void *arg)
{
    struct visit v = {.fn = fn, .arg = arg};
    visit_table(&v, &conf_root, conf);
}

const struct conf_row *conf_find(struct sf_str key, size_t *offset)
{
    const struct conf_table *table = &conf_root;
    const struct conf_row *found = NULL;
    struct sf_str part;
    *offset = 0;
    while (sf_str_next(&key, '.', &part)) {
        if (table == NULL) {
            return NULL;
        }
        found = NULL;
        for (size_t i = 0; i < table->n && found == NULL; i++) {
            const struct conf_row *row = &table->rows[i];
            if (sf_str_is(part, row->name) || (row->alias != NULL && sf_str_is(part, row->alias))) {
                found = row;
            }
        }
        if (found == NULL) {
            return NULL;
        }
        *offset += found->offset;
        table = found->type == CONF_SECTION ? found->table : NULL;
    }
    return found;
}

static size_t near_enough(const char *name)
{
    size_t third = strlen(name) / 3;
    return third > 2 ? third : 2;
}

const char *conf_nearest(const struct conf_table *table, const char *name)
{
    const char *best = NULL;
    size_t best_distance = near_enough(name) + 1;
    for (size_t i = 0; i < table->n; i++) {
        size_t d = sf_str_distance(name, table->rows[i].name);
        if (d < best_distance && d < strlen(table->rows[i].name)) {
            best_distance = d;
            best = table->rows[i].name;
        }
    }
    return best;
}

struct nearest_key {
    const char *wanted;
    char *out;
    size_t n_out;
    size_t best;
};

static void try_key(void *arg, const char *key, const struct conf_row *row, const void *base)
{
    struct nearest_key *n = arg;
    (void)base;
    if (row->type == CONF_SECTION || row->type == CONF_RECORDS || strchr(key, '[') != NULL) {
        return;
    }
    const char *last = strrchr(key, '.');
    size_t d = sf_str_distance(n->wanted, key);
    if (last != NULL && strcmp(last + 1, n->wanted) == 0) {
        d = 1; /* the right name on the wrong level */
    }
    if (d < n->best) {
        n->best = d;
        (void)snprintf(n->out, n->n_out, "%s", key);
    }
}

const char *conf_nearest_key(const char *key, char *out, size_t n_out)
{
    struct nearest_key n = {
        .wanted = key, .out = out, .n_out = n_out, .best = near_enough(key) + 1};
    out[0] = '\0';
    conf_visit(NULL, try_key, &n);
    return out[0] != '\0' ? out : NULL;
}

void conf_env_name(const char *key, char *out, size_t n_out)
{
    (void)snprintf(out, n_out, "STORYFI_%s", key);
    for (char *p = out; *p != '\0'; p++) {
        if (*p == '.') {
            *p = '_';
        } else if (*p >= 'a' && *p <= 'z') {
            *p = (char)(*p - 'a' + 'A');
        }
    }
}
