/* SPDX-License-Identifier: MIT */
#include "engine/child/kv.h"

#include <string.h>

void kv_pool_init(struct kv_pool *p, const struct engine_model *m)
{
    memset(p, 0, sizeof *p);
    p->ctx = m->ctx;
    p->n_seqs = m->n_sequences;
    p->cells_total = m->n_ctx - 8;
}

struct kv_seq *kv_new(struct kv_pool *p, struct kv_seq *base, int n_base, int cells)
{
    if (p->cells_used + cells > p->cells_total)
        return NULL;
    int id = 0;
    while (id < p->n_seqs && p->used[id])
        id++;
    if (id == p->n_seqs)
        return NULL;
    struct kv_seq *s = &p->seqs[id];
    *s = (struct kv_seq){.base = base, .id = id, .cells = cells, .refs = 1};
    p->used[id] = true;
    p->cells_used += cells;
    if (base) {
        base->refs++;
        s->n_past = s->from = n_base;
        llama_memory_seq_cp(llama_get_memory(p->ctx), base->id, id, 0, n_base);
    }
    return s;
}

void kv_unref(struct kv_pool *p, struct kv_seq *s)
{
    while (s && --s->refs == 0) {
        struct kv_seq *base = s->base;
        llama_memory_seq_rm(llama_get_memory(p->ctx), s->id, -1, -1);
        p->cells_used -= s->cells;
        p->used[s->id] = false;
        s = base;
    }
}

void kv_cut(struct kv_pool *p, struct kv_seq *s, int n)
{
    if (n < 0 || n >= s->n_past || n < s->from)
        return;
    llama_memory_seq_rm(llama_get_memory(p->ctx), s->id, n, -1);
    s->n_past = n;
}

void kv_trim(struct kv_pool *p, struct kv_seq *s, int keep_free)
{
    int need = s->n_past - s->from + keep_free;
    if (need < s->cells) {
        p->cells_used -= s->cells - need;
        s->cells = need;
    }
}

bool kv_grow(struct kv_pool *p, struct kv_seq *s, int cells_free)
{
    int need = s->n_past - s->from + cells_free;
    if (need <= s->cells)
        return true;
    if (p->cells_used + need - s->cells > p->cells_total)
        return false;
    p->cells_used += need - s->cells;
    s->cells = need;
    return true;
}
