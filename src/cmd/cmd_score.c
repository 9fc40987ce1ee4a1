/* SPDX-License-Identifier: MIT */
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "cmd/commands.h"
#include "story/score.h"
#include "story/unwrap.h"

#include <string.h>

static const struct arg_option options[] = {
    {"--task", "T", "The task of the answer; without it FILE is a whole story.json."},
    {"--context", "FILE", "The request's JSON: user_input, blueprint, chapter_ids …"},
    {"--mode", "M", "local, vllm, custom or api: sets the multiplier (local)."},
    {"--seconds", "S", "How long the answer took (0)."},
    {"--json", NULL, "One JSON object a task."},
};

const struct args_spec cmd_score_spec = {
    .name = "score",
    .synopsis = "FILE [--task T] [--context FILE] [--mode M] [--seconds S] [--json]",
    .summary =
        "Check an answer or a story.json as a validator would, as far as no judge is needed.",
    .details =
        "Exit status 0 when all is valid and its score, scaled to what needs no judge, is 60 at "
        "least; else 1.\nFILE may be - for standard input.",
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .min_words = 1,
    .max_words = 1,
};

static json_t *read_json(const char *path)
{
    struct sf_buf text;
    struct sf_errbuf eb = {.code = SF_OK};
    json_t *v = NULL;
    sf_buf_init(&text, 8U << 20);
    enum sf_err err = sf_file_read(strcmp(path, "-") == 0 ? "/dev/stdin" : path, &text, &eb);
    if (err != SF_OK) {
        fatal(100, "score: %s", sf_err_text(&eb, err));
    }
    err = story_unwrap(sf_buf_str(&text), false, &v, &eb);
    sf_buf_fini(&text);
    if (err != SF_OK) {
        fprintf(stderr, "storyfi: score: %s: %s\n", path, sf_err_text(&eb, err));
        return NULL;
    }
    return v;
}

struct scoring {
    const struct args *args;
    json_t *context; /* fields of the request */
    bool good;
};

static void print_row(const struct story_request *r, const struct story_score *s,
                      const struct story_report *report)
{
    bool colour = args_wants_colour();
    printf("%-11s %s%-7s%s technical %4.1f/30  structure %4.1f/40  content %4.1f/30  x%.1f\n",
           story_task_name(r->task), colour ? (report->total == 0 ? "\x1b[32m" : "\x1b[31m") : "",
           report->total == 0 ? "valid" : "invalid", colour ? "\x1b[0m" : "", s->technical,
           s->structure, s->content, s->multiplier);
    for (size_t i = 0; i < report->n; i++) {
        printf("  %s: %s\n", report->list[i].path, report->list[i].problem);
    }
    if (report->total > report->n) {
        printf("  and %zu more\n", report->total - report->n);
    }
}

static void score_one(struct scoring *sc, enum story_task task, const json_t *output)
{
    struct story_request r;
    struct story_score s;
    struct sf_errbuf eb = {.code = SF_OK};
    struct story_report *report = sf_alloc(sizeof *report);
    const char *mode = args_get(sc->args, "--mode");
    json_t *body = json_copy(sc->context);
    struct story_score_options o = {.mode = mode == NULL ? "local" : mode,
                                    .seconds = args_number(sc->args, "--seconds", 0, 0, 1e6)};
    (void)json_object_set_new(body, "task_type", json_string(story_task_name(task)));
    if (json_get_str(body, "user_input").n == 0) {
        (void)json_object_set_new(body, "user_input", json_string("-"));
    }
    enum sf_err err = story_request_init(&r, body, &eb);
    json_decref(body);
    if (err != SF_OK || report == NULL) {
        fatal(100, "score: --context: %s", sf_err_text(&eb, err));
    }
    bool valid = story_validate(&r, output, report);
    story_score(&r, output, &o, &s);
    sc->good = sc->good && valid && s.base / 70 * 100 >= 60;
    if (args_has(sc->args, "--json")) {
        struct sf_buf text;
        json_t *json = story_score_to_json(&r, &s, report);
        sf_buf_init(&text, 1U << 20);
        json_print(json, &text);
        puts(sf_buf_z(&text));
        sf_buf_fini(&text);
        json_decref(json);
    } else {
        print_row(&r, &s, report);
    }
    story_request_fini(&r);
    free(report);
}

/* The ids that an answer's chapters have, when the context names none. */
static void adopt_ids(struct scoring *sc, const json_t *chapters)
{
    json_t *ids = json_array();
    for (size_t i = 0; i < json_array_size(chapters) && i < STORY_CHAPTERS; i++) {
        json_t *id = json_object_get(json_array_get(chapters, i), "id");
        (void)json_array_append(ids, id == NULL ? json_null() : id);
    }
    if (!json_is_array(json_object_get(sc->context, "chapter_ids"))) {
        (void)json_object_set(sc->context, "chapter_ids", ids);
    }
    json_decref(ids);
}

static void score_story(struct scoring *sc, const json_t *story)
{
    static const enum story_task parts[] = {STORY_BLUEPRINT, STORY_CHARACTERS, STORY_ARC};
    (void)json_object_update_missing(sc->context, (json_t *)(uintptr_t)story);
    (void)json_object_del(sc->context, "chapters");
    for (size_t i = 0; i < 3; i++) {
        score_one(sc, parts[i], json_object_get(story, story_task_name(parts[i])));
    }
    json_t *chapters = json_object_get(story, "chapters");
    json_t *answer = json_pack("{s:O?}", "chapters", chapters);
    adopt_ids(sc, chapters);
    score_one(sc, STORY_CHAPTERS_TASK, answer);
    json_decref(answer);
}

int cmd_score(int argc, char **argv)
{
    struct args a;
    enum story_task task = STORY_BLUEPRINT;
    args_parse(&a, &cmd_score_spec, argc, argv);
    const char *name = args_get(&a, "--task"), *context = args_get(&a, "--context");
    if (name != NULL && story_task_parse(sf_str(name), &task) != SF_OK) {
        fatal(100, "score: --task got \"%s\", takes blueprint, characters, story_arc or chapters",
              name);
    }
    struct scoring sc = {.args = &a, .good = true};
    sc.context = context == NULL ? json_object() : read_json(context);
    json_t *answer = read_json(a.words[0]);
    if (answer == NULL || sc.context == NULL) {
        sc.good = false;
    } else if (name == NULL) {
        score_story(&sc, answer);
    } else {
        if (task == STORY_CHAPTERS_TASK) {
            adopt_ids(&sc, json_object_get(answer, "chapters"));
        }
        score_one(&sc, task, answer);
    }
    json_decref(answer);
    json_decref(sc.context);
    args_fini(&a);
    return sc.good ? 0 : 1;
}
