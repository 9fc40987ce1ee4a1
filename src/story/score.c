/* SPDX-License-Identifier: MIT */
#include "story/score.h"

#include "base/mem.h"
#include "base/utf8.h"

#include <math.h>
#include <string.h>

#define WORDS_MAX 4096

static double clamp(double v, double low, double high)
{
    return v < low ? low : v > high ? high : v;
}

static size_t length_of(const json_t *v)
{
    struct sf_str s = {json_is_string(v) ? json_string_value(v) : "", json_string_length(v)};
    return sf_utf8_count(s);
}

/* ---- technical ------------------------------------------------------------------------------- */

static const char *const fields[STORY_TASK_COUNT][8] = {
    {"title", "genre", "setting", "core_conflict", "themes", "tone", "target_audience", NULL},
    {"characters", NULL},
    {"title", "description", "chapters", "arcs", "themes", "hooks", NULL},
    {"chapters", NULL},
};

/* Share of the objects in `array` that have all of `keys`. */
static double share_with(const json_t *array, const char *const *keys, size_t n_keys)
{
    size_t n = json_array_size(array), good = 0;
    for (size_t i = 0; i < n; i++) {
        bool all = true;
        for (size_t k = 0; k < n_keys; k++) {
            all = all && json_object_get(json_array_get(array, i), keys[k]) != NULL;
        }
        good += all ? 1 : 0;
    }
    return n == 0 ? 0 : (double)good / (double)n;
}

static double right_types(enum story_task task, const json_t *o)
{
    static const char *const chapter_keys[] = {"id", "title", "content"};
    const json_t *themes = json_object_get(o, "themes");
    size_t n = json_array_size(themes);
    switch (task) {
    case STORY_BLUEPRINT:
        return json_is_array(themes) && n >= 2 && n <= 5 ? 1 : 0;
    case STORY_CHARACTERS:
        return json_array_size(json_object_get(o, "characters")) == STORY_CAST ? 1 : 0;
    case STORY_ARC:
        return (json_is_object(themes) ? 0.5 : 0) +
               (json_is_object(json_object_get(o, "hooks")) ? 0.5 : 0);
    case STORY_CHAPTERS_TASK:
        return share_with(json_object_get(o, "chapters"), chapter_keys, 3);
    case STORY_TASK_COUNT:
        break;
    }
    return 0;
}

static double share_of_fields(enum story_task task, const json_t *o)
{
    size_t n = 0, present = 0;
    for (; fields[task][n] != NULL; n++) {
        present += json_object_get(o, fields[task][n]) != NULL ? 1 : 0;
    }
    return (double)present / (double)n;
}

static double time_points(double seconds)
{
    return seconds <= 30 ? 10 : seconds > 60 ? 0 : clamp(10 - 0.33 * (seconds - 30), 0, 10);
}

static double technical(enum story_task task, const json_t *o, double seconds)
{
    double schema = 10 * share_of_fields(task, o) * right_types(task, o);
    return 10 + schema + time_points(seconds);
}

/* ---- structure ------------------------------------------------------------------------------- */

/* 5 within the narrow bounds, 3 within the wide ones, 0 outside. */
static double length_points(const json_t *v, size_t low, size_t high, size_t wide_low,
                            size_t wide_high)
{
    size_t n = length_of(v);
    return n >= low && n <= high ? 5 : n >= wide_low && n <= wide_high ? 3 : 0;
}

static double structure_blueprint(const json_t *o)
{
    const json_t *themes = json_object_get(o, "themes");
    size_t n = json_array_size(themes);
    return 20 * share_of_fields(STORY_BLUEPRINT, o) +
           length_points(json_object_get(o, "setting"), 50, 300, 30, 500) +
           length_points(json_object_get(o, "core_conflict"), 30, 200, 15, 300) +
           (n >= 2 && n <= 5   ? 10
            : n >= 1 && n <= 6 ? 5
                               : 0);
}

static double structure_characters(const json_t *o)
{
    static const char *const keys[] = {
        "id",         "name",   "archetype",          "background",
        "motivation", "skills", "personality_traits", "relationships"};
    const json_t *list = json_object_get(o, "characters");
    size_t n = json_array_size(list);
    double have = 0, bonds = 0;
    for (size_t i = 0; i < n; i++) {
        const json_t *c = json_array_get(list, i);
        size_t others = json_object_size(json_object_get(c, "relationships")), present = 0;
        for (size_t k = 0; k < 8; k++) {
            present += json_object_get(c, keys[k]) != NULL ? 1 : 0;
        }
        have += (double)present / 8.0;
        bonds += others >= 2 ? 1 : others == 1 ? 0.5 : 0;
    }
    return n == 0 ? 0 : (n == STORY_CAST ? 20 : 0) + 10 * have / (double)n + 10 * bonds / (double)n;
}

