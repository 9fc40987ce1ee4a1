/* SPDX-License-Identifier: MIT */
#include "engine/child/sampler.h"

#include "base/mem.h"

#include <math.h>
#include <string.h>

enum { CANDIDATES = 512, START_MEMORY = 3 };

struct candidate {
    llama_token t;
    float l; /* logit, later weight */
};

uint64_t sampler_next(struct sampler *s)
{
    /* SplitMix64, public domain constants. */
    uint64_t z = (s->state += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

double sampler_uniform(struct sampler *s)
{
    return (double)(sampler_next(s) >> 11) * 0x1.0p-53;
}

enum sf_err ngram_set_init(struct ngram_set *s, size_t room_log2)
{
    s->n = 0;
    s->room = (size_t)1 << room_log2;
    s->slot = sf_alloc(s->room * sizeof *s->slot);
    return s->slot ? SF_OK : SF_ENOMEM;
}

void ngram_set_fini(struct ngram_set *s)
{
    free(s->slot), s->slot = NULL;
}

static uint64_t ngram_hash(const llama_token *t, size_t n, llama_token last)
{
    uint64_t h = 0xCBF29CE484222325u;
    for (size_t i = 0; i <= n; i++) {
        h ^= (uint64_t)(uint32_t)(i < n ? t[i] : last);
        h *= 0x100000001B3u;
        h ^= h >> 29;
    }
    return h ? h : 1;
}

static uint64_t slot_get(const struct ngram_set *s, size_t i)
{
    return atomic_load_explicit(&s->slot[i], memory_order_relaxed);
}

static bool set_has(const struct ngram_set *s, uint64_t h)
{
    for (size_t i = h & (s->room - 1), k = 0; k < 64; k++, i = (i + 1) & (s->room - 1)) {
        uint64_t there = slot_get(s, i);
        if (there == h || there == 0)
            return there == h;
    }
    return false;
}

void ngram_set_add(struct ngram_set *s, const llama_token *tokens, size_t n)
{
    for (size_t at = 0; at + NGRAM_SHARED <= n; at++) {
        uint64_t h = ngram_hash(tokens + at, NGRAM_SHARED - 1, tokens[at + NGRAM_SHARED - 1]);
        size_t i = h & (s->room - 1);
        for (size_t k = 0; k < 64 && slot_get(s, i) != 0 && slot_get(s, i) != h; k++)
            i = (i + 1) & (s->room - 1);
        if (slot_get(s, i) == 0 && s->n * 2 < s->room) {
            atomic_store_explicit(&s->slot[i], h, memory_order_relaxed);
            s->n++;
        }
    }
}

static bool repeats(const struct sampler_params *p, const struct sampler_past *past, llama_token t)
{
    size_t k = p->ngram > 1 ? p->ngram - 1 : 0;
    const llama_token *tail = past->tokens + past->n - k;
    if (k > 0 && past->n > k)
        for (size_t at = 0; at + k < past->n; at++)
            if (past->tokens[at + k] == t && memcmp(past->tokens + at, tail, k * sizeof *tail) == 0)
                return true;
    if (past->shared && past->n >= NGRAM_SHARED - 1) {
        tail = past->tokens + past->n - (NGRAM_SHARED - 1);
        return set_has(past->shared, ngram_hash(tail, NGRAM_SHARED - 1, t));
    }
    return false;
}

/* A capital may begin a sentence or what stands in quotes. */
static bool at_start(struct sf_str text)
{
    while (text.n > 0 && (text.p[text.n - 1] == ' ' || text.p[text.n - 1] == '\n'))
        text.n--;
    if (text.n == 0)
        return true;
    char c = text.p[text.n - 1];
    return c == '.' || c == '!' || c == '?' || c == '"' || c == '\'';
}

uint32_t name_guard_check(const struct name_guard *g, const struct engine_model *m,
                          const llama_token *past, size_t n, struct sf_str text,
                          llama_token *forced)
{
    (void)m;
    *forced = -1;
    size_t at = 0;
    for (size_t i = 0; i < g->n; at += g->lengths[i], i++)
        for (size_t k = g->lengths[i]; k-- > 1;)
            if (n >= k && memcmp(past + n - k, g->tokens + at, k * sizeof *past) == 0) {
                *forced = g->tokens[at + k];
                return 0;
            }
    return at_start(text) ? TOK_NAME : TOK_CAPITAL;
}

static float allowed_max(const struct engine_model *m, const float *logits, uint32_t banned)
{
    float best = -INFINITY;
    for (int t = 0; t < m->n_vocab; t++)
        if (logits[t] > best && !(m->classes[t] & banned))
            best = logits[t];
    return best;
}

static bool is_name(const struct name_guard *g, llama_token t)
{
    size_t at = 0;
    if (!g)
        return false;
    for (size_t i = 0; i < g->n; at += g->lengths[i], i++)
        if (g->tokens[at] == t)
            return true;
    return false;
}

/* The first tokens of the last few sentences, when the next token begins a sentence. */
static size_t sentence_starts(const struct engine_model *m, const struct sampler_past *past,
                              llama_token out[static START_MEMORY])
{
    size_t n = 0;
    if (past->n == 0 || !(m->classes[past->tokens[past->n - 1]] & TOK_STOP))
        return 0;
    for (size_t i = past->n - 1; i > 0 && n < START_MEMORY; i--)
        if (m->classes[past->tokens[i - 1]] & TOK_STOP)
            out[n++] = past->tokens[i];
    return n;
}

/* Penalties on what was collected; repeated sequences get no weight, but only at a word's start, so
 * that no word or name is broken. */
static size_t weigh(const struct sampler_params *p, const struct engine_model *m,
                    const struct sampler_past *past, struct candidate *c, size_t n)
{
    size_t kept = 0;
    llama_token starts[START_MEMORY];
    size_t n_starts = sentence_starts(m, past, starts);
    for (size_t i = 0; i < n; i++) {
        uint32_t bits = m->classes[c[i].t];
        bool word_start = (bits & (TOK_SPACE | TOK_HAN)) != 0;
        if (word_start && repeats(p, past, c[i].t))
            continue;
        if (p->repeat_penalty > 0 && (bits & TOK_WORD) && !is_name(past->names, c[i].t)) {
            unsigned uses = 0;
            for (size_t k = 0; k < past->n && uses < 4; k++)
                uses += past->tokens[k] == c[i].t;
            c[i].l -= p->repeat_penalty * (float)uses;
        }
        for (size_t k = 0; k < n_starts; k++)
            if (starts[k] == c[i].t)
                c[i].l -= k == 0 ? 2.0f : 1.0f;
        c[kept++] = c[i];
    }
    return kept;
}

static int by_weight(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    return (x->l < y->l) - (x->l > y->l);
}

static llama_token draw_from(struct sampler *s, const struct sampler_params *p, struct candidate *c,
                             size_t n)
{
    float best = -INFINITY;
    for (size_t i = 0; i < n; i++)
        best = fmaxf(best, c[i].l);
    float temperature = p->temperature > 0.01f ? p->temperature : 0.01f;
    size_t kept = 0;
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        float w = expf((c[i].l - best) / temperature);
        if (w < p->min_p)
            continue;
        c[kept] = (struct candidate){c[i].t, w};
        sum += (double)w;
        kept++;
    }
    if (p->top_p < 1.0f) {
        qsort(c, kept, sizeof *c, by_weight);
        double upto = 0;
        for (size_t i = 0; i < kept; i++) {
            upto += (double)c[i].l;
            if (upto >= (double)p->top_p * sum) {
                kept = i + 1;
                sum = upto;
                break;
            }
        }
    }
    double x = sampler_uniform(s) * sum;
    for (size_t i = 0; i < kept; i++) {
        x -= (double)c[i].l;
        if (x <= 0)
            return c[i].t;
    }
    return c[0].t;
}

llama_token sampler_draw(struct sampler *s, const struct sampler_params *p,
                         const struct engine_model *m, const float *logits,
                         const struct sampler_past *past)
{
    struct candidate c[CANDIDATES];
    float best = allowed_max(m, logits, p->banned);
    if (!(best > -INFINITY))
        return -1;
    const struct name_guard *g = past->names;
    bool names = g && (p->banned & (TOK_NAME | TOK_CAPITAL)) && !(p->banned & TOK_LATIN);
    size_t at = 0;
    for (size_t i = 0; names && i < g->n; at += g->lengths[i], i++)
        best = fmaxf(best, logits[g->tokens[at]]);
    s->doubt = 0;
    if (names)
        s->doubt = allowed_max(m, logits, p->banned & ~(uint32_t)(TOK_CAPITAL | TOK_NAME)) - best;
    float temperature = p->temperature > 0.01f ? p->temperature : 0.01f;
    /* A margin below min_p, for when penalties push the best ones down; wider when all repeat. */
    for (float margin = 3.0f; margin < 100.0f; margin *= 3.0f) {
        float floor = best - temperature * logf(1.0f / p->min_p) - margin;
        size_t n = 0;
        for (int t = 0; t < m->n_vocab && n < CANDIDATES; t++)
            if (logits[t] >= floor && (!(m->classes[t] & p->banned) || (names && is_name(g, t))))
                c[n++] = (struct candidate){t, logits[t]};
        n = weigh(p, m, past, c, n);
        if (n > 0)
            return draw_from(s, p, c, n);
    }
    return -1;
}
