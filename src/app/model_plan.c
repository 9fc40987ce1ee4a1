/* SPDX-License-Identifier: MIT */
#include "app/model_plan.h"

#include <string.h>

#define MIB (INT64_C(1) << 20)
/* What a context takes beside weights and cache: the CUDA runtime's own memory, graphs, logits. An
 * estimate on the safe side; the child says what it really took. */
#define GPU_BUFFERS (400 * MIB)
#define CPU_BUFFERS (200 * MIB)
/* Kept free for whatever else runs there. */
#define GPU_SPARE (128 * MIB)
#define CPU_SPARE (512 * MIB)
#define LEAST_CONTEXT 4096
#define CELLS_PER_SEQUENCE 64
/* The cells are shared by the requests side by side, each of which has the model's context. */
#define REQUESTS_SIDE_BY_SIDE 4
#define LEAST_SEQUENCES 8

/* What a CPU manages: SmolLM2-135M (98 MB) decodes 100 tokens/s on two cores (doc/engine.md's
 * machine), so a core reads about 4.9 GB of weights a second; fewer than 20 tokens/s are no story
 * in 25 s, and memory is not faster for more than eight cores. A rule of thumb. */
#define BYTES_PER_CORE_AND_TOKEN (245 * INT64_C(1000000))
#define CORES_THAT_COUNT 8

static const int64_t gpu_contexts[] = {32768, 24576, 16384, 12288, 8192, 6144, LEAST_CONTEXT};
static const int64_t cpu_contexts[] = {12288, 8192, 6144, LEAST_CONTEXT};

struct plan_wish plan_wish_default(void)
{
    return (struct plan_wish){.device = "auto", .n_gpu_layers = -1};
}

/* ---- sizes ----------------------------------------------------------------------------------- */

struct job {
    const struct plan_model *m;
    const struct plan_wish *wish;
    const struct plan_device *devices;
    size_t n;
    struct plan *out;
};

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* What the model may take on a device. */
static int64_t usable(const struct job *j, const struct plan_device *d)
{
    int64_t v = d->free_bytes - (d->gpu ? GPU_SPARE : CPU_SPARE);
    if (j->wish->max_memory_bytes > 0) {
        v = least(v, j->wish->max_memory_bytes);
    }
    return v > 0 ? v : 0;
}

static int64_t kv_bytes(const struct job *j, int64_t tokens, bool q8)
{
    int64_t bytes = j->m->kv_bytes_per_token * tokens;
    return q8 ? bytes / 32 * 17 : bytes; /* 34 bytes for 32 values of 16 bits */
}

static int64_t needs(const struct job *j, int64_t tokens, bool q8, bool gpu)
{
    return j->m->file_bytes + kv_bytes(j, tokens, q8) + (gpu ? GPU_BUFFERS : CPU_BUFFERS);
}

/* The i-th context to try, the largest first; 0 behind the last. */
static int64_t context_at(const struct job *j, bool gpu, size_t i)
{
    const int64_t *list = gpu ? gpu_contexts : cpu_contexts;
    size_t n = gpu ? sizeof gpu_contexts / sizeof *list : sizeof cpu_contexts / sizeof *list;
    if (j->wish->context_tokens > 0) {
        return i == 0 ? j->wish->context_tokens : 0;
    }
    if (i >= n) {
        return 0;
    }
    return j->m->context_max > 0 ? least(list[i], j->m->context_max * REQUESTS_SIDE_BY_SIDE)
                                 : list[i];
}

static int64_t sequences_for(const struct job *j, int64_t tokens, bool gpu)
{
    int64_t most = j->wish->sequences > 0 ? j->wish->sequences : gpu ? 256 : 160;
    int64_t v = least(most, tokens / CELLS_PER_SEQUENCE);
    return v < LEAST_SEQUENCES ? LEAST_SEQUENCES : v;
}

/* The largest context with which the whole model fits into so many bytes; 0 none. */
static int64_t largest_context(const struct job *j, int64_t room, bool q8, bool gpu)
{
    int64_t tokens;
    for (size_t i = 0; (tokens = context_at(j, gpu, i)) > 0; i++) {
        if (needs(j, tokens, q8, gpu) <= room) {
            return tokens;
        }
    }
    return 0;
}

static int64_t layer_bytes(const struct job *j, int64_t tokens, bool q8)
{
    int64_t blocks = j->m->block_bytes > 0 ? j->m->block_bytes : j->m->file_bytes / 10 * 9;
    return (blocks + kv_bytes(j, tokens, q8)) / (j->m->layers > 0 ? j->m->layers : 1) + 1;
}

static int64_t other_bytes(const struct job *j)
{
    return j->m->block_bytes > 0 ? j->m->file_bytes - j->m->block_bytes : j->m->file_bytes / 10;
}

