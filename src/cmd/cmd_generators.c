/* SPDX-License-Identifier: MIT */
#include "app/app.h"
#include "app/doctor.h"
#include "base/log.h"
#include "cmd/commands.h"
#include "cmd/settings.h"
#include "generator/registry.h"

#include <poll.h>
#include <string.h>

#define START_MS 10000

static const struct arg_action actions[] = {
    {"list", "All generators in the chain's order, and the kinds that are not configured."},
};
static const struct arg_option options[] = {
    {"--json", NULL, "Print a JSON object."},
};

const struct args_spec cmd_generators_spec = {
    .name = "generators",
    .synopsis = "list [--json]",
    .summary = "List the generators with their order, reward, state and reason.",
    .details =
        "Asks the miner that runs on this machine; without one they are opened for a moment.",
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .actions = actions,
    .n_actions = sizeof actions / sizeof actions[0],
    .takes_settings = true,
};

static const struct {
    const char *kind, *how;
} kinds[] = {
    {"local", "generator.local.model_name (a section local: in the file)"},
    {"vllm", "generator.vllm.endpoint, or generator.vllm.spawn: true"},
    {"custom",
     "generator.custom.script_path, generator.custom.endpoint or generator.custom.plugin"},
    {"api", "generator.api.provider, with its key in OPENAI_API_KEY, GEMINI_API_KEY or "
            "ANTHROPIC_API_KEY"},
};
#define COUNT(a) (sizeof(a) / sizeof(a)[0])

/* ---- taking the list ------------------------------------------------------------------------- */

static json_t *from_miner(const struct doctor_miner *m)
{
    static const char *const members[] = {"name",   "kind",  "multiplier",
                                          "target", "state", "reason"};
    const json_t *list = json_get_array(m->status, "generators");
    json_t *out = json_array();
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *g = json_array_get(list, i);
        json_t *row = json_object();
        for (size_t k = 0; k < COUNT(members); k++) {
            json_t *v = json_object_get(g, members[k]);
            (void)json_object_set_new(row, members[k],
                                      v == NULL ? json_string("") : json_incref(v));
        }
        if (json_get_bool(g, "breaker_open", false)) {
            (void)json_object_set_new(row, "state", json_string("resting"));
        }
        (void)json_array_append_new(out, row);
    }
    return out;
}

static const char *state_name(const struct gen_hop_status *s)
{
    static const char *const names[] = {[GEN_STARTING] = "starting",
                                        [GEN_READY] = "ready",
                                        [GEN_DEGRADED] = "degraded",
                                        [GEN_DOWN] = "down"};
    return s->breaker_open ? "resting" : names[s->health.state];
}

static bool is_starting(struct app *app)
{
    struct gen_hop_status status[GEN_CHAIN_MAX];
    size_t n = gen_chain_status(app_chain(app), status);
    for (size_t i = 0; i < n; i++) {
        if (status[i].health.state == GEN_STARTING) {
            return true;
        }
    }
    return false;
}

static enum sf_err from_opened(const struct conf *conf, json_t **out, struct sf_errbuf *eb)
{
    struct app *app = NULL;
    struct progress progress;
    struct gen_hop_status status[GEN_CHAIN_MAX];
    enum sf_err err = app_open(conf, &(struct app_options){.probes = true}, &app, eb);
    if (err != SF_OK) {
        return err;
    }
    progress_init(&progress, args_is_terminal(stderr) ? stderr : NULL);
    struct sf_time until = sf_after(sf_now(), START_MS);
    (void)app_wait_ready(app, until, &progress);
    while (is_starting(app) && sf_until(until) > 0) { /* also those behind it are looked at */
        (void)poll(NULL, 0, 20);
    }
    size_t n = gen_chain_status(app_chain(app), status);
    *out = json_array();
    for (size_t i = 0; i < n; i++) {
        const struct generator *g = status[i].generator;
        (void)json_array_append_new(
            *out, json_pack("{s:s, s:s, s:f, s:s, s:s, s:s}", "name", g->name, "kind",
                            g->type->kind, "multiplier", g->type->multiplier, "target", g->target,
                            "state", state_name(&status[i]), "reason", status[i].health.reason));
    }
    app_close(app);
    return SF_OK;
}

