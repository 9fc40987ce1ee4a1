/* SPDX-License-Identifier: MIT */
#include "app/model_sizes.h"

#include "app/gguf_head.h"
#include "app/model_ladder.h"
#include "app/model_pick.h"
#include "app/model_store.h"
#include "base/mem.h"
#include "generator/machine.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the model ------------------------------------------------------------------------------- */

int64_t model_bytes(const char *path)
{
    unsigned no = 0, count = 0;
    size_t stem = 0;
    char part[MODEL_PATH_MAX + 300];
    struct stat st;
    const char *base = model_base_name(path);
    if (!model_split_name(base, &no, &count, &stem)) {
        return stat(path, &st) == 0 ? st.st_size : 0;
    }
    int64_t sum = 0;
    for (unsigned i = 1; i <= count; i++) {
        (void)snprintf(part, sizeof part, "%.*s%.*s-%05u-of-%05u.gguf", (int)(base - path), path,
                       (int)stem, base, i, count);
        sum += stat(part, &st) == 0 ? st.st_size : 0;
    }
    return sum;
}

void model_plan_of_head(const struct gguf_head *h, const char *path, struct plan_model *out)
{
    *out = (struct plan_model){.file_bytes = model_bytes(path),
                               .block_bytes = h->split_count > 1 ? 0 : h->block_bytes,
                               .layers = h->layers,
                               .kv_bytes_per_token = gguf_head_kv_bytes(h),
                               .context_max = h->context_tokens};
}

/* ---- which GPUs the libraries can use -------------------------------------------------------- */

static bool has_gpu_library(const char *lib_dir)
{
    static const char *const names[] = {"libggml-cuda.so", "libggml-vulkan.so", "libggml-hip.so"};
    char path[1100];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        (void)snprintf(path, sizeof path, "%.1000s/%s", lib_dir, names[i]);
        if (access(path, R_OK) == 0) {
            return true;
        }
    }
    return false;
}

static void usable_devices(const struct model_devices *d, const char *lib_dir,
                           struct model_devices *out, char note[static 240])
{
    bool can = has_gpu_library(lib_dir);
    out->n = 0;
    for (size_t i = 0; i < d->n; i++) {
        if (!d->v[i].gpu || can) {
            out->v[out->n++] = d->v[i];
        } else {
            (void)snprintf(note, 240,
                           "%.50s is not used: no libggml-cuda.so or libggml-vulkan.so in %.80s: "
                           "make setup BACKEND=cuda (or vulkan)",
                           d->v[i].name, lib_dir);
        }
    }
    if (note[0] == '\0' && d->problem[0] != '\0') {
        (void)snprintf(note, 240, "%.230s", d->problem);
    }
}

/* ---- from plans to sizes --------------------------------------------------------------------- */

/* The number of a device among the GPUs: how the engine counts them. */
static size_t gpu_number(const struct model_devices *d, size_t device)
{
    size_t no = 0;
    for (size_t i = 0; i < device && i < d->n; i++) {
        no += d->v[i].gpu;
    }
    return no;
}

static void put_split(const struct plan *p, const struct model_devices *d, struct engine_size *out)
{
    size_t n = 0, last = 0;
    for (size_t i = 0; i < p->n_parts; i++) {
        size_t no = gpu_number(d, p->parts[i].device);
        if (d->v[p->parts[i].device].gpu && no < ENGINE_GPUS_MAX) {
            out->split[no] = p->parts[i].layers;
            last = no;
            n++;
        }
    }
    if (n == 1) { /* one GPU: named, not weighed */
        memset(out->split, 0, sizeof out->split);
        (void)snprintf(out->device, sizeof out->device, "cuda:%u", (unsigned)last % 100U);
    }
}

static void size_of(const struct plan *p, const struct model_devices *d, struct engine_size *out)
{
    *out = (struct engine_size){.device = "auto",
                                .n_gpu_layers = -1,
                                .context_tokens = p->parts[0].context_tokens,
                                .sequences = p->parts[0].sequences,
                                .kv_q8 = p->kv_q8,
                                .needs_bytes = p->needs_bytes};
    (void)snprintf(out->text, sizeof out->text, "%s", p->text);
    switch (p->kind) {
    case PLAN_NONE:
    case PLAN_CPU:
        (void)snprintf(out->device, sizeof out->device, "cpu");
        out->n_gpu_layers = 0;
        break;
    case PLAN_GPU:
        (void)snprintf(out->device, sizeof out->device, "cuda:%u",
                       (unsigned)gpu_number(d, p->parts[0].device) % 100U);
        break;
    case PLAN_SPLIT:
        put_split(p, d, out);
        break;
    case PLAN_PARTIAL:
        put_split(p, d, out);
        out->n_gpu_layers = p->gpu_layers;
        break;
    }
}

