/* SPDX-License-Identifier: MIT */
#include "conf/conf_internal.h"

#include "base/log.h"
#include "base/mem.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DIAGNOSTICS 200
#define MAX_KEPT (64U << 10)

/* ------------------------------------------------------------------ life */

struct conf *conf_new(void)
{
    struct conf *conf = sf_alloc(sizeof *conf);
    struct conf_internal *internal = sf_alloc(sizeof *internal);
    if (conf == NULL || internal == NULL) {
        free(conf);
        free(internal);
        return NULL;
    }
    atomic_init(&internal->refs, 1);
    internal->vars_tail = &internal->vars;
    conf->internal = internal;
    conf->file = "";
    conf->dir = ".";
    return conf;
}

const struct conf *conf_ref(const struct conf *conf)
{
    (void)atomic_fetch_add(&conf->internal->refs, 1);
    return conf;
}

void conf_unref(const struct conf *conf)
{
    if (conf == NULL || atomic_fetch_sub(&conf->internal->refs, 1) > 1) {
        return;
    }
    struct conf_internal *internal = conf->internal;
    struct conf_block *block = internal->blocks;
    while (block != NULL) {
        struct conf_block *next = block->next;
        sf_wipe(block->bytes, block->n); /* keys of providers are among them */
        free(block);
        block = next;
    }
    free(internal);
    union { /* the last reference may free what readers only saw as const */
        const struct conf *seen;
        struct conf *owned;
    } last = {.seen = conf};
    free(last.owned);
}

void *conf_alloc(struct conf *conf, size_t n_bytes)
{
    struct conf_block *block = sf_alloc(sizeof *block + n_bytes);
    if (block == NULL) {
        return NULL;
    }
    block->n = n_bytes;
    block->next = conf->internal->blocks;
    conf->internal->blocks = block;
    return block->bytes;
}

const char *conf_keep(struct conf *conf, struct sf_str text)
{
    char *copy = conf_alloc(conf, text.n + 1);
    if (copy != NULL && text.n > 0) {
        memcpy(copy, text.p, text.n);
    }
    return copy;
}

const char *conf_keepf(struct conf *conf, const char *fmt, ...)
{
    struct sf_buf b;
    sf_buf_init(&b, MAX_KEPT);
    va_list ap;
    va_start(ap, fmt);
    sf_buf_vprintf(&b, fmt, ap);
    va_end(ap);
    const char *kept = b.err == SF_OK ? conf_keep(conf, sf_buf_str(&b)) : NULL;
    sf_buf_wipe(&b);
    return kept;
}

/* ------------------------------------------------------------------ origins */

enum sf_err conf_set_origin(struct conf *conf, const char *key, const char *text)
{
    struct conf_origin_entry *entry = conf_alloc(conf, sizeof *entry);
    if (entry == NULL) {
        return SF_ENOMEM;
    }
    entry->key = conf_keep(conf, sf_str(key));
    entry->text = conf_keep(conf, sf_str(text));
    if (entry->key == NULL || entry->text == NULL) {
        return SF_ENOMEM;
    }
    entry->next = conf->internal->origins; /* the newest first: later wins */
    conf->internal->origins = entry;
    return SF_OK;
}

const char *conf_origin(const struct conf *conf, const char *key)
{
    for (const struct conf_origin_entry *e = conf->internal->origins; e != NULL; e = e->next) {
        if (strcmp(e->key, key) == 0) {
            return e->text;
        }
    }
    return "default";
}

/* ------------------------------------------------------------------ variables */

const char *conf_env(const struct conf *conf, const char *name)
{
    for (const struct conf_var *v = conf->internal->vars; v != NULL; v = v->next) {
        if (strcmp(v->name, name) == 0) {
            return v->value;
        }
    }
    return NULL;
}

/* What the example files and guides show where a key belongs. */
bool conf_is_placeholder(const char *value)
{
    static const char *const shown[] = {
        "",           "sk-your-key-here", "your-key-here", "sk-...",
        "...",        "your-api-key",     "your_api_key",  "changeme",
        "sk-ant-...", "your_key_here",    "xxx",           "sk-xxx"};
    struct sf_str s = sf_str_trim(sf_str(value));
    for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++) {
        if (sf_str_is_nocase(s, shown[i])) {
            return true;
        }
    }
    bool bracketed = s.n > 2 && s.p[0] == '<' && s.p[s.n - 1] == '>';
    bool says_here = s.n > 9 && strncasecmp(s.p + s.n - 9, "-key-here", 9) == 0;
    return bracketed || says_here;
}

const char *conf_secret(const struct conf *conf, const char *name)
{
    for (const struct conf_var *v = conf->internal->vars; v != NULL; v = v->next) {
        if (strcmp(v->name, name) == 0 && !conf_is_placeholder(v->value)) {
            return v->value;
        }
    }
    return NULL;
}

/* ------------------------------------------------------------------ findings */

void conf_diagnostics_fini(struct conf_diagnostics *d)
{
    free(d->v), d->v = NULL;
    *d = (struct conf_diagnostics){0};
}

static struct conf_diagnostic *new_diagnostic(struct conf_diagnostics *list)
{
    if (list->n >= MAX_DIAGNOSTICS) {
        list->n_dropped++;
        return NULL;
    }
    struct conf_diagnostic *v = sf_realloc(list->v, (list->n + 1) * sizeof *v);
    if (v == NULL) {
        list->n_dropped++;
        return NULL;
    }
    list->v = v;
    return &v[list->n++];
}

void conf_say(struct conf_report *r, enum conf_level level, const char *where, const char *key,
              const char *fmt, ...)
{
    struct conf_diagnostic d = {.level = level};
    (void)snprintf(d.where, sizeof d.where, "%s", where);
    (void)snprintf(d.key, sizeof d.key, "%s", key);
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(d.text, sizeof d.text, fmt, ap);
    va_end(ap);
    struct conf_diagnostic *slot = new_diagnostic(r->list);
    if (slot != NULL) {
        *slot = d;
    }
    if (level != CONF_ERROR) {
        return;
    }
    r->list->n_errors++;
    if (r->first == SF_OK) {
        r->first =
            sf_fail(r->eb, SF_ECONFIG, "%s%s%s%s%.384s", d.where, d.where[0] != '\0' ? ": " : "",
                    d.key, d.key[0] != '\0' ? ": " : "", d.text);
    }
}

void conf_diagnostics_log(const struct conf_diagnostics *d)
{
    static const enum log_level levels[] = {
        [CONF_NOTE] = LOG_INFO, [CONF_WARNING] = LOG_WARN, [CONF_ERROR] = LOG_ERROR};
    for (size_t i = 0; i < d->n; i++) {
        const struct conf_diagnostic *x = &d->v[i];
        if (x->key[0] != '\0') {
            log_each(levels[x->level], LOG_CONF, x->text, LOG_S("key", x->key),
                     LOG_S("where", x->where));
        } else {
            log_each(levels[x->level], LOG_CONF, x->text, LOG_S("where", x->where));
        }
    }
    if (d->n_dropped > 0) {
        log_event(LOG_WARN, LOG_CONF, "more findings than are kept", LOG_I("more", d->n_dropped));
    }
}
