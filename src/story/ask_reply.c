/* SPDX-License-Identifier: MIT */
#include "story/ask.h"
#include "story/parts.h"
#include "story/validate.h"

#include <string.h>

/* The element of a reply that is shaped like the answer: by its id, else by its place in a whole
 * array. */
static const json_t *element_of(const struct story_request *r, const json_t *array, size_t index)
{
    char wanted[24];
    story_element_id(r, index, wanted);
    for (size_t i = 0; i < json_array_size(array); i++) {
        const json_t *element = json_array_get(array, i), *id = json_object_get(element, "id");
        char text[24] = "";
        if (json_is_string(id)) {
            (void)snprintf(text, sizeof text, "%s", json_string_value(id));
        } else if (json_is_integer(id)) {
            (void)snprintf(text, sizeof text, "%lld", (long long)json_integer_value(id));
        }
        if (strcmp(text, wanted) == 0) {
            return element;
        }
    }
    bool whole = json_array_size(array) == story_array_length(r);
    return whole ? json_array_get(array, index) : NULL;
}

/* Where the reply has the part: under its key, under its pointer, or in its place. Borrowed. */
static json_t *value_of(const struct story_request *r, const json_t *reply,
                        const struct story_part *p)
{
    json_t *v = json_object_get(reply, p->key);
    if (v == NULL) {
        v = json_object_get(reply, p->path);
    }
    if (v == NULL && strchr(p->slot->path, '*') == NULL) {
        v = json_at(reply, p->path);
    } else if (v == NULL) {
        const char *array = r->task == STORY_CHARACTERS ? "characters" : "chapters";
        v = json_object_get(element_of(r, json_object_get(reply, array), p->index), p->slot->name);
    }
    return json_is_null(v) ? NULL : v;
}

/* The whole array: what was there already, the new parts put over it. */
static enum sf_err complete_array(const struct story_ask *ask, const char *name, json_t *out)
{
    const json_t *old = json_object_get(ask->partial, name), *new = json_object_get(out, name);
    json_t *array = json_array();
    bool ok = array != NULL;
    for (size_t i = 0; ok && i < story_array_length(ask->request); i++) {
        json_t *element = json_is_object(json_array_get(old, i)) ? json_copy(json_array_get(old, i))
                                                                 : json_object();
        const json_t *more = json_array_get(new, i);
        ok = element != NULL &&
             (!json_is_object(more) ||
              json_object_update(element, (json_t *)(uintptr_t)more) == 0) &&
             json_array_append(array, element) == 0;
        json_decref(element);
    }
    ok = ok && json_object_set(out, name, array) == 0;
    json_decref(array);
    return ok ? SF_OK : SF_ENOMEM;
}

static enum sf_err place_parts(const struct story_ask *ask, const json_t *reply,
                               const struct story_part *parts, size_t n, json_t *out)
{
    for (size_t i = 0; i < n; i++) {
        json_t *v = value_of(ask->request, reply, &parts[i]);
        if (v != NULL && json_set_at_new(out, parts[i].path, json_incref(v)) != SF_OK) {
            return SF_ENOMEM; /* out is ours: nothing else can fail */
        }
    }
    for (size_t i = 0; i < ask->n_wanted; i++) {
        bool whole =
            strcmp(ask->wanted[i], "/characters") == 0 || strcmp(ask->wanted[i], "/chapters") == 0;
        if (whole && story_array_length(ask->request) > 0) {
            enum sf_err err = complete_array(ask, ask->wanted[i] + 1, out);
            if (err != SF_OK) {
                return err;
            }
        }
    }
    return SF_OK;
}

enum sf_err story_ask_merge_reply(const struct story_ask *ask, json_t *reply, json_t **out)
{
    struct story_part parts[STORY_PARTS_MAX];
    size_t n = story_parts(ask->request, ask->wanted, ask->n_wanted, parts);
    if (n == 0) {
        *out = json_incref(reply);
        return SF_OK;
    }
    json_t *nested = json_object();
    enum sf_err err = nested == NULL ? SF_ENOMEM : place_parts(ask, reply, parts, n, nested);
    if (err != SF_OK) {
        json_decref(nested);
        return err;
    }
    *out = nested;
    return SF_OK;
}
