/* SPDX-License-Identifier: MIT */
#include "story/slot.h"

#include "base/utf8.h"

#include <string.h>

const char *const story_character_ids[STORY_CAST] = {"protagonist", "ally", "rival", "mentor",
                                                     "wildcard"};
const double story_progress[STORY_CHAPTERS] = {0.08, 0.17, 0.25, 0.33, 0.42, 0.5,
                                               0.58, 0.67, 0.75, 0.83, 0.92, 1.0};
const char *const story_act_names[STORY_ACTS] = {"act1", "act2a", "act2b", "act3"};

/* One row per slot; the bounds are the network's where it names one, else those of the deep
 * validation. Wave 0 is short and comes first, so that the parallel parts agree on it. */
#define LINE(slot_name, slot_path, min, max, in_wave)                                              \
    {                                                                                              \
        .name = (slot_name), .path = (slot_path), .kind = STORY_SLOT_LINE, .min_chars = (min),     \
        .max_chars = (max), .wave = (in_wave)                                                      \
    }
#define DISTINCT_LINE(slot_name, slot_path, min, max, in_wave)                                     \
    {                                                                                              \
        .name = (slot_name), .path = (slot_path), .kind = STORY_SLOT_LINE, .min_chars = (min),     \
        .max_chars = (max), .distinct = true, .wave = (in_wave)                                    \
    }
#define TITLE(slot_path)                                                                           \
    {                                                                                              \
        .name = "title", .path = (slot_path), .kind = STORY_SLOT_LINE, .min_chars = 1,             \
        .max_chars = 80, .max_cjk_chars = 30                                                       \
    }
#define PARAGRAPH(slot_name, slot_path, min, max, in_wave)                                         \
    {                                                                                              \
        .name = (slot_name), .path = (slot_path), .kind = STORY_SLOT_PARAGRAPH,                    \
        .min_chars = (min), .max_chars = (max), .wave = (in_wave)                                  \
    }
#define LIST(slot_name, slot_path, min, max, in_wave)                                              \
    {                                                                                              \
        .name = (slot_name), .path = (slot_path), .kind = STORY_SLOT_LIST, .min_chars = 1,         \
        .max_chars = 40, .min_items = (min), .max_items = (max), .distinct = true,                 \
        .wave = (in_wave)                                                                          \
    }
#define COMPUTED(slot_name, slot_path)                                                             \
    {                                                                                              \
        .name = (slot_name), .path = (slot_path), .kind = STORY_SLOT_COMPUTED                      \
    }

static const struct story_slot blueprint_slots[] = {
    TITLE("/title"),
    LINE("genre", "/genre", 1, 60, 0),
    PARAGRAPH("setting", "/setting", 50, 300, 1),
    PARAGRAPH("core_conflict", "/core_conflict", 30, 200, 1),
    LIST("themes", "/themes", 3, 5, 0),
    LINE("tone", "/tone", 1, 60, 0),
    LINE("target_audience", "/target_audience", 1, 60, 0),
};

static const struct story_slot characters_slots[] = {
    COMPUTED("id", "/characters/*/id"),
    DISTINCT_LINE("name", "/characters/*/name", 1, 40, 0),
    LINE("archetype", "/characters/*/archetype", 1, 60, 1),
    PARAGRAPH("background", "/characters/*/background", 50, 300, 1),
    PARAGRAPH("motivation", "/characters/*/motivation", 10, 200, 1),
    LIST("skills", "/characters/*/skills", 3, 5, 1),
    LIST("personality_traits", "/characters/*/personality_traits", 3, 5, 1),
    {.name = "relationships",
     .path = "/characters/*/relationships",
     .kind = STORY_SLOT_RELATIONS,
     .min_chars = 10,
     .max_chars = 200,
     .min_items = 2,
     .max_items = STORY_CAST - 1,
     .wave = 1},
};

#define ACT(act)                                                                                   \
    COMPUTED("chapters", "/arcs/" act "/chapters"),                                                \
        PARAGRAPH("description", "/arcs/" act "/description", 20, 300, 1)

