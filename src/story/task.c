/* SPDX-License-Identifier: MIT */
#include "story/task.h"

#include "base/mem.h"

#include <string.h>

static const char *const names[STORY_TASK_COUNT] = {"blueprint", "characters", "story_arc",
                                                    "chapters"};

const char *story_task_name(enum story_task t)
{
    return names[t];
}

enum sf_err story_task_parse(struct sf_str name, enum story_task *out)
{
    for (int i = 0; i < STORY_TASK_COUNT; i++) {
        if (sf_str_is(name, names[i])) {
            *out = (enum story_task)i;
            return SF_OK;
        }
    }
    return SF_EINVAL;
}

static enum sf_err read_ids(struct story_request *r, const json_t *ids, struct sf_errbuf *eb)
{
    if (ids != NULL && !json_is_null(ids) && !json_is_array(ids)) {
        return sf_fail(eb, SF_EINVAL, "chapter_ids: takes an array of whole numbers or null");
    }
    size_t n = json_array_size(ids);
    if (n > STORY_CHAPTERS) {
        return sf_fail(eb, SF_EINVAL, "chapter_ids: %zu given, at most %d", n, STORY_CHAPTERS);
    }
    unsigned seen = 0;
    for (size_t i = 0; i < n; i++) {
        const json_t *id = json_array_get(ids, i);
        json_int_t v = json_is_integer(id) ? json_integer_value(id) : 0;
        if (v < 1 || v > STORY_CHAPTERS) {
            return sf_fail(eb, SF_EINVAL, "chapter_ids[%zu]: takes a whole number from 1 to %d", i,
                           STORY_CHAPTERS);
        }
        if ((seen >> v & 1U) != 0) {
            return sf_fail(eb, SF_EINVAL, "chapter_ids: %d stands twice", (int)v);
        }
        seen |= 1U << v;
        r->chapter_ids[i] = (int)v;
    }
    r->n_chapter_ids = n;
    if (n == 0) {
        r->chapter_ids[0] = 1;
        r->n_chapter_ids = 1;
    }
    return SF_OK;
}

static enum sf_err read_context(const json_t *body, const char *key, json_t **out,
                                struct sf_errbuf *eb)
{
    json_t *value = json_object_get(body, key);
    if (value == NULL || json_is_null(value)) {
        return SF_OK;
    }
    if (!json_is_object(value)) {
        return sf_fail(eb, SF_EINVAL, "%s: takes an object or null", key);
    }
    *out = json_incref(value);
    return SF_OK;
}

static enum sf_err read_input(struct story_request *r, const json_t *body, struct sf_errbuf *eb)
{
    struct sf_str input = sf_str_trim(json_get_str(body, "user_input"));
    if (input.n == 0) {
        return sf_fail(eb, SF_EINVAL, "user_input: must be a text that is not empty");
    }
    r->user_input = sf_strndup(input.p, input.n);
    return r->user_input == NULL ? SF_ENOMEM : SF_OK;
}

enum sf_err story_request_init(struct story_request *r, const json_t *body, struct sf_errbuf *eb)
{
    *r = (struct story_request){.task = STORY_BLUEPRINT};
    struct sf_str task = json_get_str(body, "task_type");
    if (story_task_parse(task, &r->task) != SF_OK) {
        return sf_fail(eb, SF_EINVAL,
                       "task_type: must be one of blueprint, characters, story_arc, chapters");
    }
    enum sf_err err = read_input(r, body, eb);
    if (err == SF_OK) {
        err = read_context(body, "blueprint", &r->blueprint, eb);
    }
    if (err == SF_OK) {
        err = read_context(body, "characters", &r->characters, eb);
    }
    if (err == SF_OK) {
        err = read_context(body, "story_arc", &r->story_arc, eb);
    }
    if (err == SF_OK && r->task == STORY_CHAPTERS_TASK) {
        err = read_ids(r, json_object_get(body, "chapter_ids"), eb);
    }
    if (err != SF_OK) {
        story_request_fini(r);
    }
    return err;
}

void story_request_fini(struct story_request *r)
{
    free(r->user_input), r->user_input = NULL;
    json_decref(r->blueprint), r->blueprint = NULL;
    json_decref(r->characters), r->characters = NULL;
    json_decref(r->story_arc), r->story_arc = NULL;
}

static json_t *or_null(json_t *value)
{
    return value == NULL ? json_null() : json_incref(value);
}

json_t *story_request_to_json(const struct story_request *r)
{
    json_t *ids = r->n_chapter_ids == 0 ? json_null() : json_array();
    for (size_t i = 0; i < r->n_chapter_ids; i++) {
        if (json_array_append_new(ids, json_integer(r->chapter_ids[i])) != 0) {
            json_decref(ids);
            return NULL;
        }
    }
    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:s}", "user_input", r->user_input, "blueprint",
                     or_null(r->blueprint), "characters", or_null(r->characters), "story_arc",
                     or_null(r->story_arc), "chapter_ids", ids, "task_type", names[r->task]);
}
