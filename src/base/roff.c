/* SPDX-License-Identifier: MIT */
#include "base/roff.h"

#include "base/utf8.h"

#include <string.h>

/* Characters that roff would take for its own, or show as typographic ones.
 * source: groff_char(7), man-pages(7) on generating optimal glyphs. */
static const char *escape_of(uint32_t c)
{
    switch (c) {
    case '\\':
        return "\\e";
    case '-':
        return "\\-";
    case '\'':
        return "\\(aq";
    case '`':
        return "\\(ga";
    case '^':
        return "\\(ha";
    case '~':
        return "\\(ti";
    default:
        return NULL;
    }
}

static void put_character(struct sf_buf *out, uint32_t c)
{
    const char *escape = escape_of(c);
    if (escape != NULL) {
        sf_buf_puts(out, escape);
    } else if (c < 0x80) {
        sf_buf_putc(out, (char)c);
    } else {
        sf_buf_printf(out, "\\[u%04X]", c);
    }
}

/* `quoted` words in bold; a lone ` is itself. */
static void put_inline(struct sf_buf *out, struct sf_str text)
{
    bool bold = false;
    if (text.n > 0 && text.p[0] == '.') { /* at the start of a line it would be a request */
        sf_buf_puts(out, "\\&");
    }
    while (text.n > 0) {
        bool valid;
        uint32_t c = sf_utf8_next(&text, &valid);
        if (c == '`' && (bold || memchr(text.p, '`', text.n) != NULL)) {
            sf_buf_puts(out, bold ? "\\fR" : "\\fB");
            bold = !bold;
        } else {
            put_character(out, c == '\n' ? ' ' : c);
        }
    }
}

void roff_plain(struct sf_buf *out, const char *text)
{
    put_inline(out, sf_str(text));
}

void roff_bold(struct sf_buf *out, const char *text)
{
    sf_buf_puts(out, "\\fB");
    for (struct sf_str rest = sf_str(text); rest.n > 0;) {
        bool valid;
        put_character(out, sf_utf8_next(&rest, &valid));
    }
    sf_buf_puts(out, "\\fR");
}

static void put_upper(struct sf_buf *out, const char *text)
{
    for (const char *p = text; *p != '\0'; p++) {
        char c = *p >= 'a' && *p <= 'z' ? (char)(*p - 'a' + 'A') : *p;
        put_character(out, (unsigned char)c);
    }
}

void roff_head(struct sf_buf *out, const struct roff_page *page)
{
    struct sf_str summary = sf_str(page->summary);
    if (summary.n > 0 && summary.p[summary.n - 1] == '.') {
        summary.n--;
    }
    sf_buf_puts(out, ".\\\" SPDX-License-Identifier: MIT\n.\\\" Made by storyfi man.\n.TH ");
    put_upper(out, page->name);
    sf_buf_printf(out, " %s \"%s\" \"%s\" \"%s\"\n", page->section, page->date, page->source,
                  page->manual);
    sf_buf_puts(out, ".nh\n.ad l\n"); /* a hyphen that a break puts in would be taken for ours */
    roff_section(out, "NAME");
    roff_plain(out, page->name);
    sf_buf_puts(out, " \\- ");
    put_inline(out, summary);
    sf_buf_putc(out, '\n');
}

void roff_section(struct sf_buf *out, const char *title)
{
    sf_buf_printf(out, ".SH %s\n", title);
}

void roff_subsection(struct sf_buf *out, const char *title)
{
    sf_buf_printf(out, ".SS %s\n", title);
}

void roff_paragraph(struct sf_buf *out)
{
    sf_buf_puts(out, ".PP\n");
}

void roff_text(struct sf_buf *out, const char *text)
{
    struct sf_str rest = sf_str(text);
    for (bool first = true; rest.n > 0; first = false) {
        size_t n = sf_str_find(rest, SF_STR("\n\n"));
        if (!first) {
            roff_paragraph(out);
        }
        put_inline(out, sf_str_trim((struct sf_str){rest.p, n}));
        sf_buf_putc(out, '\n');
        n = n < rest.n ? n + 2 : n;
        rest = (struct sf_str){rest.p + n, rest.n - n};
    }
}

void roff_item(struct sf_buf *out, const char *tag, const char *takes)
{
    sf_buf_puts(out, ".TP\n");
    roff_bold(out, tag);
    if (takes != NULL) {
        sf_buf_puts(out, " \\fI");
        roff_plain(out, takes);
        sf_buf_puts(out, "\\fR");
    }
    sf_buf_putc(out, '\n');
}

void roff_reference(struct sf_buf *out, const char *name, const char *section, const char *behind)
{
    sf_buf_puts(out, ".BR ");
    for (const char *p = name; *p != '\0'; p++) {
        put_character(out, (unsigned char)*p);
    }
    sf_buf_printf(out, " (%s)%s\n", section, behind);
}
