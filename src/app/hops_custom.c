/* SPDX-License-Identifier: MIT */
#include "app/hops_internal.h"
#include "conf/environment.h"
#include "generator/endpoint.h"
#include "generator/plugin.h"
#include "generator/script.h"

#include <string.h>

static const char *const script_variables[] = {
    "PATH",    "HOME",       "LANG",        "TMPDIR",   "VIRTUAL_ENV", "PYTHON*",     "CUDA_*",
    "HF_HOME", "http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY",  "HTTPS_PROXY", "NO_PROXY"};

static enum sf_err open_plugin(struct hops *a, const struct conf_custom *c,
                               struct gen_chain_hop *hop)
{
    struct plugin_options o = {.path = c->plugin,
                               .dir = a->conf->dir,
                               .timeout_ms = c->timeout_ms,
                               .max_output_bytes = (size_t)c->max_output_bytes,
                               .concurrency = c->concurrency};
    o.settings = json_object();
    for (size_t i = 0; i < c->env_vars.n; i++) {
        json_t *value = json_string(c->env_vars.v[i].value);
        if (json_object_set_new(o.settings, c->env_vars.v[i].name, value) != 0) {
            (void)snprintf(hop->reason, sizeof hop->reason, "env_vars: %.64s is not UTF-8 text",
                           c->env_vars.v[i].name);
            json_decref(o.settings);
            return SF_OK;
        }
    }
    enum sf_err err = o.settings == NULL ? SF_ENOMEM : hops_open_one(hop, &o);
    json_decref(o.settings);
    return err;
}

static enum sf_err open_script(struct hops *a, const struct conf_custom *c,
                               struct gen_chain_hop *hop)
{
    struct sf_buf withheld;
    sf_buf_init(&withheld, 512);
    conf_environment_withheld(script_variables, COUNT(script_variables), &withheld);
    char **environment =
        conf_environment_pick(script_variables, COUNT(script_variables), &c->env_vars);
    struct script_options o = {.path = c->script_path,
                               .dir = a->conf->dir,
                               .timeout_ms = c->timeout_ms,
                               .max_output_bytes = (size_t)c->max_output_bytes,
                               .concurrency = c->concurrency,
                               .environment = (const char *const *)environment,
                               .withheld = sf_buf_z(&withheld)};
    enum sf_err err = environment == NULL ? SF_ENOMEM : hops_open_one(hop, &o);
    conf_environment_free(environment);
    sf_buf_fini(&withheld);
    return err;
}

static enum sf_err open_endpoint(struct hops *a, const struct conf_custom *c,
                                 struct gen_chain_hop *hop)
{
    const char *token = NULL;
    if (!hops_take_token(a, c->api_key_env, hop, &token)) {
        return SF_OK;
    }
    struct endpoint_options o = {.name = c->name,
                                 .url = c->endpoint,
                                 .token = token,
                                 .timeout_ms = c->timeout_ms,
                                 .max_output_bytes = (size_t)c->max_output_bytes,
                                 .concurrency = c->concurrency};
    return hops_open_one(hop, &o);
}

/* The ways of one custom generator, in the order in which they are tried. The first that is set
 * has its name; those behind it have the way's behind a dot. */
static const struct {
    const char *suffix;
    const struct generator_type *type;
    size_t offset; /* of the key */
    enum sf_err (*open)(struct hops *a, const struct conf_custom *c, struct gen_chain_hop *hop);
} ways[] = {
    {"plugin", &generator_plugin, offsetof(struct conf_custom, plugin), open_plugin},
    {"script", &generator_script, offsetof(struct conf_custom, script_path), open_script},
    {"endpoint", &generator_endpoint, offsetof(struct conf_custom, endpoint), open_endpoint},
};

static enum sf_err add_custom(struct hops *a, const struct conf_custom *c)
{
    char name[64];
    enum sf_err err = SF_OK;
    bool first = true;
    for (size_t i = 0; i < COUNT(ways) && err == SF_OK; i++) {
        const char *target = *(const char *const *)((const char *)c + ways[i].offset);
        if (target[0] == '\0') {
            continue;
        }
        (void)snprintf(name, sizeof name, "%.50s%s%s", c->name, first ? "" : ".",
                       first ? "" : ways[i].suffix);
        first = false;
        struct gen_chain_hop *hop = hops_new(a, ways[i].type, name, target);
        if (hop != NULL) {
            hop->progress_ms = c->timeout_ms + HOPS_TIMEOUT_SLACK_MS;
            err = ways[i].open(a, c, hop);
        }
    }
    if (first) {
        struct gen_chain_hop *hop = hops_new(a, &generator_script, c->name, "");
        if (hop != NULL) {
            (void)snprintf(hop->reason, sizeof hop->reason,
                           "nothing to run: set generator.custom.script_path, endpoint or plugin");
        }
    }
    return err;
}

enum sf_err hops_add_custom(struct hops *a, const char *name)
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
