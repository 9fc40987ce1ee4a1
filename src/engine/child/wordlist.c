/* SPDX-License-Identifier: MIT */
#include "engine/child/wordlist.h"

#include "base/buf.h"
#include "base/utf8.h"

#include <string.h>

/* Embedded by the build, one symbol per file. */
#define LISTS(X)                                                                                   \
    X(given_f)                                                                                     \
    X(given_m)                                                                                     \
    X(surname) X(archetype) X(skill) X(trait) X(theme) X(tone) X(genre) X(audience) X(mood) X(place)
#define DECLARE(name) extern const struct sf_str words_en_##name, words_zh_##name;
LISTS(DECLARE)
extern const struct sf_str words_zh_topic;

#define ROW_EN(name) &words_en_##name,
#define ROW_ZH(name) &words_zh_##name,
static const struct sf_str *const lists[CUE_LANGUAGES][WORDS_LISTS] = {
    [CUE_EN] = {LISTS(ROW_EN)},
    [CUE_ZH] = {LISTS(ROW_ZH)},
};

size_t wordlist(enum cue_language lang, enum wordlist_id id, const char *tag,
                struct sf_str out[static WORDS_MAX])
{
    struct sf_str rest = *lists[lang][id], line;
    size_t n = 0, n_tag = tag ? strlen(tag) : 0;
    while (n < WORDS_MAX && sf_str_next(&rest, '\n', &line)) {
        line = sf_str_trim(line);
        if (tag) {
            if (!sf_str_has_prefix(line, tag) || line.n <= n_tag || line.p[n_tag] != ':')
                continue;
            line = (struct sf_str){line.p + n_tag + 1, line.n - n_tag - 1};
        }
        if (line.n > 0)
            out[n++] = line;
    }
    return n;
}

/* The longest glossary word that `s` begins with; its English words in *topic. */
static size_t longest_topic(struct sf_str s, struct sf_str *topic)
{
    struct sf_str rest = words_zh_topic, line;
    size_t best = 0;
    while (sf_str_next(&rest, '\n', &line)) {
        struct sf_str word;
        if (!sf_str_next(&line, '=', &word) || word.n <= best || word.n > s.n ||
            memcmp(word.p, s.p, word.n) != 0)
            continue;
        best = word.n;
        *topic = sf_str_trim(line);
    }
    return best;
}

void wordlist_topics(struct sf_str chinese, size_t max, struct sf_buf *out)
{
    struct sf_str seen[8];
    size_t n = 0;
    max = max > 8 ? 8 : max;
    while (chinese.n > 0 && n < max) {
        struct sf_str topic = {NULL, 0};
        size_t used = longest_topic(chinese, &topic);
        if (used == 0) {
            bool valid;
            (void)sf_utf8_next(&chinese, &valid);
            continue;
        }
        chinese = (struct sf_str){chinese.p + used, chinese.n - used};
        bool known = topic.n == 0;
        for (size_t i = 0; i < n && !known; i++)
            known = seen[i].n == topic.n && memcmp(seen[i].p, topic.p, topic.n) == 0;
        if (known)
            continue;
        if (n > 0)
            sf_buf_puts(out, ", ");
        sf_buf_add_str(out, topic);
        seen[n++] = topic;
    }
}
