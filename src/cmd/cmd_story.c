/* SPDX-License-Identifier: MIT */
#include "app/run.h"
#include "base/file.h"
#include "base/log.h"
#include "cmd/commands.h"
#include "cmd/request_args.h"
#include "cmd/running_miner.h"
#include "cmd/settings.h"
#include "story/book.h"

#include <string.h>
#include <unistd.h>

static const struct arg_option options[] = {
    {"--out", "DIR", "Where story.json and story.html go (out)."},
    {"--chapters", "A-B", "The chapters to write (1-12)."},
    {"--from", "FILE", "Write no story: make the book of a story.json that is there."},
    {"--mode", "M", "This generator alone, no fallback."},
    {"--seed", "N", "Seed of the story; by default a random one."},
    {"--alone", NULL, "Write here even if a miner with this configuration runs on this machine."},
};

const struct args_spec cmd_story_spec = {
    .name = "story",
    .synopsis = "TEXT [--out DIR] [--chapters A-B] [--mode M] [--alone] | --from FILE [--out DIR]",
    .summary = "Write a whole story: story.json, and story.html to play it in a browser.",
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .max_words = 1,
    .takes_settings = true,
};

static enum sf_err write_text(const char *dir, const char *name, const struct sf_buf *text,
                              struct sf_errbuf *eb)
{
    char *path = sf_path_join(dir, name);
    enum sf_err err = path == NULL ? SF_ENOMEM : sf_file_write(path, sf_buf_str(text), 0644, eb);
    if (err == SF_OK) {
        fprintf(stderr, "wrote %s\n", path);
    }
    free(path);
    return err;
}

/* Asked before a minute of work, not behind it. */
static enum sf_err check_dir(const char *dir, struct sf_errbuf *eb)
{
    enum sf_err err = sf_dir_make(dir, 0755, eb);
    if (err == SF_OK) {
        char *inside = sf_path_join(dir, ".");
        bool ok = inside != NULL && access(inside, W_OK | X_OK) == 0;
        err = ok ? SF_OK : sf_fail_errno(eb, SF_EIO, "%s", dir);
        free(inside), inside = NULL;
    }
    return err == SF_OK ? err : sf_fail_prefix(eb, "--out");
}

/* What there is when a later part failed: it took minutes too. */
static void keep_rest(const char *dir, const json_t *story)
{
    struct sf_errbuf eb = {.code = SF_OK};
    struct sf_buf json;
    if (json_object_get(story, "blueprint") == NULL) {
        return;
    }
    sf_buf_init(&json, 8U << 20);
    json_print_pretty(story, &json);
    enum sf_err err = json.err == SF_OK ? write_text(dir, "story.json", &json, &eb) : json.err;
    fprintf(stderr, "storyfi: story: %s%s\n",
            err == SF_OK ? "the parts written so far are kept in it" : "nothing is kept: ",
            err == SF_OK ? "" : sf_err_text(&eb, err));
    sf_buf_fini(&json);
}

static enum sf_err write_story(const char *dir, const json_t *story, struct sf_errbuf *eb)
{
    struct sf_buf json, html;
    sf_buf_init(&json, 8U << 20);
    sf_buf_init(&html, 16U << 20);
    json_print_pretty(story, &json);
    enum sf_err err = json.err == SF_OK ? story_book_render(story, &html) : json.err;
    if (err == SF_OK) {
        err = write_text(dir, "story.json", &json, eb);
    }
    if (err == SF_OK) {
        err = write_text(dir, "story.html", &html, eb);
    }
    sf_buf_fini(&json);
    sf_buf_fini(&html);
    return err;
}

struct writing {
    struct app *app;                   /* NULL: the miner writes */
    const struct running_miner *miner; /* NULL: we write */
    const char *only;
    json_t *story; /* what there is so far: the next part's context */
    struct run_options options;
};

/* One task, here or there; `by` gets the name of what wrote it. */
static enum sf_err run_part(struct writing *w, const struct story_request *r,
                            struct run_result *run, const char **by, struct sf_errbuf *eb)
{
    if (w->miner != NULL) {
        enum sf_err asked = running_miner_ask(w->miner, r, w->only, &w->options, run, eb);
        *by = run->result.name;
        return asked;
    }
    enum sf_err err = run_task(w->app, r, &w->options, run, eb);
    if (err != SF_OK) {
        run_print_trail(&run->trail, stderr);
    } else {
        *by = run->trail.answered->name;
    }
    return err;
}

static enum sf_err write_part(struct writing *w, enum story_task task, int chapter, json_t **output,
                              struct sf_errbuf *eb)
{
    struct story_request r;
    struct run_result run = {.took_ms = 0};
    const char *by = "";
    json_t *body = json_copy(w->story);
    (void)json_object_del(body, "chapters");
    (void)json_object_set_new(body, "task_type", json_string(story_task_name(task)));
    if (chapter > 0) {
        (void)json_object_set_new(body, "chapter_ids", json_pack("[i]", chapter));
    }
    enum sf_err err = story_request_init(&r, body, eb);
    json_decref(body);
    if (err != SF_OK) {
        return err;
    }
    w->options.seed++;
    err = run_part(w, &r, &run, &by, eb);
    story_request_fini(&r);
    if (err != SF_OK) {
        return err;
    }
    char which[16] = "";
    if (chapter > 0) {
        (void)snprintf(which, sizeof which, " %d", chapter);
    }
    fprintf(stderr, "%-12s %5.1f s  by %s", chapter > 0 ? which : story_task_name(task),
            sf_seconds(run.took_ms), by);
    if (run.id > 0) {
        fprintf(stderr, " (storyfi trail %lld)", (long long)run.id);
    }
    fputc('\n', stderr);
    *output = json_incref(run.result.output);
    gen_result_fini(&run.result);
    return SF_OK;
}

