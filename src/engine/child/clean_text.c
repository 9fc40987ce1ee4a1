/* SPDX-License-Identifier: MIT */
#include "engine/child/composing.h"

#include "base/mem.h"
#include "base/utf8.h"
#include "engine/child/mend_text.h"
#include "engine/child/stop_rule.h"

#include <string.h>

/* What a text must not say: the model's talk about itself or its task. Compared without case. */
static const char *const bad_phrases[] = {
    "as an ai",
    "language model",
    "i'm sorry",
    "i cannot",
    "here is",
    "here's a",
    "here's what",
    "the audience",
    "the genre",
    "subgenre",
    "sub-genre",
    "this chapter",
    "in this part",
    "the reader",
    "question:",
    "answer:",
    "give this",
    "short title",
    "two sentences",
    "start with a verb",
    "dialogue",
    "the hero of the",
    "this story",
    "the story is about",
    "the main conflict",
    "the end of the world is",
    "click",
    "copyright",
    "the user",
    "the book",
};

static bool contains_nocase(struct sf_str s, const char *z)
{
    size_t n = strlen(z);
    for (size_t i = 0; i + n <= s.n; i++)
        if (sf_str_is_nocase((struct sf_str){s.p + i, n}, z))
            return true;
    return false;
}

static bool says_bad(struct sf_str s)
{
    for (size_t i = 0; i < sizeof bad_phrases / sizeof *bad_phrases; i++)
        if (contains_nocase(s, bad_phrases[i]))
            return true;
    return false;
}

/* Runs of white space become one space; none before a comma or a sentence end; no end marks twice.
 */
static void squeeze(struct sf_str raw, struct sf_buf *out)
{
    for (size_t i = 0; i < raw.n; i++) {
        unsigned char ch = (unsigned char)raw.p[i];
        bool space = ch == ' ' || ch == '\n' || ch == '\t' || ch == '\r';
        if (ch < 32 && !space)
            continue;
        char last = out->n > 0 ? out->p[out->n - 1] : ' ';
        if (space) {
            if (last != ' ')
                sf_buf_putc(out, ' ');
            continue;
        }
        if ((ch == ',' || ch == '.' || ch == '!' || ch == '?') && last == ' ' && out->n > 0)
            out->n--;
        last = out->n > 0 ? out->p[out->n - 1] : ' ';
        if ((ch == ',' || ch == '.') && (last == ',' || last == '!' || last == '?' || last == '.'))
            continue;
        sf_buf_putc(out, (char)ch);
    }
}

static struct sf_str drop_end(struct sf_str s, const char *const *tails, size_t n)
{
    bool again = true;
    while (again) {
        again = false;
        s = sf_str_trim(s);
        for (size_t i = 0; i < n; i++) {
            size_t len = strlen(tails[i]);
            if (s.n >= len && memcmp(s.p + s.n - len, tails[i], len) == 0) {
                s.n -= len;
                again = true;
            }
        }
    }
    return s;
}

static struct sf_str drop_start(struct sf_str s, const char *const *heads, size_t n)
{
    bool again = true;
    while (again) {
        again = false;
        s = sf_str_trim(s);
        for (size_t i = 0; i < n; i++)
            if (sf_str_has_prefix(s, heads[i])) {
                s.p += strlen(heads[i]);
                s.n -= strlen(heads[i]);
                again = true;
            }
    }
    return s;
}

static const char *const title_marks[] = {
    "\"", "'", "\xE2\x80\x9C", "\xE2\x80\x9D", "\xE3\x80\x8A", "\xE3\x80\x8B", ",", ".", "-",
    ":",  "!", "\xE3\x80\x82", "\xEF\xBC\x8C", "\xEF\xBC\x9A", "\xE2\x80\x98"};
static const char *const loose_ends[] = {
    " of",       " the",      " a",       " an",      " and",     " in",       " to",
    " with",     " for",      " on",      " at",      " from",    " by",       " or",
    " is",       " The",      " that",    " who",     " whose",   " as",       " but",
    " his",      " her",      " their",   " its",     " was",     " are",      " into",
    " who it",   " who he",   " who she", " what it", " what he", " what she", " where it",
    " where he", " where she"};
static const char *const choice_ends[] = {
    ".", ",", "!", "?", "\xE3\x80\x82", "\xEF\xBC\x8C", "\xEF\xBC\x81"};
#define COUNT(a) (sizeof(a) / sizeof *(a))

/* Capital letters for the words of an English title; small ones for its little words. */
static void title_case(char *z)
{
    static const char *const small[] = {"of",   "the", "a",  "an", "and",  "in", "to",
                                        "with", "for", "on", "at", "from", "by", "or"};
    size_t at = 0;
    while (z[at]) {
        size_t n = 0;
        while (z[at + n] && z[at + n] != ' ')
            n++;
        bool little = false;
        for (size_t i = 0; i < COUNT(small) && at > 0; i++)
            little |= sf_str_is_nocase((struct sf_str){z + at, n}, small[i]);
        if (n > 0 && !little && z[at] >= 'a' && z[at] <= 'z')
            z[at] = (char)(z[at] - 32);
        else if (n > 0 && little && z[at] >= 'A' && z[at] <= 'Z')
            z[at] = (char)(z[at] + 32);
        at += n;
        while (z[at] == ' ')
            at++;
    }
}