/* ---- which devices --------------------------------------------------------------------------- */

/* "cuda:1" → 1; -1: any. */
static int64_t wanted_gpu(const char *device)
{
    uint64_t v = 0;
    struct sf_str d = sf_str(device);
    if (sf_str_is(d, "cuda")) {
        return 0; /* the first, as the engine takes it */
    }
    bool numbered =
        sf_str_has_prefix(d, "cuda:") && sf_scan_u64((struct sf_str){d.p + 5, d.n - 5}, 255, &v);
    return numbered ? (int64_t)v : -1;
}

static size_t list_gpus(const struct job *j, size_t gpus[static PLAN_MAX_DEVICES])
{
    size_t n = 0;
    int64_t seen = 0, wanted = wanted_gpu(j->wish->device);
    if (strcmp(j->wish->device, "cpu") == 0 || j->wish->n_gpu_layers == 0) {
        return 0;
    }
    for (size_t i = 0; i < j->n && n < PLAN_MAX_DEVICES; i++) {
        if (j->devices[i].gpu && (wanted < 0 || seen++ == wanted)) {
            gpus[n++] = i;
        }
    }
    return n;
}

static const struct plan_device *memory_of(const struct job *j, size_t *index)
{
    for (size_t i = 0; i < j->n; i++) {
        if (!j->devices[i].gpu) {
            *index = i;
            return &j->devices[i];
        }
    }
    return NULL;
}

/* ---- plans, the best first ------------------------------------------------------------------- */

static void set_sizes(struct plan *p, const struct job *j, int64_t tokens, int64_t buffers)
{
    p->context_tokens = tokens;
    p->weight_bytes = j->m->file_bytes;
    p->kv_bytes = kv_bytes(j, tokens, p->kv_q8);
    p->buffer_bytes = buffers;
    p->needs_bytes = p->weight_bytes + p->kv_bytes + buffers;
}

/* Whether keys and values may have so many bits. */
static bool may_have(const struct job *j, bool q8)
{
    return q8 ? j->wish->kv != PLAN_KV_16 : j->wish->kv != PLAN_KV_8;
}

static bool on_each_gpu(const struct job *j, const size_t *gpus, size_t n, bool q8)
{
    struct plan *p = j->out;
    p->n_parts = 0;
    if (!may_have(j, q8) || (j->wish->n_gpu_layers >= 0 && j->wish->n_gpu_layers < j->m->layers)) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        int64_t room = usable(j, &j->devices[gpus[i]]);
        int64_t tokens = largest_context(j, room, q8, true);
        if (tokens > 0) {
            p->parts[p->n_parts++] =
                (struct plan_part){.device = gpus[i],
                                   .layers = j->m->layers,
                                   .needs_bytes = needs(j, tokens, q8, true),
                                   .usable_bytes = room,
                                   .context_tokens = tokens,
                                   .sequences = sequences_for(j, tokens, true)};
        }
    }
    if (p->n_parts == 0) {
        return false;
    }
    p->kind = PLAN_GPU;
    p->kv_q8 = q8;
    p->gpu_layers = j->m->layers;
    p->sequences = p->parts[0].sequences;
    set_sizes(p, j, p->parts[0].context_tokens, GPU_BUFFERS);
    return true;
}

/* Layers that each GPU can take at this context; the sum. The last one has the output matrix too.
 */
static int64_t capacities(const struct job *j, const size_t *gpus, size_t n, int64_t tokens,
                          bool q8)
{
    int64_t sum = 0, one = layer_bytes(j, tokens, q8);
    for (size_t i = 0; i < n; i++) {
        int64_t room = usable(j, &j->devices[gpus[i]]) - GPU_BUFFERS;
        room -= i + 1 == n ? other_bytes(j) : 0;
        int64_t layers = room > 0 ? least(room / one, j->m->layers) : 0;
        j->out->parts[i] = (struct plan_part){.device = gpus[i], .layers = layers};
        sum += layers;
    }
    return sum;
}

/* From what each can take to what each gets: in proportion, `layers` in all. */
static void share_out(const struct job *j, size_t n, int64_t sum, int64_t layers)
{
    struct plan_part *parts = j->out->parts;
    int64_t left = layers, most[PLAN_MAX_DEVICES] = {0};
    for (size_t i = 0; i < n; i++) {
        most[i] = parts[i].layers;
        parts[i].layers = sum > 0 ? most[i] * layers / sum : 0;
        left -= parts[i].layers;
    }
    for (size_t i = 0; left > 0; i = i + 1 < n ? i + 1 : 0) {
        if (parts[i].layers < most[i]) {
            parts[i].layers++;
            left--;
        }
    }
}

