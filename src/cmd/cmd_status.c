/* SPDX-License-Identifier: MIT */
#include "app/miner_address.h"
#include "base/log.h"
#include "cmd/commands.h"
#include "cmd/journal_show.h"
#include "cmd/settings.h"
#include "cmd/status_page.h"
#include "cmd/status_watch.h"
#include "http/client.h"
#include "json/json.h"

#include <stdarg.h>

static const struct arg_option options[] = {
    {"--json", NULL, "Print what the miner says as JSON."},
    {"--watch", NULL, "Go on showing it, on the whole screen, until q; plain lines without one."},
};

const struct args_spec cmd_status_spec = {
    .name = "status",
    .synopsis = "[--json|--watch] [--admin.ip IP] [--admin.port P]",
    .summary = "Ask the miner that runs on this machine how it is.",
    .details = "Exit status 0 when it can answer validators, 1 when it cannot, 111 when none runs. "
               "--watch ends with 0\nand shows colours on a terminal, unless NO_COLOR is set.",
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .takes_settings = true,
};

/* What came from a target, fit for a terminal. */
static void print_clean(const char *label, const char *text)
{
    struct sf_buf clean;
    sf_buf_init(&clean, 8192);
    journal_show_text(text, 400, &clean);
    if (clean.n > 0) {
        printf("  %-12s %s%s\n", "", label, sf_buf_z(&clean));
    }
    sf_buf_fini(&clean);
}

static void print_last_error(const json_t *g)
{
    char label[64], span[32];
    double age = 0;
    if (json_get_number(g, "last_error_age_seconds", &age)) {
        (void)snprintf(label, sizeof label,
                       "last error, %s ago: ", status_span(age, span, sizeof span));
        print_clean(label, json_get_string(g, "last_error"));
    }
}

static void print_day(const json_t *day)
{
    double cost = 0;
    int64_t answers = journal_show_int(day, "answers"),
            failures = journal_show_int(day, "failures");
    int64_t requests = journal_show_int(day, "requests");
    if (day == NULL) {
        return;
    }
    printf("  %-12s last 24 h: %lld answers, %lld failures", "", (long long)answers,
           (long long)failures);
    if (answers + failures > 0) {
        printf(" (%.0f %% good)", 100.0 * (double)answers / (double)(answers + failures));
    }
    if (answers > 0) {
        printf(", half within %.1f s, 95 %% within %.1f s", journal_show_seconds(day, "p50_ms"),
               journal_show_seconds(day, "p95_ms"));
    }
    (void)json_get_number(day, "cost_usd", &cost);
    if (requests > 0) {
        printf("; %lld paid requests, %lld tokens in, %lld out, $%.4f", (long long)requests,
               (long long)journal_show_int(day, "prompt_tokens"),
               (long long)journal_show_int(day, "generated_tokens"), cost);
    }
    puts("");
}

static void print_generator(const json_t *g)
{
    char span[32] = "";
    double left = 0;
    bool out = json_get_number(g, "out_for_seconds", &left);
    printf("  %-12s %-9s answers %lld, failures %lld%s%s  %s\n", json_get_string(g, "name"),
           json_get_string(g, "use"), (long long)journal_show_int(g, "answers"),
           (long long)journal_show_int(g, "failures"), out ? ", out for " : "",
           out ? status_span(left, span, sizeof span) : "", json_get_string(g, "target"));
    print_clean("", json_get_string(g, "reason"));
    print_last_error(g);
    print_day(json_get_object(g, "last_24h"));
}

static void print_journal(const json_t *j)
{
    if (j != NULL && !json_get_bool(j, "writing", true)) {
        printf("journal        requests are not recorded\n");
        print_clean("", json_get_string(j, "reason"));
    }
}

/* A line of the network's block; texts of the chain are made fit for a terminal. */
static void print_line(const char *label, const char *fmt, ...) SF_PRINTF(2, 3);
static void print_line(const char *label, const char *fmt, ...)
{
    char text[512];
    struct sf_buf clean;
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    sf_buf_init(&clean, 2048);
    journal_show_text(text, 500, &clean);
    printf("  %-12s %s\n", label, sf_buf_z(&clean));
    sf_buf_fini(&clean);
}

static const char *or_none(const char *text)
{
    return text == NULL ? "nothing" : text;
}

static void print_metagraph(const json_t *g)
{
    char span[32];
    double age = 0;
    if (!json_get_number(g, "age_seconds", &age)) {
        print_line("metagraph", "not read yet");
        return;
    }
    print_line("metagraph", "block %lld, %lld neurons, %s old%s%s",
               (long long)journal_show_int(g, "block"), (long long)journal_show_int(g, "neurons"),
               status_span(age, span, sizeof span),
               sf_str_is(json_get_str(g, "source"), "disk") ? ", from the last run" : "",
               json_get_bool(g, "stale", false) ? ": too old (subtensor.max_stale)" : "");
}

