/* SPDX-License-Identifier: MIT */
#include "app/hops.h"

#include "app/models.h"
#include "conf/environment.h"
#include "generator/registry.h"

#include <string.h>

struct adding {
    const struct conf *conf;
    struct gen_chain_hop *hops;
    size_t n;
};

/* What a child may see of our environment. */
static const char *const engine_variables[] = {"PATH",         "HOME",         "LANG",
                                               "TMPDIR",       "CUDA_*",       "GGML_*",
                                               "STUB_LLAMA_*", "ASAN_OPTIONS", "TSAN_OPTIONS"};
static const char *const script_variables[] = {
    "PATH",    "HOME",       "LANG",        "TMPDIR",   "VIRTUAL_ENV", "PYTHON*",     "CUDA_*",
    "HF_HOME", "http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY",  "HTTPS_PROXY", "NO_PROXY"};
#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static bool is_added(const struct adding *a, const char *name)
{
    for (size_t i = 0; i < a->n; i++) {
        if (strcmp(a->hops[i].generator.name, name) == 0) {
            return true;
        }
    }
    return false;
}

static struct gen_chain_hop *new_hop(struct adding *a, const struct generator_type *type,
                                     const char *name, const char *target)
{
    if (a->n == GEN_CHAIN_MAX || is_added(a, name)) {
        return NULL;
    }
    struct gen_chain_hop *hop = &a->hops[a->n++];
    *hop = (struct gen_chain_hop){.generator = {.type = type}};
    (void)snprintf(hop->generator.name, sizeof hop->generator.name, "%s", name);
    (void)snprintf(hop->generator.target, sizeof hop->generator.target, "%s", target);
    return hop;
}

static enum sf_err open_hop(struct gen_chain_hop *hop, const void *options)
{
    struct sf_errbuf eb = {.code = SF_OK};
    enum sf_err err = hop->generator.type->open(options, &hop->generator.ctx, &eb);
    if (err != SF_OK) {
        hop->generator.ctx = NULL;
        (void)snprintf(hop->reason, sizeof hop->reason, "%.255s", sf_err_text(&eb, err));
    }
    return err == SF_ENOMEM ? err : SF_OK;
}

static enum sf_err add_local(struct adding *a, const char *name)
{
    const struct conf_local *l = &a->conf->generator.local;
    struct model_place place;
    model_find(a->conf, &place);
    struct gen_chain_hop *hop = new_hop(a, &generator_local, name, place.name);
    if (hop == NULL) {
        return SF_OK;
    }
    char **environment = conf_environment_pick(engine_variables, COUNT(engine_variables), NULL);
    if (environment == NULL) {
        return SF_ENOMEM;
    }
    struct local_options o = {.engine = engine_options_default(),
                              .model_name = place.name,
                              .n_languages = place.n_languages,
                              .instruct = place.instruct,
                              .small = place.small};
    memcpy(o.languages, place.languages, sizeof o.languages);
    o.engine.engine_path = place.engine_path;
    o.engine.lib_dir = place.lib_dir;
    o.engine.model_path = place.path;
    o.engine.device = l->device;
    o.engine.n_gpu_layers = l->n_gpu_layers;
    o.engine.context_tokens = l->context_tokens;
    o.engine.sequences = l->sequences;
    o.engine.threads = l->threads;
    o.engine.flash_attention = l->use_flash_attention;
    o.engine.stall_ms = l->stall_timeout_ms;
    o.engine.load_ms = l->load_timeout_ms;
    o.engine.temperature = l->temperature;
    o.engine.top_p = l->top_p;
    o.engine.prefix_cache_bytes = l->prefix_cache_bytes;
    o.engine.environment = (const char *const *)environment;
    enum sf_err err = open_hop(hop, &o);
    conf_environment_free(environment);
    return err;
}

static enum sf_err add_script(struct adding *a, const struct conf_custom *c, const char *name)
{
    struct gen_chain_hop *hop = new_hop(a, &generator_script, name, c->script_path);
    if (hop == NULL) {
        return SF_OK;
    }
    struct sf_buf withheld;
    sf_buf_init(&withheld, 512);
    conf_environment_withheld(script_variables, COUNT(script_variables), &withheld);
    char **environment =
        conf_environment_pick(script_variables, COUNT(script_variables), &c->env_vars);
    struct script_options o = {.path = c->script_path,
                               .dir = a->conf->dir,
                               .timeout_ms = c->timeout_ms,
                               .max_output_bytes = (size_t)c->max_output_bytes,
                               .environment = (const char *const *)environment,
                               .withheld = sf_buf_z(&withheld)};
    enum sf_err err = environment == NULL ? SF_ENOMEM : open_hop(hop, &o);
    conf_environment_free(environment);
    sf_buf_fini(&withheld);
    return err;
}

