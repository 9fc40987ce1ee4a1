/* SPDX-License-Identifier: MIT */
#include "engine/child/mend_text.h"

#include <string.h>

static bool is_word_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c < 0;
}

/* Cuts the next word off `s`, with what stands before it in `gap`. False: no word is left. */
static bool next_word(struct sf_str *s, struct sf_str *gap, struct sf_str *word)
{
    size_t from = 0;
    while (from < s->n && !is_word_char(s->p[from]))
        from++;
    size_t to = from;
    while (to < s->n && is_word_char(s->p[to]))
        to++;
    *gap = (struct sf_str){s->p, from};
    *word = (struct sf_str){s->p + from, to - from};
    s->p += to;
    s->n -= to;
    return word->n > 0;
}

static bool begins_nocase(struct sf_str word, const char *z)
{
    size_t n = strlen(z);
    return word.n >= n && sf_str_is_nocase((struct sf_str){word.p, n}, z);
}

/* By its letters: "hour" and "university" sound otherwise than they look. */
static bool sounds_like_vowel(struct sf_str word)
{
    static const char *const consonants[] = {"one", "once", "eu", "uni", "use", "usu", "ut", "ub"};
    static const char *const vowels[] = {"hour", "honest", "honour", "honor", "heir"};
    for (size_t i = 0; i < sizeof vowels / sizeof *vowels; i++)
        if (begins_nocase(word, vowels[i]))
            return true;
    for (size_t i = 0; i < sizeof consonants / sizeof *consonants; i++)
        if (begins_nocase(word, consonants[i]))
            return begins_nocase(word, "unin") || begins_nocase(word, "unim") ||
                   begins_nocase(word, "utt");
    return strchr("aeiouAEIOU", word.p[0]) != NULL;
}

void mend_articles(struct sf_str text, struct sf_buf *out)
{
    struct sf_str gap, word, next_gap, next;
    while (next_word(&text, &gap, &word)) {
        struct sf_str ahead = text;
        sf_buf_add_str(out, gap);
        bool article = sf_str_is_nocase(word, "a") || sf_str_is_nocase(word, "an");
        if (article && next_word(&ahead, &next_gap, &next) && next_gap.n == 1 &&
            next_gap.p[0] == ' ' && next.n > 1) {
            sf_buf_putc(out, word.p[0]);
            if (sounds_like_vowel(next))
                sf_buf_putc(out, 'n');
        } else {
            sf_buf_add_str(out, word);
        }
    }
    sf_buf_add_str(out, gap);
}

/* The words of a full name at its ends. */
static struct sf_str first_of(const char *name)
{
    return (struct sf_str){name, strcspn(name, " ")};
}

static struct sf_str last_of(const char *name)
{
    const char *space = strrchr(name, ' ');
    return space ? sf_str(space + 1) : (struct sf_str){name, 0};
}

static bool same(struct sf_str a, struct sf_str b)
{
    return a.n == b.n && a.n > 0 && memcmp(a.p, b.p, a.n) == 0;
}

static bool is_surname(struct sf_str word, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (same(word, last_of(names[i])))
            return true;
    return false;
}

void mend_surnames(struct sf_str text, const char *const *names, size_t n, struct sf_buf *out)
{
    struct sf_str gap, word, own = {NULL, 0};
    while (next_word(&text, &gap, &word)) {
        bool behind = own.n > 0 && gap.n == 1 && gap.p[0] == ' ';
        sf_buf_add_str(out, gap);
        sf_buf_add_str(out, behind && is_surname(word, names, n) ? own : word);
        own.n = 0;
        for (size_t i = 0; i < n; i++)
            if (same(word, first_of(names[i])))
                own = last_of(names[i]);
    }
    sf_buf_add_str(out, gap);
}

void mend_name_words(struct sf_str text, const char *const *words, size_t n, struct sf_buf *out)
{
    struct sf_str gap, word;
    const char *before = NULL;
    while (next_word(&text, &gap, &word)) {
        const char *name = NULL;
        for (size_t i = 0; i < n && !name; i++)
            if (sf_str_is_nocase(word, words[i]) && (word.p[0] | 32) == (words[i][0] | 32) &&
                memcmp(word.p + 1, words[i] + 1, word.n - 1) == 0)
                name = words[i];
        if (!name || name != before || gap.n != 1 || gap.p[0] != ' ') {
            sf_buf_add_str(out, gap);
            sf_buf_add_str(out, name ? sf_str(name) : word);
        }
        before = name;
    }
    sf_buf_add_str(out, gap);
}