static void print_standing(const json_t *n)
{
    double stake = 0, emission = 0, incentive = 0;
    int64_t left = 0;
    char immunity[64] = "";
    if (!json_get_number(n, "stake", &stake)) {
        return;
    }
    (void)json_get_number(n, "emission", &emission);
    (void)json_get_number(n, "incentive", &incentive);
    if (json_get_int(n, "immunity_left_blocks", &left)) {
        (void)snprintf(immunity, sizeof immunity, ", %lld blocks of immunity left",
                       (long long)left);
    }
    print_line("standing",
               "position %lld of %lld miners, incentive %.5f, emission %.9g, stake %.4f%s",
               (long long)journal_show_int(n, "position"), (long long)journal_show_int(n, "miners"),
               incentive, emission, stake, immunity);
}

static void print_network(const json_t *n)
{
    char span[32];
    double age = 0;
    const json_t *problems = json_get_array(n, "problems");
    if (n == NULL) {
        return;
    }
    bool looked = json_get_number(n, "last_look_age_seconds", &age);
    printf("network        subnet %lld\n", (long long)journal_show_int(n, "netuid"));
    print_line("chain", "%s: %s%s%s", or_none(json_get_string(n, "endpoint")),
               json_get_bool(n, "reached", false) ? "asked "
               : looked                           ? "away; asked "
                                                  : "not reached",
               looked ? status_span(age, span, sizeof span) : "", looked ? " ago" : "");
    if (looked && json_get_bool(n, "registered", false)) {
        print_line("registered", "uid %lld", (long long)journal_show_int(n, "uid"));
    } else {
        print_line("registered", "%s", looked ? "no" : "not known");
    }
    print_line("announced", "%s", or_none(json_get_string(n, "axon_announced")));
    print_metagraph(json_get_object(n, "metagraph"));
    print_standing(n);
    print_line("earning", "%s", or_none(json_get_string(n, "earning")));
    for (size_t i = 0; i < json_array_size(problems); i++) {
        print_line(i == 0 ? "wrong" : "", "%s", json_string_value(json_array_get(problems, i)));
    }
}

static void print_status(const json_t *s)
{
    int64_t port = 0, depth = 0, in_flight = 0, requests = 0;
    double uptime = 0;
    const json_t *list = json_get_array(s, "generators");
    (void)json_get_int(json_get_object(s, "axon"), "port", &port);
    (void)json_get_int(json_get_object(s, "queue"), "depth", &depth);
    (void)json_get_int(json_get_object(s, "queue"), "in_flight", &in_flight);
    (void)json_get_int(s, "requests", &requests);
    (void)json_get_number(s, "uptime_seconds", &uptime);
    printf("storyfi %s, up %.0f s, %s\n", json_get_string(s, "version"), uptime,
           json_get_bool(s, "ready", false) ? "ready" : "not ready");
    printf("  hotkey       %s\n  axon         %s:%lld\n", json_get_string(s, "hotkey"),
           json_get_string(json_get_object(s, "axon"), "ip"), (long long)port);
    printf("  requests     %lld verified, %lld in flight, %lld queued\ngenerators\n",
           (long long)requests, (long long)in_flight, (long long)depth);
    for (size_t i = 0; i < json_array_size(list); i++) {
        print_generator(json_array_get(list, i));
    }
    print_journal(json_get_object(s, "journal"));
    print_network(json_get_object(s, "network"));
}

static bool is_status(const json_t *s)
{
    return json_get_string(s, "version") != NULL && json_get_string(s, "hotkey") != NULL &&
           json_get_string(json_get_object(s, "axon"), "ip") != NULL;
}

static int show(const struct args *a, const struct http_answer *answer)
{
    json_t *status = NULL;
    if (answer->status == 401 || answer->status == 429) {
        fprintf(stderr,
                "storyfi: status: the miner asks for its token (HTTP %d): name its variable with "
                "--admin.token_env, as the miner was told\n",
                answer->status);
        return 111;
    }
    if (answer->status != 200 ||
        json_parse(sf_buf_str(&answer->body), JSON_LIMITS_DEFAULT, &status, NULL) != SF_OK ||
        !is_status(status)) {
        fprintf(stderr, "storyfi: status: what listens there is no storyfi miner (HTTP %d)\n",
                answer->status);
        json_decref(status);
        return 111;
    }
    bool ready = json_get_bool(status, "ready", false);
    if (args_has(a, "--json")) {
        puts(sf_buf_z(&answer->body));
    } else {
        print_status(status);
    }
    json_decref(status);
    return ready ? 0 : 1;
}

int cmd_status(int argc, char **argv)
{
    struct args a;
    struct sf_errbuf eb = {.code = SF_OK};
    struct http_answer answer;
    args_parse(&a, &cmd_status_spec, argc, argv);
    const struct conf *conf = settings_load(&a);
    if (args_has(&a, "--watch")) {
        if (args_has(&a, "--json")) {
            fatal(100, "status: --json and --watch do not go together");
        }
        int ended = status_watch(conf);
        conf_unref(conf);
        args_fini(&a);
        return ended;
    }
    enum sf_err err = miner_get(conf, "/status", 5000, &answer, &eb);
    int exit_code = 111;
    if (err != SF_OK) {
        fprintf(stderr,
                "storyfi: status: no miner answers: %s (start one with storyfi miner, or name its "
                "--admin.port)\n",
                sf_err_text(&eb, err));
    } else {
        exit_code = show(&a, &answer);
    }
    http_answer_fini(&answer);
    conf_unref(conf);
    args_fini(&a);
    return exit_code;
}
