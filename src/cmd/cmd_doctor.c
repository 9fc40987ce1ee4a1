/* SPDX-License-Identifier: MIT */
#include "app/doctor.h"
#include "base/log.h"
#include "cmd/commands.h"
#include "cmd/secret_prompt.h"
#include "cmd/settings.h"
#include "http/trust.h"
#include "json/json.h"

#include <string.h>

static const struct arg_option options[] = {
    {"--mode", "M", "This generator alone: local, vllm, custom, api, or a custom one's name."},
    {"--network", NULL,
     "The network alone: what the chain says of this axon, and whether it is reached there."},
    {"--json", NULL, "Print a JSON array of {area, what, verdict, text, remedy}."},
};

const struct args_spec cmd_doctor_spec = {
    .name = "doctor",
    .synopsis = "[--mode M] [--network] [--json]",
    .summary = "Check each configured generator alone, and the machine; say what is wrong.",
    .details =
        "Configuration, folders, disk, ports, limits, clock and wallet; then each generator of "
        "the\n"
        "chain as if it were alone. A script of yours is really run, once; providers are asked\n"
        "only what is free. With --mode: the configuration and that generator. With --network:\n"
        "the configuration and the way from the chain to this axon, tried from this machine.\n"
        "Exit status 1 when a line says ✗.",
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .takes_settings = true,
};

static const struct {
    const char *name, *mark, *colour;
} verdicts[] = {
    [GEN_CHECK_OK] = {"ok", "✓", "\x1b[32m"},
    [GEN_CHECK_WARN] = {"warning", "!", "\x1b[33m"},
    [GEN_CHECK_FAIL] = {"failed", "✗", "\x1b[31m"},
};

static void print_report(const struct doctor_report *r)
{
    bool colour = args_wants_colour();
    size_t failed = 0, warned = 0;
    for (size_t i = 0; i < r->n; i++) {
        const struct doctor_line *line = &r->list[i];
        const struct gen_check *c = &line->check;
        if (i == 0 || strcmp(line->area, r->list[i - 1].area) != 0) {
            printf("%s\n", line->area);
        }
        printf("  %s%s%s %-20s %s\n", colour ? verdicts[c->verdict].colour : "",
               verdicts[c->verdict].mark, colour ? "\x1b[0m" : "", c->what, c->text);
        if (c->remedy[0] != '\0') {
            printf("    %-20s %s\n", "", c->remedy);
        }
        failed += c->verdict == GEN_CHECK_FAIL;
        warned += c->verdict == GEN_CHECK_WARN;
    }
    printf("%zu checks, %zu failed, %zu to look at\n", r->n, failed, warned);
}

static void print_report_json(const struct doctor_report *r)
{
    struct sf_buf text;
    json_t *list = json_array();
    sf_buf_init(&text, 4U << 20);
    for (size_t i = 0; i < r->n; i++) {
        const struct gen_check *c = &r->list[i].check;
        json_t *one =
            json_pack("{s:s, s:s, s:s, s:s, s:s}", "area", r->list[i].area, "what", c->what,
                      "verdict", verdicts[c->verdict].name, "text", c->text, "remedy", c->remedy);
        (void)json_array_append_new(list, one);
    }
    json_print_pretty(list, &text);
    puts(sf_buf_z(&text));
    json_decref(list);
    sf_buf_fini(&text);
}

/* As the miner reads it; what it would refuse is a finding like others here, and NULL then. */
static const struct conf *examine_configuration(const struct args *a, struct doctor_report *r)
{
    struct conf_source source = {0};
    struct conf_diagnostics found = {0};
    struct sf_errbuf eb = {.code = SF_OK};
    const struct conf *conf = NULL;
    settings_source(a, &source);
    enum sf_err err = conf_load(&source, &conf, &found, &eb);
    if (err != SF_OK && found.n_errors == 0) {
        fatal(sf_err_info(err)->exit_code, "%s", sf_err_text(&eb, err));
    }
    doctor_configuration(r, &found);
    conf_diagnostics_fini(&found);
    if (err == SF_OK) {
        http_trust(conf->ca_file);
    }
    return err == SF_OK ? conf : NULL;
}

/* What was asked for. SF_ECONFIG: a name that means nothing. */
static enum sf_err examine(const struct args *a, const struct conf *conf, struct doctor_report *r,
                           struct sf_errbuf *eb)
{
    struct doctor_miner miner;
    const char *only = args_get(a, "--mode");
    enum sf_err err = SF_OK;
    doctor_find_miner(conf, &miner);
    if (args_has(a, "--network")) {
        struct wallet_unlock unlock = secret_unlock(conf);
        unlock.ask = NULL; /* a check asks nobody */
        doctor_network(r, conf, &miner, &unlock);
    } else {
        if (only == NULL) {
            doctor_machine(r, conf, &miner);
            doctor_wallet(r, conf);
        }
        err = doctor_generators(r, conf, only, &miner, eb);
    }
    doctor_miner_fini(&miner);
    return err;
}

int cmd_doctor(int argc, char **argv)
{
    struct args a;
    struct doctor_report report = {.n = 0};
    struct sf_errbuf eb = {.code = SF_OK};
    args_parse(&a, &cmd_doctor_spec, argc, argv);
    const struct conf *conf = examine_configuration(&a, &report);
    enum sf_err err = conf == NULL ? SF_OK : examine(&a, conf, &report, &eb);
    int code = doctor_is_well(&report) ? 0 : 1;
    if (err != SF_OK) {
        fprintf(stderr, "storyfi: doctor: %s\n", sf_err_text(&eb, err));
        code = err == SF_ECONFIG ? 100 : sf_err_info(err)->exit_code;
    } else if (args_has(&a, "--json")) {
        print_report_json(&report);
    } else {
        print_report(&report);
    }
    doctor_fini(&report);
    conf_unref(conf);
    args_fini(&a);
    return code;
}
