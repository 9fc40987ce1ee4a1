/* SPDX-License-Identifier: MIT */
#include "app/model_pick.h"

#include <string.h>

#define GOOD_CONTEXT 8192

struct plan_wish model_wish(const struct conf_local *l)
{
    return (struct plan_wish){.device = l->device,
                              .max_memory_bytes = l->max_memory_bytes,
                              .n_gpu_layers = l->n_gpu_layers,
                              .context_tokens = l->context_tokens,
                              .sequences = l->sequences,
                              .kv = l->use_flash_attention == 0 ? PLAN_KV_16 : PLAN_KV_AUTO};
}

static void try_type(const struct model_entry *e, const char *quant, const struct plan_wish *wish,
                     const struct model_machine *m, struct model_pick *out)
{
    *out = (struct model_pick){.entry = e, .quant = quant};
    out->bytes = model_entry_bytes(e, quant, &out->exact);
    if (out->bytes == 0) {
        return;
    }
    struct plan_model model = {.file_bytes = out->bytes,
                               .layers = e->layers,
                               .kv_bytes_per_token = model_entry_kv_bytes(e),
                               .context_max = e->context_tokens};
    plan_make(&model, wish, m->devices, m->n, &out->plan);
    double share =
        e->active_parameters > 0 && e->parameters > 0 ? e->active_parameters / e->parameters : 1;
    out->quick = plan_is_quick(&out->plan, (int64_t)((double)out->bytes * share), m->cpus);
}

static int rank(const struct model_pick *p)
{
    return p->quick ? 3 : p->plan.kind != PLAN_NONE ? 2 : p->bytes > 0 ? 1 : 0;
}

void model_pick_type(const struct model_entry *e, const char *quantization,
                     const struct plan_wish *wish, const struct model_machine *m,
                     struct model_pick *out)
{
    const char *one[] = {quantization, NULL};
    const char *const *types = model_quant_types(quantization);
    bool listed = types != NULL;
    *out = (struct model_pick){.entry = e, .quant = ""};
    for (types = listed ? types : one; *types != NULL; types++) {
        struct model_pick p;
        if (listed && model_entry_file(e, *types) == NULL) {
            continue; /* of the words, only files that the catalogue knows */
        }
        try_type(e, *types, wish, m, &p);
        if (rank(&p) > rank(out)) {
            *out = p;
        }
    }
    if (out->bytes == 0 && listed && e->repo[0] != '\0') { /* by an estimate then */
        try_type(e, model_quant_types(quantization)[0], wish, m, out);
    } else if (out->bytes == 0 && e->n_files > 0) { /* a model that exists in one type alone */
        try_type(e, e->files[0].quant, wish, m, out);
    }
}

/* Quick, and with room for more than one short request. */
static bool is_good(const struct model_pick *p)
{
    int64_t enough = p->entry->context_tokens > 0 && p->entry->context_tokens < GOOD_CONTEXT
                         ? p->entry->context_tokens
                         : GOOD_CONTEXT;
    return p->quick && p->plan.context_tokens >= enough;
}

bool model_pick_best(const struct model_catalogue *c, const char *quantization,
                     const struct plan_wish *wish, const struct model_machine *m,
                     const struct model_filter *filter, struct model_pick *out)
{
    bool found = false, best_is_good = false;
    for (size_t i = 0; i < c->n; i++) {
        const struct model_entry *e = &c->v[i];
        struct model_pick p;
        if (!e->instruct || (filter != NULL && !filter->takes(filter->arg, e))) {
            continue;
        }
        model_pick_type(e, quantization, wish, m, &p);
        bool good = is_good(&p);
        bool better = !found || (good && !best_is_good) ||
                      (good && e->quality > out->entry->quality) ||
                      (!good && !best_is_good && p.bytes < out->bytes);
        if (p.bytes > 0 && better) {
            *out = p;
            found = true;
            best_is_good = good;
        }
    }
    return found;
}
