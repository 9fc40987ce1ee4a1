/* SPDX-License-Identifier: MIT */
#include "app/origin.h"
#include "base/log.h"
#include "cmd/commands.h"
#include "cmd/history_export.h"
#include "cmd/journal_show.h"
#include "cmd/settings.h"
#include "story/task.h"

#include <string.h>

static const struct arg_option options[] = {
    {"--task", "T", "Only blueprint, characters, story_arc or chapters."},
    {"--origin", "O", "Only of validator, playground, cli or serve."},
    {"--generator", "G", "Only answered by this generator: its name or kind."},
    {"--status", "ok|failed|N", "Only of this status: ok, failed, or a number like 503."},
    {"--since", "AGO", "Only so recent: 90s, 30m, 2h, 7d."},
    {"--limit", "N", "At most so many (20)."},
    {"--before", "ID", "Only older ones than request ID: the next page."},
    {"--json", NULL, "An array of objects, with more of each request."},
    {"--format", "F", "export: jsonl (all that is known, answers too) or csv (a row a request)."},
    {"--out", "FILE", "export: into a new FILE, instead of stdout."},
};

static const struct arg_action actions[] = {
    {"export", "Write all of them, oldest first, for other programs (--format)."},
};

const struct args_spec cmd_history_spec = {
    .name = "history",
    .synopsis =
        "[--task T] [--origin O] [--generator G] [--status S] [--since AGO] [--limit N] [--json] | "
        "export --format jsonl|csv [--since AGO] [--out FILE]",
    .summary = "What was asked and answered, newest first.",
    .details =
        "Reads the journal (journal.path), whether a miner runs or not. storyfi trail ID "
        "tells more of one.\nIn csv a text that a spreadsheet would take for a formula begins "
        "with '.",
    .actions = actions,
    .n_actions = 1,
    .action_optional = true,
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .takes_settings = true,
};

