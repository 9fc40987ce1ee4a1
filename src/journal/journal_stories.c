/* SPDX-License-Identifier: MIT */
#include "base/utf8.h"
#include "journal/journal_rows.h"

#define WHOLE 0x1ffe /* chapters 1 to 12 */

#define SHOWN                                                                                      \
    "id, title, user_input, origin, hotkey, received_ns, "                                         \
    "strftime('%Y-%m-%dT%H:%M:%SZ', received_ns / 1000000000, 'unixepoch') AS time, "              \
    "last_request, blueprint_hash, characters_hash, arc_hash, parts, chapters"

static const struct {
    const char *part, *hash;
} parts[] = {
    {"blueprint", "blueprint_hash"}, {"characters", "characters_hash"}, {"story_arc", "arc_hash"}};
#define N_PARTS (sizeof parts / sizeof parts[0])

/* What the columns say, in the words of journal_stories; the hashes are for us. */
static void show(json_t *row)
{
    int64_t bits = 0, n = 0;
    bool complete = true;
    (void)json_get_int(row, "chapters", &bits);
    for (size_t i = 0; i < N_PARTS; i++) {
        complete = complete && json_get_string(row, parts[i].hash) != NULL;
        (void)json_object_del(row, parts[i].hash);
    }
    for (int64_t left = bits; left > 0; left >>= 1) {
        n += left & 1;
    }
    bool zh = sf_utf8_is_mostly_cjk(json_get_str(row, "title")) ||
              sf_utf8_is_mostly_cjk(json_get_str(row, "user_input"));
    (void)json_object_del(row, "parts");
    (void)json_object_set_new(row, "chapters", json_integer(n));
    (void)json_object_set_new(row, "complete", json_boolean(complete && bits == WHOLE));
    (void)json_object_set_new(row, "language", json_string(zh ? "zh" : "en"));
}

/* Answers that no other one joined, as stories of one part; also of journals older than stories. */
#define LONE                                                                                       \
    "SELECT id, CASE WHEN json_valid(output) THEN json_extract(output, '$.title') END AS title, "  \
    "user_input, origin, hotkey, received_ns, id AS last_request, NULL AS blueprint_hash, NULL "   \
    "AS characters_hash, NULL AS arc_hash, 0 AS parts, 0 AS chapters FROM requests JOIN answers "  \
    "ON request = id WHERE story_id IS NULL AND status = 200 AND task NOT NULL"
#define COLUMNS                                                                                    \
    "id, title, user_input, origin, hotkey, received_ns, last_request, blueprint_hash, "           \
    "characters_hash, arc_hash, parts, chapters"

enum sf_err journal_stories(struct journal_reader *r, const struct journal_story_filter *f,
                            json_t **out, struct sf_errbuf *eb)
{
    struct sf_buf pattern;
    json_t *row;
    size_t i;
    const char *text = journal_pattern(f->text, &pattern);
    const struct journal_given list[] = {GIVEN_TEXT(f->origin), GIVEN_TEXT(text),
                                         GIVEN_NUMBER(f->before), GIVEN_NUMBER(f->limit),
                                         GIVEN_NUMBER(f->fragments ? 1 : 0)};
    enum sf_err err =
        pattern.err != SF_OK
            ? sf_fail(eb, SF_EINVAL, "the text looked for is too long")
            : journal_rows(r,
                           "WITH told AS (SELECT " COLUMNS " FROM stories WHERE (?1 IS NULL OR "
                           "origin = ?1) AND (?2 IS NULL OR user_input LIKE ?2 ESCAPE '\\' OR "
                           "title LIKE ?2 ESCAPE '\\') AND (?3 = 0 OR last_request < ?3) ORDER BY "
                           "last_request DESC LIMIT ?4), lone AS (" LONE " AND ?5 AND (?1 IS NULL "
                           "OR origin = ?1) AND (?2 IS NULL OR user_input LIKE ?2 ESCAPE '\\') AND "
                           "(?3 = 0 OR id < ?3) ORDER BY id DESC LIMIT ?4) SELECT " SHOWN
                           " FROM (SELECT * FROM told UNION ALL SELECT * FROM lone) ORDER BY "
                           "last_request DESC LIMIT ?4",
                           list, sizeof list / sizeof list[0], out, eb);
    sf_buf_fini(&pattern);
    if (err == SF_OK) {
        json_array_foreach(*out, i, row)
        {
            show(row);
        }
    }
    return err;
}

/* ---- one story ------------------------------------------------------------------------------- */