static const struct story_slot story_arc_slots[] = {
    TITLE("/title"),
    PARAGRAPH("description", "/description", 20, 300, 1),
    COMPUTED("id", "/chapters/*/id"),
    DISTINCT_LINE("title", "/chapters/*/title", 1, 60, 0),
    PARAGRAPH("description", "/chapters/*/description", 20, 300, 1),
    COMPUTED("storyProgress", "/chapters/*/storyProgress"),
    {.name = "characterFocus",
     .path = "/chapters/*/characterFocus",
     .kind = STORY_SLOT_IDS,
     .min_items = 1,
     .max_items = 3,
     .distinct = true},
    ACT("act1"),
    ACT("act2a"),
    ACT("act2b"),
    ACT("act3"),
    LINE("primary", "/themes/primary", 1, 40, 0),
    LIST("secondary", "/themes/secondary", 1, 3, 0),
    PARAGRAPH("opening", "/hooks/opening", 10, 200, 1),
    PARAGRAPH("midpoint", "/hooks/midpoint", 10, 200, 1),
    PARAGRAPH("climax", "/hooks/climax", 10, 200, 1),
};

static const struct story_slot chapters_slots[] = {
    COMPUTED("id", "/chapters/*/id"),
    DISTINCT_LINE("title", "/chapters/*/title", 1, 60, 0),
    {.name = "content",
     .path = "/chapters/*/content",
     .kind = STORY_SLOT_TEXT,
     .min_chars = 1000,
     .max_chars = 3000,
     .wave = 1},
    {.name = "choices",
     .path = "/chapters/*/choices",
     .kind = STORY_SLOT_CHOICES,
     .min_chars = 5,
     .max_chars = 120,
     .min_items = 2,
     .max_items = 4,
     .distinct = true,
     .wave = 2},
};

#define ROWS(a)                                                                                    \
    {                                                                                              \
        (a), sizeof(a) / sizeof((a)[0])                                                            \
    }
static const struct {
    const struct story_slot *rows;
    size_t n;
} tables[STORY_TASK_COUNT] = {
    [STORY_BLUEPRINT] = ROWS(blueprint_slots),
    [STORY_CHARACTERS] = ROWS(characters_slots),
    [STORY_ARC] = ROWS(story_arc_slots),
    [STORY_CHAPTERS_TASK] = ROWS(chapters_slots),
};

const struct story_slot *story_slots(enum story_task task, size_t *n)
{
    SF_BUG_ON((unsigned)task >= STORY_TASK_COUNT);
    *n = tables[task].n;
    return tables[task].rows;
}

static bool is_index(struct sf_str part)
{
    uint64_t ignored;
    return sf_scan_u64(part, 9999, &ignored);
}

/* Whether the row's path names the pointer or something above it. */
static bool owns(const char *path, const char *pointer)
{
    struct sf_str pattern = sf_str(path), rest = sf_str(pointer), want, got;
    while (sf_str_next(&pattern, '/', &want)) {
        if (!sf_str_next(&rest, '/', &got))
            return false;
        bool same = sf_str_is(want, "*")
                        ? is_index(got)
                        : want.n == got.n && (want.n == 0 || memcmp(want.p, got.p, want.n) == 0);
        if (!same)
            return false;
    }
    return true;
}

const struct story_slot *story_slot_at(enum story_task task, const char *pointer)
{
    size_t n;
    const struct story_slot *rows = story_slots(task, &n);
    for (size_t i = 0; i < n; i++) {
        if (owns(rows[i].path, pointer))
            return &rows[i];
    }
    return NULL;
}

unsigned story_slot_max_chars(const struct story_slot *slot, struct sf_str text)
{
    return slot->max_cjk_chars && sf_utf8_is_mostly_cjk(text) ? slot->max_cjk_chars
                                                              : slot->max_chars;
}

void story_slot_path(const struct story_slot *slot, size_t index, char out[static STORY_PATH_MAX])
{
    const char *star = strchr(slot->path, '*');
    int head = star == NULL ? 40 : (int)(star - slot->path);
    int n = snprintf(out, STORY_PATH_MAX, "%.*s", head, slot->path);
    if (star != NULL && n > 0 && n < 40) {
        (void)snprintf(out + n, (size_t)(STORY_PATH_MAX - n), "%zu%s", index, star + 1);
    }
}