static void add_absent(struct adding *a, const struct generator_type *type, const char *name,
                       const char *target, const char *what)
{
    struct gen_chain_hop *hop = new_hop(a, type, name, target);
    if (hop != NULL) {
        (void)snprintf(hop->reason, sizeof hop->reason,
                       "%s is not in this version: use local, or a custom script_path", what);
    }
}

/* All ways of one custom generator: plugin, script, endpoint, in this order. */
static enum sf_err add_custom(struct adding *a, const struct conf_custom *c)
{
    char name[64];
    enum sf_err err = SF_OK;
    if (c->plugin[0] != '\0') {
        (void)snprintf(name, sizeof name, "%.50s.plugin", c->name);
        add_absent(a, &generator_script, name, c->plugin, "a custom plugin");
    }
    if (c->script_path[0] != '\0') {
        err = add_script(a, c, c->name);
    }
    if (c->endpoint[0] != '\0') {
        (void)snprintf(name, sizeof name, "%.50s.endpoint", c->name);
        add_absent(a, &generator_script, name, c->endpoint, "a custom endpoint");
    }
    if (c->plugin[0] == '\0' && c->script_path[0] == '\0' && c->endpoint[0] == '\0') {
        struct gen_chain_hop *hop = new_hop(a, &generator_script, c->name, "");
        if (hop != NULL) {
            (void)snprintf(hop->reason, sizeof hop->reason,
                           "nothing to run: set generator.custom.script_path");
        }
    }
    return err;
}

static enum sf_err add_customs(struct adding *a, const char *name)
{
    const struct conf_custom_list *list = &a->conf->generator.custom;
    bool all = strcmp(name, "custom") == 0, found = false;
    enum sf_err err = SF_OK;
    for (size_t i = 0; i < list->n && err == SF_OK; i++) {
        if (all || strcmp(name, list->v[i].name) == 0) {
            found = true;
            err = add_custom(a, &list->v[i]);
        }
    }
    if (!found && all) {
        struct conf_custom nothing = {
            .name = "custom", .plugin = "", .script_path = "", .endpoint = ""};
        return add_custom(a, &nothing);
    }
    return found ? err : SF_ENOTFOUND;
}

static enum sf_err add_named(struct adding *a, const char *name, struct sf_errbuf *eb)
{
    if (strcmp(name, "local") == 0) {
        return add_local(a, name);
    }
    if (strcmp(name, "vllm") == 0 || strcmp(name, "api") == 0) {
        const struct conf_generator *g = &a->conf->generator;
        bool is_api = name[0] == 'a';
        add_absent(a, registry_find(name), name, is_api ? g->api.provider : g->vllm.endpoint, name);
        return SF_OK;
    }
    enum sf_err err = add_customs(a, name);
    if (err == SF_ENOTFOUND) {
        return sf_fail(eb, SF_ECONFIG,
                       "no generator is called \"%s\": local, vllm, custom, api, or the name of a "
                       "custom generator",
                       name);
    }
    return err;
}

/* By default everybody else who is configured, in the order of the design. */
static enum sf_err add_configured(struct adding *a, struct sf_errbuf *eb)
{
    const struct conf_generator *g = &a->conf->generator;
    const struct {
        const char *name;
        bool configured;
    } order[] = {{"local", g->local.present || a->conf->file[0] == '\0'},
                 {"vllm", g->vllm.present},
                 {"custom", g->custom.n > 0},
                 {"api", g->api.present}};
    enum sf_err err = SF_OK;
    for (size_t i = 0; i < COUNT(order) && err == SF_OK; i++) {
        if (order[i].configured) {
            err = add_named(a, order[i].name, eb);
        }
    }
    return err;
}

enum sf_err hops_open(const struct conf *conf, const char *only,
                      struct gen_chain_hop hops[static GEN_CHAIN_MAX], size_t *n,
                      struct sf_errbuf *eb)
{
    struct adding a = {.conf = conf, .hops = hops};
    const struct conf_strings *fallback = &conf->generator.fallback;
    const char *first = only != NULL ? only : conf->generator.mode;
    bool automatic = only == NULL && strcmp(first, "auto") == 0;
    enum sf_err err = automatic ? SF_OK : add_named(&a, first, eb);
    if (only == NULL && fallback->set) {
        for (size_t i = 0; i < fallback->n && err == SF_OK; i++) {
            err = add_named(&a, fallback->v[i], eb);
        }
    } else if (only == NULL && err == SF_OK) {
        err = add_configured(&a, eb);
    }
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
