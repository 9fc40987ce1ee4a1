/* SPDX-License-Identifier: MIT */
#include "generator/replay_events.h"

#include "base/mem.h"
#include "story/slot.h"
#include "story/validate.h"

#include <string.h>

#define SLOTS_MAX 1024 /* an answer has under 200 texts */
#define TEXT_MAX (64U << 10)
#define PATH_MAX_BYTES 128

struct heard {
    char path[PATH_MAX_BYTES];
    struct sf_buf text;
    bool done;
};

struct replay {
    gen_event_fn to;
    void *arg;
    struct heard *slots;
    size_t n, room;
};

struct replay *replay_open(gen_event_fn to, void *arg)
{
    struct replay *r = sf_alloc(sizeof *r);
    if (r != NULL) {
        r->to = to;
        r->arg = arg;
    }
    return r;
}

static void forget(struct replay *r)
{
    for (size_t i = 0; i < r->n; i++) {
        sf_buf_fini(&r->slots[i].text);
    }
    r->n = 0;
}

void replay_close(struct replay *r)
{
    if (r != NULL) {
        forget(r);
        free(r->slots), r->slots = NULL;
        free(r);
    }
}

static struct heard *find(const struct replay *r, const char *path)
{
    for (size_t i = 0; i < r->n; i++) {
        if (strcmp(r->slots[i].path, path) == 0) {
            return &r->slots[i];
        }
    }
    return NULL;
}

/* NULL: no room; then the slot counts as never heard, and is told whole in the end. */
static struct heard *find_or_add(struct replay *r, const char *path)
{
    struct heard *h = find(r, path);
    if (h != NULL || r->n == SLOTS_MAX || strlen(path) >= PATH_MAX_BYTES) {
        return h;
    }
    if (r->n == r->room) {
        size_t room = r->room == 0 ? 32 : r->room * 2;
        struct heard *slots = sf_realloc(r->slots, room * sizeof *slots);
        if (slots == NULL) {
            return NULL;
        }
        r->slots = slots;
        r->room = room;
    }
    h = &r->slots[r->n++];
    *h = (struct heard){.done = false};
    (void)snprintf(h->path, sizeof h->path, "%s", path);
    sf_buf_init(&h->text, TEXT_MAX);
    return h;
}

static void remember(struct replay *r, const struct gen_event *e)
{
    if (e->kind == GEN_EVENT_HOP_STARTED) {
        forget(r);
        return;
    }
    bool of_slot = e->kind == GEN_EVENT_SLOT_STARTED || e->kind == GEN_EVENT_SLOT_TEXT ||
                   e->kind == GEN_EVENT_SLOT_DONE;
    struct heard *h = of_slot && e->path != NULL ? find_or_add(r, e->path) : NULL;
    if (h == NULL) {
        return;
    }
    if (e->kind == GEN_EVENT_SLOT_STARTED) {
        sf_buf_clear(&h->text);
        h->done = false;
    } else if (e->kind == GEN_EVENT_SLOT_TEXT) {
        sf_buf_add_str(&h->text, e->text);
    } else {
        h->done = true;
    }
}

void replay_pass(struct replay *r, const struct gen_event *event)
{
    remember(r, event);
    r->to(r->arg, event);
}

static void tell(struct replay *r, enum gen_event_kind kind, const char *path, struct sf_str text)
{
    struct gen_event e = {.kind = kind, .path = path, .text = text};
    replay_pass(r, &e);
}

/* One text of the answer: nothing when the listener has it, the end alone when that is missing. */
static void settle(struct replay *r, const char *path, const json_t *value)
{
    struct sf_str text = {json_string_value(value), json_string_length(value)};
    const struct heard *h = find(r, path);
    struct sf_str has = h == NULL ? SF_STR("") : sf_buf_str(&h->text);
    bool right = h != NULL && h->text.err == SF_OK && has.n == text.n &&
                 (text.n == 0 || memcmp(has.p, text.p, text.n) == 0);
    if (right && h->done) {
        return;
    }
    if (!right) {
        tell(r, GEN_EVENT_SLOT_STARTED, path, SF_STR(""));
        tell(r, GEN_EVENT_SLOT_TEXT, path, text);
    }
    tell(r, GEN_EVENT_SLOT_DONE, path, text);
}

/* All strings under `value`, which is a slot or part of one. */
static void settle_under(struct replay *r, const char *path, const json_t *value, int depth)
{
    char below[PATH_MAX_BYTES];
    if (json_is_string(value)) {
        settle(r, path, value);
    }
    for (size_t i = 0; json_is_array(value) && depth > 0 && i < json_array_size(value); i++) {
        (void)snprintf(below, sizeof below, "%s/%zu", path, i);
        settle_under(r, below, json_array_get(value, i), depth - 1);
    }
    const char *key;
    json_t *member;
    json_object_foreach((json_t *)(uintptr_t)value, key, member)
    {
        (void)snprintf(below, sizeof below, "%s/%.60s", path, key);
        settle_under(r, below, depth > 0 ? member : NULL, depth - 1);
    }
}

/* What was told of slots that the answer does not have is taken back. */
static void take_back(struct replay *r, const json_t *output)
{
    for (size_t i = 0; i < r->n; i++) {
        char path[PATH_MAX_BYTES];
        memcpy(path, r->slots[i].path, sizeof path);
        const json_t *value = json_at(output, path);
        if (json_is_string(value)) {
            settle(r, path, value);
        } else if (r->slots[i].text.n > 0) {
            tell(r, GEN_EVENT_SLOT_STARTED, path, SF_STR(""));
            tell(r, GEN_EVENT_SLOT_DONE, path, SF_STR(""));
        }
    }
}

void replay_finish(struct replay *r, const struct story_request *request, const json_t *output)
{
    size_t n_rows;
    const struct story_slot *rows = story_slots(request->task, &n_rows);
    take_back(r, output);
    for (size_t i = 0; i < n_rows; i++) {
        size_t n = strchr(rows[i].path, '*') == NULL ? 1 : story_array_length(request);
        bool text = rows[i].kind != STORY_SLOT_COMPUTED && rows[i].kind != STORY_SLOT_IDS;
        for (size_t k = 0; text && k < n; k++) {
            char path[STORY_PATH_MAX];
            story_slot_path(&rows[i], k, path);
            settle_under(r, path, json_at(output, path), 3);
        }
    }
}
