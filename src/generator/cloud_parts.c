/* SPDX-License-Identifier: MIT */
#include "generator/cloud_internal.h"

#include "base/mem.h"

#include <string.h>

#define WANTED_MAX (sizeof((struct cloud_part *)0)->wanted / sizeof(char *))

/* "/chapters/3/title" for index 3 gives "/title" ("" for the chapter itself); NULL: another's. */
static const char *path_within(const char *pointer, size_t index)
{
    char prefix[32];
    int n = snprintf(prefix, sizeof prefix, "/chapters/%zu", index);
    if (strncmp(pointer, prefix, (size_t)n) != 0 || (pointer[n] != '\0' && pointer[n] != '/')) {
        return NULL;
    }
    return pointer + n;
}

/* Whether all is wanted: nothing named, or what holds all chapters. */
static bool wants_all(const struct gen_call *call)
{
    for (size_t i = 0; i < call->n_wanted; i++) {
        if (call->wanted[i][0] == '\0' || strcmp(call->wanted[i], "/chapters") == 0) {
            return true;
        }
    }
    return call->n_wanted == 0;
}

static enum sf_err make_chapter(const struct gen_call *call, size_t index, struct cloud_part *part)
{
    json_t *known = json_array_get(json_object_get(call->partial, "chapters"), index);
    *part = (struct cloud_part){.request = *call->request, .index = index};
    part->request.chapter_ids[0] = call->request->chapter_ids[index];
    part->request.n_chapter_ids = 1;
    part->seed = call->seed + index * 0x9e3779b97f4a7c15U;
    part->asked = wants_all(call);
    if (part->asked) {
        return SF_OK;
    }
    part->paths = sf_alloc(WANTED_MAX * sizeof *part->paths);
    part->partial = known == NULL ? NULL : json_pack("{s:[O]}", "chapters", known);
    if (part->paths == NULL || (known != NULL && part->partial == NULL)) {
        return SF_ENOMEM;
    }
    bool whole = known == NULL;
    for (size_t i = 0; i < call->n_wanted && part->n_wanted < WANTED_MAX; i++) {
        const char *within = path_within(call->wanted[i], index);
        if (within != NULL) {
            char *path = part->paths[part->n_wanted];
            (void)snprintf(path, sizeof part->paths[0], "/chapters/0%s", within);
            part->wanted[part->n_wanted++] = path;
            part->asked = true;
            whole = whole || within[0] == '\0';
        }
    }
    part->n_wanted = whole ? 0 : part->n_wanted;
    return SF_OK;
}

static void make_whole(const struct gen_call *call, struct cloud_part *part)
{
    *part = (struct cloud_part){.request = *call->request, .seed = call->seed};
    for (size_t i = 0; i < call->n_wanted && i < WANTED_MAX; i++) {
        part->wanted[part->n_wanted++] = call->wanted[i];
    }
    part->partial = call->partial == NULL || call->n_wanted == 0
                        ? NULL
                        : json_copy((json_t *)(uintptr_t)call->partial);
}

enum sf_err cloud_parts_make(const struct gen_call *call,
                             struct cloud_part parts[static STORY_CHAPTERS], size_t *n)
{
    const struct story_request *r = call->request;
    *n = 0;
    if (r->task != STORY_CHAPTERS_TASK || r->n_chapter_ids < 2 || call->prompt != NULL) {
        make_whole(call, &parts[(*n)++]);
        return SF_OK;
    }
    for (size_t i = 0; i < r->n_chapter_ids; i++) {
        struct cloud_part *part = &parts[*n];
        if (make_chapter(call, i, part) != SF_OK) {
            cloud_parts_free(parts, *n + 1);
            return SF_ENOMEM;
        }
        if (part->asked) {
            (*n)++;
        } else {
            cloud_parts_free(part, 1);
        }
    }
    if (*n == 0) { /* what is wanted lies outside of the chapters */
        make_whole(call, &parts[(*n)++]);
    }
    return SF_OK;
}

void cloud_parts_free(struct cloud_part *parts, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(parts[i].paths), parts[i].paths = NULL;
        json_decref(parts[i].partial), parts[i].partial = NULL;
        json_decref(parts[i].output), parts[i].output = NULL;
    }
}

/* The chapter in a part's answer; models without a schema give it bare at times. Borrowed. */
static json_t *chapter_of(json_t *output)
{
    json_t *first = json_array_get(json_object_get(output, "chapters"), 0);
    if (first == NULL && json_object_get(output, "chapters") == NULL) {
        first = output;
    }
    return json_is_object(first) ? first : NULL;
}

static const struct cloud_part *part_of(const struct cloud_part *parts, size_t n, size_t index)
{
    for (size_t i = 0; i < n; i++) {
        if (parts[i].index == index) {
            return &parts[i];
        }
    }
    return NULL;
}

/* Each chapter has its place; a missing one is an object with its id, so that only it is asked for
 * again. */
static json_t *join_chapters(const struct gen_call *call, const struct cloud_part *parts, size_t n)
{
    json_t *list = json_array();
    bool ok = list != NULL;
    for (size_t i = 0; i < call->request->n_chapter_ids && ok; i++) {
        const struct cloud_part *part = part_of(parts, n, i);
        json_t *chapter = part == NULL ? NULL : chapter_of(part->output);
        chapter = chapter == NULL ? json_object() : json_incref(chapter);
        ok = json_object_set_new(chapter, "id", json_integer(call->request->chapter_ids[i])) == 0;
        ok = json_array_append_new(list, chapter) == 0 && ok;
    }
    if (!ok) {
        json_decref(list);
        return NULL;
    }
    return json_pack("{s:o}", "chapters", list);
}

enum sf_err cloud_parts_join(const struct gen_call *call, struct cloud_part *parts, size_t n,
                             json_t **out, struct sf_errbuf *eb)
{
    size_t there = 0;
    for (size_t i = 0; i < n; i++) {
        there += parts[i].err == SF_OK ? 1 : 0;
    }
    if (there == 0) {
        if (eb != NULL) {
            *eb = parts[0].eb;
        }
        return parts[0].err;
    }
    if (n == 1 && parts[0].request.n_chapter_ids == call->request->n_chapter_ids) {
        *out = json_incref(parts[0].output);
        return SF_OK;
    }
    *out = join_chapters(call, parts, n);
    return *out == NULL ? SF_ENOMEM : SF_OK;
}
