/* SPDX-License-Identifier: MIT */
#ifndef SF_ENGINE_CHILD_WORDLIST_H
#define SF_ENGINE_CHILD_WORDLIST_H

#include "base/str.h"
#include "engine/child/child_cues.h"

/* The word lists of config/wordlists, built into the program: small models choose from them. */
enum wordlist_id {
    WORDS_GIVEN_F,
    WORDS_GIVEN_M,
    WORDS_SURNAME,
    WORDS_ARCHETYPE, /* "role:Words" */
    WORDS_SKILL,
    WORDS_TRAIT,
    WORDS_THEME,
    WORDS_TONE,
    WORDS_GENRE,
    WORDS_AUDIENCE,
    WORDS_MOOD, /* "bold:", "careful:", "kind:", "cunning:" */
    WORDS_PLACE,
    WORDS_LISTS,
};
enum { WORDS_MAX = 128 };

/* The lines of a list (only those with "<tag>:" before them, the tag left off, where `tag` is not
 * NULL), at most WORDS_MAX. Borrowed from the program. Returns how many. */
size_t wordlist(enum cue_language lang, enum wordlist_id id, const char *tag,
                struct sf_str out[static WORDS_MAX]);

/* What a Chinese request is about, in English words found by a small glossary: "space, an
 * expedition". Appends up to `max` topics; nothing when no word is known. */
struct sf_buf;
void wordlist_topics(struct sf_str chinese, size_t max, struct sf_buf *out);

#endif