/* Its own answers, as they were written. */
static enum sf_err read_answers(struct journal_reader *r, int64_t id, bool lone, json_t **out,
                                struct sf_errbuf *eb)
{
    char name[24];
    (void)snprintf(name, sizeof name, "%lld", (long long)id);
    const struct journal_given list[] = {lone ? GIVEN_NUMBER(id) : GIVEN_TEXT(name)};
    return journal_rows(r,
                        lone ? "SELECT id, task, generator, output FROM requests JOIN answers ON "
                               "request = id WHERE id = ?1"
                             : "SELECT id, task, generator, output FROM requests JOIN answers ON "
                               "request = id WHERE story_id = ?1 AND story_id NOT NULL ORDER BY id",
                        list, 1, out, eb);
}

/* A part that somebody else wrote, or that belongs to the story this one went off from. */
static enum sf_err read_context(struct journal_reader *r, const char *hash, json_t **out,
                                struct sf_errbuf *eb)
{
    const struct journal_given list[] = {GIVEN_TEXT(hash)};
    json_t *rows = NULL;
    enum sf_err err =
        journal_rows(r, "SELECT text FROM contexts WHERE hash = ?1", list, 1, &rows, eb);
    if (err == SF_OK && json_array_size(rows) > 0) {
        json_t *row = json_array_get(rows, 0);
        journal_parse_member(row, "text");
        *out = json_incref(json_object_get(row, "text"));
    }
    json_decref(rows);
    return err;
}

/* Chapters by their number; one that was written again replaces the first. */
static void take_chapters(json_t *by_number[static 13], const json_t *output)
{
    const json_t *list = json_get_array(output, "chapters");
    for (size_t i = 0; i < json_array_size(list); i++) {
        int64_t number = 0;
        json_t *chapter = json_array_get(list, i);
        if (json_get_int(chapter, "id", &number) && number >= 1 && number <= 12) {
            by_number[number] = chapter;
        }
    }
}

/* Moves the answers into their places of the story. */
static void place(json_t *story, json_t *answers)
{
    json_t *by_number[13] = {NULL}, *chapters = json_array(), *requests = json_array(), *row;
    size_t i;
    json_array_foreach(answers, i, row)
    {
        const char *task = json_get_string(row, "task");
        journal_parse_member(row, "output");
        json_t *output = json_object_get(row, "output");
        if (sf_str_is(sf_str(task), "chapters")) {
            take_chapters(by_number, output);
        } else if (task != NULL) {
            (void)json_object_set(story, task, output);
        }
    }
    for (i = 1; i <= 12; i++) {
        if (by_number[i] != NULL) {
            (void)json_array_append(chapters, by_number[i]);
        }
    }
    json_array_foreach(answers, i, row)
    {
        (void)json_object_del(row, "output");
        (void)json_array_append(requests, row);
    }
    (void)json_object_set_new(story, "chapters", chapters);
    (void)json_object_set_new(story, "requests", requests);
}

static enum sf_err add_contexts(struct journal_reader *r, json_t *story, const json_t *hashes,
                                struct sf_errbuf *eb)
{
    enum sf_err err = SF_OK;
    json_t *foreign = json_array();
    for (size_t i = 0; i < N_PARTS && err == SF_OK; i++) {
        json_t *value = NULL;
        const char *hash = json_get_string(hashes, parts[i].hash);
        if (json_is_object(json_object_get(story, parts[i].part))) {
            continue;
        }
        if (hash != NULL) {
            err = read_context(r, hash, &value, eb);
        }
        if (value != NULL) {
            (void)json_array_append_new(foreign, json_string(parts[i].part));
        }
        (void)json_object_set_new(story, parts[i].part, value == NULL ? json_null() : value);
    }
    (void)json_object_set_new(story, "foreign", foreign);
    return err;
}

enum sf_err journal_story(struct journal_reader *r, int64_t id, json_t **out, struct sf_errbuf *eb)
{
    const struct journal_given list[] = {GIVEN_NUMBER(id)};
    json_t *rows = NULL, *answers = NULL, *story = NULL, *hashes = NULL;
    enum sf_err err =
        journal_rows(r, "SELECT " SHOWN " FROM stories WHERE id = ?1", list, 1, &rows, eb);
    bool lone = err == SF_OK && json_array_size(rows) == 0;
    if (lone) {
        json_decref(rows), rows = NULL;
        err = journal_rows(r, "SELECT " SHOWN " FROM (" LONE " AND id = ?1)", list, 1, &rows, eb);
    }
    if (err == SF_OK && json_array_size(rows) == 0) {
        err = sf_fail(eb, SF_ENOTFOUND, "the journal has no story %lld", (long long)id);
    }
    if (err == SF_OK) {
        err = read_answers(r, id, lone, &answers, eb);
    }
    if (err == SF_OK) {
        story = json_incref(json_array_get(rows, 0));
        hashes = json_copy(story);
        show(story);
        place(story, answers);
        err = add_contexts(r, story, hashes, eb);
    }
    json_decref(hashes);
    json_decref(answers);
    json_decref(rows);
    if (err != SF_OK) {
        json_decref(story);
        return err;
    }
    *out = story;
    return SF_OK;
}
