/* SPDX-License-Identifier: MIT */
#include "engine/child/token_class.h"

#include "base/utf8.h"
#include "engine/child/model.h"

#include <string.h>

/* Words that speak about the text instead of telling it. */
static const char *const meta_words[] = {
    "chapter",     "chapters",   "reader",   "readers",      "narrative", "narrator",
    "protagonist", "plot",       "novel",    "novels",       "author",    "authors",
    "character",   "characters", "story",    "stories",      "storyline", "antagonist",
    "paragraph",   "sentence",   "fiction",  "fictional",    "genre",     "assistant",
    "blog",        "article",    "essay",    "summary",      "title",     "titled",
    "prompt",      "question",   "answer:",  "storytelling", "subplot",   "www",
    "http",        "https",      "com",      "wikipedia",    "website",   "novelist",
    "tale",        "tales",      "genres",   "writer",       "writers",   "scene",
    "scenes",      "dialogue",   "synopsis", "conclusion",   "backstory", "sequel",
    "response",    "page",       "pages",    "text",         "previous",  "ending",
    "passage",     "spotlight",  "racial",   "racist",       "rape",      "sex",
    "sexual",      "sexy",       "porn",     "nude",         "naked",     "suicide",
    "nazi",        "slave",      "slaves",   "fantasy",      "scenario",  "trope",
    "tropes",      "archetype",  "cliche",   "storyteller",
};

static const char *const person_words[] = {
    "i",    "my",  "me",   "mine",  "myself",   "we",        "our",        "us",
    "ours", "you", "your", "yours", "yourself", "ourselves", "yourselves",
};

/* Words that grammar needs again and again: no penalty for repeating them. */
static const char *const common_words[] = {
    "that",  "with", "they",  "their",  "them",    "were",   "have",  "from",  "this",    "into",
    "when",  "what", "been",  "could",  "would",   "there",  "then",  "than",  "said",    "over",
    "down",  "back", "where", "which",  "while",   "before", "after", "about", "just",    "only",
    "upon",  "also", "more",  "most",   "some",    "such",   "very",  "your",  "will",    "must",
    "other", "each", "both",  "here",   "does",    "these",  "those", "being", "through", "because",
    "until", "who",  "whose", "should", "through",
};

static const char *const he_words[] = {"he", "his", "him", "himself"};
static const char *const she_words[] = {"she", "her", "hers", "herself"};

static bool is_one_of(struct sf_str s, const char *const *words, size_t n)
{
    s = sf_str_trim(s);
    for (size_t i = 0; i < n; i++)
        if (sf_str_is_nocase(s, words[i]))
            return true;
    return false;
}

static uint32_t classify_ascii(uint32_t c)
{
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
        return TOK_LATIN;
    if (c >= '0' && c <= '9')
        return TOK_DIGIT;
    switch (c) {
    case ' ':
    case '-':
    case '\'':
        return 0;
    case ',':
        return TOK_COMMA;
    case '.':
    case '!':
    case '?':
        return TOK_STOP;
    case '"':
        return TOK_QUOTE;
    case ':':
    case ';':
        return TOK_COLON;
    case '\n':
    case '\r':
        return TOK_NEWLINE;
    default:
        return TOK_MARKUP;
    }
}

static uint32_t classify_wide(uint32_t c)
{
    switch (c) {
    case 0x2019:
    case 0x2018: /* apostrophes */
        return 0;
    case 0x2014:
    case 0x2013:
    case 0x2026: /* dashes, ellipsis */
        return TOK_COMMA;
    case 0x201C:
    case 0x201D:
    case 0x300C:
    case 0x300D:
    case 0x300E:
    case 0x300F:
        return TOK_QUOTE;
    case 0x3002:
    case 0xFF01:
    case 0xFF1F: /* 。！？ */
        return TOK_STOP;
    case 0xFF0C:
    case 0x3001:
        return TOK_COMMA;
    case 0xFF1A:
    case 0xFF1B:
        return TOK_COLON;
    default:
        break;
    }
    if ((c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF))
        return TOK_HAN;
    if (c == 0x3000 || (c >= 0x3001 && c <= 0x303F) || (c >= 0xFF00 && c <= 0xFF5F))
        return TOK_MARKUP;
    return TOK_FOREIGN;
}

uint32_t token_classify(struct sf_str piece)
{
    uint32_t bits = 0;
    size_t letters = 0;
    bool upper_before = false, mark_before = false;
    if (piece.n > 0 && piece.p[0] == ' ')
        bits |= TOK_SPACE;
    if (is_one_of(piece, meta_words, sizeof meta_words / sizeof *meta_words))
        bits |= TOK_META;
    if (is_one_of(piece, person_words, sizeof person_words / sizeof *person_words))
        bits |= TOK_PERSON;
    if (is_one_of(piece, he_words, sizeof he_words / sizeof *he_words))
        bits |= TOK_HE;
    if (is_one_of(piece, she_words, sizeof she_words / sizeof *she_words))
        bits |= TOK_SHE;
    struct sf_str word = sf_str_trim(piece);
    if (word.n > 0 && word.p[0] >= 'A' && word.p[0] <= 'Z')
        bits |= word.n == piece.n ? TOK_CAPITAL | TOK_INNER : TOK_CAPITAL;
    for (struct sf_str s = piece; s.n > 0;) {
        bool valid;
        uint32_t c = sf_utf8_next(&s, &valid);
        if (!valid || c < 32 ? c != '\n' && c != '\r' : false)
            return TOK_CONTROL;
        bits |= c < 128 ? classify_ascii(c) : classify_wide(c);
        bool upper = c >= 'A' && c <= 'Z';
        if (upper && upper_before)
            bits |= TOK_CAPS;
        upper_before = upper;
        bool letter = (c | 32) >= 'a' && (c | 32) <= 'z';
        if (mark_before && letter) /* ".com", ",the": no prose */
            bits |= TOK_MARKUP;
        mark_before = c < 128 && c != '\'' && c != '-' && c != ' ' && !letter;
        letters += (c | 32) >= 'a' && (c | 32) <= 'z';
    }
    bool common = is_one_of(piece, common_words, sizeof common_words / sizeof *common_words);
    if ((letters >= 4 && !common) || (bits & TOK_HAN))
        bits |= TOK_WORD;
    return bits;
}
