/* SPDX-License-Identifier: MIT */
#include "engine/child/stop_rule.h"

#include "base/utf8.h"

#include <string.h>

static const char *const abbreviations[] = {"Mr",   "Mrs", "Ms",  "Dr", "St",
                                            "Prof", "vs",  "etc", "Jr", "Sr"};

static bool is_abbreviation(struct sf_str head)
{
    for (size_t i = 0; i < sizeof abbreviations / sizeof *abbreviations; i++) {
        size_t n = strlen(abbreviations[i]);
        if (head.n >= n && memcmp(head.p + head.n - n, abbreviations[i], n) == 0 &&
            (head.n == n || head.p[head.n - n - 1] == ' '))
            return true;
    }
    /* A single capital: an initial. */
    return head.n >= 2 && head.p[head.n - 1] >= 'A' && head.p[head.n - 1] <= 'Z' &&
           head.p[head.n - 2] == ' ' && head.p[head.n - 1] != 'I';
}

static bool drop_tail(struct sf_str *s, const char *z)
{
    size_t n = strlen(z);
    if (s->n < n || memcmp(s->p + s->n - n, z, n) != 0)
        return false;
    s->n -= n;
    return true;
}

bool text_ends_sentence(struct sf_str s)
{
    static const char *const closers[] = {"\"", "\xE2\x80\x9D", "\xE3\x80\x8D"};
    static const char *const wide[] = {"\xE3\x80\x82", "\xEF\xBC\x81", "\xEF\xBC\x9F"};
    for (size_t i = 0; i < sizeof closers / sizeof *closers; i++)
        if (drop_tail(&s, closers[i]))
            break;
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++)
        if (drop_tail(&s, wide[i]))
            return true;
    if (drop_tail(&s, "!") || drop_tail(&s, "?"))
        return s.n > 0 && s.p[s.n - 1] != ' ';
    return drop_tail(&s, ".") && s.n > 0 && s.p[s.n - 1] != ' ' && s.p[s.n - 1] != '.' &&
           !is_abbreviation(s);
}

/* Double quotes that are open at the end of `s`. */
static bool has_open_quote(struct sf_str s)
{
    int straight = 0, curly = 0;
    while (s.n > 0) {
        bool valid;
        uint32_t c = sf_utf8_next(&s, &valid);
        straight += c == '"';
        curly += c == 0x201C || c == 0x300C;
        curly -= c == 0x201D || c == 0x300D;
    }
    return straight % 2 != 0 || curly > 0;
}

size_t text_last_sentence(struct sf_str s)
{
    for (; s.n > 0; s.n--)
        if (text_ends_sentence(s) && !has_open_quote(s))
            return s.n;
    return 0;
}

bool stop_words(const struct job *job)
{
    return job->n_chars >= job->stop_max;
}

bool stop_sentence(const struct job *job)
{
    if (job->n_chars >= job->stop_max)
        return true;
    struct sf_str text = sf_buf_str(&job->text);
    return job->n_chars >= job->stop_min && !has_open_quote(text) && text_ends_sentence(text);
}

bool stop_text(const struct job *job)
{
    if (job->n_chars >= job->stop_max)
        return true;
    unsigned least = job->stop_aim;
    if (atomic_load_explicit(&job->hurry, memory_order_relaxed) || least < job->stop_min)
        least = job->stop_min;
    if (job->n_chars < least)
        return false;
    struct sf_str text = sf_buf_str(&job->text);
    return text_ends_sentence(text) && !has_open_quote(text);
}
