/* SPDX-License-Identifier: MIT */
#include "story/repair.h"

#include "base/utf8.h"
#include "story/validate.h"

#include <string.h>

enum boundary { BOUNDARY_NONE, BOUNDARY_WORD, BOUNDARY_CLAUSE, BOUNDARY_SENTENCE };

/* What ends right before the rest, given the code point before and after the gap. */
static enum boundary boundary_between(uint32_t before, uint32_t after)
{
    bool gap =
        after == 0 || after == ' ' || after == '\n' || sf_cp_is_cjk(before) || before > 0x2fff;
    static const uint32_t sentence[] = {'.', '!', '?', 0x3002, 0xff01, 0xff1f, 0x2026, 0x201d, '"'};
    static const uint32_t clause[] = {',', ';', ':', 0xff0c, 0x3001, 0xff1b, 0xff1a};
    for (size_t i = 0; i < sizeof sentence / sizeof sentence[0]; i++) {
        if (before == sentence[i] && gap) {
            return BOUNDARY_SENTENCE;
        }
    }
    for (size_t i = 0; i < sizeof clause / sizeof clause[0]; i++) {
        if (before == clause[i] && gap) {
            return BOUNDARY_CLAUSE;
        }
    }
    return gap ? BOUNDARY_WORD : BOUNDARY_NONE;
}

struct sf_str story_cut(struct sf_str s, size_t min, size_t max)
{
    s = sf_str_trim(s);
    if (sf_utf8_count(s) <= max) {
        return s;
    }
    size_t best[BOUNDARY_SENTENCE + 1] = {0};
    struct sf_str rest = s;
    for (size_t n = 1; n <= max; n++) {
        uint32_t before = sf_utf8_next(&rest, NULL);
        struct sf_str peek = rest;
        uint32_t after = rest.n == 0 ? 0 : sf_utf8_next(&peek, NULL);
        enum boundary b = boundary_between(before, after);
        if (n >= min) {
            best[b] = s.n - rest.n;
        }
    }
    for (int b = BOUNDARY_SENTENCE; b > BOUNDARY_NONE; b--) {
        if (best[b] > 0) {
            struct sf_str head = sf_str_trim((struct sf_str){s.p, best[b]});
            bool comma = b == BOUNDARY_CLAUSE && head.n > 0 && head.p[head.n - 1] == ',';
            return (struct sf_str){head.p, head.n - (comma ? 1 : 0)};
        }
    }
    return sf_utf8_head(s, max);
}

/* White space and control characters made plain, then cut to the slot's bounds. NULL: leave as is.
 */
static json_t *mended_text(const json_t *v, const struct story_slot *slot)
{
    struct sf_str s = {json_string_value(v), json_string_length(v)};
    struct sf_buf plain;
    sf_buf_init(&plain, 1U << 20);
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        bool keep = (c >= 0x20 && c != 0x7f) || (c == '\n' && slot->kind == STORY_SLOT_TEXT);
        sf_buf_putc(&plain, keep ? (char)c : ' ');
    }
    struct sf_str text = sf_buf_str(&plain);
    json_t *out = NULL;
    if (plain.err == SF_OK) {
        text = story_cut(text, slot->min_chars, story_slot_max_chars(slot, text));
        out = json_stringn(text.p, text.n);
    }
    sf_buf_fini(&plain);
    return out;
}

static bool mend_text(json_t *root, const char *path, const struct story_slot *slot)
{
    const json_t *v = json_at(root, path);
    json_t *mended = json_is_string(v) ? mended_text(v, slot) : NULL;
    return mended == NULL || json_set_at_new(root, path, mended) == SF_OK;
}

static bool is_repeat(const json_t *array, size_t index)
{
    const char *s = json_string_value(json_array_get(array, index));
    for (size_t k = 0; s != NULL && k < index; k++) {
        const char *other = json_string_value(json_array_get(array, k));
        if (other != NULL && sf_str_is_nocase(sf_str(s), other)) {
            return true;
        }
    }
    return false;
}

static bool mend_list(json_t *root, const char *path, const struct story_slot *slot)
{
    json_t *list = json_at(root, path);
    bool ok = true;
    for (size_t i = 0; json_is_array(list) && i < json_array_size(list) && i < 64; i++) {
        char item[STORY_PATH_MAX + 24];
        (void)snprintf(item, sizeof item, "%s/%zu", path, i);
        ok = mend_text(root, item, slot) && ok;
    }
    for (size_t i = json_array_size(list); i-- > 0;) {
        bool empty = json_string_length(json_array_get(list, i)) == 0;
        if (is_repeat(list, i) || empty || i >= 64) {
            (void)json_array_remove(list, i);
        }
    }
    while (json_array_size(list) > slot->max_items) {
        (void)json_array_remove(list, json_array_size(list) - 1);
    }
    return ok;
}

