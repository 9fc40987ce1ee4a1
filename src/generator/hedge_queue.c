/* SPDX-License-Identifier: MIT */
#include "generator/hedge_queue.h"

#include "base/mem.h"

#include <string.h>

#define BYTES_MAX (1U << 20)

struct hedge_note {
    struct hedge_note *next;
    struct gen_event event; /* its texts point into `bytes` */
    struct gen_usage usage;
    char bytes[];
};

void hedge_queue_init(struct hedge_queue *q)
{
    *q = (struct hedge_queue){.first = NULL};
    q->end = &q->first;
}

bool hedge_queue_put(struct hedge_queue *q, const struct gen_event *event)
{
    size_t path = event->path == NULL ? 0 : strlen(event->path) + 1;
    size_t size = sizeof(struct hedge_note) + path + event->text.n;
    struct hedge_note *note = q->bytes + size > BYTES_MAX ? NULL : sf_alloc(size);
    if (note == NULL) {
        return false;
    }
    note->event = *event;
    if (path > 0) {
        memcpy(note->bytes, event->path, path);
        note->event.path = note->bytes;
    }
    if (event->text.n > 0) {
        memcpy(note->bytes + path, event->text.p, event->text.n);
    }
    note->event.text.p = note->bytes + path;
    if (event->usage != NULL) {
        note->usage = *event->usage;
        note->event.usage = &note->usage;
    }
    *q->end = note;
    q->end = &note->next;
    q->bytes += size;
    return true;
}

struct hedge_note *hedge_queue_take(struct hedge_queue *q)
{
    struct hedge_note *notes = q->first;
    hedge_queue_init(q);
    return notes;
}

void hedge_notes_tell(struct hedge_note *notes_own, gen_event_fn to, void *arg)
{
    while (notes_own != NULL) {
        struct hedge_note *note = notes_own;
        notes_own = note->next;
        if (to != NULL) {
            to(arg, &note->event);
        }
        free(note);
    }
}
