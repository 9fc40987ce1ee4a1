/* SPDX-License-Identifier: MIT */
#include "base/log.h"
#include "cmd/commands.h"
#include "cmd/journal_show.h"
#include "cmd/settings.h"

#include <string.h>

static const struct arg_option options[] = {
    {"--answer", NULL, "The answer too."},
    {"--json", NULL, "One JSON object."},
};

const struct args_spec cmd_trail_spec = {
    .name = "trail",
    .synopsis = "ID [--answer] [--json]",
    .summary = "What happened to one request: generator by generator, and why.",
    .details = "ID is the req= of the log and the id of storyfi history. Exit status 1 when the "
               "journal has no such request.",
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .min_words = 1,
    .max_words = 1,
    .takes_settings = true,
};

/* "label  text", nothing when there is no text. */
static void print_text(const char *label, const char *text, size_t columns)
{
    struct sf_buf clean;
    sf_buf_init(&clean, 65536);
    journal_show_text(text, columns, &clean);
    if (clean.n > 0) {
        printf("  %-9s %s\n", label, sf_buf_z(&clean));
    }
    sf_buf_fini(&clean);
}

static void print_reason(const json_t *row)
{
    struct sf_buf clean;
    const char *reason = json_get_string(row, "reason");
    sf_buf_init(&clean, 8192);
    journal_show_text(reason, 400, &clean);
    printf("%s%s", clean.n == 0 ? "" : ": ", sf_buf_z(&clean));
    sf_buf_fini(&clean);
}

static void print_attempt(const json_t *a)
{
    double cost = 0;
    int64_t in = journal_show_int(a, "prompt_tokens"),
            out = journal_show_int(a, "generated_tokens");
    int64_t cached = journal_show_int(a, "cached_tokens");
    bool ok = strcmp(json_get_string(a, "code"), "SF_OK") == 0;
    double started = journal_show_seconds(a, "started_ms");
    printf("     %s %lld, %.1f to %.1f s: %s%s%s",
           json_get_bool(a, "repair", false) ? "repair" : "try",
           (long long)journal_show_int(a, "attempt"), started,
           started + journal_show_seconds(a, "took_ms"), ok ? "answered" : "failed (",
           ok ? "" : json_get_string(a, "code"), ok ? "" : ")");
    print_reason(a);
    if (in + out > 0) {
        printf("; %lld tokens in (%lld cached), %lld out", (long long)in, (long long)cached,
               (long long)out);
    }
    if (json_get_number(a, "cost_usd", &cost) && cost > 0) {
        printf(", $%.6f", cost);
    }
    puts("");
}

static void print_step(const json_t *s)
{
    const char *account = json_get_string(s, "account");
    const json_t *attempts = json_get_array(s, "attempts");
    bool skipped = strcmp(json_get_string(s, "outcome"), "skipped") == 0;
    printf("  %lld. %s (%s%s%s): ", (long long)journal_show_int(s, "step"),
           json_get_string(s, "hop"), json_get_string(s, "kind"),
           account == NULL ? "" : ", account ", account == NULL ? "" : account);
    if (skipped) {
        printf("passed over");
    } else {
        printf("%s after %.1f s%s", json_get_string(s, "outcome"),
               journal_show_seconds(s, "took_ms"),
               json_get_bool(s, "hedged", false) ? " (hedged)" : "");
    }
    print_reason(s);
    puts("");
    for (size_t i = 0; i < json_array_size(attempts); i++) {
        print_attempt(json_array_get(attempts, i));
    }
}

static void print_trail(const json_t *t)
{
    double technical = 0, structure = 0;
    const char *task = json_get_string(t, "task"), *by = json_get_string(t, "generator");
    const json_t *steps = json_get_array(t, "steps");
    printf("request %lld: %s, from %s, %s\n", (long long)journal_show_int(t, "id"),
           task == NULL ? "not understood" : task, json_get_string(t, "origin"),
           json_get_string(t, "time"));
    print_text("caller", json_get_string(t, "hotkey"), 64);
    print_text("peer", json_get_string(t, "peer"), 64);
    print_text("story", json_get_string(t, "story_id"), 64);
    print_text("input", json_get_string(t, "user_input"), 200);
    printf("  status    %lld after %.1f s of %.1f s%s%s\n",
           (long long)journal_show_int(t, "status"), journal_show_seconds(t, "took_ms"),
           journal_show_seconds(t, "deadline_ms"), by == NULL ? "" : ", answered by ",
           by == NULL ? "" : by);
    print_text("why", json_get_string(t, "message"), 400);
    print_text("model", json_get_string(t, "model"), 128);
    if (json_get_number(t, "technical", &technical) &&
        json_get_number(t, "structure", &structure)) {
        printf("  score     technical %.1f/30, structure %.1f/40\n", technical, structure);
    }
    puts(json_array_size(steps) == 0 ? "no generator was asked" : "generators");
    for (size_t i = 0; i < json_array_size(steps); i++) {
        print_step(json_array_get(steps, i));
    }
}

static void print_answer(const json_t *t)
{
    const json_t *answer = json_get_object(t, "answer");
    const json_t *output = json_object_get(answer, "output");
    if (answer == NULL) {
        puts("no answer was made");
    } else if (json_is_null(output)) {
        printf("the answer had %lld bytes: too long to be kept\n",
               (long long)journal_show_int(answer, "bytes"));
    } else {
        puts("answer");
        journal_show_json(output);
    }
}

int cmd_trail(int argc, char **argv)
{
    struct args a;
    struct sf_errbuf eb = {.code = SF_OK};
    json_t *trail = NULL;
    uint64_t id = 0;
    args_parse(&a, &cmd_trail_spec, argc, argv);
    if (!sf_scan_u64(sf_str(a.words[0]), INT64_MAX, &id)) {
        fatal(100, "trail: got \"%s\", takes the number of a request", a.words[0]);
    }
    const struct conf *conf = settings_load(&a);
    struct journal_reader *r = journal_show_open("trail", conf);
    enum sf_err err = SF_ENOTFOUND;
    if (r != NULL) {
        err = journal_trail(r, (int64_t)id, args_has(&a, "--answer"), &trail, &eb);
    }
    if (err != SF_OK && r != NULL) {
        fprintf(stderr, "storyfi: trail: %s\n", sf_err_text(&eb, err));
    } else if (err == SF_OK && args_has(&a, "--json")) {
        journal_show_json(trail);
    } else if (err == SF_OK) {
        print_trail(trail);
        if (args_has(&a, "--answer")) {
            print_answer(trail);
        }
    }
    json_decref(trail);
    journal_reader_close(r);
    conf_unref(conf);
    args_fini(&a);
    int failed = err == SF_ENOTFOUND ? 1 : 111;
    return err == SF_OK ? 0 : failed;
}