static bool mend_relations(json_t *root, const char *path, const struct story_slot *slot,
                           size_t index)
{
    json_t *relations = json_at(root, path), *value;
    const char *key;
    void *next;
    bool ok = true;
    if (!json_is_object(relations)) {
        return true;
    }
    (void)json_object_del(relations, story_character_ids[index]);
    json_object_foreach_safe(relations, next, key, value)
    {
        char item[STORY_PATH_MAX + 24];
        bool known = false;
        for (size_t i = 0; i < STORY_CAST; i++) {
            known = known || strcmp(key, story_character_ids[i]) == 0;
        }
        if (!known) {
            (void)json_object_del(relations, key);
            continue;
        }
        (void)snprintf(item, sizeof item, "%s/%s", path, key);
        ok = mend_text(root, item, slot) && ok;
    }
    return ok;
}

static bool has_string(const json_t *array, const char *z)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        const char *s = json_string_value(json_array_get(array, i));
        if (s != NULL && strcmp(s, z) == 0) {
            return true;
        }
    }
    return false;
}

/* Two of five in turn: everybody has between one and eight chapters. */
static json_t *rotated_focus(size_t index)
{
    return json_pack("[s, s]", story_character_ids[index % STORY_CAST],
                     story_character_ids[(index + 2) % STORY_CAST]);
}

static bool set_focus(json_t *root, const char *path, size_t index)
{
    const json_t *given = json_at(root, path);
    size_t n = json_array_size(given);
    bool right = n >= 1 && n <= 3;
    for (size_t i = 0; right && i < n; i++) {
        const char *id = json_string_value(json_array_get(given, i));
        bool known = false;
        for (size_t k = 0; id != NULL && k < STORY_CAST; k++) {
            known = known || strcmp(id, story_character_ids[k]) == 0;
        }
        right = known && !is_repeat(given, i);
    }
    return right || json_set_at_new(root, path, rotated_focus(index)) == SF_OK;
}

static bool mend_choice(json_t *root, const char *path, int chapter, size_t index)
{
    static const struct story_slot line = {
        .kind = STORY_SLOT_LINE, .min_chars = 5, .max_chars = 120};
    char text[STORY_PATH_MAX + 40];
    json_t *choice = json_at(root, path);
    int64_t next = 0;
    if (!json_is_object(choice)) {
        return true;
    }
    (void)snprintf(text, sizeof text, "%s/text", path);
    int lowest = chapter >= STORY_CHAPTERS ? STORY_CHAPTERS : chapter + 1;
    if (!json_get_int(choice, "nextChapter", &next) || next < lowest || next > STORY_CHAPTERS) {
        int64_t to = lowest + (int64_t)(index > 0 && lowest < STORY_CHAPTERS ? 1 : 0);
        if (json_object_set_new(choice, "nextChapter", json_integer(to)) != 0) {
            return false;
        }
    }
    return mend_text(root, text, &line);
}

static bool mend_choices(json_t *root, const char *path, const struct story_slot *slot, int chapter)
{
    json_t *choices = json_at(root, path);
    bool ok = true;
    while (json_array_size(choices) > slot->max_items) {
        (void)json_array_remove(choices, json_array_size(choices) - 1);
    }
    for (size_t i = 0; json_is_array(choices) && i < json_array_size(choices); i++) {
        char item[STORY_PATH_MAX + 24];
        (void)snprintf(item, sizeof item, "%s/%zu", path, i);
        ok = mend_choice(root, item, chapter, i) && ok;
    }
    return ok;
}

static bool set_computed(const struct story_request *r, json_t *root, const char *path,
                         const struct story_slot *slot, size_t index)
{
    json_t *v = NULL;
    if (strcmp(slot->name, "id") == 0) {
        v = r->task == STORY_CHARACTERS ? json_string(story_character_ids[index])
            : r->task == STORY_ARC      ? json_integer((json_int_t)index + 1)
                                        : json_integer(r->chapter_ids[index]);
    } else if (strcmp(slot->name, "storyProgress") == 0) {
        v = json_real(story_progress[index]);
    } else {
        for (size_t act = 0; act < STORY_ACTS; act++) {
            char own[40];
            (void)snprintf(own, sizeof own, "/arcs/%s/chapters", story_act_names[act]);
            if (strcmp(own, path) == 0) {
                int first = (int)act * 3 + 1;
                v = json_pack("[i, i, i]", first, first + 1, first + 2);
            }
        }
    }
    return json_set_at_new(root, path, v) == SF_OK;
}

