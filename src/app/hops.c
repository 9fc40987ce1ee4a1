/* SPDX-License-Identifier: MIT */
#include "app/hops_internal.h"

#include "base/log.h"

#include <string.h>

/* Stands for a context while the hops are only named: hops_open_one opens no such hop. */
static char unopened;

static bool is_added(const struct hops *a, const char *name)
{
    for (size_t i = 0; i < a->n; i++) {
        if (strcmp(a->list[i].generator.name, name) == 0) {
            return true;
        }
    }
    return false;
}

struct gen_chain_hop *hops_new(struct hops *a, const struct generator_type *type, const char *name,
                               const char *target)
{
    if (is_added(a, name)) {
        return NULL;
    }
    if (a->n == GEN_CHAIN_MAX) {
        if (!a->only_named) {
            log_event(LOG_WARN, LOG_CONF, "a generator is left out of the chain: it is full",
                      LOG_S("generator", name), LOG_I("most", GEN_CHAIN_MAX));
        }
        return NULL;
    }
    struct gen_chain_hop *hop = &a->list[a->n++];
    *hop = (struct gen_chain_hop){.generator = {.type = type}};
    (void)snprintf(hop->generator.name, sizeof hop->generator.name, "%s", name);
    (void)snprintf(hop->generator.target, sizeof hop->generator.target, "%s", target);
    bool meant = !a->only_named || (a->but != NULL && strcmp(name, a->but) == 0);
    hop->generator.ctx = meant ? NULL : &unopened;
    return hop;
}

enum sf_err hops_open_one(struct gen_chain_hop *hop, const void *options)
{
    struct sf_errbuf eb = {.code = SF_OK};
    if (hop->generator.ctx == &unopened) {
        return SF_OK;
    }
    enum sf_err err = hop->generator.type->open(options, &hop->generator.ctx, &eb);
    if (err != SF_OK) {
        hop->generator.ctx = NULL;
        (void)snprintf(hop->reason, sizeof hop->reason, "%.255s", sf_err_text(&eb, err));
    }
    return err == SF_ENOMEM ? err : SF_OK;
}

bool hops_take_token(struct hops *a, const char *name, struct gen_chain_hop *hop,
                     const char **token)
{
    *token = name[0] == '\0' ? NULL : conf_secret(a->conf, name);
    if (name[0] != '\0' && *token == NULL) {
        (void)snprintf(hop->reason, sizeof hop->reason,
                       "%.64s is not set: put the token for %.100s into the environment or .env, "
                       "or take api_key_env away",
                       name, hop->generator.target);
        return false;
    }
    return true;
}

static enum sf_err add_named(struct hops *a, const char *name, struct sf_errbuf *eb)
{
    if (strcmp(name, "local") == 0) {
        return hops_add_local(a);
    }
    if (strcmp(name, "vllm") == 0) {
        return hops_add_vllm(a);
    }
    if (strcmp(name, "api") == 0) {
        return hops_add_api(a);
    }
    enum sf_err err = hops_add_custom(a, name);
    if (err == SF_ENOTFOUND) {
        return sf_fail(eb, SF_ECONFIG,
                       "no generator is called \"%s\": local, vllm, custom, api, or the name of a "
                       "custom generator",
                       name);
    }
    return err;
}

/* By default everybody else who is configured, in the order of the design. */
static enum sf_err add_configured(struct hops *a, struct sf_errbuf *eb)
{
    const struct conf_generator *g = &a->conf->generator;
    const struct {
        const char *name;
        bool configured;
    } order[] = {{"local", g->local.present || a->conf->file[0] == '\0'},
                 {"vllm", g->vllm.present},
                 {"custom", g->custom.n > 0},
                 {"api", hops_has_api(a->conf)}};
    enum sf_err err = SF_OK;
    for (size_t i = 0; i < COUNT(order) && err == SF_OK; i++) {
        if (order[i].configured) {
            err = add_named(a, order[i].name, eb);
        }
    }
    return err;
}

static enum sf_err add_all(struct hops *a, const char *only, struct sf_errbuf *eb)
{
    const struct conf_strings *fallback = &a->conf->generator.fallback;
    const char *first = only != NULL ? only : a->conf->generator.mode;
    bool automatic = only == NULL && strcmp(first, "auto") == 0;
    enum sf_err err = automatic ? SF_OK : add_named(a, first, eb);
    if (only == NULL && fallback->set) {
        for (size_t i = 0; i < fallback->n && err == SF_OK; i++) {
            err = add_named(a, fallback->v[i], eb);
        }
    } else if (only == NULL && err == SF_OK) {
        err = add_configured(a, eb);
    }
    return err;
}

enum sf_err hops_list(const struct conf *conf, const char *only,
                      struct gen_chain_hop hops[static GEN_CHAIN_MAX], size_t *n,
                      struct sf_errbuf *eb)
{
    struct hops a = {.conf = conf, .list = hops, .only_named = true};
    enum sf_err err = add_all(&a, only, eb);
    for (size_t i = 0; i < a.n; i++) {
        hops[i].generator.ctx = NULL;
    }
    *n = err == SF_OK ? a.n : 0;
    return err;
}

bool hops_reopen(const struct conf *conf, const char *only, struct gen_chain_hop *hop)
{
    struct gen_chain_hop hops[GEN_CHAIN_MAX] = {{.reason = ""}};
    struct sf_errbuf eb = {.code = SF_OK};
    struct hops a = {.conf = conf, .list = hops, .only_named = true, .but = hop->generator.name};
    enum sf_err err = add_all(&a, only, &eb);
    bool open = false;
    for (size_t i = 0; i < a.n; i++) {
        if (strcmp(hops[i].generator.name, hop->generator.name) == 0) {
            open = hops[i].generator.ctx != NULL;
            hop->generator.ctx = hops[i].generator.ctx;
            memcpy(hop->reason, hops[i].reason, sizeof hop->reason);
        }
    }
    if (!open && err != SF_OK) {
        (void)snprintf(hop->reason, sizeof hop->reason, "%.255s", sf_err_text(&eb, err));
    }
    return open;
}

enum sf_err hops_open(const struct conf *conf, const char *only,
                      struct gen_chain_hop hops[static GEN_CHAIN_MAX], size_t *n,
                      struct sf_errbuf *eb)
{
    struct hops a = {.conf = conf, .list = hops};
    enum sf_err err = add_all(&a, only, eb);
    if (err != SF_OK) {
        hops_close(hops, a.n);
        return err;
    }
    *n = a.n;
    return SF_OK;
}

void hops_close(struct gen_chain_hop *hops, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (hops[i].generator.ctx != NULL) {
            hops[i].generator.type->close(hops[i].generator.ctx);
            hops[i].generator.ctx = NULL;
        }
    }
}
