/* SPDX-License-Identifier: MIT */
#include "engine/child/composing.h"

#include "base/mem.h"
#include "base/utf8.h"

#include <string.h>

/* The repair of weak texts. A text that is fit but weak is held back as a draft and asked for once
 * more while other texts of the wave are still being written: beside them that costs little, alone
 * it would cost as much as the rest of the wave. The better of the two is told. */

enum {
    MENTOR = 3,
    PER_REPAIR = 12,  /* one repair for so many texts of an answer, and one more */
    FOLLOW_UP = 30,   /* characters of what is asked for when a text stands: a title */
    WORD_LETTERS = 5, /* shorter ones may come again */
    WORDS_SEEN = 128, /* of a text */
    TIME_FACTOR = 3,  /* what a repair may take, in what the text itself took */
};
static const double weak = 0.42, better_by = 0.1;
static const double beside = 0.5; /* of a repair's length: what must still be written beside it */

static bool says(struct sf_str text, const char *a, const char *between, const char *b)
{
    char all[256];
    (void)snprintf(all, sizeof all, "%s%s%s", a, between, b);
    return sf_str_find(text, sf_str(all)) < text.n;
}

/* "the old teacher, Willa" where Willa is the friend (in Chinese without the comma); "Willa and
 * Willa". */
static bool mistakes_people(const struct composer *c, struct sf_str text)
{
    bool en = c->lang == CUE_EN;
    for (size_t i = 0; i < STORY_CAST; i++) {
        const struct person *p = &c->cast[i];
        const char *last = strrchr(p->full, ' ');
        if (!p->first[0])
            continue;
        if (says(text, p->first, en ? " and " : "和", p->first))
            return true;
        for (size_t k = 0; k < STORY_CAST; k++) {
            const char *role = c->book->roles[k][c->cast[k].woman];
            bool wrong = says(text, role, en ? ", " : "", p->first) ||
                         (en && says(text, last ? last + 1 : p->first, ", ", role)) ||
                         (en && says(text, p->first, ", ", role));
            if (i != k && wrong && (en || k == MENTOR)) /* a friend or rival is whose one likes */
                return true;
        }
    }
    return false;
}

/* "in the early n a s e r e": single letters that are no words. */
static bool is_spelled(const struct composer *c, struct sf_str text)
{
    struct sf_str word;
    unsigned n = 0;
    while (c->lang == CUE_EN && sf_str_next(&text, ' ', &word))
        n += word.n == 1 && word.p[0] >= 'b' && word.p[0] <= 'z';
    return n > 1;
}

/* Of the long words (Chinese: pairs of characters) of a text, the share that came before. */
static double repeats(const struct composer *c, struct sf_str text)
{
    struct sf_str seen[WORDS_SEEN];
    size_t n = 0, again = 0, at = 0;
    bool zh = c->lang == CUE_ZH;
    while (n + again < WORDS_SEEN && at < text.n) {
        struct sf_str word = {text.p + at, 0};
        if (zh) {
            word = sf_utf8_head((struct sf_str){text.p + at, text.n - at}, 2);
            at += sf_utf8_head(word, 1).n;
        } else {
            while (at + word.n < text.n &&
                   ((text.p[at + word.n] | 32) >= 'a' && (text.p[at + word.n] | 32) <= 'z'))
                word.n++;
            at += word.n + 1;
            if (word.n < WORD_LETTERS || (word.p[0] >= 'A' && word.p[0] <= 'Z'))
                continue;
        }
        bool known = false;
        for (size_t i = 0; i < n && !known; i++)
            known = seen[i].n == word.n && memcmp(seen[i].p, word.p, word.n) == 0;
        if (known)
            again++;
        else
            seen[n++] = word;
    }
    return n + again > 3 ? (double)again / (double)(n + again) : 0;
}

static double weakness_of(const struct composer *c, const struct slot *s, struct sf_str text)
{
    double sum = 0, n = (double)sf_utf8_count(text);
    if (s->form == FORM_TITLE || s->form == FORM_CHOICE)
        return 0;
    if (n < s->aim)
        sum += 1 - n / s->aim;
    double again = repeats(c, text), alike = 0;
    if (again > 0.15)
        sum += 2 * (again - 0.15);
    for (size_t i = 0; i < c->n_group_texts; i++)
        if (i != s->claim && c->group_of[i] == s->group) {
            double one = text_similarity(sf_str(c->group_texts[i]), text);
            alike = one > alike ? one : alike;
        }
    if (alike > 0.4)
        sum += 2.5 * (alike - 0.4);
    if (s->job.doubt_at > 0)
        sum += 0.2;
    if (mistakes_people(c, text) || is_spelled(c, text))
        sum += 0.6;
    return sum;
}

/* Characters that the longest of the other texts still takes, when all are written at the pace of
 * this one, which has just ended. */
static double others_take(const struct composer *c, const struct slot *s)
{
    double longest = 0, pace = (double)s->job.n_chars;
    sf_ms took = sf_between(s->asked, sf_now());
    pace /= took > 0 ? (double)took : 1;
    for (size_t i = 0; i < c->n_slots; i++) {
        const struct slot *o = c->slots[i];
        if (o == s || !o->submitted || o->finished)
            continue;
        double left = o->aim - pace * (double)sf_between(o->asked, sf_now());
        if (o->done)
            left = (left > 0 ? left : 0) + FOLLOW_UP;
        longest = left > longest ? left : longest;
    }
    return longest;
}

bool composer_may_repair(const struct composer *c, const struct slot *s)
{
    if (c->m->synthetic || c->late || c->hurried || c->failed || s->form == FORM_CONTENT ||
        s->repaired || c->n_rewritten > c->n_asked / PER_REPAIR)
        return false;
    sf_ms took = sf_between(s->asked, sf_now());
    if (TIME_FACTOR * took > sf_until(c->o.target))
        return false;
    double needs = s->aim + (s->done ? FOLLOW_UP : 0);
    return c->o.sequential || beside * needs <= others_take(c, s);
}

enum repair composer_repair(struct composer *c, struct slot *s, struct sf_str text)
{
    double weakness = weakness_of(c, s, text);
    if (s->draft)
        return weakness + better_by < s->draft_weakness ? REPAIR_TAKE : REPAIR_DRAFT;
    if (weakness < weak || !composer_may_repair(c, s))
        return REPAIR_TAKE;
    s->draft = sf_strndup(text.p, text.n);
    s->draft_weakness = weakness;
    return s->draft ? REPAIR_AGAIN : REPAIR_TAKE;
}
