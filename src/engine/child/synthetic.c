/* SPDX-License-Identifier: MIT */
#include "engine/child/synthetic.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"

#include <ggml-backend.h>
#include <ggml.h>
#include <gguf.h>
#include <stdio.h>
#include <string.h>

#define PREFIX "synthetic:"
#define POOL_ROWS 16 /* of random weights, repeated over a whole tensor */

/* The shapes, as their makers' config.json tell them. */
static const struct shape {
    const char *name, *architecture;
    uint32_t layers, width, inner, heads, kv_heads, vocabulary, context;
    uint32_t experts, experts_used;
    float rope_base;
    bool biased; /* queries, keys and values have a bias */
} shapes[] = {
    {"llama-3.1-8b", "llama", 32, 4096, 14336, 32, 8, 128256, 131072, 0, 0, 500000, false},
    {"llama-3.1-70b", "llama", 80, 8192, 28672, 64, 8, 128256, 131072, 0, 0, 500000, false},
    {"mixtral-8x7b", "llama", 32, 4096, 14336, 32, 8, 32000, 32768, 8, 2, 1000000, false},
    {"qwen2.5-7b", "qwen2", 28, 3584, 18944, 28, 4, 152064, 32768, 0, 0, 1000000, true},
};

bool synthetic_is(const char *path)
{
    return sf_str_has_prefix(sf_str(path), PREFIX);
}

static enum sf_err fail_shape(struct sf_str name, struct sf_errbuf *eb)
{
    struct sf_buf names;
    sf_buf_init(&names, 512);
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        sf_buf_printf(&names, "%s%s", i == 0 ? "" : ", ", shapes[i].name);
    enum sf_err err = sf_fail(eb, SF_EMODEL, "no shape \"%.*s\": there are %s", SF_STR_ARG(name),
                              sf_buf_z(&names));
    sf_buf_fini(&names);
    return err;
}

static enum sf_err find_shape(const char *path, struct shape *out, const char **donor,
                              struct sf_errbuf *eb)
{
    struct sf_str rest = sf_str(path + sizeof PREFIX - 1), name;
    size_t at = sf_str_find(rest, SF_STR("@"));
    uint64_t layers = 0;
    *donor = at < rest.n ? rest.p + at + 1 : "";
    rest.n = at;
    at = sf_str_find(rest, SF_STR(":"));
    name = (struct sf_str){rest.p, at};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        if (!sf_str_is(name, shapes[i].name))
            continue;
        *out = shapes[i];
        if (at == rest.n)
            return SF_OK;
        struct sf_str number = {rest.p + at + 1, rest.n - at - 1};
        if (!sf_scan_u64(number, out->layers, &layers) || layers == 0)
            return sf_fail(eb, SF_EMODEL, "%s has 1 to %u layers", out->name, out->layers);
        out->layers = (uint32_t)layers;
        return SF_OK;
    }
    return fail_shape(name, eb);
}

/* ---- metadata -------------------------------------------------------------------------------- */

static void set_u32(struct gguf_context *g, const struct shape *s, const char *key, uint32_t value)
{
    char name[96];
    snprintf(name, sizeof name, "%s.%s", s->architecture, key);
    gguf_set_val_u32(g, name, value);
}

static void set_shape(struct gguf_context *g, const struct shape *s)
{
    char name[96];
    snprintf(name, sizeof name, "synthetic %s", s->name);
    gguf_set_val_str(g, "general.name", name);
    gguf_set_val_str(g, "general.architecture", s->architecture);
    set_u32(g, s, "block_count", s->layers);
    set_u32(g, s, "context_length", s->context);
    set_u32(g, s, "embedding_length", s->width);
    set_u32(g, s, "feed_forward_length", s->inner);
    set_u32(g, s, "attention.head_count", s->heads);
    set_u32(g, s, "attention.head_count_kv", s->kv_heads);
    set_u32(g, s, "rope.dimension_count", s->width / s->heads);
    set_u32(g, s, "vocab_size", s->vocabulary);
    if (s->experts > 0) {
        set_u32(g, s, "expert_count", s->experts);
        set_u32(g, s, "expert_used_count", s->experts_used);
    }
    snprintf(name, sizeof name, "%s.rope.freq_base", s->architecture);
    gguf_set_val_f32(g, name, s->rope_base);
    snprintf(name, sizeof name, "%s.attention.layer_norm_rms_epsilon", s->architecture);
    gguf_set_val_f32(g, name, 1e-5f);
}

