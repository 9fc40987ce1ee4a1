/* SPDX-License-Identifier: MIT */
#ifndef SF_GENERATOR_LISTENER_TEST_H
#define SF_GENERATOR_LISTENER_TEST_H

#include "generator/fake_test.h"

/* Somebody who shows an answer while it is written, as the contract of events says. */
struct listener {
    pthread_t thread;
    json_t *texts; /* path: text */
    char hops[256];
    int wrong; /* events on another thread, or a slot_done that is not the slot's text */
    int slot_events;
    struct gen_usage usage;
};

static inline void listener_init(struct listener *l)
{
    *l = (struct listener){.thread = pthread_self(), .texts = json_object()};
}

static inline void listener_fini(struct listener *l)
{
    json_decref(l->texts), l->texts = NULL;
}

static inline void listener_hop(struct listener *l, struct sf_str name)
{
    size_t used = strlen(l->hops);
    (void)json_object_clear(l->texts);
    (void)snprintf(l->hops + used, sizeof l->hops - used, "%.*s ", SF_STR_ARG(name));
}

static inline void listener_slot(struct listener *l, const struct gen_event *e)
{
    struct sf_buf text;
    l->slot_events++;
    if (e->path == NULL) {
        return;
    }
    const char *had = json_get_string(l->texts, e->path);
    if (e->kind == GEN_EVENT_SLOT_DONE) {
        l->wrong += had == NULL || !sf_str_is(e->text, had) ? 1 : 0;
        return;
    }
    sf_buf_init(&text, 1U << 16);
    if (e->kind == GEN_EVENT_SLOT_TEXT) {
        l->wrong += had == NULL ? 1 : 0; /* text of a slot that never started */
        sf_buf_puts(&text, had == NULL ? "" : had);
        sf_buf_add_str(&text, e->text);
    }
    (void)json_object_set_new(l->texts, e->path, json_string(sf_buf_z(&text)));
    sf_buf_fini(&text);
}

static inline void listen(void *arg, const struct gen_event *e)
{
    struct listener *l = arg;
    l->wrong += pthread_equal(l->thread, pthread_self()) ? 0 : 1;
    if (e->kind == GEN_EVENT_HOP_STARTED) {
        listener_hop(l, e->text);
    } else if (e->kind == GEN_EVENT_SLOT_STARTED || e->kind == GEN_EVENT_SLOT_TEXT ||
               e->kind == GEN_EVENT_SLOT_DONE) {
        listener_slot(l, e);
    } else if (e->kind == GEN_EVENT_USAGE) {
        l->usage = *e->usage;
    }
}

/* What it has is exactly the answer's texts: `n` of them. */
static inline void assert_heard(const struct listener *l, const json_t *output, size_t n)
{
    const char *path;
    json_t *text;
    assert_int_equal(l->wrong, 0);
    assert_int_equal(json_object_size(l->texts), n);
    json_object_foreach(l->texts, path, text)
    {
        assert_non_null(json_at(output, path));
        assert_string_equal(json_string_value(json_at(output, path)), json_string_value(text));
    }
}

/* Title, genre, setting, core_conflict, tone, target_audience and the themes. */
static inline size_t blueprint_texts(const json_t *output)
{
    return 6 + json_array_size(json_object_get(output, "themes"));
}

#endif
