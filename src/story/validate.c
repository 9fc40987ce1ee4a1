/* SPDX-License-Identifier: MIT */
#include "story/validate.h"

#include "base/utf8.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

/* Everything the checks need. */
struct checking {
    const struct story_request *request;
    const json_t *output;
    struct story_report *report;
};

static void problem(struct checking *c, const char *path, const char *fmt, ...) SF_PRINTF(3, 4);
static void problem(struct checking *c, const char *path, const char *fmt, ...)
{
    c->report->total++;
    if (c->report->n == STORY_PROBLEMS_MAX) {
        return;
    }
    struct story_problem *p = &c->report->list[c->report->n++];
    (void)snprintf(p->path, sizeof p->path, "%s", path);
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(p->problem, sizeof p->problem, fmt, ap);
    va_end(ap);
}

size_t story_array_length(const struct story_request *request)
{
    static const size_t lengths[STORY_TASK_COUNT] = {
        [STORY_CHARACTERS] = STORY_CAST, [STORY_ARC] = STORY_CHAPTERS};
    return request->task == STORY_CHAPTERS_TASK ? request->n_chapter_ids : lengths[request->task];
}

static struct sf_str text_of(const json_t *v)
{
    return (struct sf_str){json_string_value(v), json_string_length(v)};
}

static bool has_control(struct sf_str s, bool line_breaks)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char ch = (unsigned char)s.p[i];
        if ((ch < 0x20 && !(line_breaks && ch == '\n')) || ch == 0x7f) {
            return true;
        }
    }
    return false;
}

/* One text: type, bounds, trimming, control characters. */
static void check_text(struct checking *c, const char *path, const json_t *v,
                       const struct story_slot *slot)
{
    if (!json_is_string(v)) {
        problem(c, path, v == NULL ? "missing" : "must be a text");
        return;
    }
    struct sf_str s = text_of(v);
    size_t n = sf_utf8_count(s), max = story_slot_max_chars(slot, s);
    if (has_control(s, slot->kind == STORY_SLOT_TEXT)) {
        problem(c, path, "holds a line break or control character");
    }
    if (sf_str_trim(s).n != s.n) {
        problem(c, path, "starts or ends with white space");
    }
    if (n < slot->min_chars || n > max) {
        problem(c, path, "%zu characters, must be %u to %zu", n, slot->min_chars, max);
    }
}

static bool same_text(const json_t *a, const json_t *b)
{
    return json_is_string(a) && json_is_string(b) && json_string_length(a) > 0 &&
           sf_str_is_nocase(text_of(a), json_string_value(b));
}

static bool check_count(struct checking *c, const char *path, const json_t *v, size_t min,
                        size_t max)
{
    size_t n = json_array_size(v);
    if (!json_is_array(v)) {
        problem(c, path, v == NULL ? "missing" : "must be an array");
        return false;
    }
    if (n < min || n > max) {
        problem(c, path, "%zu items, must be %zu to %zu", n, min, max);
    }
    return n <= 64;
}

static void check_distinct(struct checking *c, const char *path, const json_t *array)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        for (size_t k = 0; k < i; k++) {
            if (same_text(json_array_get(array, i), json_array_get(array, k))) {
                problem(c, path, "items %zu and %zu are the same", k, i);
            }
        }
    }
}

static void check_list(struct checking *c, const char *path, const json_t *v,
                       const struct story_slot *slot)
{
    if (!check_count(c, path, v, slot->min_items, slot->max_items)) {
        return;
    }
    for (size_t i = 0; i < json_array_size(v); i++) {
        char item[STORY_PATH_MAX + 24];
        (void)snprintf(item, sizeof item, "%s/%zu", path, i);
        check_text(c, item, json_array_get(v, i), slot);
    }
    check_distinct(c, path, v);
}

static size_t cast_index(const char *id)
{
    size_t i = 0;
    while (i < STORY_CAST && (id == NULL || strcmp(id, story_character_ids[i]) != 0)) {
        i++;
    }
    return i;
}

static void check_relations(struct checking *c, const char *path, const json_t *v,
                            const struct story_slot *slot, size_t index)
{
    const char *key;
    json_t *value;
    if (!json_is_object(v)) {
        problem(c, path, v == NULL ? "missing" : "must be an object");
        return;
    }
    if (json_object_size(v) < slot->min_items) {
        problem(c, path, "%zu relationships, must be %u at least", json_object_size(v),
                slot->min_items);
    }
    json_object_foreach((json_t *)(uintptr_t)v, key, value)
    {
        char item[STORY_PATH_MAX + 24];
        size_t other = cast_index(key);
        (void)snprintf(item, sizeof item, "%s/%.20s", path, key);
        if (other == STORY_CAST || other == index) {
            problem(c, path, "key \"%.20s\" is not the id of another character", key);
        } else {
            check_text(c, item, value, slot);
        }
    }
}

