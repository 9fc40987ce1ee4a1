/* SPDX-License-Identifier: MIT */
#include "engine/child/composing.h"

#include <string.h>

enum { WORDS_ROOM = 12, MADE_UP = 3 };

static bool is_article(struct sf_str word)
{
    return sf_str_is_nocase(word, "a") || sf_str_is_nocase(word, "an") ||
           sf_str_is_nocase(word, "the");
}

static size_t split(const char *title, struct sf_str out[static WORDS_ROOM])
{
    struct sf_str rest = sf_str(title), word;
    size_t n = 0;
    while (n < WORDS_ROOM && sf_str_next(&rest, ' ', &word))
        if (word.n > 0)
            out[n++] = word;
    return n;
}

/* "Arjun", "A Lachlan": of a person's names at most, nothing about them. */
static bool is_bare_name(const struct composer *c, const struct sf_str *words, size_t n)
{
    size_t from = n > 0 && is_article(words[0]) ? 1 : 0;
    if (n == from)
        return true;
    struct sf_str rest = {words[from].p, (size_t)(words[n - 1].p + words[n - 1].n - words[from].p)};
    for (size_t i = 0; i < STORY_CAST; i++)
        if (sf_str_is_nocase(rest, c->cast[i].first) || sf_str_is_nocase(rest, c->cast[i].full))
            return true;
    return false;
}

/* "Lachlan Learns That Arjun", "The Power of a Simple": what has begun is told to its end. */
static bool is_cut_off(const struct sf_str *words, size_t n)
{
    static const char *const openers[] = {"that", "because", "when", "while", "if"};
    static const char *const kinds[] = {"small",  "simple", "young",   "new",   "old",
                                        "little", "great",  "single",  "long",  "strange",
                                        "quiet",  "rare",   "certain", "sudden"};
    if (n < 2)
        return false;
    for (size_t i = 0; i < sizeof openers / sizeof *openers && n > 2; i++)
        if (sf_str_is_nocase(words[n - 2], openers[i]))
            return true;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds && is_article(words[n - 2]); i++)
        if (sf_str_is_nocase(words[n - 1], kinds[i]))
            return true;
    return false;
}

static size_t pieces_of(const struct composer *c, struct sf_str word)
{
    llama_token tokens[32];
    char spaced[64] = " ";
    size_t lower = 0, upper = 0;
    if (word.n + 2 > sizeof spaced)
        return MADE_UP;
    memcpy(spaced + 1, word.p, word.n);
    struct sf_str text = {spaced, word.n + 1};
    if (model_tokenize(c->m, text, false, tokens, 32, &upper) != SF_OK)
        return MADE_UP;
    if (spaced[1] >= 'A' && spaced[1] <= 'Z')
        spaced[1] = (char)(spaced[1] + ('a' - 'A'));
    if (model_tokenize(c->m, text, false, tokens, 32, &lower) != SF_OK)
        return MADE_UP;
    return lower < upper ? lower : upper;
}

/* A word that the request, the setting or the cast has. */
static bool is_known(const struct composer *c, struct sf_str word)
{
    const char *const texts[] = {c->o.request->user_input, vars_get(&c->vars, "title"),
                                 vars_get(&c->vars, "place"), vars_get(&c->vars, "topic"),
                                 vars_get(&c->vars, "setting")};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct sf_str text = sf_str(texts[i]);
        if (sf_str_find(text, word) < text.n)
            return true;
    }
    for (size_t i = 0; i < STORY_CAST; i++) {
        struct sf_str name = sf_str(c->cast[i].full);
        if (sf_str_find(name, word) < name.n)
            return true;
    }
    return false;
}

/* "Nightmarsteracy": a word of many pieces is seldom one. */
static bool is_made_up(const struct composer *c, struct sf_str word)
{
    while (word.n > 2 && (sf_str_find(word, SF_STR("'s")) == word.n - 2))
        word.n -= 2;
    for (size_t i = 0; i < word.n; i++)
        if ((word.p[i] | 32) < 'a' || (word.p[i] | 32) > 'z')
            return false; /* "half-light": two words */
    return !is_known(c, word) && pieces_of(c, word) >= MADE_UP;
}

bool composer_title_fits(const struct composer *c, const char *title)
{
    struct sf_str words[WORDS_ROOM];
    if (c->lang != CUE_EN)
        return true;
    size_t n = split(title, words);
    if (is_bare_name(c, words, n) || is_cut_off(words, n))
        return false;
    for (size_t i = 0; c->o.small && i < n; i++)
        if (is_made_up(c, words[i]))
            return false;
    return true;
}