struct job {
    const struct plan_model *model;
    const struct model_devices *devices;
    struct plan *ladder;
    struct model_sizes *out;
};

static void add_copy(struct job *j, const struct plan_wish *wish)
{
    struct model_sizes *o = j->out;
    struct engine_size *at = &o->v[o->n_copies * PLAN_LADDER_MAX];
    size_t n = plan_ladder(j->model, wish, j->devices->v, j->devices->n, j->ladder);
    for (size_t i = 0; i < n; i++) {
        size_of(&j->ladder[i], j->devices, &at[i]);
    }
    if (n > 0) {
        o->copies[o->n_copies++] = (struct local_copy){at, n};
    }
}

/* A copy on each GPU that holds one; only the first goes on to the CPU when nothing is left. */
static void add_copies(struct job *j, const struct plan_wish *wish, const struct plan *first)
{
    add_copy(j, wish);
    for (size_t i = 1; first->kind == PLAN_GPU && i < first->n_parts && i < ENGINE_GPUS_MAX; i++) {
        char device[16];
        struct plan_wish one = *wish;
        (void)snprintf(device, sizeof device, "cuda:%u",
                       (unsigned)gpu_number(j->devices, first->parts[i].device) % 100U);
        one.device = device;
        add_copy(j, &one);
    }
}

/* Nothing is known but the file's size. */
static void by_the_engine(const struct conf_local *l, const char *path, struct model_sizes *out)
{
    char have[MACHINE_SIZE_MAX], most[MACHINE_SIZE_MAX];
    int64_t bytes = model_bytes(path);
    if (l->max_memory_bytes > 0 && bytes > l->max_memory_bytes) {
        (void)snprintf(out->text, sizeof out->text,
                       "does not fit: the file takes %s, generator.local.max_memory is %s",
                       machine_size(bytes, have), machine_size(l->max_memory_bytes, most));
        return;
    }
    struct engine_size *one = &out->v[0];
    *one = (struct engine_size){.n_gpu_layers = l->n_gpu_layers,
                                .context_tokens = l->context_tokens,
                                .sequences = l->sequences};
    (void)snprintf(one->device, sizeof one->device, "%.15s", l->device);
    (void)snprintf(one->text, sizeof one->text, "none: the engine decides");
    (void)snprintf(out->text, sizeof out->text, "%s", one->text);
    out->copies[0] = (struct local_copy){one, 1};
    out->n_copies = 1;
    out->fits = true;
}

static bool memory_is_known(const struct model_devices *d)
{
    for (size_t i = 0; i < d->n; i++) {
        if (!d->v[i].gpu) {
            return d->v[i].total_bytes > 0;
        }
    }
    return false;
}

enum sf_err model_sizes_make(const struct conf *conf, const struct model_place *place,
                             const struct model_devices *devices, struct model_sizes *out)
{
    struct gguf_head head;
    struct plan_model model;
    struct model_devices usable = {.n = 0};
    struct sf_errbuf eb = {.code = SF_OK};
    const struct conf_local *l = &conf->generator.local;
    *out = (struct model_sizes){.n_copies = 0};
    out->v = sf_alloc((size_t)ENGINE_GPUS_MAX * PLAN_LADDER_MAX * sizeof *out->v);
    struct plan *ladder = sf_alloc(PLAN_LADDER_MAX * sizeof *ladder);
    if (out->v == NULL || ladder == NULL) {
        free(ladder);
        return SF_ENOMEM;
    }
    usable_devices(devices, place->lib_dir, &usable, out->note);
    if (gguf_head_read(place->path, &head, &eb) != SF_OK || head.layers == 0 ||
        !memory_is_known(devices)) {
        by_the_engine(l, place->path, out);
        free(ladder);
        return SF_OK;
    }
    model_plan_of_head(&head, place->path, &model);
    struct plan_wish wish = model_wish(l);
    plan_make(&model, &wish, usable.v, usable.n, &ladder[0]);
    const struct plan first = ladder[0];
    struct job j = {&model, &usable, ladder, out};
    (void)snprintf(out->text, sizeof out->text, "%s", first.text);
    out->fits = first.kind != PLAN_NONE;
    if (out->fits) {
        add_copies(&j, &wish, &first);
    }
    free(ladder);
    return SF_OK;
}

void model_sizes_fini(struct model_sizes *s)
{
    free(s->v);
    s->v = NULL;
}