static void check_ids(struct checking *c, const char *path, const json_t *v,
                      const struct story_slot *slot)
{
    if (!check_count(c, path, v, slot->min_items, slot->max_items)) {
        return;
    }
    for (size_t i = 0; i < json_array_size(v); i++) {
        if (cast_index(json_string_value(json_array_get(v, i))) == STORY_CAST) {
            problem(c, path, "item %zu is not a character's id", i);
        }
    }
    check_distinct(c, path, v);
}

static bool is_counted(const char *key)
{
    return strncmp(key, "resource_", 9) == 0 || strncmp(key, "relationship_", 13) == 0;
}

/* ^[+-][0-9]{1,3}$ */
static bool is_signed_number(struct sf_str s)
{
    uint64_t ignored;
    return s.n >= 2 && s.n <= 4 && (s.p[0] == '+' || s.p[0] == '-') &&
           sf_scan_u64((struct sf_str){s.p + 1, s.n - 1}, 999, &ignored);
}

static void check_consequences(struct checking *c, const char *path, const json_t *v)
{
    static const struct story_slot value_slot = {
        .kind = STORY_SLOT_LINE, .min_chars = 1, .max_chars = 40};
    const char *key;
    json_t *value;
    if (!json_is_object(v) || json_object_size(v) < 2) {
        problem(c, path, "consequences must be an object of two keys at least");
        return;
    }
    json_object_foreach((json_t *)(uintptr_t)v, key, value)
    {
        check_text(c, path, value, &value_slot);
        if (is_counted(key) && json_is_string(value) && !is_signed_number(text_of(value))) {
            problem(c, path, "%.30s must be a sign and one to three digits", key);
        }
    }
}

static void check_choice(struct checking *c, const char *path, const json_t *v,
                         const struct story_slot *slot, int chapter)
{
    static const struct story_slot line = {
        .kind = STORY_SLOT_LINE, .min_chars = 5, .max_chars = 120};
    const json_t *next = json_object_get(v, "nextChapter");
    json_int_t to = json_integer_value(next);
    bool right =
        json_is_integer(next) &&
        (chapter >= STORY_CHAPTERS ? to == STORY_CHAPTERS : to > chapter && to <= STORY_CHAPTERS);
    (void)slot;
    check_text(c, path, json_object_get(v, "text"), &line);
    if (!right) {
        problem(c, path, "nextChapter must lie after chapter %d and be %d at most", chapter,
                STORY_CHAPTERS);
    }
    check_consequences(c, path, json_object_get(v, "consequences"));
}

static void check_choices(struct checking *c, const char *path, const json_t *v,
                          const struct story_slot *slot, size_t index)
{
    int chapter = c->request->chapter_ids[index];
    if (!check_count(c, path, v, slot->min_items, slot->max_items)) {
        return;
    }
    for (size_t i = 0; i < json_array_size(v); i++) {
        const json_t *choice = json_array_get(v, i);
        char item[STORY_PATH_MAX + 24];
        (void)snprintf(item, sizeof item, "%s/%zu", path, i);
        check_choice(c, item, choice, slot, chapter);
        for (size_t k = 0; k < i; k++) {
            const json_t *other = json_array_get(v, k);
            if (same_text(json_object_get(choice, "text"), json_object_get(other, "text"))) {
                problem(c, item, "same text as choice %zu", k);
            }
            if (json_equal(json_object_get(choice, "consequences"),
                           json_object_get(other, "consequences"))) {
                problem(c, item, "same consequences as choice %zu", k);
            }
        }
    }
}

static void check_progress(struct checking *c, const char *path, const json_t *v, size_t index)
{
    if (!json_is_number(v) || fabs(json_number_value(v) - story_progress[index]) > 0.005) {
        problem(c, path, "must be %g", story_progress[index]);
    }
}

static void check_act(struct checking *c, const char *path, const json_t *v)
{
    struct sf_str rest = sf_str(path), part;
    size_t act = 0;
    for (int i = 0; i < 3; i++) {
        (void)sf_str_next(&rest, '/', &part); /* "", "arcs", the act */
    }
    while (act < STORY_ACTS - 1 && !sf_str_is(part, story_act_names[act])) {
        act++;
    }
    bool right = json_array_size(v) == 3;
    for (size_t i = 0; right && i < 3; i++) {
        const json_t *id = json_array_get(v, i);
        right = json_is_integer(id) && json_integer_value(id) == (json_int_t)(act * 3 + i + 1);
    }
    if (!right) {
        problem(c, path, "must be the chapters %zu, %zu, %zu", act * 3 + 1, act * 3 + 2,
                act * 3 + 3);
    }
}

static void check_id(struct checking *c, const char *path, const json_t *v, size_t index)
{
    if (c->request->task == STORY_CHARACTERS) {
        const char *id = json_string_value(v);
        if (id == NULL || strcmp(id, story_character_ids[index]) != 0) {
            problem(c, path, "must be \"%s\"", story_character_ids[index]);
        }
        return;
    }
    int expected = c->request->task == STORY_ARC ? (int)index + 1 : c->request->chapter_ids[index];
    if (!json_is_integer(v) || json_integer_value(v) != expected) {
        problem(c, path, "must be %d", expected);
    }
}