static bool has_kind(const json_t *list, const char *kind)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (sf_str_is(json_get_str(json_array_get(list, i), "kind"), kind)) {
            return true;
        }
    }
    return false;
}

static bool is_configured(const struct conf_generator *g, const char *kind)
{
    const struct {
        const char *kind;
        bool there;
    } sections[] = {{"local", g->local.present},
                    {"vllm", g->vllm.present},
                    {"custom", g->custom.n > 0},
                    {"api", g->api.present}};
    for (size_t i = 0; i < COUNT(sections); i++) {
        if (strcmp(sections[i].kind, kind) == 0) {
            return sections[i].there;
        }
    }
    return false;
}

/* The kinds that do not stand in the chain, and why. */
static json_t *unused(const struct conf *conf, const json_t *list)
{
    json_t *out = json_array();
    for (size_t i = 0; i < COUNT(kinds); i++) {
        if (!has_kind(list, kinds[i].kind)) {
            bool configured = is_configured(&conf->generator, kinds[i].kind);
            const struct generator_type *type = registry_find(kinds[i].kind);
            (void)json_array_append_new(
                out,
                json_pack("{s:s, s:f, s:b, s:s}", "kind", kinds[i].kind, "multiplier",
                          type == NULL ? 0.0 : type->multiplier, "configured", configured, "how",
                          configured ? "name it in generator.mode or generator.fallback"
                                     : kinds[i].how));
        }
    }
    return out;
}

/* ---- showing it ------------------------------------------------------------------------------ */

static double multiplier_of(const json_t *row)
{
    double v = 0;
    (void)json_get_number(row, "multiplier", &v);
    return v;
}

static const char *text_of(const json_t *row, const char *key)
{
    const char *z = json_get_string(row, key);
    return z == NULL ? "" : z;
}

static void print_rows(const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *row = json_array_get(list, i);
        printf("%2zu  %-16s %-7s x%.1f  %-9s %s\n", i + 1, text_of(row, "name"),
               text_of(row, "kind"), multiplier_of(row), text_of(row, "state"),
               text_of(row, "target"));
        if (text_of(row, "reason")[0] != '\0') {
            printf("    %s\n", text_of(row, "reason"));
        }
    }
}

static void print_unused(const json_t *list)
{
    if (json_array_size(list) > 0) {
        puts("not in the chain");
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *row = json_array_get(list, i);
        printf("    %-16s x%.1f  %s: %s\n", text_of(row, "kind"), multiplier_of(row),
               json_get_bool(row, "configured", false) ? "configured" : "not configured",
               text_of(row, "how"));
    }
}

static void print_list(const struct args *a, const struct doctor_miner *m, json_t *list_own,
                       json_t *unused_own)
{
    json_t *whole = json_pack("{s:s, s:o, s:o}", "source", m->runs ? "miner" : "opened",
                              "generators", list_own, "unused", unused_own);
    struct sf_buf text;
    sf_buf_init(&text, 4U << 20);
    if (args_has(a, "--json")) {
        json_print_pretty(whole, &text);
        puts(sf_buf_z(&text));
    } else {
        if (m->runs) {
            printf("the chain of the miner that runs (process %lld)\n", (long long)m->pid);
        } else {
            puts("the chain, opened for a moment: no miner runs");
        }
        print_rows(json_get_array(whole, "generators"));
        print_unused(json_get_array(whole, "unused"));
    }
    sf_buf_fini(&text);
    json_decref(whole);
}

int cmd_generators(int argc, char **argv)
{
    struct args a;
    struct doctor_miner miner;
    struct sf_errbuf eb = {.code = SF_OK};
    json_t *list = NULL;
    args_parse(&a, &cmd_generators_spec, argc, argv);
    const struct conf *conf = settings_load(&a);
    doctor_find_miner(conf, &miner);
    enum sf_err err = SF_OK;
    if (miner.runs) {
        list = from_miner(&miner);
    } else {
        err = from_opened(conf, &list, &eb);
    }
    int code = sf_err_info(err)->exit_code;
    if (err != SF_OK) {
        fprintf(stderr, "storyfi: generators: %s\n", sf_err_text(&eb, err));
    } else {
        print_list(&a, &miner, list, unused(conf, list));
    }
    doctor_miner_fini(&miner);
    conf_unref(conf);
    args_fini(&a);
    return code;
}
