/* SPDX-License-Identifier: MIT */
#ifndef SF_ENGINE_CHILD_KV_H
#define SF_ENGINE_CHILD_KV_H

#include "engine/child/model.h"

/* Sequences of the unified cache and the cells they may fill. A fork shares its base's cells and
 * keeps the base alive. Scheduler's thread only. */
struct kv_seq {
    struct kv_seq *base; /* whose cells come first; NULL: none */
    llama_seq_id id;
    int n_past; /* positions filled, the base's included */
    int from;   /* where this one's own cells begin */
    int cells;  /* promised to it: its own cells never exceed this */
    int refs;
};

struct kv_pool {
    struct llama_context *ctx;
    struct kv_seq seqs[MODEL_MAX_SEQUENCES];
    bool used[MODEL_MAX_SEQUENCES];
    int n_seqs;      /* ids 0..n_seqs-1 */
    int cells_total; /* of the cache */
    int cells_used;  /* promised */
};

void kv_pool_init(struct kv_pool *p, const struct engine_model *m);

/* A sequence of its own (base NULL) or behind the first `n_base` positions of `base`, with `cells`
 * promised. NULL when ids or cells do not suffice: nothing changed. refs is 1. */
struct kv_seq *kv_new(struct kv_pool *p, struct kv_seq *base, int n_base, int cells);
void kv_unref(struct kv_pool *p, struct kv_seq *s); /* frees its cells with the last reference */
/* Forgets what stands behind position `n` (< 0: nothing), never the base's cells. */
void kv_cut(struct kv_pool *p, struct kv_seq *s, int n);
/* Gives back the promise of what a sequence did not and will not fill. */
void kv_trim(struct kv_pool *p, struct kv_seq *s, int keep_free);
/* Promises more cells; false when there are none. */
bool kv_grow(struct kv_pool *p, struct kv_seq *s, int cells_free);

#endif
