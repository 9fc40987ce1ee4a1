/* SPDX-License-Identifier: MIT */
#ifndef SF_ENGINE_CHILD_CHILD_CUES_H
#define SF_ENGINE_CHILD_CHILD_CUES_H

#include <stddef.h>

/* What the model is asked per slot, and the first words of its answer. Variables in braces
 * ("{hero}") are filled in by the composer. Openings are part of the text; one is drawn. */
enum cue_language { CUE_EN, CUE_ZH, CUE_LANGUAGES };

enum cue_id {
    CUE_STORY_TITLE,
    CUE_GENRE, /* ranked, not written */
    CUE_SETTING,
    CUE_CONFLICT,
    CUE_THEMES,
    CUE_TONE,
    CUE_AUDIENCE,
    CUE_NAME_F,
    CUE_NAME_M,
    CUE_SURNAME,
    CUE_ARCHETYPE,
    CUE_SKILLS,
    CUE_TRAITS,
    CUE_BACKGROUND_PROTAGONIST,
    CUE_BACKGROUND_ALLY,
    CUE_BACKGROUND_RIVAL,
    CUE_BACKGROUND_MENTOR,
    CUE_BACKGROUND_WILDCARD,
    CUE_MOTIVATION_PROTAGONIST,
    CUE_MOTIVATION_ALLY,
    CUE_MOTIVATION_RIVAL,
    CUE_MOTIVATION_MENTOR,
    CUE_MOTIVATION_WILDCARD,
    CUE_RELATION_LIKES,
    CUE_RELATION_FEARS,
    CUE_RELATION_OWES,
    CUE_RELATION_DOUBTS,
    CUE_RELATION_GUIDES,
    CUE_ARC_DESCRIPTION,
    CUE_ACT1,
    CUE_ACT2A,
    CUE_ACT2B,
    CUE_ACT3,
    CUE_HOOK_OPENING,
    CUE_HOOK_MIDPOINT,
    CUE_HOOK_CLIMAX,
    CUE_CHAPTER_TITLE,
    CUE_MOOD,
    CUE_BEAT_1, /* the twelve chapters' descriptions, in order */
    CUE_BEAT_12 = CUE_BEAT_1 + 11,
    CUE_CONTENT,
    CUE_CHOICE_BOLD,
    CUE_CHOICE_CAREFUL,
    CUE_CHOICE_KIND,
    CUE_CHOICE_CUNNING,
    CUE_COUNT,
};
enum { CUE_WORDS = 16, CUE_OPENINGS = 5, CUE_PARTS = 5, CUE_PART_OPENINGS = 14 };

struct cue {
    const char *question;
    const char *openings[CUE_OPENINGS]; /* NULL behind the last */
    const char *fallback;               /* a whole text for when the model's stays bad */
    const char *example; /* the worked example's answer, for base models; NULL: not shown */
};

struct cue_book {
    const char *system;
    const char *example_story; /* base models: the story lines of the worked example ... */
    const char *example_words[CUE_WORDS];    /* ... and its names: in no text of another story */
    const char *unfit_words[CUE_WORDS];      /* in no text at all, however a model came to them */
    const char *question_mark, *answer_mark; /* base models: before question and answer */
    /* The lines of the story, each left out when its variable is empty. */
    const char *line_topic, *line_story, *line_genre, *line_setting, *line_conflict, *line_cast;
    const char *line_told;   /* above the texts so far, where the order is sequential */
    const char *roles[5][2]; /* of the cast, in the order of the ids; men, women */
    const char *someone;     /* a pronoun for ranking without a name */
    /* Openings of the paragraphs of a chapter: first, two in the middle, a later one, the last. */
    const char *parts[CUE_PARTS][CUE_PART_OPENINGS];
    struct cue cues[CUE_COUNT];
};

extern const struct cue_book cue_books[CUE_LANGUAGES];

#endif