static int64_t read_since(const struct args *a)
{
    static const struct {
        char unit;
        int64_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
    const char *given = args_get(a, "--since");
    struct sf_str text = sf_str(given);
    uint64_t number = 0;
    if (given == NULL) {
        return 0;
    }
    for (size_t i = 0; text.n > 1 && i < sizeof units / sizeof units[0]; i++) {
        struct sf_str digits = {text.p, text.n - 1};
        if (text.p[text.n - 1] == units[i].unit && sf_scan_u64(digits, 100000, &number)) {
            return sf_wall_ns() - (int64_t)number * units[i].seconds * 1000000000;
        }
    }
    fatal(100, "history: --since got \"%s\", takes a time like 90s, 30m, 2h or 7d", given);
}

static void read_status(const struct args *a, struct journal_filter *f)
{
    const char *given = args_get(a, "--status");
    uint64_t number = 0;
    if (given == NULL) {
        return;
    }
    if (strcmp(given, "ok") == 0) {
        f->status_min = f->status_max = 200;
    } else if (strcmp(given, "failed") == 0) {
        f->status_min = 201;
    } else if (sf_scan_u64(sf_str(given), 599, &number) && number >= 100) {
        f->status_min = f->status_max = (int64_t)number;
    } else {
        fatal(100, "history: --status got \"%s\", takes ok, failed, or a number like 503", given);
    }
}

static const char *read_origin(const struct args *a)
{
    const char *given = args_get(a, "--origin");
    for (int i = 0; given != NULL && i < ORIGIN_COUNT; i++) {
        if (strcmp(request_origin_name((enum request_origin)i), given) == 0) {
            return given;
        }
    }
    if (given != NULL) {
        fatal(100, "history: --origin got \"%s\", takes validator, playground, cli or serve",
              given);
    }
    return NULL;
}

static const char *read_task(const struct args *a)
{
    enum story_task task;
    const char *given = args_get(a, "--task");
    if (given != NULL && story_task_parse(sf_str(given), &task) != SF_OK) {
        fatal(100, "history: --task got \"%s\", takes blueprint, characters, story_arc or chapters",
              given);
    }
    return given;
}

static void print_row(const json_t *row, bool colour)
{
    char score[16] = "", by[64] = "";
    double technical = 0, structure = 0;
    int64_t status = journal_show_int(row, "status");
    struct sf_buf caller;
    const char *generator = json_get_string(row, "generator"), *task = json_get_string(row, "task");
    if (json_get_number(row, "technical", &technical) &&
        json_get_number(row, "structure", &structure)) {
        (void)snprintf(score, sizeof score, "%.0f/70", technical + structure);
    }
    (void)snprintf(by, sizeof by, "%s", generator == NULL ? "-" : generator);
    sf_buf_init(&caller, 256);
    journal_show_text(json_get_string(row, "hotkey"), 14, &caller);
    const char *on = status == 200 ? "\x1b[32m" : "\x1b[31m";
    printf("%8lld  %-20s  %-10s  %-10s  %-16s %6.1f  %s%6lld%s  %-6s %s\n",
           (long long)journal_show_int(row, "id"), json_get_string(row, "time"),
           task == NULL ? "-" : task, json_get_string(row, "origin"), by,
           journal_show_seconds(row, "took_ms"), colour ? on : "", (long long)status,
           colour ? "\x1b[0m" : "", score, caller.n == 0 ? "-" : sf_buf_z(&caller));
    sf_buf_fini(&caller);
}

static void print_table(const json_t *list)
{
    bool colour = args_wants_colour();
    printf("%8s  %-20s  %-10s  %-10s  %-16s %6s  %6s  %-6s %s\n", "id", "time", "task", "origin",
           "generator", "s", "status", "score", "caller");
    for (size_t i = 0; i < json_array_size(list); i++) {
        print_row(json_array_get(list, i), colour);
    }
}

/* Options that mean nothing to what was asked for. */
static void refuse(const struct args *a, const char *const *names, size_t n, const char *why)
{
    for (size_t i = 0; i < n; i++) {
        if (args_has(a, names[i])) {
            fatal(100, "history: %s %s", names[i], why);
        }
    }
}

static enum sf_err run_export(const struct args *a, const struct conf *conf,
                              const struct journal_filter *f, struct sf_errbuf *eb)
{
    static const char *const listing[] = {"--limit", "--before", "--json"};
    enum history_format format;
    refuse(a, listing, sizeof listing / sizeof listing[0], "does not go with export");
    const char *given = args_get(a, "--format");
    if (given == NULL || !history_format_parse(given, &format)) {
        fatal(100, "history: export needs --format jsonl or --format csv");
    }
    return history_export(conf->journal.path, f, format, args_get(a, "--out"), eb);
}

static enum sf_err run_list(const struct args *a, const struct conf *conf,
                            const struct journal_filter *f, struct sf_errbuf *eb)
{
    static const char *const exporting[] = {"--format", "--out"};
    json_t *list = NULL;
    enum sf_err err = SF_OK;
    refuse(a, exporting, 2, "goes with export (storyfi history export)");
    struct journal_reader *r = journal_show_open("history", conf);
    if (r == NULL) {
        list = json_array();
    } else {
        err = journal_list(r, f, &list, eb);
    }
    if (err == SF_OK && args_has(a, "--json")) {
        journal_show_json(list);
    } else if (err == SF_OK) {
        print_table(list);
    }
    json_decref(list);
    journal_reader_close(r);
    return err;
}

int cmd_history(int argc, char **argv)
{
    struct args a;
    struct sf_errbuf eb = {.code = SF_OK};
    args_parse(&a, &cmd_history_spec, argc, argv);
    const struct conf *conf = settings_load(&a);
    struct journal_filter f = {.task = read_task(&a),
                               .origin = read_origin(&a),
                               .generator = args_get(&a, "--generator"),
                               .since_ns = read_since(&a),
                               .before_id = args_int(&a, "--before", 0, 1, INT64_MAX),
                               .limit = args_int(&a, "--limit", 20, 1, 100000)};
    read_status(&a, &f);
    enum sf_err err =
        a.action != NULL ? run_export(&a, conf, &f, &eb) : run_list(&a, conf, &f, &eb);
    if (err != SF_OK) {
        fprintf(stderr, "storyfi: history: %s\n", sf_err_text(&eb, err));
    }
    conf_unref(conf);
    args_fini(&a);
    if (err == SF_OK) {
        return 0;
    }
    return err == SF_ECONFIG ? 100 : 111;
}