static char *clean_title(enum cue_language lang, struct sf_str s, unsigned min, unsigned max)
{
    s = drop_start(s, title_marks, COUNT(title_marks));
    s = drop_end(s, title_marks, COUNT(title_marks));
    s = drop_end(s, loose_ends, COUNT(loose_ends));
    s = drop_end(s, title_marks, COUNT(title_marks));
    size_t n = sf_utf8_count(s);
    if (n < min || n > max || says_bad(s))
        return NULL;
    size_t words = 1;
    for (size_t i = 0; i < s.n; i++)
        words += s.p[i] == ' ';
    if (lang == CUE_EN && (words > 6 || (words == 1 && n < 5)))
        return NULL;
    char *z = sf_strndup(s.p, s.n);
    if (z && lang == CUE_EN)
        title_case(z);
    return z;
}

/* The end of the last clause within `max` characters, in bytes; 0: none at or over `min`. */
static size_t clause_end(struct sf_str s, unsigned min, unsigned max)
{
    struct sf_str head = sf_utf8_head(s, max);
    for (size_t n = head.n; n > 0; n--) {
        bool comma = head.p[n - 1] == ',';
        bool wide = n >= 3 && memcmp(head.p + n - 3, "\xEF\xBC\x8C", 3) == 0;
        if (!comma && !wide)
            continue;
        size_t len = n - (comma ? 1 : 3);
        if (sf_utf8_count((struct sf_str){s.p, len}) >= min)
            return len;
    }
    return 0;
}

static char *finish_sentence(enum cue_language lang, struct sf_str s)
{
    struct sf_buf b;
    sf_buf_init(&b, 64U << 10);
    sf_buf_add_str(&b, s);
    if (!text_ends_sentence(s))
        sf_buf_puts(&b, lang == CUE_ZH ? "\xE3\x80\x82" : ".");
    if (b.n > 0 && b.err == SF_OK && b.p[0] >= 'a' && b.p[0] <= 'z')
        b.p[0] = (char)(b.p[0] - 32);
    char *z = sf_buf_take(&b);
    sf_buf_fini(&b);
    return z;
}

/* The bytes before a run of clauses of one or two characters ("像，像，就，好像，"): there the
 * model has lost its way. */
static size_t before_stutter(struct sf_str s)
{
    enum { SHORT = 2, RUN = 8 };
    struct sf_str rest = s;
    size_t clause = 0, run = 0, from = 0, before;
    while (rest.n > 0) {
        bool valid;
        before = s.n - rest.n;
        uint32_t c = sf_utf8_next(&rest, &valid);
        if (sf_cp_is_letter(c)) {
            if (clause++ == 0 && run == 0)
                from = before;
            continue;
        }
        if (clause > 0)
            run = clause <= SHORT ? run + 1 : 0;
        if (run == RUN)
            return from;
        clause = 0;
    }
    return s.n;
}

/* "林星必须放弃什么？": the question again. */
static bool asks_back(enum slot_form form, struct sf_str s)
{
    static const char *const questions[] = {"什么？", "怎样？", "吗？", "吗"};
    for (size_t i = 0; i < COUNT(questions) - (form == FORM_CHOICE ? 0 : 1); i++)
        if (sf_str_find(s, sf_str(questions[i])) < s.n)
            return true;
    return false;
}

static char *clean_sentences(enum cue_language lang, struct sf_str s, unsigned min, unsigned max)
{
    if (lang == CUE_ZH)
        s.n = before_stutter(s);
    struct sf_str head = sf_utf8_head(s, max);
    size_t n = text_last_sentence(head);
    struct sf_str cut = sf_str_trim((struct sf_str){s.p, n});
    if (n == 0 || sf_utf8_count(cut) < min) {
        n = clause_end(s, min, max - 1);
        cut = sf_str_trim((struct sf_str){s.p, n});
        if (n == 0)
            return NULL;
        cut = drop_end(cut, loose_ends, COUNT(loose_ends));
    }
    if (sf_utf8_count(cut) < min || says_bad(cut))
        return NULL;
    return finish_sentence(lang, cut);
}

/* The end of the first clause or sentence that is at least `min` characters long; 0: none. */
static size_t first_clause(struct sf_str s, unsigned min)
{
    static const char *const ends[] = {",",
                                       ".",
                                       "!",
                                       "?",
                                       " or ",
                                       " and she ",
                                       " and he ",
                                       " but ",
                                       "\xE3\x80\x82",
                                       "\xEF\xBC\x8C",
                                       "\xEF\xBC\x81",
                                       "\xEF\xBC\x9F"};
    for (size_t i = 0; i < s.n; i++)
        for (size_t k = 0; k < COUNT(ends); k++)
            if (sf_str_has_prefix((struct sf_str){s.p + i, s.n - i}, ends[k]))
                if (sf_utf8_count((struct sf_str){s.p, i}) >= min)
                    return i;
    return 0;
}

