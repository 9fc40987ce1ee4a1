/* SPDX-License-Identifier: MIT */
#ifndef SF_CONF_CONF_INTERNAL_H
#define SF_CONF_CONF_INTERNAL_H

/* Shared by the sources of this room only. */
#include "conf/table.h"
#include "conf/yaml.h"

#include <stdatomic.h>

struct conf_block {
    struct conf_block *next;
    size_t n;
    char bytes[];
};

struct conf_origin_entry {
    struct conf_origin_entry *next;
    const char *key;
    const char *text;
};

/* A variable, from the environment (file "") or a .env file. */
struct conf_var {
    struct conf_var *next;
    const char *name;
    const char *value;
    const char *file;
    unsigned line;
};

struct conf_internal {
    atomic_int refs;
    struct conf_block *blocks; /* everything the snapshot points to */
    struct conf_origin_entry *origins;
    struct conf_var *vars, **vars_tail; /* environment first, then .env files: first found wins */
    const char *home;                   /* NULL: not known */
};

/* An empty snapshot with one reference: zeros, no values yet. NULL: out of memory. */
struct conf *conf_new(void);
/* Memory that lives as long as the snapshot; zeroed. NULL: out of memory. */
void *conf_alloc(struct conf *conf, size_t n_bytes);
const char *conf_keep(struct conf *conf, struct sf_str text);
const char *conf_keepf(struct conf *conf, const char *fmt, ...) SF_PRINTF(2, 3);
SF_MUST_USE enum sf_err conf_set_origin(struct conf *conf, const char *key, const char *text);
bool conf_is_placeholder(const char *value);

/* Where findings go while loading. */
struct conf_report {
    struct conf_diagnostics *list; /* never NULL */
    struct sf_errbuf *eb;
    enum sf_err first; /* SF_OK until the first error */
};
/* Adds a finding; an error becomes the load's result. */
void conf_say(struct conf_report *r, enum conf_level level, const char *where, const char *key,
              const char *fmt, ...) SF_PRINTF(5, 6);

/* One value on its way into the snapshot. */
struct conf_give {
    struct conf *conf;
    struct conf_report *report;
    const struct conf_row *row;
    void *base;      /* of the field itself */
    const char *key; /* dotted */
    const char *where;
};

/* Puts the row's default into the field. */
SF_MUST_USE enum sf_err conf_value_default(struct conf *conf, const struct conf_row *row,
                                           void *base);
/* Puts what `node` says (not a section, not records) into the field. A wrong type or range is
 * reported and leaves the field; the return value is SF_OK then, and SF_ENOMEM only without memory.
 */
SF_MUST_USE enum sf_err conf_value_set(const struct conf_give *g, const struct yaml_node *node);
/* The value as one line of YAML; secrets masked. */
void conf_value_print(const struct conf_row *row, const void *base, struct sf_buf *out);
json_t *conf_value_json(const struct conf_row *row, const void *base);
/* "a whole number from 0 to 65535": what the row takes. */
void conf_value_takes(const struct conf_row *row, struct sf_buf *out);

struct conf_unit {
    const char *name;
    int64_t bytes;
};
extern const struct conf_unit conf_units[];
#define CONF_N_PRINTED_UNITS 8          /* the names that are printed stand first */
bool conf_is_text(enum conf_type type); /* held as const char * */

/* What spans several options: defaults that depend on others, then contradictions. */
SF_MUST_USE enum sf_err conf_finish(struct conf *conf, struct conf_report *report);

/* The layout of any list of records. */
struct conf_records {
    const void *v;
    size_t n;
    bool set;
};
struct conf_records conf_records_get(const void *base);

#endif
