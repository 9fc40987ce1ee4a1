/* SPDX-License-Identifier: MIT */
#ifndef SF_JOURNAL_JOURNAL_STORY_H
#define SF_JOURNAL_JOURNAL_STORY_H

#include "journal/journal_row.h"

#include <sqlite3.h>

/* Which story an answer is a part of. A part joins the story whose earlier parts it carries as its
 * contexts, when caller and user_input are the same and the story is not further than that; else it
 * begins one. Chapters that are asked for again replace those of a story_arc written here.
 *
 * Most of what validators ask stands alone for ever: such a part gets its row only when a second
 * one joins it. Until then it is remembered here, as one of the last STORY_LONE_MAX. */
enum { STORY_FIND_KINDS = JOURNAL_CONTEXTS + 1 };
#define STORY_LONE_MAX 2048
#define STORY_HASH_MAX 65
#define STORY_TITLE_MAX 256

struct story_lone {
    int64_t id;
    unsigned place;
    char own[STORY_HASH_MAX], hash[JOURNAL_CONTEXTS][STORY_HASH_MAX]; /* "" none */
    char title[STORY_TITLE_MAX];
};

struct journal_stories {
    sqlite3_stmt *find[STORY_FIND_KINDS], *put, *keep, *adopt;
    uint64_t lone_keys[STORY_LONE_MAX]; /* the beginnings of `own` */
    struct story_lone *lone;            /* a ring; NULL: out of memory, none is remembered */
    size_t n_lone;                      /* ever */
};

#define JOURNAL_STORY_ID 24

/* SQLite result codes, as in journal_insert.h. */
SF_MUST_USE int journal_stories_open(sqlite3 *db, struct journal_stories *s);
void journal_stories_close(struct journal_stories *s);
/* Writes story and foreign contexts of an answered request; its story's name into `id`, "" while it
 * stands alone. */
SF_MUST_USE int journal_story_place(struct journal_stories *s, const struct journal_request *r,
                                    char id[static JOURNAL_STORY_ID]);

#endif
