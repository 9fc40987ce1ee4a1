/* SPDX-License-Identifier: MIT */
#include "journal/journal_story.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Several stories can go on from one part: so many of the newest are looked at. */
#define CANDIDATES "20"

/* A row of `stories`. */
struct story {
    int64_t id;
    char hash[JOURNAL_CONTEXTS][STORY_HASH_MAX]; /* "" none */
    unsigned parts, chapters;
    const char *title; /* of the first part, when it has no row yet; else NULL */
};

/* ---- statements ------------------------------------------------------------------------------ */

#define FIND(where)                                                                                \
    "SELECT id, blueprint_hash, characters_hash, arc_hash, parts, chapters FROM stories "          \
    "WHERE " where " AND user_input IS ?2 AND hotkey IS ?3 ORDER BY id DESC LIMIT " CANDIDATES

enum { FIND_FOREIGN_ARC = JOURNAL_CONTEXTS };
static const char *const finds[STORY_FIND_KINDS] = {
    [JOURNAL_BLUEPRINT] = FIND("blueprint_hash = ?1 AND parts & 1"),
    [JOURNAL_CHARACTERS] = FIND("characters_hash = ?1 AND parts & 2"),
    [JOURNAL_ARC] = FIND("arc_hash = ?1 AND parts & 4"),
    [FIND_FOREIGN_ARC] = FIND("arc_hash = ?1 AND arc_hash NOT NULL AND parts & 4 = 0"),
};

static const char put_sql[] =
    "INSERT INTO stories (id, last_request, received_ns, origin, hotkey, user_input, title, "
    "blueprint_hash, characters_hash, arc_hash, parts, chapters) VALUES (?1, ?2, ?3, ?4, ?5, ?6, "
    "?7, ?8, ?9, ?10, ?11, ?12) ON CONFLICT (id) DO UPDATE SET last_request = "
    "excluded.last_request, received_ns = excluded.received_ns, title = coalesce(title, "
    "excluded.title), blueprint_hash = excluded.blueprint_hash, characters_hash = "
    "excluded.characters_hash, arc_hash = excluded.arc_hash, parts = excluded.parts, chapters = "
    "excluded.chapters";
static const char keep_sql[] = "INSERT INTO contexts (hash, request, text) VALUES (?1, ?2, ?3) ON "
                               "CONFLICT (hash) DO UPDATE SET request = excluded.request";
static const char adopt_sql[] = "UPDATE requests SET story_id = CAST(id AS TEXT) WHERE id = ?1 AND "
                                "user_input IS ?2 AND hotkey IS ?3 AND story_id IS NULL";

static int prepare(sqlite3 *db, const char *sql, sqlite3_stmt **out)
{
    return sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL);
}

int journal_stories_open(sqlite3 *db, struct journal_stories *s)
{
    int code = SQLITE_OK;
    *s = (struct journal_stories){.put = NULL};
    for (size_t i = 0; i < STORY_FIND_KINDS && code == SQLITE_OK; i++) {
        code = prepare(db, finds[i], &s->find[i]);
    }
    code = code == SQLITE_OK ? prepare(db, put_sql, &s->put) : code;
    code = code == SQLITE_OK ? prepare(db, keep_sql, &s->keep) : code;
    code = code == SQLITE_OK ? prepare(db, adopt_sql, &s->adopt) : code;
    if (code == SQLITE_OK) {
        s->lone = sf_alloc(STORY_LONE_MAX * sizeof *s->lone);
    } else {
        journal_stories_close(s);
    }
    return code;
}

void journal_stories_close(struct journal_stories *s)
{
    for (size_t i = 0; i < STORY_FIND_KINDS; i++) {
        (void)sqlite3_finalize(s->find[i]), s->find[i] = NULL;
    }
    (void)sqlite3_finalize(s->put), s->put = NULL;
    (void)sqlite3_finalize(s->keep), s->keep = NULL;
    (void)sqlite3_finalize(s->adopt), s->adopt = NULL;
    free(s->lone), s->lone = NULL;
}

static void text(sqlite3_stmt *s, int at, const char *z)
{
    if (z == NULL || z[0] == '\0') {
        (void)sqlite3_bind_null(s, at);
    } else {
        (void)sqlite3_bind_text(s, at, z, -1, SQLITE_STATIC);
    }
}

