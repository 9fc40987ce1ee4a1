/* SPDX-License-Identifier: MIT */
#include "journal/journal_row.h"

#include "base/mem.h"

#include <stdalign.h>
#include <string.h>

/* Two passes over the same code: without memory it measures, with memory it copies. */
struct packer {
    char *base;
    size_t used;
};

static void *reserve(struct packer *p, size_t n, size_t align)
{
    size_t at = (p->used + align - 1) & ~(align - 1);
    p->used = at + n;
    return p->base == NULL ? NULL : p->base + at;
}

static void put_cut(struct packer *p, const char **text, size_t most)
{
    const char *z = *text;
    if (z == NULL) {
        return;
    }
    size_t n = strnlen(z, most + 1);
    if (n > most) {
        for (n = most; n > 0 && ((unsigned char)z[n] & 0xc0U) == 0x80; n--) {
        }
    }
    char *copy = reserve(p, n + 1, 1);
    if (copy != NULL) {
        memcpy(copy, z, n);
        copy[n] = '\0';
        *text = copy;
    }
}

static void put(struct packer *p, const char **text)
{
    put_cut(p, text, JOURNAL_TEXT_MAX);
}

static void pack_attempts(struct packer *p, struct journal_step *s)
{
    const struct journal_attempt *from = s->attempts;
    struct journal_attempt *list =
        reserve(p, s->n_attempts * sizeof *list, alignof(struct journal_attempt));
    for (size_t i = 0; i < s->n_attempts; i++) {
        struct journal_attempt a = from[i];
        put(p, &a.code);
        put(p, &a.reason);
        if (list != NULL) {
            list[i] = a;
        }
    }
    s->attempts = list;
}

static void pack_steps(struct packer *p, struct journal_request *r)
{
    const struct journal_step *from = r->steps;
    struct journal_step *list = reserve(p, r->n_steps * sizeof *list, alignof(struct journal_step));
    for (size_t i = 0; i < r->n_steps; i++) {
        struct journal_step s = from[i];
        put(p, &s.hop);
        put(p, &s.kind);
        put(p, &s.account);
        put(p, &s.code);
        put(p, &s.reason);
        pack_attempts(p, &s);
        if (list != NULL) {
            list[i] = s;
        }
    }
    r->steps = list;
}

static void pack_request(struct packer *p, struct journal_request *r)
{
    put(p, &r->origin);
    put(p, &r->story_id);
    put(p, &r->hotkey);
    put(p, &r->peer);
    put(p, &r->task);
    put_cut(p, &r->user_input, JOURNAL_INPUT_MAX);
    put(p, &r->context_hash);
    put(p, &r->message);
    put(p, &r->generator);
    put(p, &r->kind);
    put(p, &r->model);
    put(p, &r->output_hash);
    put(p, &r->title);
    for (size_t i = 0; i < JOURNAL_CONTEXTS; i++) {
        put(p, &r->contexts[i].hash);
        put_cut(p, &r->contexts[i].text, JOURNAL_CONTEXT_MAX);
    }
    put_cut(p, &r->output, JOURNAL_OUTPUT_MAX);
    put_cut(p, &r->model_info, JOURNAL_INPUT_MAX);
    pack_steps(p, r);
}

static void pack_state(struct packer *p, struct journal_state *s)
{
    put(p, &s->name);
    put(p, &s->kind);
    put(p, &s->from);
    put(p, &s->to);
    put(p, &s->reason);
}

struct journal_row *journal_row_request(const struct journal_request *r)
{
    struct packer p = {.used = sizeof(struct journal_row)};
    size_t output = r->output == NULL ? 0 : strlen(r->output);
    struct journal_request given = *r;
    if (output > JOURNAL_OUTPUT_MAX) {
        given.output = NULL;
    }
    for (size_t i = 0; i < JOURNAL_CONTEXTS; i++) {
        const char *text = given.contexts[i].text;
        if (text != NULL && strlen(text) > JOURNAL_CONTEXT_MAX) {
            given.contexts[i].text = NULL;
        }
    }
    struct journal_request measured = given;
    pack_request(&p, &measured);
    struct journal_row *row = sf_alloc(p.used);
    if (row == NULL) {
        return NULL;
    }
    row->bytes = p.used;
    row->output_bytes = r->output == NULL ? -1 : (int64_t)output;
    row->request = given;
    p = (struct packer){.base = (char *)row, .used = sizeof *row};
    pack_request(&p, &row->request);
    return row;
}

struct journal_row *journal_row_state(const struct journal_state *s)
{
    struct packer p = {.used = sizeof(struct journal_row)};
    struct journal_state measured = *s;
    pack_state(&p, &measured);
    struct journal_row *row = sf_alloc(p.used);
    if (row == NULL) {
        return NULL;
    }
    row->bytes = p.used;
    row->kind = JOURNAL_ROW_STATE;
    row->state = *s;
    p = (struct packer){.base = (char *)row, .used = sizeof *row};
    pack_state(&p, &row->state);
    return row;
}

struct journal_row *journal_row_standing(const struct journal_standing *s)
{
    struct packer p = {.used = sizeof(struct journal_row)};
    struct journal_standing measured = *s;
    put(&p, &measured.hotkey);
    struct journal_row *row = sf_alloc(p.used);
    if (row == NULL) {
        return NULL;
    }
    row->bytes = p.used;
    row->kind = JOURNAL_ROW_STANDING;
    row->standing = *s;
    p = (struct packer){.base = (char *)row, .used = sizeof *row};
    put(&p, &row->standing.hotkey);
    return row;
}
