/* SPDX-License-Identifier: MIT */
#include "story/book.h"

#include <string.h>

extern const struct sf_str story_book_html;
extern const struct sf_str story_book_css, story_book_css_hash;
extern const struct sf_str story_book_js, story_book_js_hash;

/* Bytes that could end or change a script element are written as JSON escapes, the two line
 * separators too, which are line ends in older JavaScript. Outside its strings JSON has none of
 * them. */
static void put_json(const json_t *story, struct sf_buf *out)
{
    struct sf_buf text;
    sf_buf_init(&text, 8U << 20);
    json_print(story, &text);
    if (text.err != SF_OK) {
        out->err = text.err;
    }
    for (size_t i = 0; i < text.n; i++) {
        const char *p = text.p + i;
        if (*p == '<' || *p == '>' || *p == '&') {
            sf_buf_printf(out, "\\u%04x", (unsigned)*p);
        } else if (text.n - i >= 3 && memcmp(p, "\xe2\x80", 2) == 0 &&
                   ((uint8_t)p[2] & 0xfe) == 0xa8) {
            sf_buf_printf(out, "\\u%04x", 0x2000U | ((uint8_t)p[2] & 0x3fU));
            i += 2;
        } else {
            sf_buf_putc(out, *p);
        }
    }
    sf_buf_fini(&text);
}

static const struct {
    const char *name;
    const struct sf_str *text; /* NULL: the story */
} parts[] = {
    {"CSS", &story_book_css},
    {"CSS_HASH", &story_book_css_hash},
    {"JS", &story_book_js},
    {"JS_HASH", &story_book_js_hash},
    {"VERSION", &(const struct sf_str){STORYFI_VERSION, sizeof STORYFI_VERSION - 1}},
    {"STORY", NULL},
};

static void put_part(struct sf_str name, const json_t *story, struct sf_buf *out)
{
    size_t i = 0;
    while (i < sizeof parts / sizeof parts[0] && !sf_str_is(name, parts[i].name)) {
        i++;
    }
    SF_BUG_ON(i == sizeof parts / sizeof parts[0]); /* the template is ours */
    if (parts[i].text != NULL) {
        sf_buf_add_str(out, *parts[i].text);
    } else {
        put_json(story, out);
    }
}

enum sf_err story_book_render(const json_t *story, struct sf_buf *out)
{
    /* The template's only '@' stand round part names: odd pieces are names. */
    struct sf_str rest = story_book_html, piece;
    for (unsigned i = 0; sf_str_next(&rest, '@', &piece); i++) {
        if (i % 2 == 1) {
            put_part(piece, story, out);
        } else {
            sf_buf_add_str(out, piece);
        }
    }
    return out->err;
}