static enum sf_err write_all(struct writing *w, int first, int last, struct sf_errbuf *eb)
{
    static const enum story_task parts[] = {STORY_BLUEPRINT, STORY_CHARACTERS, STORY_ARC};
    enum sf_err err = SF_OK;
    json_t *output = NULL, *chapters = json_array();
    for (size_t i = 0; i < 3 && err == SF_OK; i++) {
        err = write_part(w, parts[i], 0, &output, eb);
        if (err == SF_OK) {
            (void)json_object_set_new(w->story, story_task_name(parts[i]), output);
        }
    }
    for (int id = first; id <= last && err == SF_OK; id++) {
        err = write_part(w, STORY_CHAPTERS_TASK, id, &output, eb);
        if (err == SF_OK) {
            (void)json_array_extend(chapters, json_object_get(output, "chapters"));
            json_decref(output);
        }
    }
    (void)json_object_set_new(w->story, "chapters", chapters);
    return err;
}

static void read_range(const struct args *a, int *first, int *last)
{
    struct sf_str text = sf_str(args_get(a, "--chapters")), from, to;
    uint64_t low = 1, high = STORY_CHAPTERS;
    if (text.n > 0) {
        bool ok = sf_str_next(&text, '-', &from) && sf_scan_u64(from, STORY_CHAPTERS, &low);
        to = text.n > 0 ? text : from;
        if (!ok || !sf_scan_u64(to, STORY_CHAPTERS, &high) || low < 1 || high < low) {
            fatal(100, "story: --chapters got \"%s\", takes a range within 1-12, like 1-3",
                  args_get(a, "--chapters"));
        }
    }
    *first = (int)low;
    *last = (int)high;
}

static enum sf_err write_new(const struct args *a, const struct conf *conf, json_t **story,
                             struct sf_errbuf *eb)
{
    struct progress progress;
    struct writing w = {.options = {.deadline_ms = 60000,
                                    .target_ms = 20000,
                                    .seed = request_args_seed(a),
                                    .progress = &progress}};
    progress_init(&progress, args_is_terminal(stderr) ? stderr : NULL);
    struct running_miner miner;
    w.only = args_get(a, "--mode");
    struct app_options o = {.only = w.only, .journal = APP_JOURNAL_COMMAND};
    int first, last;
    read_range(a, &first, &last);
    w.story = json_pack("{s:s}", "user_input", a->words[0]);
    if (w.story == NULL) {
        fatal(100, "story: the text must be UTF-8");
    }
    w.miner =
        !args_has(a, "--alone") && running_miner_find(a, conf, w.only, &miner) ? &miner : NULL;
    enum sf_err err = w.miner != NULL ? SF_OK : app_open(conf, &o, &w.app, eb);
    if (err == SF_OK) {
        if (w.miner == NULL) {
            (void)app_wait_ready(w.app, sf_after(sf_now(), 60000), &progress);
        }
        err = write_all(&w, first, last, eb);
    }
    app_close(w.app);
    *story = w.story;
    return err;
}

static enum sf_err read_old(const char *path, json_t **story, struct sf_errbuf *eb)
{
    struct sf_buf text;
    sf_buf_init(&text, 8U << 20);
    struct json_limits limits = {.max_bytes = 8U << 20, .max_depth = 32};
    enum sf_err err = sf_file_read(path, &text, eb);
    if (err == SF_OK) {
        err = json_parse(sf_buf_str(&text), limits, story, eb);
    }
    if (err == SF_OK && !json_is_object(*story)) {
        err = sf_fail(eb, SF_EPARSE, "%s: takes the JSON object of a story.json", path);
    }
    sf_buf_fini(&text);
    return err;
}

int cmd_story(int argc, char **argv)
{
    struct args a;
    struct sf_errbuf eb = {.code = SF_OK};
    json_t *story = NULL;
    args_parse(&a, &cmd_story_spec, argc, argv);
    const char *from = args_get(&a, "--from"), *out = args_get(&a, "--out");
    if ((from == NULL) == (a.n_words == 0)) {
        fatal(100, "usage: storyfi story %s", cmd_story_spec.synopsis);
    }
    out = out == NULL ? "out" : out;
    const struct conf *conf = settings_load(&a);
    enum sf_err err = check_dir(out, &eb);
    if (err == SF_OK) {
        err = from != NULL ? read_old(from, &story, &eb) : write_new(&a, conf, &story, &eb);
        if (err != SF_OK && from == NULL) {
            keep_rest(out, story);
        }
    }
    if (err == SF_OK) {
        err = write_story(out, story, &eb);
    }
    if (err != SF_OK) {
        fprintf(stderr, "storyfi: story: %s\n", sf_err_text(&eb, err));
    }
    json_decref(story);
    conf_unref(conf);
    args_fini(&a);
    return sf_err_info(err)->exit_code;
}