static void size_parts(const struct job *j, size_t n, int64_t tokens, bool q8)
{
    struct plan *p = j->out;
    p->n_parts = n;
    p->kv_q8 = q8;
    p->sequences = sequences_for(j, tokens, true);
    for (size_t i = 0; i < n; i++) {
        struct plan_part *part = &p->parts[i];
        part->usable_bytes = usable(j, &j->devices[part->device]);
        part->needs_bytes = part->layers * layer_bytes(j, tokens, q8) + GPU_BUFFERS +
                            (i + 1 == n ? other_bytes(j) : 0);
        part->context_tokens = tokens;
        part->sequences = p->sequences;
    }
}

static bool over_gpus(const struct job *j, const size_t *gpus, size_t n, bool q8)
{
    int64_t tokens;
    bool all =
        (j->wish->n_gpu_layers < 0 || j->wish->n_gpu_layers >= j->m->layers) && may_have(j, q8);
    for (size_t i = 0; n > 1 && all && (tokens = context_at(j, true, i)) > 0; i++) {
        int64_t sum = capacities(j, gpus, n, tokens, q8);
        if (sum >= j->m->layers && j->m->layers > 0) {
            share_out(j, n, sum, j->m->layers);
            size_parts(j, n, tokens, q8);
            j->out->kind = PLAN_SPLIT;
            j->out->gpu_layers = j->m->layers;
            set_sizes(j->out, j, tokens, GPU_BUFFERS * (int64_t)n);
            return true;
        }
    }
    return false;
}

/* Some layers on the GPUs, the others in memory. */
static bool partly(const struct job *j, const size_t *gpus, size_t n)
{
    size_t at = 0;
    bool q8 = j->wish->kv == PLAN_KV_8;
    struct plan *p = j->out;
    const struct plan_device *memory = memory_of(j, &at);
    int64_t tokens = context_at(j, true, 0);
    if (j->wish->context_tokens == 0) {
        tokens = least(tokens, 8192);
    }
    int64_t sum = n == 0 ? 0 : capacities(j, gpus, n, tokens, q8);
    int64_t layers = j->wish->n_gpu_layers > 0 ? j->wish->n_gpu_layers : sum;
    layers = least(layers, j->m->layers);
    if (n == 0 || n == PLAN_MAX_DEVICES || layers < 1 || layers > sum || memory == NULL) {
        return false;
    }
    int64_t rest =
        (j->m->layers - layers) * layer_bytes(j, tokens, q8) + other_bytes(j) + CPU_BUFFERS;
    if (rest > usable(j, memory)) {
        return false;
    }
    share_out(j, n, sum, layers);
    size_parts(j, n, tokens, q8);
    p->parts[p->n_parts++] = (struct plan_part){.device = at,
                                                .layers = j->m->layers - layers,
                                                .needs_bytes = rest,
                                                .usable_bytes = usable(j, memory),
                                                .context_tokens = tokens,
                                                .sequences = p->sequences};
    p->kind = PLAN_PARTIAL;
    p->gpu_layers = layers;
    set_sizes(p, j, tokens, GPU_BUFFERS * (int64_t)n + CPU_BUFFERS);
    return true;
}

static bool in_memory(const struct job *j, bool q8)
{
    size_t at = 0;
    struct plan *p = j->out;
    const struct plan_device *memory = memory_of(j, &at);
    int64_t room = memory == NULL ? 0 : usable(j, memory);
    int64_t tokens = largest_context(j, room, q8, false);
    if (!may_have(j, q8) || tokens == 0 || j->wish->n_gpu_layers > 0) {
        return false;
    }
    p->kind = PLAN_CPU;
    p->kv_q8 = q8;
    p->n_parts = 1;
    p->gpu_layers = 0;
    p->sequences = sequences_for(j, tokens, false);
    p->parts[0] = (struct plan_part){.device = at,
                                     .layers = j->m->layers,
                                     .needs_bytes = needs(j, tokens, q8, false),
                                     .usable_bytes = room,
                                     .context_tokens = tokens,
                                     .sequences = p->sequences};
    set_sizes(p, j, tokens, CPU_BUFFERS);
    return true;
}

/* ---- in words -------------------------------------------------------------------------------- */

/* With a decimal more than machine_size: a gigabyte is what it is all about here. */
#define SIZE_MAX_TEXT 32
static const char *gb(int64_t bytes, char out[static SIZE_MAX_TEXT])
{
    (void)snprintf(out, SIZE_MAX_TEXT, "%.*f GB", bytes < 995000000 ? 2 : 1, (double)bytes / 1e9);
    return out;
}