static double structure_arc(const json_t *o)
{
    const json_t *list = json_object_get(o, "chapters"), *arcs = json_object_get(o, "arcs");
    size_t n = json_array_size(list), acts = 0;
    bool rising = n > 0;
    double last = -1;
    for (size_t i = 0; i < n; i++) {
        double p = -1;
        rising =
            json_get_number(json_array_get(list, i), "storyProgress", &p) && p > last && rising;
        last = p;
    }
    for (size_t i = 0; i < STORY_ACTS; i++) {
        const json_t *act = json_object_get(arcs, story_act_names[i]);
        acts += json_array_size(json_object_get(act, "chapters")) == 3 ? 1 : 0;
    }
    return (n == STORY_CHAPTERS ? 20 : 0) + (rising ? 10 : 0) + (acts == STORY_ACTS ? 10 : 0);
}

static double content_length_share(size_t n)
{
    return n >= 1000 && n <= 3000   ? 1
           : n >= 800 && n <= 999   ? 0.7
           : n >= 3001 && n <= 3500 ? 0.8
           : n >= 500 && n <= 799   ? 0.4
                                    : 0;
}

static double distinct_share(const json_t *choices)
{
    size_t n = json_array_size(choices), distinct = 0;
    for (size_t i = 0; i < n; i++) {
        bool repeated = false;
        for (size_t k = 0; k < i; k++) {
            repeated =
                repeated || json_equal(json_object_get(json_array_get(choices, i), "consequences"),
                                       json_object_get(json_array_get(choices, k), "consequences"));
        }
        distinct += repeated ? 0 : 1;
    }
    return n == 0 ? 0 : (double)distinct / (double)n;
}

static double structure_chapters(const json_t *o)
{
    const json_t *list = json_object_get(o, "chapters");
    size_t n = json_array_size(list);
    double length = 0, choices = 0, distinct = 0;
    for (size_t i = 0; i < n; i++) {
        const json_t *c = json_array_get(list, i);
        const json_t *given = json_object_get(c, "choices");
        size_t m = json_array_size(given);
        length += content_length_share(length_of(json_object_get(c, "content")));
        choices += m >= 2 && m <= 4 ? 1 : 0;
        distinct += distinct_share(given);
    }
    return n == 0 ? 0 : (20 * length + 10 * choices + 10 * distinct) / (double)n;
}

static double structure(enum story_task task, const json_t *o)
{
    switch (task) {
    case STORY_BLUEPRINT:
        return structure_blueprint(o);
    case STORY_CHARACTERS:
        return structure_characters(o);
    case STORY_ARC:
        return structure_arc(o);
    case STORY_CHAPTERS_TASK:
        return structure_chapters(o);
    case STORY_TASK_COUNT:
        break;
    }
    return 0;
}

/* ---- content: heuristics over white-space separated words ------------------------------------ */

struct words {
    struct sf_str list[WORDS_MAX];
    size_t n;
};

static void split(struct sf_str s, struct words *out)
{
    out->n = 0;
    for (size_t i = 0; i < s.n && out->n < WORDS_MAX;) {
        size_t start = i;
        while (i < s.n && (unsigned char)s.p[i] > ' ') {
            i++;
        }
        if (i > start) {
            out->list[out->n++] = (struct sf_str){s.p + start, i - start};
        }
        i += i == start ? 1 : 0;
    }
}

static bool has_word(const struct words *w, size_t n, struct sf_str word)
{
    for (size_t i = 0; i < n; i++) {
        if (w->list[i].n == word.n && memcmp(w->list[i].p, word.p, word.n) == 0) {
            return true;
        }
    }
    return false;
}

static size_t distinct_words(const struct words *w)
{
    size_t n = 0;
    for (size_t i = 0; i < w->n; i++) {
        n += has_word(w, i, w->list[i]) ? 0 : 1;
    }
    return n;
}

static size_t shared_words(const struct words *a, const struct words *b)
{
    size_t n = 0;
    for (size_t i = 0; i < a->n; i++) {
        n += !has_word(a, i, a->list[i]) && has_word(b, b->n, a->list[i]) ? 1 : 0;
    }
    return n;
}