/* The donor's tokens, cut or filled up with unused ones to the shape's number. */
static enum sf_err set_vocabulary(struct gguf_context *g, const struct gguf_context *donor,
                                  const struct shape *s, struct sf_errbuf *eb)
{
    static const char tokens_key[] = "tokenizer.ggml.tokens",
                      types_key[] = "tokenizer.ggml.token_type";
    int64_t at = gguf_find_key(donor, tokens_key), types_at = gguf_find_key(donor, types_key);
    if (at < 0 || types_at < 0)
        return sf_fail(eb, SF_EMODEL, "the donor of the vocabulary has none");
    size_t n = gguf_get_arr_n(donor, at), filler = 32;
    const char **tokens = sf_alloc(s->vocabulary * sizeof *tokens);
    int32_t *types = sf_alloc(s->vocabulary * sizeof *types);
    char *names = sf_alloc(s->vocabulary * filler);
    enum sf_err err = tokens && types && names ? SF_OK : SF_ENOMEM;
    for (size_t i = 0; !err && i < s->vocabulary; i++) {
        snprintf(names + i * filler, filler, "<unused%zu>", i);
        tokens[i] = i < n ? gguf_get_arr_str(donor, at, i) : names + i * filler;
        types[i] =
            i < n ? ((const int32_t *)gguf_get_arr_data(donor, types_at))[i] : 3; /* control */
    }
    if (!err) {
        gguf_set_arr_str(g, tokens_key, tokens, s->vocabulary);
        gguf_set_arr_data(g, types_key, GGUF_TYPE_INT32, types, s->vocabulary);
    }
    free(tokens);
    free(types);
    free(names);
    return err;
}

/* ---- tensors --------------------------------------------------------------------------------- */

struct tensors {
    struct gguf_context *g;
    struct ggml_context *memory; /* of descriptions alone */
    int layer;                   /* of those that are added; -1: of none */
};

static void add(struct tensors *t, enum ggml_type type, const char *what, int64_t in, int64_t out,
                int64_t experts)
{
    char name[GGML_MAX_NAME];
    if (t->layer < 0)
        snprintf(name, sizeof name, "%s", what);
    else
        snprintf(name, sizeof name, "blk.%d.%s", t->layer, what);
    struct ggml_tensor *x = out == 0      ? ggml_new_tensor_1d(t->memory, type, in)
                            : experts > 0 ? ggml_new_tensor_3d(t->memory, type, in, out, experts)
                                          : ggml_new_tensor_2d(t->memory, type, in, out);
    ggml_set_name(x, name);
    gguf_add_tensor(t->g, x);
}

static void add_small(struct tensors *t, const struct shape *s)
{
    int64_t kv = (int64_t)s->width / s->heads * s->kv_heads;
    add(t, GGML_TYPE_F32, "attn_norm.weight", s->width, 0, 0);
    add(t, GGML_TYPE_F32, "ffn_norm.weight", s->width, 0, 0);
    if (s->experts > 0)
        add(t, GGML_TYPE_F32, "ffn_gate_inp.weight", s->width, s->experts, 0);
    if (s->biased) {
        add(t, GGML_TYPE_F32, "attn_q.bias", s->width, 0, 0);
        add(t, GGML_TYPE_F32, "attn_k.bias", kv, 0, 0);
        add(t, GGML_TYPE_F32, "attn_v.bias", kv, 0, 0);
    }
}

/* Types as `llama-quantize … Q4_K_M` deals them out: Q6_K for the output, and for values and the
 * way down in the first and last eighth of the layers and each third one between. */
static void add_layer(struct tensors *t, const struct shape *s)
{
    int i = t->layer, n = (int)s->layers, eighth = n / 8;
    bool fine = i < eighth || i >= n - eighth || (i - eighth) % 3 == 2;
    enum ggml_type rich = fine ? GGML_TYPE_Q6_K : GGML_TYPE_Q4_K;
    int64_t kv = (int64_t)s->width / s->heads * s->kv_heads;
    const char *suffix = s->experts > 0 ? "_exps" : "";
    char gate[32], up[32], down[32];
    snprintf(gate, sizeof gate, "ffn_gate%s.weight", suffix);
    snprintf(up, sizeof up, "ffn_up%s.weight", suffix);
    snprintf(down, sizeof down, "ffn_down%s.weight", suffix);
    add(t, GGML_TYPE_Q4_K, "attn_q.weight", s->width, s->width, 0);
    add(t, GGML_TYPE_Q4_K, "attn_k.weight", s->width, kv, 0);
    add(t, rich, "attn_v.weight", s->width, kv, 0);
    add(t, GGML_TYPE_Q4_K, "attn_output.weight", s->width, s->width, 0);
    add(t, GGML_TYPE_Q4_K, gate, s->width, s->inner, s->experts);
    add(t, GGML_TYPE_Q4_K, up, s->width, s->inner, s->experts);
    add(t, rich, down, s->inner, s->width, s->experts);
    add_small(t, s);
}

