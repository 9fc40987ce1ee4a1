/* SPDX-License-Identifier: MIT */
#ifndef SF_CONF_TABLE_H
#define SF_CONF_TABLE_H

#include "conf/conf.h"

/* The one option table. Everything about an option stands in its row: the loader, flags, printed
 * configuration, example files and doc/config.md are made from it. */
enum conf_type {
    CONF_BOOL,     /* bool */
    CONF_SWITCH3,  /* int: auto -1, false 0, true 1 */
    CONF_INT,      /* int64_t */
    CONF_REAL,     /* double */
    CONF_SECONDS,  /* sf_ms, in seconds in the file */
    CONF_MILLIS,   /* sf_ms, in milliseconds in the file */
    CONF_BYTES,    /* int64_t, "16GB" in the file */
    CONF_TEXT,     /* const char * */
    CONF_CHOICE,   /* const char *, one of `choices` */
    CONF_PATH,     /* const char *, "~" put in */
    CONF_URL,      /* const char *, with a scheme */
    CONF_VARIABLE, /* const char *, the name of an environment variable */
    CONF_LIST,     /* struct conf_strings */
    CONF_MAP,      /* struct conf_pairs */
    CONF_SECTION,  /* a struct described by `table` */
    CONF_RECORDS,  /* {v, n, set}: a list of structs described by `table` */
};

enum {
    CONF_SECRET = 1U << 0U,  /* printed as *** */
    CONF_RELOAD = 1U << 1U,  /* a running miner takes a change over at SIGHUP */
    CONF_PRESENT = 1U << 2U, /* section: its struct begins with `bool present` */
    CONF_ONE_OK = 1U << 3U,  /* records: one record may stand without a list around it */
    CONF_COMMON = 1U << 4U,  /* its flag has a line in --help */
    CONF_TRUTHY =
        1U << 5U, /* bool: from the environment any other text means true, as in the SDK */
    CONF_NULL_NONE = 1U << 6U, /* text: an explicit null means "none", not the default */
};

struct conf_table;
struct conf_row {
    const char *name;
    const char *alias; /* a second name, or NULL */
    enum conf_type type;
    unsigned flags;
    size_t offset;
    const char *fallback; /* the default as text; "" not set */
    double min, max;      /* numbers, in the file's unit */
    const char *choices;  /* "a|b"; for CONF_TEXT a hint of what it looks like */
    const char *env;      /* BT_* name or NULL; STORYFI_<KEY> always works */
    const char *doc;      /* one or two sentences */
    const char *sample;   /* what the example file shows, when not the default */
    const struct conf_table *table;
};

struct conf_table {
    const struct conf_row *rows;
    size_t n;
    size_t size; /* of the struct */
    const char *doc;
};

extern const struct conf_table conf_root;

/* Calls `fn` for every option in table order; `key` is the dotted name ("axon.port"), `base` walks
 * along in `conf` (NULL: NULL). Sections come before what is in them; records are entered once with
 * "[]" behind the key and a NULL base when `records` is set, else per element "[0]". */
typedef void (*conf_visit_fn)(void *arg, const char *key, const struct conf_row *row,
                              const void *base);
void conf_visit(const struct conf *conf, conf_visit_fn fn, void *arg);

/* The row of a dotted key outside of records, and where it lies in the whole struct. NULL when
 * there is none. */
const struct conf_row *conf_find(struct sf_str key, size_t *offset);

/* The name nearest to `name` among what `table` takes, NULL when nothing is near. */
const char *conf_nearest(const struct conf_table *table, const char *name);
/* The dotted key nearest to `key` in the whole table, NULL when nothing is near. */
const char *conf_nearest_key(const char *key, char *out, size_t n_out);

/* "generator.local.model_name" → "STORYFI_GENERATOR_LOCAL_MODEL_NAME". */
void conf_env_name(const char *key, char *out, size_t n_out);

#define CONF_MAX_KEY 96

#endif
