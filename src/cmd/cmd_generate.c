/* SPDX-License-Identifier: MIT */
#include "app/run.h"
#include "base/file.h"
#include "base/log.h"
#include "cmd/commands.h"
#include "cmd/request_args.h"
#include "cmd/settings.h"

static const struct arg_option options[] = {
    {"--task", "T", "blueprint, characters, story_arc or chapters."},
    {"--input", "TEXT", "What the story is to be about."},
    {"--context", "FILE", "JSON with any of blueprint, characters, story_arc, chapter_ids."},
    {"--mode", "M", "This generator alone, no fallback: local, custom, or a custom one's name."},
    {"--deadline", "S", "Seconds until the answer is of no use (60)."},
    {"--seed", "N", "Seed of the answer; by default a random one."},
};

const struct args_spec cmd_generate_spec = {
    .name = "generate",
    .synopsis = "--task T --input TEXT [--context FILE] [--mode M] [--deadline S] [--seed N]",
    .summary = "Write one part of a story; the output_data goes to standard output.",
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .takes_settings = true,
};

static enum sf_err generate(const struct args *a, struct app *app, const struct story_request *r,
                            struct sf_errbuf *eb)
{
    struct run_result run = {.took_ms = 0};
    struct progress progress;
    struct run_options o = {.progress = &progress};
    struct sf_buf text;
    o.deadline_ms = (sf_ms)(args_number(a, "--deadline", 60, 0.1, 3600) * 1000);
    o.target_ms = o.deadline_ms < 25000 ? o.deadline_ms : 25000;
    o.seed = request_args_seed(a);
    progress_init(&progress, args_is_terminal(stderr) ? stderr : NULL);
    (void)app_wait_ready(app, sf_after(sf_now(), 60000), &progress);
    enum sf_err err = run_task(app, r, &o, &run, eb);
    run_print_trail(&run.trail, stderr);
    if (err != SF_OK) {
        struct sf_buf why;
        sf_buf_init(&why, 8192);
        if (err == SF_EUNAVAILABLE) {
            app_explain(app, &why);
        } else {
            sf_buf_puts(&why, sf_err_text(eb, err));
        }
        fprintf(stderr, "storyfi: generate: %s\n", sf_buf_z(&why));
        sf_buf_fini(&why);
        return err;
    }
    sf_buf_init(&text, 8U << 20);
    json_print_pretty(run.result.output, &text);
    puts(sf_buf_z(&text));
    fprintf(stderr, "%.1f s, %lld tokens, %.0f tokens/s, by %s\n", sf_seconds(run.took_ms),
            (long long)run.result.usage.generated_tokens, run.result.usage.tokens_per_second,
            run.result.name);
    sf_buf_fini(&text);
    gen_result_fini(&run.result);
    return SF_OK;
}

int cmd_generate(int argc, char **argv)
{
    struct args a;
    struct sf_errbuf eb = {.code = SF_OK};
    struct app *app = NULL;
    struct story_request request;
    args_parse(&a, &cmd_generate_spec, argc, argv);
    const struct conf *conf = settings_load(&a);
    request_args_read(&a, &request);
    struct app_options o = {.only = args_get(&a, "--mode")};
    enum sf_err err = app_open(conf, &o, &app, &eb);
    int status = 0;
    if (err != SF_OK) {
        fprintf(stderr, "storyfi: generate: %s\n", sf_err_text(&eb, err));
        status = err == SF_ECONFIG ? 100 : sf_err_info(err)->exit_code;
    } else {
        status = sf_err_info(generate(&a, app, &request, &eb))->exit_code;
    }
    app_close(app);
    story_request_fini(&request);
    conf_unref(conf);
    args_fini(&a);
    return status;
}
