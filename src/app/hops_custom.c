/* SPDX-License-Identifier: MIT */
#include "app/hops_internal.h"
#include "conf/environment.h"
#include "generator/script.h"

#include <string.h>

static const char *const script_variables[] = {
    "PATH",    "HOME",       "LANG",        "TMPDIR",   "VIRTUAL_ENV", "PYTHON*",     "CUDA_*",
    "HF_HOME", "http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY",  "HTTPS_PROXY", "NO_PROXY"};

static enum sf_err add_script(struct hops *a, const struct conf_custom *c, const char *name)
{
    struct gen_chain_hop *hop = hops_new(a, &generator_script, name, c->script_path);
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
    enum sf_err err = environment == NULL ? SF_ENOMEM : hops_open_one(hop, &o);
    conf_environment_free(environment);
    sf_buf_fini(&withheld);
    return err;
}

static void add_absent(struct hops *a, const struct generator_type *type, const char *name,
                       const char *target, const char *what)
{
    struct gen_chain_hop *hop = hops_new(a, type, name, target);
    if (hop != NULL) {
        (void)snprintf(hop->reason, sizeof hop->reason,
                       "%s is not in this version: use local, or a custom script_path", what);
    }
}

/* All ways of one custom generator: plugin, script, endpoint, in this order. */
static enum sf_err add_custom(struct hops *a, const struct conf_custom *c)
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
        struct gen_chain_hop *hop = hops_new(a, &generator_script, c->name, "");
        if (hop != NULL) {
            (void)snprintf(hop->reason, sizeof hop->reason,
                           "nothing to run: set generator.custom.script_path");
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
