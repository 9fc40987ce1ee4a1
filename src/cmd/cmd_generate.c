/* SPDX-License-Identifier: MIT */
#include "app/run.h"
#include "base/file.h"
#include "base/log.h"
#include "cmd/commands.h"
#include "cmd/request_args.h"
#include "cmd/running_miner.h"
#include "cmd/settings.h"

static const struct arg_option options[] = {
    {"--task", "T", "blueprint, characters, story_arc or chapters."},
    {"--input", "TEXT", "What the story is to be about."},
    {"--context", "FILE", "JSON with any of blueprint, characters, story_arc, chapter_ids."},
    {"--mode", "M", "This generator alone, no fallback: local, custom, or a custom one's name."},
    {"--deadline", "S", "Seconds until the answer is of no use (60)."},
    {"--seed", "N", "Seed of the answer; by default a random one."},
    {"--alone", NULL, "Write here even if a miner with this configuration runs on this machine."},
};

const struct args_spec cmd_generate_spec = {
    .name = "generate",
    .synopsis =
        "--task T --input TEXT [--context FILE] [--mode M] [--deadline S] [--seed N] [--alone]",
    .summary = "Write one part of a story; the output_data goes to standard output.",
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .takes_settings = true,
};

/* The end of a line: where to look. */
static void print_trail_number(const struct run_result *run)
{
    if (run->id > 0) {
        fprintf(stderr, " (storyfi trail %lld)", (long long)run->id);
    }
    fputc('\n', stderr);
}

static void print_answer(const struct run_result *run)
{
    const struct gen_result *result = &run->result;
    struct sf_buf text;
    sf_buf_init(&text, 8U << 20);
    json_print_pretty(result->output, &text);
    puts(sf_buf_z(&text));
    fprintf(stderr, "%.1f s, %lld tokens, %.0f tokens/s, by %s", sf_seconds(run->took_ms),
            (long long)result->usage.generated_tokens, result->usage.tokens_per_second,
            result->name);
    print_trail_number(run);
    sf_buf_fini(&text);
}

static enum sf_err generate(struct app *app, const struct story_request *r,
                            const struct run_options *o, struct sf_errbuf *eb)
{
    struct run_result run = {.took_ms = 0};
    (void)app_wait_ready(app, sf_after(sf_now(), 60000), o->progress);
    enum sf_err err = run_task(app, r, o, &run, eb);
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
    print_answer(&run);
    gen_result_fini(&run.result);
    return SF_OK;
}

static int generate_here(const struct conf *conf, const char *only, const struct story_request *r,
                         const struct run_options *o)
{
    struct app *app = NULL;
    struct sf_errbuf eb = {.code = SF_OK};
    struct app_options chain = {.only = only, .journal = APP_JOURNAL_COMMAND};
    enum sf_err err = app_open(conf, &chain, &app, &eb);
    if (err != SF_OK) {
        fprintf(stderr, "storyfi: generate: %s\n", sf_err_text(&eb, err));
        return err == SF_ECONFIG ? 100 : sf_err_info(err)->exit_code;
    }
    err = generate(app, r, o, &eb);
    app_close(app);
    return sf_err_info(err)->exit_code;
}

static int generate_there(const struct running_miner *miner, const char *only,
                          const struct story_request *r, const struct run_options *o)
{
    struct run_result run = {.took_ms = 0};
    struct sf_errbuf eb = {.code = SF_OK};
    enum sf_err err = running_miner_ask(miner, r, only, o, &run, &eb);
    if (err == SF_OK) {
        print_answer(&run);
        gen_result_fini(&run.result);
        return 0;
    }
    fprintf(stderr, "storyfi: generate: %s", sf_err_text(&eb, err));
    print_trail_number(&run);
    return sf_err_info(err)->exit_code;
}

int cmd_generate(int argc, char **argv)
{
    struct args a;
    struct story_request request;
    struct running_miner miner;
    struct progress progress;
    args_parse(&a, &cmd_generate_spec, argc, argv);
    const struct conf *conf = settings_load(&a);
    const char *only = args_get(&a, "--mode");
    request_args_read(&a, &request);
    struct run_options o = {.progress = &progress, .seed = request_args_seed(&a)};
    o.deadline_ms = (sf_ms)(args_number(&a, "--deadline", 60, 0.1, 3600) * 1000);
    o.target_ms = o.deadline_ms < 25000 ? o.deadline_ms : 25000;
    progress_init(&progress, args_is_terminal(stderr) ? stderr : NULL);
    int status = !args_has(&a, "--alone") && running_miner_find(&a, conf, only, &miner)
                     ? generate_there(&miner, only, &request, &o)
                     : generate_here(conf, only, &request, &o);
    story_request_fini(&request);
    conf_unref(conf);
    args_fini(&a);
    return status;
}