/* Runs one that gives no rows. */
static int execute(sqlite3_stmt *s)
{
    int code = sqlite3_step(s);
    (void)sqlite3_reset(s);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

/* ---- where a part belongs -------------------------------------------------------------------- */

/* How many contexts a part of the task can have: its place in a story. */
static unsigned place_of(const char *task)
{
    static const char *const names[] = {"blueprint", "characters", "story_arc", "chapters"};
    for (unsigned i = 0; i < 4; i++) {
        if (task != NULL && strcmp(task, names[i]) == 0) {
            return i;
        }
    }
    return 0;
}

/* A context that was not sent says nothing. */
static bool agrees(const char *hash, const char *sent)
{
    return hash[0] == '\0' || sent == NULL || strcmp(hash, sent) == 0;
}

static bool fits(const struct story *s, const struct journal_request *r, unsigned place)
{
    bool ok = true;
    for (unsigned i = 0; i < JOURNAL_CONTEXTS; i++) {
        ok = ok && (i < place ? agrees(s->hash[i], r->contexts[i].hash) : s->hash[i][0] == '\0');
    }
    if (place < JOURNAL_CONTEXTS) {
        return ok && s->chapters == 0;
    }
    bool own_arc = (s->parts & 1U << JOURNAL_ARC) != 0;
    return ok && (own_arc || (s->chapters & r->chapters) == 0);
}

static void read_story(sqlite3_stmt *q, struct story *s)
{
    s->id = sqlite3_column_int64(q, 0);
    for (int i = 0; i < JOURNAL_CONTEXTS; i++) {
        const char *hash = (const char *)sqlite3_column_text(q, i + 1);
        (void)snprintf(s->hash[i], STORY_HASH_MAX, "%s", hash == NULL ? "" : hash);
    }
    s->parts = (unsigned)sqlite3_column_int(q, 4);
    s->chapters = (unsigned)sqlite3_column_int(q, 5);
    s->title = NULL;
}

/* Leaves `out` alone when there is none. */
static int find_by(sqlite3_stmt *q, const struct journal_request *r, unsigned place,
                   const char *hash, struct story *out)
{
    struct story s;
    int code = SQLITE_DONE;
    text(q, 1, hash);
    text(q, 2, r->user_input);
    text(q, 3, r->hotkey);
    while (out->id == 0 && (code = sqlite3_step(q)) == SQLITE_ROW) {
        read_story(q, &s);
        if (fits(&s, r, place)) {
            *out = s;
        }
    }
    (void)sqlite3_reset(q);
    return code == SQLITE_DONE || code == SQLITE_ROW ? SQLITE_OK : code;
}

static int find(struct journal_stories *s, const struct journal_request *r, unsigned place,
                struct story *out)
{
    static const unsigned ways[] = {JOURNAL_ARC, FIND_FOREIGN_ARC, JOURNAL_CHARACTERS,
                                    JOURNAL_BLUEPRINT};
    int code = SQLITE_OK;
    for (size_t i = 0; i < sizeof ways / sizeof ways[0] && code == SQLITE_OK; i++) {
        unsigned by = ways[i] == FIND_FOREIGN_ARC ? JOURNAL_ARC : ways[i];
        if (by < place && r->contexts[by].hash != NULL) {
            code = find_by(s->find[ways[i]], r, place, r->contexts[by].hash, out);
        }
    }
    return code;
}

/* ---- what stands alone ------------------------------------------------------------------------
 */

static void copy(char *out, size_t room, const char *z)
{
    size_t n = z == NULL ? 0 : strnlen(z, room - 1);
    memcpy(out, n == 0 ? "" : z, n);
    out[n] = '\0';
}

static uint64_t key_of(const char *hash)
{
    uint64_t key = 0;
    memcpy(&key, hash, strnlen(hash, sizeof key));
    return key;
}

static void remember(struct journal_stories *s, const struct journal_request *r, unsigned place)
{
    if (s->lone == NULL) {
        return;
    }
    size_t at = s->n_lone++ % STORY_LONE_MAX;
    struct story_lone *lone = &s->lone[at];
    s->lone_keys[at] = key_of(r->output_hash);
    lone->id = r->id;
    lone->place = place;
    copy(lone->own, sizeof lone->own, r->output_hash);
    copy(lone->title, sizeof lone->title, r->title);
    for (unsigned i = 0; i < JOURNAL_CONTEXTS; i++) {
        copy(lone->hash[i], STORY_HASH_MAX, i < place ? r->contexts[i].hash : NULL);
    }
    copy(lone->hash[place], STORY_HASH_MAX, r->output_hash);
}

static struct story story_of(const struct story_lone *lone)
{
    struct story s = {.id = lone->id, .parts = 1U << lone->place, .title = lone->title};
    memcpy(s.hash, lone->hash, sizeof s.hash);
    return s;
}

/* The one remembered that wrote a context and begins a story with `r`, which it is marked as. */
static int adopt(struct journal_stories *s, const struct journal_request *r, unsigned place,
                 unsigned by, struct story *out)
{
    const char *hash = r->contexts[by].hash;
    uint64_t key = hash == NULL ? 0 : key_of(hash);
    size_t kept = s->n_lone < STORY_LONE_MAX ? s->n_lone : STORY_LONE_MAX;
    int code = SQLITE_OK;
    for (size_t i = 0; hash != NULL && i < kept && out->id == 0 && code == SQLITE_OK; i++) {
        const struct story_lone *lone = &s->lone[i];
        if (s->lone_keys[i] != key || lone->place != by || strcmp(lone->own, hash) != 0) {
            continue;
        }
        struct story story = story_of(lone);
        if (fits(&story, r, place)) {
            (void)sqlite3_bind_int64(s->adopt, 1, lone->id);
            text(s->adopt, 2, r->user_input);
            text(s->adopt, 3, r->hotkey);
            code = execute(s->adopt);
            if (code == SQLITE_OK && sqlite3_changes(sqlite3_db_handle(s->adopt)) > 0) {
                *out = story;
            }
        }
    }
    return code;
}

static int find_lone(struct journal_stories *s, const struct journal_request *r, unsigned place,
                     struct story *out)
{
    int code = SQLITE_OK;
    for (unsigned by = place; by-- > 0 && out->id == 0 && code == SQLITE_OK;) {
        code = adopt(s, r, place, by, out);
    }
    return code;
}

/* ---- writing --------------------------------------------------------------------------------- */

/* What the story does not have from an answer of its own. */
static int keep_contexts(struct journal_stories *s, const struct journal_request *r, unsigned place,
                         const struct story *before)
{
    int code = SQLITE_OK;
    for (unsigned i = 0; i < place && code == SQLITE_OK; i++) {
        const struct journal_context *c = &r->contexts[i];
        bool own = (before->parts & 1U << i) != 0;
        if (c->hash == NULL || c->text == NULL || own) {
            continue;
        }
        text(s->keep, 1, c->hash);
        (void)sqlite3_bind_int64(s->keep, 2, r->id);
        text(s->keep, 3, c->text);
        code = execute(s->keep);
    }
    return code;
}

static void take_part(struct story *s, const struct journal_request *r, unsigned place)
{
    for (unsigned i = 0; i < JOURNAL_CONTEXTS; i++) {
        const char *hash = i < place ? r->contexts[i].hash : i == place ? r->output_hash : NULL;
        if (s->hash[i][0] == '\0' && hash != NULL) {
            (void)snprintf(s->hash[i], STORY_HASH_MAX, "%s", hash);
        }
    }
    if (place < JOURNAL_CONTEXTS) {
        s->parts |= 1U << place;
    } else {
        s->chapters |= r->chapters;
    }
}

static int put_story(struct journal_stories *s, const struct story *story,
                     const struct journal_request *r)
{
    sqlite3_stmt *q = s->put;
    (void)sqlite3_bind_int64(q, 1, story->id);
    (void)sqlite3_bind_int64(q, 2, r->id);
    (void)sqlite3_bind_int64(q, 3, r->received_ns);
    text(q, 4, r->origin);
    text(q, 5, r->hotkey);
    text(q, 6, r->user_input);
    text(q, 7, story->title != NULL && story->title[0] != '\0' ? story->title : r->title);
    for (int i = 0; i < JOURNAL_CONTEXTS; i++) {
        text(q, 8 + i, story->hash[i]);
    }
    (void)sqlite3_bind_int(q, 11, (int)story->parts);
    (void)sqlite3_bind_int(q, 12, (int)story->chapters);
    return execute(q);
}

int journal_story_place(struct journal_stories *s, const struct journal_request *r,
                        char id[static JOURNAL_STORY_ID])
{
    struct story story = {.id = 0};
    unsigned place = place_of(r->task);
    bool may_be_alone = r->hotkey != NULL && place < JOURNAL_CONTEXTS;
    int code = find(s, r, place, &story);
    id[0] = '\0';
    if (code == SQLITE_OK && story.id == 0 && s->lone != NULL) {
        code = find_lone(s, r, place, &story);
    }
    if (code != SQLITE_OK) {
        return code;
    }
    if (story.id == 0 && may_be_alone) {
        remember(s, r, place);
        return SQLITE_OK;
    }
    if (story.id == 0) {
        story.id = r->id;
    }
    (void)snprintf(id, JOURNAL_STORY_ID, "%lld", (long long)story.id);
    code = keep_contexts(s, r, place, &story);
    take_part(&story, r, place);
    return code == SQLITE_OK ? put_story(s, &story, r) : code;
}