static bool mend_slot(const struct story_request *r, json_t *root, const struct story_slot *slot,
                      const char *path, size_t index)
{
    switch (slot->kind) {
    case STORY_SLOT_LINE:
    case STORY_SLOT_PARAGRAPH:
    case STORY_SLOT_TEXT:
        return mend_text(root, path, slot);
    case STORY_SLOT_LIST:
        return mend_list(root, path, slot);
    case STORY_SLOT_RELATIONS:
        return mend_relations(root, path, slot, index);
    case STORY_SLOT_IDS:
        return set_focus(root, path, index);
    case STORY_SLOT_CHOICES:
        return mend_choices(root, path, slot, r->chapter_ids[index]);
    case STORY_SLOT_COMPUTED:
        return set_computed(r, root, path, slot, index);
    }
    return true;
}

/* The element of `array` whose id is the one wanted at `index`; NULL when it has none. */
static json_t *element_with_id(const struct story_request *r, const json_t *array, size_t index)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        json_t *element = json_array_get(array, i);
        const json_t *id = json_object_get(element, "id");
        int number = r->task == STORY_ARC ? (int)index + 1 : r->chapter_ids[index];
        bool same = r->task == STORY_CHARACTERS
                        ? json_is_string(id) &&
                              strcmp(json_string_value(id), story_character_ids[index]) == 0
                        : json_is_integer(id) && json_integer_value(id) == number;
        if (same) {
            return element;
        }
    }
    return NULL;
}

/* Puts the elements into the order of their ids where all ids are there; else leaves their order.
 */
static enum sf_err reorder(const struct story_request *r, json_t *output)
{
    const char *key = r->task == STORY_CHARACTERS ? "characters" : "chapters";
    const json_t *array = json_object_get(output, key);
    size_t n = story_array_length(r);
    json_t *sorted = json_array();
    if (sorted == NULL) {
        return SF_ENOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        json_t *element = element_with_id(r, array, i);
        if (element == NULL) {
            json_decref(sorted);
            return SF_OK;
        }
        if (json_array_append(sorted, element) != 0) {
            json_decref(sorted);
            return SF_ENOMEM;
        }
    }
    return json_object_set_new(output, key, sorted) == 0 ? SF_OK : SF_ENOMEM;
}

/* Whether the element the row belongs to is there: nothing is made out of nothing. */
static bool element_exists(const json_t *output, const char *path)
{
    char parent[80];
    (void)snprintf(parent, sizeof parent, "%s", path);
    char *slash = strrchr(parent, '/');
    *slash = '\0';
    return json_is_object(json_at(output, parent));
}

static bool mend_row(const struct story_request *r, json_t *output, const struct story_slot *slot)
{
    const char *star = strchr(slot->path, '*');
    size_t n = star == NULL ? 1 : story_array_length(r);
    bool ok = true;
    for (size_t i = 0; i < n; i++) {
        char path[STORY_PATH_MAX];
        story_slot_path(slot, i, path);
        if (element_exists(output, path)) {
            ok = mend_slot(r, output, slot, path, i) && ok;
        }
    }
    return ok;
}

/* Gives every chapter a focus anew where somebody has none or more than eight chapters. */
static bool balance_focus(json_t *output)
{
    size_t count[STORY_CAST] = {0};
    bool right = true, ok = true;
    const json_t *chapters = json_object_get(output, "chapters");
    for (size_t i = 0; i < json_array_size(chapters); i++) {
        const json_t *focus = json_object_get(json_array_get(chapters, i), "characterFocus");
        for (size_t k = 0; k < STORY_CAST; k++) {
            count[k] += has_string(focus, story_character_ids[k]) ? 1 : 0;
        }
    }
    for (size_t k = 0; k < STORY_CAST; k++) {
        right = right && count[k] >= 1 && count[k] <= 8;
    }
    for (size_t i = 0; !right && i < json_array_size(chapters) && i < STORY_CHAPTERS; i++) {
        json_t *chapter = json_array_get(chapters, i);
        ok = json_is_object(chapter) &&
             json_object_set_new(chapter, "characterFocus", rotated_focus(i)) == 0 && ok;
    }
    return ok;
}

enum sf_err story_repair(const struct story_request *request, json_t *output)
{
    size_t n;
    const struct story_slot *rows = story_slots(request->task, &n);
    if (!json_is_object(output)) {
        return SF_OK;
    }
    enum sf_err err = story_array_length(request) > 0 ? reorder(request, output) : SF_OK;
    for (size_t i = 0; err == SF_OK && i < n; i++) {
        if (!mend_row(request, output, &rows[i])) {
            err = SF_ENOMEM;
        }
    }
    if (err == SF_OK && request->task == STORY_ARC && !balance_focus(output)) {
        err = SF_ENOMEM;
    }
    return err;
}

enum sf_err story_merge(json_t *into, const json_t *from, const char *const *wanted, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        json_t *v = json_at(from, wanted[i]);
        if (v == NULL || wanted[i][0] == '\0') {
            continue;
        }
        enum sf_err err = json_set_at_new(into, wanted[i], json_incref(v));
        if (err != SF_OK) {
            return err;
        }
    }
    return SF_OK;
}
