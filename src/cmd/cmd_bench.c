/* SPDX-License-Identifier: MIT */
#include "app/bench.h"
#include "base/log.h"
#include "cmd/commands.h"
#include "cmd/settings.h"

#include <string.h>

static const struct arg_option options[] = {
    {"--rounds", "N", "Answers to each task, of which the median counts (3)."},
    {"--mode", "M", "This generator alone (local)."},
    {"--synthetic", "SHAPE",
     "Random weights in the shape of llama-3.1-8b, llama-3.1-70b, mixtral-8x7b or qwen2.5-7b: what "
     "this machine would do, without a download."},
    {"--layers", "N", "Of a synthetic model: so many layers alone, for small machines."},
    {"--deadline", "S", "Seconds until an answer is of no use (60; 600 for a synthetic model)."},
    {"--seed", "N", "Seed of the first answers (1)."},
    {"--json", NULL, "One JSON object."},
};

const struct args_spec cmd_bench_spec = {
    .name = "bench",
    .synopsis = "[--rounds N] [--mode M] [--synthetic SHAPE [--layers N]] [--json]",
    .summary = "Measure how fast this machine writes whole answers, and whether they come in time.",
    .details =
        "The four tasks of a story, one request at a time, as a validator would ask them. A "
        "synthetic model\nwrites nonsense in the time that the real one would take: its weights "
        "are Q4_K and Q6_K, as in a\nQ4_K_M file. With --layers the time of a whole model is "
        "about that of N layers times all / N.\nExit status 0 when every answer came within the "
        "25 seconds that validators pay in full; else 1.",
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .takes_settings = true,
};

static bool is_good(const struct bench_row *r, unsigned rounds)
{
    return r->answered == rounds && r->in_target == rounds;
}

static void print_rows(const struct bench_row *rows, unsigned rounds)
{
    bool colour = args_is_terminal(stdout);
    printf("%-11s %8s %11s %9s %9s %7s %10s %7s\n", "task", "seconds", "characters", "chars/s",
           "tokens/s", "cached", "structure", "in time");
    for (int i = 0; i < STORY_TASK_COUNT; i++) {
        const struct bench_row *r = &rows[i];
        if (r->answered == 0) {
            printf("%-11s not answered: %s\n", story_task_name(r->task), r->failure);
            continue;
        }
        const char *tone = !colour ? "" : is_good(r, rounds) ? "\x1b[32m" : "\x1b[31m";
        printf("%-11s %8.1f %11.0f %9.0f %9.0f %6.0f%% %7.1f/40 %s%4u/%u%s\n",
               story_task_name(r->task), r->seconds, r->characters, r->characters_per_second,
               r->tokens_per_second, 100 * r->cached_share, r->structure, tone, r->in_target,
               rounds, colour ? "\x1b[0m" : "");
    }
}

static void print_json(const struct bench_row *rows, unsigned rounds)
{
    json_t *tasks = json_array();
    struct sf_buf text;
    for (int i = 0; i < STORY_TASK_COUNT; i++) {
        const struct bench_row *r = &rows[i];
        json_t *row = json_pack("{s:s, s:s, s:i, s:i, s:i, s:f, s:f, s:f, s:f, s:f, s:f, s:s}",
                                "task", story_task_name(r->task), "model", r->model, "answered",
                                (int)r->answered, "valid", (int)r->valid, "in_target",
                                (int)r->in_target, "seconds", r->seconds, "characters",
                                r->characters, "characters_per_second", r->characters_per_second,
                                "tokens_per_second", r->tokens_per_second, "cached_share",
                                r->cached_share, "structure", r->structure, "failure", r->failure);
        (void)json_array_append_new(tasks, row);
    }
    json_t *all = json_pack("{s:i, s:o}", "rounds", (int)rounds, "tasks", tasks);
    sf_buf_init(&text, 1U << 20);
    json_print(all, &text);
    puts(sf_buf_z(&text));
    sf_buf_fini(&text);
    json_decref(all);
}

/* The model that --synthetic means, as a setting over the configuration's. */
static void use_synthetic(struct args *a, const char *shape, char *name, size_t n)
{
    int64_t layers = args_int(a, "--layers", 0, 0, 1000);
    if (shape == NULL) {
        if (layers != 0) {
            fatal(100, "bench: --layers is for --synthetic");
        }
        return;
    }
    if (a->n_settings == ARGS_MAX) {
        fatal(100, "bench: too many settings");
    }
    (void)snprintf(name, n, layers > 0 ? "synthetic:%s:%lld" : "synthetic:%s", shape,
                   (long long)layers);
    a->settings[a->n_settings++] = (struct args_setting){"--generator.local.model_name", name};
}

static bool run(const struct args *a, struct app *app, bool synthetic)
{
    struct bench_row rows[STORY_TASK_COUNT];
    struct progress progress;
    struct sf_errbuf eb = {.code = SF_OK};
    unsigned rounds = (unsigned)args_int(a, "--rounds", 3, 1, BENCH_ROUNDS_MAX);
    struct bench_options o = {.rounds = rounds, .target_ms = 25000, .progress = &progress};
    o.deadline_ms = (sf_ms)(1000 * args_number(a, "--deadline", synthetic ? 600 : 60, 1, 3600));
    o.seed = (uint64_t)args_int(a, "--seed", 1, 0, INT64_MAX);
    progress_init(&progress, args_is_terminal(stderr) ? stderr : NULL);
    (void)app_wait_ready(app, sf_after(sf_now(), 600000), &progress);
    enum sf_err err = bench_run(app, &o, rows, &eb);
    progress_clear(&progress);
    if (err != SF_OK) {
        fatal(sf_err_info(err)->exit_code, "bench: %s", sf_err_text(&eb, err));
    }
    bool good = true;
    for (int i = 0; i < STORY_TASK_COUNT; i++) {
        good = good && is_good(&rows[i], rounds);
    }
    if (args_has(a, "--json")) {
        print_json(rows, rounds);
    } else {
        print_rows(rows, rounds);
        printf("%s\n", good ? "every answer came within the 25 s that validators pay in full"
                            : "not every answer came within the 25 s that validators pay in full: "
                              "storyfi models recommend");
    }
    return good;
}

int cmd_bench(int argc, char **argv)
{
    struct args a;
    struct app *app = NULL;
    struct sf_errbuf eb = {.code = SF_OK};
    char name[128];
    args_parse(&a, &cmd_bench_spec, argc, argv);
    const char *shape = args_get(&a, "--synthetic"), *mode = args_get(&a, "--mode");
    use_synthetic(&a, shape, name, sizeof name);
    const struct conf *conf = settings_load(&a);
    struct app_options o = {.only = mode == NULL ? "local" : mode, .journal = APP_JOURNAL_NONE};
    enum sf_err err = app_open(conf, &o, &app, &eb);
    if (err != SF_OK) {
        fatal(err == SF_ECONFIG ? 100 : sf_err_info(err)->exit_code, "bench: %s",
              sf_err_text(&eb, err));
    }
    bool good = run(&a, app, shape != NULL);
    app_close(app);
    conf_unref(conf);
    args_fini(&a);
    return good ? 0 : 1;
}