static enum sf_err add_tensors(struct gguf_context *g, const struct shape *s)
{
    struct ggml_init_params p = {.mem_size = ((size_t)s->layers * 16 + 8) * ggml_tensor_overhead(),
                                 .no_alloc = true};
    struct tensors t = {g, ggml_init(p), -1};
    if (!t.memory)
        return SF_ENOMEM;
    add(&t, GGML_TYPE_Q4_K, "token_embd.weight", s->width, s->vocabulary, 0);
    add(&t, GGML_TYPE_F32, "output_norm.weight", s->width, 0, 0);
    add(&t, GGML_TYPE_Q6_K, "output.weight", s->width, s->vocabulary, 0);
    for (t.layer = 0; t.layer < (int)s->layers; t.layer++)
        add_layer(&t, s);
    ggml_free(t.memory);
    return SF_OK;
}

/* ---- weights --------------------------------------------------------------------------------- */

/* Random rows of one width and type, made once. */
struct pool {
    uint64_t seed;
    float *floats;
    uint8_t *bytes;
    size_t room;
};

/* Near enough to a bell, between -1 and 1; the generator is xorshift64*. */
static float draw(struct pool *p)
{
    float sum = 0;
    for (int i = 0; i < 4; i++) {
        p->seed ^= p->seed >> 12, p->seed ^= p->seed << 25, p->seed ^= p->seed >> 27;
        sum += (float)((p->seed * UINT64_C(0x2545F4914F6CDD1D)) >> 40) / (float)(1 << 24);
    }
    return (sum - 2) / 2;
}

static void fill_constant(struct ggml_tensor *x, float value, struct pool *p)
{
    int64_t n = ggml_nelements(x);
    for (int64_t i = 0; i < n; i++)
        p->floats[i] = value;
    ggml_backend_tensor_set(x, p->floats, 0, ggml_nbytes(x));
}

/* Called for each tensor where it lies, on whatever device. */
static void fill(struct ggml_tensor *x, void *arg)
{
    struct pool *p = arg;
    int64_t rows = ggml_nrows(x), width = x->ne[0];
    int64_t some = rows < POOL_ROWS ? rows : POOL_ROWS;
    size_t piece = (size_t)some * ggml_row_size(x->type, width);
    if (rows == 1 && x->type == GGML_TYPE_F32) { /* norms, biases */
        fill_constant(x, strstr(x->name, "bias") ? 0.0f : 1.0f, p);
        return;
    }
    for (int64_t i = 0; i < some * width; i++)
        p->floats[i] = 0.04f * draw(p);
    if (x->type == GGML_TYPE_F32)
        memcpy(p->bytes, p->floats, piece);
    else
        ggml_quantize_chunk(x->type, p->floats, p->bytes, 0, some, width, NULL);
    for (size_t at = 0; at < ggml_nbytes(x); at += piece) {
        size_t left = ggml_nbytes(x) - at;
        ggml_backend_tensor_set(x, p->bytes, at, left < piece ? left : piece);
    }
}

static enum sf_err make_model(struct gguf_context *g, const struct shape *s,
                              struct llama_model_params params, struct llama_model **out)
{
    size_t widest = s->inner > s->vocabulary ? s->inner : s->vocabulary;
    struct pool p = {.seed = 0x9e3779b97f4a7c15U, .room = widest * POOL_ROWS};
    p.floats = sf_alloc(p.room * sizeof *p.floats);
    p.bytes = sf_alloc(p.room * sizeof *p.floats);
    if (p.floats && p.bytes) {
        *out = llama_model_init_from_user(g, fill, &p, params);
    }
    free(p.floats);
    free(p.bytes);
    return *out ? SF_OK : SF_ENOMEM;
}

enum sf_err synthetic_open(const char *path, struct llama_model_params params,
                           struct llama_model **out, struct sf_errbuf *eb)
{
    struct shape shape = {0};
    const char *donor = NULL;
    enum sf_err err = find_shape(path, &shape, &donor, eb);
    if (err)
        return err;
    struct gguf_context *from =
        gguf_init_from_file(donor, (struct gguf_init_params){.no_alloc = true});
    struct gguf_context *g = gguf_init_empty();
    if (!from || !g)
        err = sf_fail(eb, SF_EMODEL,
                      "the vocabulary of a synthetic model comes from %s, which cannot be read: "
                      "make setup fetches it",
                      donor);
    if (!err) {
        gguf_set_kv(g, from);
        set_shape(g, &shape);
        err = set_vocabulary(g, from, &shape, eb);
    }
    if (!err)
        err = add_tensors(g, &shape);
    if (!err && make_model(g, &shape, params, out))
        err = sf_fail(eb, SF_ENOMEM, "%s with %u layers does not fit in memory: take fewer",
                      shape.name, shape.layers);
    if (g)
        gguf_free(g);
    if (from)
        gguf_free(from);
    return err;
}