static void check_computed(struct checking *c, const char *path, const json_t *v,
                           const struct story_slot *slot, size_t index)
{
    if (strcmp(slot->name, "id") == 0) {
        check_id(c, path, v, index);
    } else if (strcmp(slot->name, "storyProgress") == 0) {
        check_progress(c, path, v, index);
    } else {
        check_act(c, path, v);
    }
}

static void check_slot(struct checking *c, const struct story_slot *slot, const char *path,
                       size_t index)
{
    const json_t *v = json_at(c->output, path);
    switch (slot->kind) {
    case STORY_SLOT_LINE:
    case STORY_SLOT_PARAGRAPH:
    case STORY_SLOT_TEXT:
        check_text(c, path, v, slot);
        break;
    case STORY_SLOT_LIST:
        check_list(c, path, v, slot);
        break;
    case STORY_SLOT_RELATIONS:
        check_relations(c, path, v, slot, index);
        break;
    case STORY_SLOT_IDS:
        check_ids(c, path, v, slot);
        break;
    case STORY_SLOT_CHOICES:
        check_choices(c, path, v, slot, index);
        break;
    case STORY_SLOT_COMPUTED:
        check_computed(c, path, v, slot, index);
        break;
    }
}

/* A row whose path has a '*': once per element, then distinctness among them. */
static void check_row(struct checking *c, const struct story_slot *slot)
{
    const char *star = strchr(slot->path, '*');
    if (star == NULL) {
        check_slot(c, slot, slot->path, 0);
        return;
    }
    size_t n = story_array_length(c->request);
    const json_t *seen[STORY_CHAPTERS];
    for (size_t i = 0; i < n; i++) {
        char path[STORY_PATH_MAX];
        story_slot_path(slot, i, path);
        check_slot(c, slot, path, i);
        seen[i] = json_at(c->output, path);
        for (size_t k = 0; slot->distinct && slot->kind == STORY_SLOT_LINE && k < i; k++) {
            if (same_text(seen[i], seen[k])) {
                problem(c, path, "the same as that of element %zu", k);
            }
        }
    }
}

/* Every character in at least one chapter, none in more than eight. */
static void check_rotation(struct checking *c)
{
    size_t count[STORY_CAST + 1] = {0};
    const json_t *chapters = json_object_get(c->output, "chapters");
    for (size_t i = 0; i < json_array_size(chapters); i++) {
        const json_t *focus = json_object_get(json_array_get(chapters, i), "characterFocus");
        for (size_t k = 0; k < json_array_size(focus); k++) {
            count[cast_index(json_string_value(json_array_get(focus, k)))]++;
        }
    }
    for (size_t i = 0; i < STORY_CAST; i++) {
        if (count[i] < 1 || count[i] > 8) {
            problem(c, "/chapters", "%s has the focus of %zu chapters, must be 1 to 8",
                    story_character_ids[i], count[i]);
        }
    }
}

bool story_validate(const struct story_request *request, const json_t *output,
                    struct story_report *report)
{
    struct checking c = {request, output, report};
    size_t n, length = story_array_length(request);
    const struct story_slot *rows = story_slots(request->task, &n);
    report->n = 0;
    report->total = 0;
    if (!json_is_object(output)) {
        problem(&c, "", "must be an object");
        return false;
    }
    if (length > 0) {
        const char *path = request->task == STORY_CHARACTERS ? "/characters" : "/chapters";
        (void)check_count(&c, path, json_at(output, path), length, length);
    }
    for (size_t i = 0; i < n; i++) {
        check_row(&c, &rows[i]);
    }
    if (request->task == STORY_ARC) {
        check_rotation(&c);
    }
    return report->total == 0;
}

/* Cuts a problem's path back to that of the slot it lies in: "/themes/1" to "/themes". */
static void cut_to_slot(enum story_task task, char *path)
{
    const struct story_slot *slot = story_slot_at(task, path);
    if (slot == NULL) {
        return;
    }
    size_t depth = 0, at = 0;
    for (const char *p = slot->path; *p != '\0'; p++) {
        depth += *p == '/' ? 1 : 0;
    }
    for (; path[at] != '\0' && depth > 0; at++) {
        if (path[at + 1] == '/' || path[at + 1] == '\0') {
            depth--;
        }
    }
    path[at] = '\0';
}

size_t story_report_wanted(const struct story_request *request, struct story_report *report,
                           const char *wanted[static STORY_PROBLEMS_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < report->n; i++) {
        char *path = report->list[i].path;
        bool known = false;
        cut_to_slot(request->task, path);
        for (size_t k = 0; k < n && !known; k++) {
            known = strcmp(wanted[k], path) == 0;
        }
        if (!known) {
            wanted[n++] = path;
        }
    }
    return n;
}