static void say_where(const struct job *j, struct sf_buf *b)
{
    char needed[SIZE_MAX_TEXT], room[SIZE_MAX_TEXT];
    const struct plan *p = j->out;
    for (size_t i = 0; i < p->n_parts; i++) {
        const struct plan_part *part = &p->parts[i];
        sf_buf_printf(b, "%s%.40s (", i > 0 ? ", " : "", j->devices[part->device].name);
        if (p->kind == PLAN_SPLIT || p->kind == PLAN_PARTIAL) {
            sf_buf_printf(b, "%lld layers, ", (long long)part->layers);
        }
        sf_buf_printf(b, "%s of %s)", gb(part->needs_bytes, needed), gb(part->usable_bytes, room));
    }
    sf_buf_printf(b, "; %lld tokens, %lld sequences%s", (long long)p->context_tokens,
                  (long long)p->sequences, p->kv_q8 ? ", keys and values in 8 bits" : "");
}

static void say_why_not(const struct job *j, const size_t *gpus, size_t n, struct sf_buf *b)
{
    char whole[SIZE_MAX_TEXT], weights[SIZE_MAX_TEXT], cache[SIZE_MAX_TEXT];
    char best[SIZE_MAX_TEXT], ram[SIZE_MAX_TEXT];
    int64_t tokens = j->wish->context_tokens > 0 ? j->wish->context_tokens : LEAST_CONTEXT;
    int64_t most = 0;
    size_t at = 0;
    const struct plan_device *memory = memory_of(j, &at);
    for (size_t i = 0; i < n; i++) {
        int64_t room = usable(j, &j->devices[gpus[i]]);
        most = room > most ? room : most;
    }
    sf_buf_printf(b, "needs %s: %s of weights, %s of keys and values at %lld tokens, buffers",
                  gb(needs(j, tokens, false, n > 0), whole), gb(j->m->file_bytes, weights),
                  gb(kv_bytes(j, tokens, false), cache), (long long)tokens);
    if (n > 0) {
        sf_buf_printf(b, "; the largest GPU has room for %s", gb(most, best));
    } else if (strncmp(j->wish->device, "cuda", 4) == 0) {
        sf_buf_puts(b, "; no such GPU is seen");
    }
    sf_buf_printf(b, "; memory has room for %s", gb(memory == NULL ? 0 : usable(j, memory), ram));
    if (j->wish->max_memory_bytes > 0) {
        sf_buf_puts(b, " (max_memory is a ceiling on both)");
    }
}

static void put_text(const struct job *j, const size_t *gpus, size_t n)
{
    static const char *const heads[] = {[PLAN_NONE] = "does not fit: ",
                                        [PLAN_CPU] = "CPU: ",
                                        [PLAN_GPU] = "GPU: ",
                                        [PLAN_SPLIT] = "layers split over GPUs: ",
                                        [PLAN_PARTIAL] = "partly on GPU, slow: "};
    struct sf_buf b;
    sf_buf_init(&b, 4096);
    sf_buf_puts(&b, heads[j->out->kind]);
    if (j->out->kind == PLAN_GPU && j->out->n_parts > 1) {
        sf_buf_printf(&b, "%zu copies: ", j->out->n_parts);
    }
    if (j->out->kind == PLAN_NONE) {
        say_why_not(j, gpus, n, &b);
    } else {
        say_where(j, &b);
    }
    (void)snprintf(j->out->text, sizeof j->out->text, "%.399s", sf_buf_z(&b));
    sf_buf_fini(&b);
}

void plan_make(const struct plan_model *m, const struct plan_wish *wish,
               const struct plan_device *devices, size_t n, struct plan *out)
{
    struct job j = {m, wish, devices, n < PLAN_MAX_DEVICES ? n : PLAN_MAX_DEVICES, out};
    size_t gpus[PLAN_MAX_DEVICES] = {0};
    *out = (struct plan){.kind = PLAN_NONE};
    size_t n_gpus = list_gpus(&j, gpus);
    bool must_be_gpu = strncmp(wish->device, "cuda", 4) == 0 && wish->n_gpu_layers != 0;
    bool made = on_each_gpu(&j, gpus, n_gpus, false) || on_each_gpu(&j, gpus, n_gpus, true) ||
                over_gpus(&j, gpus, n_gpus, false) || over_gpus(&j, gpus, n_gpus, true) ||
                partly(&j, gpus, n_gpus) ||
                (!must_be_gpu && (in_memory(&j, false) || in_memory(&j, true)));
    if (!made) {
        *out = (struct plan){.kind = PLAN_NONE};
    }
    put_text(&j, gpus, n_gpus);
}

bool plan_is_quick(const struct plan *p, int64_t active_bytes, int cpus)
{
    int64_t cores = cpus < CORES_THAT_COUNT ? cpus : CORES_THAT_COUNT;
    return p->kind == PLAN_GPU || p->kind == PLAN_SPLIT ||
           (p->kind == PLAN_CPU && active_bytes <= cores * BYTES_PER_CORE_AND_TOKEN);
}
