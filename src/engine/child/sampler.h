/* SPDX-License-Identifier: MIT */
#ifndef SF_ENGINE_CHILD_SAMPLER_H
#define SF_ENGINE_CHILD_SAMPLER_H

#include "engine/child/model.h"

#include <stdatomic.h>

/* How the next token is drawn from a row of logits. */
struct sampler_params {
    float temperature;    /* <= 0: the likeliest */
    float min_p;          /* candidates below this share of the likeliest are left out */
    float top_p;          /* 1: off */
    float repeat_penalty; /* subtracted per earlier use of a word in this text; 0: off */
    uint32_t banned;      /* enum token_class bits that must not appear */
    unsigned ngram;       /* no sequence of this many tokens twice; 0: off */
};

/* Sequences of tokens that were used already in a request, as hashes: siblings shall not share
 * them. One thread adds while another looks: it sees what was added, now or a little later. */
struct ngram_set {
    _Atomic uint64_t *slot;
    size_t room, n; /* room: power of two */
};
enum { NGRAM_SHARED = 6 };

SF_MUST_USE enum sf_err ngram_set_init(struct ngram_set *s, size_t room_log2);
void ngram_set_fini(struct ngram_set *s);
void ngram_set_add(struct ngram_set *s, const llama_token *tokens, size_t n);

/* The proper names that may stand in a text: other capitalised words are banned inside a sentence,
 * and a name once begun is written to its end. */
struct name_guard {
    llama_token *tokens; /* the names one after the other, each in the form " Name" */
    uint8_t *lengths;
    size_t n, n_tokens;
};
/* The banned token classes and the forced token (or -1) behind `past`. `text` is what stands there.
 */
uint32_t name_guard_check(const struct name_guard *g, const struct engine_model *m,
                          const llama_token *past, size_t n, struct sf_str text,
                          llama_token *forced);

struct sampler {
    uint64_t state; /* of the generator: the seed at first */
    float doubt; /* of the last draw: how much likelier a banned name was than what was allowed */
};

double sampler_uniform(struct sampler *s); /* 0 <= x < 1 */
uint64_t sampler_next(struct sampler *s);

/* The tokens of the text so far (prompt excluded), and what siblings used (NULL: nothing). */
struct sampler_past {
    const llama_token *tokens;
    size_t n;
    const struct ngram_set *shared;
    const struct name_guard *names; /* NULL: any capitalised word may stand */
};

/* Draws a token. -1 when every token is banned. */
llama_token sampler_draw(struct sampler *s, const struct sampler_params *p,
                         const struct engine_model *m, const float *logits,
                         const struct sampler_past *past);

#endif
