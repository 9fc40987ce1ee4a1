/* SPDX-License-Identifier: MIT */
#include "story/book.h"

#include "base/file.h"
#include "base/hex.h"

extern const struct sf_str story_book_html;
extern const struct sf_str story_book_css;
extern const struct sf_str story_book_js;

/* JSON inside <script>: "</script>", "<!--" and the line separators cannot end or change it. */
static void put_json(const json_t *story, struct sf_buf *out)
{
    struct sf_buf text;
    sf_buf_init(&text, 8U << 20);
    json_print(story, &text);
    if (text.err != SF_OK) {
        out->err = text.err;
    }
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '<' || text.p[i] == '>' || text.p[i] == '&') {
            sf_buf_printf(out, "\\u%04x", (unsigned)text.p[i]);
        } else {
            sf_buf_putc(out, text.p[i]);
        }
    }
    sf_buf_fini(&text);
}

static void put_part(struct sf_str name, const json_t *story, const char *nonce, struct sf_buf *out)
{
    if (sf_str_is(name, "NONCE")) {
        sf_buf_puts(out, nonce);
    } else if (sf_str_is(name, "VERSION")) {
        sf_buf_puts(out, STORYFI_VERSION);
    } else if (sf_str_is(name, "CSS")) {
        sf_buf_add_str(out, story_book_css);
    } else if (sf_str_is(name, "JS")) {
        sf_buf_add_str(out, story_book_js);
    } else if (sf_str_is(name, "STORY")) {
        put_json(story, out);
    } else {
        SF_BUG_ON(true); /* the template is ours */
    }
}

enum sf_err story_book_render(const json_t *story, struct sf_buf *out)
{
    uint8_t random[16];
    char nonce[2 * sizeof random + 1];
    sf_random(random, sizeof random);
    sf_hex_encode(random, sizeof random, nonce);
    /* The template's only '@' stand round part names: odd pieces are names. */
    struct sf_str rest = story_book_html, piece;
    for (unsigned i = 0; sf_str_next(&rest, '@', &piece); i++) {
        if (i % 2 == 1) {
            put_part(piece, story, nonce, out);
        } else {
            sf_buf_add_str(out, piece);
        }
    }
    return out->err;
}