static double relevance(const struct story_request *r, const struct words *answer,
                        struct words *scratch)
{
    static const double each[STORY_TASK_COUNT] = {3, 0.5, 0.5, 0.3};
    struct sf_buf context;
    sf_buf_init(&context, 1U << 20);
    if (r->task == STORY_BLUEPRINT) {
        sf_buf_puts(&context, r->user_input);
    } else if (r->blueprint != NULL) {
        json_print(r->blueprint, &context);
    }
    split(sf_buf_str(&context), scratch);
    /* NOLINTNEXTLINE: the analyser takes any integer for a task */
    double points = clamp(each[r->task] * (double)shared_words(scratch, answer), 0, 15);
    sf_buf_fini(&context);
    return points;
}

static size_t count_sentences(struct sf_str s)
{
    size_t n = 0;
    while (s.n > 0) {
        uint32_t c = sf_utf8_next(&s, NULL);
        n += c == '.' || c == '!' || c == '?' || c == 0x3002 || c == 0xff01 || c == 0xff1f ? 1 : 0;
    }
    return n;
}

static double fluency(enum story_task task, struct sf_str text, const struct words *w)
{
    size_t sentences = count_sentences(text);
    double unique = w->n == 0 ? 0 : (double)distinct_words(w) / (double)w->n;
    double mean = sentences == 0 ? 0 : (double)w->n / (double)sentences;
    size_t enough = task == STORY_CHAPTERS_TASK ? 500 : 100;
    return (sentences > 0 ? 2 : 0) +
           (unique > 0.6   ? 3
            : unique > 0.4 ? 1.5
                           : 0) +
           (w->n > enough ? 3 : 0) + (mean >= 10 && mean <= 30 ? 2 : 0);
}

/* Relevance 15 and fluency 10; the 5 of originality compare with others' answers and count here. */
static double content(const struct story_request *r, const json_t *o)
{
    struct words *words = sf_alloc(2 * sizeof *words);
    struct sf_buf text;
    double points = 0;
    sf_buf_init(&text, 8U << 20);
    json_print(o, &text);
    if (words != NULL && text.err == SF_OK) {
        split(sf_buf_str(&text), &words[0]);
        points =
            relevance(r, &words[0], &words[1]) + fluency(r->task, sf_buf_str(&text), &words[0]) + 5;
    }
    sf_buf_fini(&text);
    free(words);
    return points;
}

/* ---- all of it ------------------------------------------------------------------------------- */

static double multiplier(const char *mode)
{
    static const struct {
        const char *mode;
        double multiplier;
    } table[] = {{"local", 1.5}, {"vllm", 1.5}, {"custom", 1.0}, {"api", 0.5}};
    for (size_t i = 0; mode != NULL && i < sizeof table / sizeof table[0]; i++) {
        if (strcmp(table[i].mode, mode) == 0) {
            return table[i].multiplier;
        }
    }
    return 0.5;
}

void story_score_form(const struct story_request *request, const json_t *output, double seconds,
                      double *technical_points, double *structure_points)
{
    bool is_object = json_is_object(output);
    *technical_points = is_object ? technical(request->task, output, seconds) : 0;
    *structure_points = is_object ? structure(request->task, output) : 0;
}

void story_score(const struct story_request *request, const json_t *output,
                 const struct story_score_options *o, struct story_score *out)
{
    *out = (struct story_score){.multiplier = multiplier(o->mode)};
    if (!json_is_object(output)) {
        return;
    }
    story_score_form(request, output, o->seconds, &out->technical, &out->structure);
    out->content = content(request, output);
    out->base = out->technical / 30 * 20 + out->structure / 40 * 30 + out->content / 30 * 20;
    double scaled = out->base / 70 * 100; /* as if the judge agreed with the rest */
    out->reward = scaled < 60 ? 0 : clamp(scaled * out->multiplier, 0, 100);
}

json_t *story_score_to_json(const struct story_request *request, const struct story_score *s,
                            const struct story_report *report)
{
    json_t *reasons = json_array();
    for (size_t i = 0; i < report->n; i++) {
        (void)json_array_append_new(reasons, json_pack("{s:s, s:s}", "path", report->list[i].path,
                                                       "problem", report->list[i].problem));
    }
    return json_pack("{s:s, s:b, s:o, s:f, s:f, s:f, s:n, s:f, s:n}", "task",
                     story_task_name(request->task), "valid", report->total == 0, "reasons",
                     reasons, "technical", s->technical, "structure", s->structure, "content",
                     s->content, "base", "multiplier", s->multiplier, "reward");
}
