/* SPDX-License-Identifier: MIT */
#include "app/bench.h"

#include "app/run.h"
#include "base/utf8.h"
#include "story/score.h"

#include <stdlib.h>
#include <string.h>

#define IDEA "A lighthouse keeper who hears the sea speak"

struct sample {
    double seconds, characters, rate, tokens_per_second, cached, structure;
};

static size_t count_characters(const json_t *value)
{
    size_t n = 0, i;
    const char *key;
    json_t *part;
    if (json_is_string(value)) {
        return sf_utf8_count((struct sf_str){json_string_value(value), json_string_length(value)});
    }
    json_array_foreach((json_t *)(uintptr_t)value, i, part)
    {
        n += count_characters(part);
    }
    json_object_foreach((json_t *)(uintptr_t)value, key, part)
    {
        n += count_characters(part);
    }
    return n;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The median of one member of all samples. */
static double middle(const struct sample *s, size_t n, size_t offset)
{
    double v[BENCH_ROUNDS_MAX] = {0};
    for (size_t i = 0; i < n; i++) {
        memcpy(&v[i], (const char *)&s[i] + offset, sizeof v[i]);
    }
    qsort(v, n, sizeof v[0], compare);
    return n == 0 ? 0 : n % 2 == 1 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

static void note(const struct story_request *r, const struct run_result *run, const char *mode,
                 struct sample *s, struct bench_row *row, sf_ms target_ms)
{
    struct story_report report = {0};
    struct story_score score;
    const struct gen_usage *u = &run->result.usage;
    struct story_score_options o = {.seconds = sf_seconds(run->took_ms), .mode = mode};
    story_score(r, run->result.output, &o, &score);
    row->valid += story_validate(r, run->result.output, &report);
    row->in_target += run->took_ms <= target_ms;
    s->seconds = o.seconds > 0.001 ? o.seconds : 0.001;
    s->characters = (double)count_characters(run->result.output);
    s->rate = s->characters / s->seconds;
    s->tokens_per_second = u->tokens_per_second;
    s->cached = u->prompt_tokens > 0 ? (double)u->cached_tokens / (double)u->prompt_tokens : 0;
    s->structure = score.structure;
    (void)snprintf(row->model, sizeof row->model, "%s", run->result.name);
}

static enum sf_err make_request(const json_t *story, enum story_task task, struct story_request *r,
                                struct sf_errbuf *eb)
{
    json_t *body = json_copy((json_t *)(uintptr_t)story);
    (void)json_object_set_new(body, "task_type", json_string(story_task_name(task)));
    if (task == STORY_CHAPTERS_TASK) {
        (void)json_object_set_new(body, "chapter_ids", json_pack("[i]", 1));
    }
    enum sf_err err = body == NULL ? SF_ENOMEM : story_request_init(r, body, eb);
    json_decref(body);
    return err;
}

/* All rounds of one task; the first answer becomes the next tasks' context. */
static void run_rounds(struct app *app, const struct bench_options *o,
                       const struct story_request *r, json_t *story, struct bench_row *row)
{
    struct sample s[BENCH_ROUNDS_MAX];
    unsigned n = o->rounds < BENCH_ROUNDS_MAX ? o->rounds : BENCH_ROUNDS_MAX;
    for (unsigned i = 0; i < n; i++) {
        struct run_options run_o = {.deadline_ms = o->deadline_ms,
                                    .target_ms = o->target_ms,
                                    .seed = o->seed + i,
                                    .progress = o->progress};
        struct run_result run = {.took_ms = 0};
        struct sf_errbuf eb = {.code = SF_OK};
        enum sf_err err = run_task(app, r, &run_o, &run, &eb);
        if (err != SF_OK) {
            (void)snprintf(row->failure, sizeof row->failure, "%s", sf_err_text(&eb, err));
            continue;
        }
        const struct generator *by = run.trail.answered;
        note(r, &run, by == NULL ? NULL : by->type->kind, &s[row->answered++], row, o->target_ms);
        if (row->answered == 1) {
            (void)json_object_set(story, story_task_name(r->task), run.result.output);
        }
        gen_result_fini(&run.result);
    }
    size_t m = row->answered;
    row->seconds = middle(s, m, offsetof(struct sample, seconds));
    row->characters = middle(s, m, offsetof(struct sample, characters));
    row->characters_per_second = middle(s, m, offsetof(struct sample, rate));
    row->tokens_per_second = middle(s, m, offsetof(struct sample, tokens_per_second));
    row->cached_share = middle(s, m, offsetof(struct sample, cached));
    row->structure = middle(s, m, offsetof(struct sample, structure));
}

enum sf_err bench_run(struct app *app, const struct bench_options *o,
                      struct bench_row rows[static STORY_TASK_COUNT], struct sf_errbuf *eb)
{
    json_t *story = json_pack("{s:s}", "user_input", IDEA);
    enum sf_err err = story == NULL ? SF_ENOMEM : SF_OK;
    for (int task = 0; err == SF_OK && task < STORY_TASK_COUNT; task++) {
        struct story_request r;
        rows[task] = (struct bench_row){.task = (enum story_task)task};
        err = make_request(story, (enum story_task)task, &r, eb);
        if (err == SF_OK) {
            run_rounds(app, o, &r, story, &rows[task]);
            story_request_fini(&r);
        }
    }
    json_decref(story);
    return err;
}
