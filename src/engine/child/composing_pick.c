/* SPDX-License-Identifier: MIT */
#include "engine/child/composing.h"

#include <math.h>
#include <string.h>

/* Choosing from word lists. The model is asked the question twice, with the story and without; what
 * the story adds to a word's likelihood says how well the word fits. Without a story a question is
 * the same for all requests, and asked once. */

static bool prepare(struct composer *c, struct pick *p, struct job *j, const struct vars *vars,
                    const struct job_prefix *prefix, float *scores)
{
    const struct cue *cue = &c->book->cues[p->cue];
    struct sf_buf question, opening;
    sf_buf_init(&question, 4096);
    sf_buf_init(&opening, 1024);
    (void)vars_expand(vars, cue->question, &question);
    (void)vars_expand(vars, cue->openings[0], &opening);
    job_init(j, &c->owner);
    j->prefix = prefix;
    j->rank = p->tokens;
    j->rank_out = scores;
    j->n_rank = p->n_items;
    j->max_tokens = 1;
    j->user = p;
    enum sf_err err = composer_build_prompt(c, j, sf_buf_z(&question), sf_buf_z(&opening));
    sf_buf_fini(&question);
    sf_buf_fini(&opening);
    return err == SF_OK;
}

static bool ask(struct composer *c, struct pick *p)
{
    if (!prepare(c, p, &p->job, p->vars, &c->prefix, p->scores))
        return false;
    scheduler_submit(c->sched, &p->job);
    return true;
}

static struct rank_key base_key(const struct pick *p)
{
    return (struct rank_key){.prefix = p->base.prefix->tokens,
                             .n_prefix = p->base.prefix->n,
                             .prompt = p->base.prompt,
                             .n_prompt = p->base.n_prompt,
                             .items = p->tokens,
                             .n_items = p->n_items};
}

/* True when it was handed in: it is neither known nor asked by an earlier one of these picks. */
static bool ask_base(struct composer *c, struct pick *picks, struct pick *p)
{
    if (!prepare(c, p, &p->base, p->neutral, &c->neutral, p->base_scores))
        return false;
    struct rank_key k = base_key(p);
    if (rank_cache_get(scheduler_ranks(c->sched), &k, p->base_scores))
        return false;
    for (struct pick *q = picks; q < p && !p->base_of; q++) {
        struct rank_key other = q->base_asked ? base_key(q) : (struct rank_key){.n_items = 0};
        if (rank_key_equal(&k, &other))
            p->base_of = q;
    }
    if (p->base_of)
        return false;
    p->base_asked = true;
    scheduler_submit(c->sched, &p->base);
    return true;
}

static void take_base(struct composer *c, struct pick *p)
{
    const struct pick *from = p->base_of ? p->base_of : p;
    if (!from->base_asked || from->base.end == JOB_END_FAILED || from->base.end == JOB_END_CANCELED)
        return;
    if (p->base_of)
        memcpy(p->base_scores, from->base_scores, p->n_items * sizeof *p->base_scores);
    struct rank_key k = base_key(p);
    if (p->base_asked)
        rank_cache_put(scheduler_ranks(c->sched), &k, p->base_scores);
}

/* The first token of each item, as it would follow the opening. */
static void first_tokens(struct composer *c, struct pick *p)
{
    for (size_t i = 0; i < p->n_items; i++) {
        char text[96];
        llama_token t[32];
        size_t n = 0, len = p->items[i].n < sizeof text - 2 ? p->items[i].n : sizeof text - 2;
        text[0] = ' ';
        memcpy(text + 1, p->items[i].p, len);
        struct sf_str s = {text, len + 1};
        if (c->lang == CUE_ZH)
            s = (struct sf_str){text + 1, len};
        enum sf_err err = model_tokenize(c->m, s, false, t, 32, &n);
        p->tokens[i] = err || n == 0 ? 0 : t[0];
        p->scores[i] = p->base_scores[i] = 0;
    }
}

static void choose(struct composer *c, struct pick *p)
{
    float fit[WORDS_MAX];
    for (size_t i = 0; i < p->n_items; i++) {
        /* What the story adds, a little of plain likelihood, and chance (Gumbel). */
        double u = sampler_uniform(&c->rng);
        double chance = -log(-log(u < 1e-12 ? 1e-12 : u));
        float gain = p->scores[i] - p->base_scores[i];
        gain = gain > 3.0f ? 3.0f : gain < -3.0f ? -3.0f : gain;
        if (p->avoid && p->avoid[i])
            gain -= 4.0f;
        fit[i] = 1.6f * gain + 0.25f * p->scores[i] + 0.8f * (float)chance;
    }
    for (unsigned k = 0; k < p->wanted && k < 8; k++) {
        size_t best = 0;
        for (size_t i = 0; i < p->n_items; i++)
            if (fit[i] > fit[best])
                best = i;
        p->chosen[k] = best;
        /* Words that begin alike ("trust", "trust between strangers") not together. */
        for (size_t i = 0; i < p->n_items; i++)
            if (p->tokens[i] == p->tokens[best] && c->lang == CUE_EN)
                fit[i] -= 50.0f;
        fit[best] = -INFINITY;
    }
}

void composer_pick(struct composer *c, struct pick *picks, size_t n)
{
    composer_pick_distinct(c, picks, n, NULL);
}

void composer_pick_distinct(struct composer *c, struct pick *picks, size_t n,
                            bool (*taken)[WORDS_MAX])
{
    size_t pending = 0;
    for (size_t i = 0; i < n; i++) {
        struct pick *p = &picks[i];
        first_tokens(c, p);
        if (c->late || c->failed)
            continue;
        pending += ask(c, p);
        pending += ask_base(c, picks, p);
    }
    while (pending > 0) {
        if (composer_wait(c))
            pending--;
    }
    for (size_t i = 0; i < n; i++)
        take_base(c, &picks[i]);
    for (size_t i = 0; i < n; i++) {
        choose(c, &picks[i]);
        for (unsigned k = 0; taken && k < picks[i].wanted; k++)
            taken[i % 2][picks[i].chosen[k]] = true;
        job_fini(&picks[i].job);
        job_fini(&picks[i].base);
    }
}
