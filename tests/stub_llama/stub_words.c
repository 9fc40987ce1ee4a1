/* SPDX-License-Identifier: MIT */
#include "stub_words.h"

#include <string.h>

/* Words of the stub's vocabulary, made of syllables: enough of them that no two texts are alike. */
static const char *const heads[] = {"ba",  "cor", "da",  "fen", "gal", "hol", "ke",  "lum",
                                    "mar", "nor", "pel", "ri",  "sol", "tam", "ver", "wil"};
static const char *const tails[] = {"d",   "ken", "ter", "ling", "mon", "na",  "rost", "shire",
                                    "ton", "vel", "win", "zor",  "ber", "dle", "fold", "gate"};
static const char *const small_words[] = {"the",  "a",   "and", "of",  "to", "in",
                                          "with", "at",  "his", "her", "he", "she",
                                          "they", "was", "had", "sees"};
static const char *const han =
    "山水风火木石天地人心手目门路城村海河湖岛云雨雪星月日光影春夏秋冬红白黑青"
    "金银铁花草树鸟鱼马龙虎狼船桥塔书信歌梦声名话旧新长高远近深走来去看听说想找"
    "等开关进出上下左右前后";

enum {
    COUNT_SMALL = sizeof small_words / sizeof *small_words,
    COUNT_HEADS = sizeof heads / sizeof *heads,
    COUNT_TAILS = sizeof tails / sizeof *tails,
};

static size_t put(char *out, const char *space, const char *a, const char *b)
{
    size_t n = 0;
    for (const char *const *part = (const char *const[]){space, a, b, NULL}; *part; part++)
        for (const char *p = *part; *p && n < STUB_WORD_ROOM - 1; p++)
            out[n++] = *p;
    out[n] = '\0';
    return n;
}

size_t stub_word(size_t i, char out[static STUB_WORD_ROOM])
{
    if (i < COUNT_SMALL)
        return put(out, " ", small_words[i], "");
    i -= COUNT_SMALL;
    if (i < (size_t)COUNT_HEADS * COUNT_TAILS)
        return put(out, " ", heads[i / COUNT_TAILS], tails[i % COUNT_TAILS]);
    i -= (size_t)COUNT_HEADS * COUNT_TAILS;
    if (i < strlen(han) / 3) {
        memcpy(out, han + 3 * i, 3);
        out[3] = '\0';
        return 3;
    }
    return 0;
}
