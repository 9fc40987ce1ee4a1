/* SPDX-License-Identifier: MIT */
#ifndef SF_STORY_SLOT_H
#define SF_STORY_SLOT_H

#include "story/task.h"

/* One table of slots per task: from it come the slot plan of the local engine, the JSON schema for
 * providers, the validator and the structure score. Lengths are Unicode code points. */
enum story_slot_kind {
    STORY_SLOT_LINE,      /* one line, no line break */
    STORY_SLOT_PARAGRAPH, /* text, line breaks allowed only in STORY_SLOT_TEXT */
    STORY_SLOT_TEXT,      /* a chapter's text */
    STORY_SLOT_LIST,      /* array of min_items..max_items distinct lines */
    STORY_SLOT_RELATIONS, /* object: other character ids -> paragraphs, at least 2 */
    STORY_SLOT_IDS,       /* array of character ids: computed */
    STORY_SLOT_CHOICES,   /* array of choice objects */
    STORY_SLOT_COMPUTED,  /* numbers, ids, acts: computed by the program, never generated */
};

struct story_slot {
    const char *name; /* "setting" */
    const char *path; /* "/characters/" "*" "/background": * is every index of the array */
    enum story_slot_kind kind;
    unsigned min_chars, max_chars; /* of each text (each item for lists) */
    unsigned max_cjk_chars;        /* 0: same as max_chars */
    unsigned min_items, max_items;
    bool distinct; /* among the same slot of all siblings (names, titles) */
    unsigned wave; /* slots of one wave do not depend on each other */
};

/* The rows in the order of the answer's members. LIST, RELATIONS and CHOICES rows own all that lies
 * under their path: their lengths are those of each item, value or choice text. */
const struct story_slot *story_slots(enum story_task task, size_t *n);

/* The row that owns a concrete JSON pointer: "/chapters/3/title" and "/themes/0" find theirs; NULL
 * when none does. */
const struct story_slot *story_slot_at(enum story_task task, const char *pointer);

#define STORY_PATH_MAX 80
/* The row's concrete pointer: its path with '*' (if any) replaced by `index`. */
void story_slot_path(const struct story_slot *slot, size_t index, char out[static STORY_PATH_MAX]);

/* The highest number of code points `text` may have in this slot (CJK titles are shorter). */
unsigned story_slot_max_chars(const struct story_slot *slot, struct sf_str text);

extern const char
    *const story_character_ids[STORY_CAST]; /* protagonist ally rival mentor wildcard */
extern const double story_progress[STORY_CHAPTERS];
extern const char
    *const story_act_names[STORY_ACTS]; /* act1 act2a act2b act3, three chapters each */

#endif
