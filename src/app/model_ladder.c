/* SPDX-License-Identifier: MIT */
#include "app/model_ladder.h"

#include <string.h>

#define LEAST_CONTEXT 4096
#define LEAST_SEQUENCES 8

struct ladder {
    const struct plan_model *m;
    const struct plan_device *devices;
    size_t n_devices;
    struct plan *rungs;
    size_t n;
};

static bool is_smaller(const struct plan *p, const struct plan *than)
{
    return p->kind != than->kind || p->needs_bytes < than->needs_bytes ||
           p->sequences < than->sequences || p->gpu_layers < than->gpu_layers;
}

static void add(struct ladder *l, const struct plan_wish *wish)
{
    struct plan p = {.kind = PLAN_NONE};
    if (l->n == PLAN_LADDER_MAX) {
        return;
    }
    plan_make(l->m, wish, l->devices, l->n_devices, &p);
    if (p.kind != PLAN_NONE && (l->n == 0 || is_smaller(&p, &l->rungs[l->n - 1]))) {
        l->rungs[l->n++] = p;
    }
}

/* On the device of the first plan: fewer sequences, 8 bits, smaller contexts. `w` follows. */
static void shrink(struct ladder *l, const struct plan_wish *owner, struct plan_wish *w)
{
    const struct plan first = l->rungs[l->n - 1];
    w->context_tokens = first.context_tokens;
    w->sequences = first.sequences;
    w->kv = first.kv_q8 ? PLAN_KV_8 : owner->kv;
    if (owner->sequences == 0 && w->sequences > LEAST_SEQUENCES) {
        w->sequences /= 2;
        add(l, w);
    }
    if (owner->kv == PLAN_KV_AUTO) {
        w->kv = PLAN_KV_8;
        add(l, w);
    }
    while (owner->context_tokens == 0 && w->context_tokens > LEAST_CONTEXT) {
        int64_t half = w->context_tokens / 2;
        w->context_tokens = half > LEAST_CONTEXT ? half : LEAST_CONTEXT;
        add(l, w);
    }
}

/* More and more of the layers in the machine's memory. */
static void lighten(struct ladder *l, struct plan_wish *w)
{
    int64_t layers = l->rungs[0].gpu_layers;
    for (int64_t quarters = 3; quarters > 0; quarters--) {
        w->n_gpu_layers = layers * quarters / 4;
        if (w->n_gpu_layers > 0) {
            add(l, w);
        }
    }
}

size_t plan_ladder(const struct plan_model *m, const struct plan_wish *wish,
                   const struct plan_device *devices, size_t n,
                   struct plan out[static PLAN_LADDER_MAX])
{
    struct ladder l = {m, devices, n, out, 0};
    struct plan_wish w = *wish;
    add(&l, &w);
    if (l.n == 0) {
        plan_make(m, wish, devices, n, &out[0]);
        return 0;
    }
    bool on_gpu = out[0].kind != PLAN_CPU;
    shrink(&l, wish, &w);
    if (on_gpu && wish->n_gpu_layers < 0) {
        lighten(&l, &w);
    }
    if (on_gpu && wish->n_gpu_layers < 0 && strncmp(wish->device, "cuda", 4) != 0) {
        w = *wish;
        w.device = "cpu";
        size_t before = l.n;
        add(&l, &w);
        if (l.n > before) {
            shrink(&l, wish, &w);
        }
    }
    return l.n;
}