static char *clean_choice(struct sf_str s, unsigned min, unsigned max)
{
    struct sf_str head = sf_utf8_head(s, max);
    size_t n = first_clause(head, min);
    struct sf_str cut = {s.p, n > 0 ? n : head.n};
    cut = drop_end(cut, choice_ends, COUNT(choice_ends));
    cut = drop_end(cut, loose_ends, COUNT(loose_ends));
    size_t len = sf_utf8_count(cut);
    if (len < min || len > max || says_bad(cut))
        return NULL;
    char *z = sf_strndup(cut.p, cut.n);
    if (z && z[0] >= 'a' && z[0] <= 'z')
        z[0] = (char)(z[0] - 32);
    return z;
}

/* Quotes must pair up. */
static bool quotes_pair(struct sf_str s)
{
    int straight = 0, open = 0;
    while (s.n > 0) {
        bool valid;
        uint32_t c = sf_utf8_next(&s, &valid);
        straight += c == '"';
        open += c == 0x201C;
        open -= c == 0x201D;
        if (open < 0 || open > 1)
            return false;
    }
    return straight % 2 == 0 && open == 0;
}

/* A word begins with a single quote, and no later one ends with it ("He said, 'go on"). */
static bool has_open_apostrophe(struct sf_str s)
{
    bool open = false;
    for (size_t i = 0; i < s.n; i++) {
        bool starts = i == 0 || s.p[i - 1] == ' ',
             ends = i + 1 == s.n || strchr(" .,!?", s.p[i + 1]);
        if (s.p[i] == '\'' && starts != ends)
            open = starts;
    }
    return open;
}

/* The same five words (or ten Han characters) in a row twice: a loop. */
static bool loops(struct sf_str s)
{
    size_t run = sf_utf8_is_mostly_cjk(s) ? 30 : 34;
    for (size_t i = 0; i + run < s.n; i++)
        for (size_t k = i + run; k + run <= s.n; k++)
            if (memcmp(s.p + i, s.p + k, run) == 0)
                return true;
    return false;
}

/* Two sentences (or clauses behind a full stop) with the same words. */
static bool says_twice(struct sf_str s)
{
    struct sf_str seen[64];
    size_t n = 0, from = 0;
    for (size_t i = 0; i < s.n && n < 64; i++) {
        if (!strchr(".!?", s.p[i]))
            continue;
        struct sf_str one = sf_str_trim((struct sf_str){s.p + from, i - from});
        from = i + 1;
        for (size_t k = 0; k < n; k++)
            if (one.n > 8 && seen[k].n == one.n && memcmp(seen[k].p, one.p, one.n) == 0)
                return true;
        seen[n++] = one;
    }
    return false;
}

char *clean_text(enum slot_form form, enum cue_language lang, struct sf_str raw, unsigned min,
                 unsigned max)
{
    struct sf_buf b, mended;
    sf_buf_init(&b, 64U << 10);
    sf_buf_init(&mended, 64U << 10);
    squeeze(sf_str_trim(raw), &b);
    if (lang == CUE_EN)
        mend_articles(sf_buf_str(&b), &mended);
    else
        sf_buf_add_str(&mended, sf_buf_str(&b));
    struct sf_str s = sf_str_trim(sf_buf_str(&mended));
    char *z = NULL;
    if (mended.err == SF_OK && b.err == SF_OK && s.n > 0 && sf_utf8_is_valid(s)) {
        if (form == FORM_TITLE)
            z = clean_title(lang, s, min, max);
        else if (form == FORM_CHOICE)
            z = clean_choice(s, min, max);
        else
            z = clean_sentences(lang, s, min, max);
    }
    if (z && lang == CUE_ZH && form != FORM_CONTENT && form != FORM_TITLE &&
        asks_back(form, sf_str(z)))
        free(z), z = NULL;
    sf_buf_fini(&b);
    sf_buf_fini(&mended);
    if (z && form != FORM_TITLE &&
        (!quotes_pair(sf_str(z)) || has_open_apostrophe(sf_str(z)) || loops(sf_str(z)) ||
         says_twice(sf_str(z)))) {
        free(z);
        return NULL;
    }
    return z;
}

static size_t pairs_of(struct sf_str s, uint64_t *out, size_t room)
{
    size_t n = 0;
    uint32_t last = 0;
    while (s.n > 0 && n < room) {
        bool valid;
        uint32_t c = sf_utf8_next(&s, &valid);
        c = c >= 'A' && c <= 'Z' ? c + 32 : c;
        uint64_t pair = (uint64_t)last << 32 | c;
        last = c;
        bool known = false;
        for (size_t i = 0; i < n && !known; i++)
            known = out[i] == pair;
        if (!known)
            out[n++] = pair;
    }
    return n;
}

double text_similarity(struct sf_str a, struct sf_str b)
{
    uint64_t x[400], y[400];
    size_t n = pairs_of(a, x, 400), m = pairs_of(b, y, 400), both = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < m; k++)
            both += x[i] == y[k];
    size_t all = n + m - both;
    return all > 0 ? (double)both / (double)all : 0;
}
