/* SPDX-License-Identifier: MIT */
#include "story/prompt.h"

#include "base/utf8.h"

#include <string.h>

#define CONTEXT_MAX 8000

static void put_json(const json_t *v, struct sf_buf *out)
{
    struct sf_buf text;
    sf_buf_init(&text, 1U << 20);
    if (v != NULL) {
        json_print(v, &text);
    }
    size_t n = text.n < CONTEXT_MAX ? text.n : CONTEXT_MAX;
    while (n > 0 && n < text.n && ((unsigned char)text.p[n] & 0xc0U) == 0x80U) {
        n--;
    }
    sf_buf_add(out, sf_buf_z(&text), n);
    sf_buf_fini(&text);
}

static void put_input(const struct story_request *r, struct sf_buf *out)
{
    sf_buf_puts(out, r->user_input);
}

static void put_task(const struct story_request *r, struct sf_buf *out)
{
    sf_buf_puts(out, story_task_name(r->task));
}

static void put_blueprint(const struct story_request *r, struct sf_buf *out)
{
    put_json(r->blueprint, out);
}

static void put_characters(const struct story_request *r, struct sf_buf *out)
{
    put_json(r->characters, out);
}

static void put_arc(const struct story_request *r, struct sf_buf *out)
{
    put_json(r->story_arc, out);
}

static void put_ids(const struct story_request *r, struct sf_buf *out)
{
    for (size_t i = 0; i < r->n_chapter_ids; i++) {
        sf_buf_printf(out, "%s%d", i == 0 ? "" : ", ", r->chapter_ids[i]);
    }
}

static void put_all(const struct story_request *r, struct sf_buf *out)
{
    const json_t *const contexts[] = {r->blueprint, r->characters, r->story_arc};
    for (size_t i = 0; i < 3; i++) {
        if (contexts[i] != NULL) {
            put_json(contexts[i], out);
            sf_buf_putc(out, '\n');
        }
    }
}

static const struct {
    const char *name;
    void (*put)(const struct story_request *r, struct sf_buf *out);
} variables[] = {
    {"user_input", put_input},
    {"task_type", put_task},
    {"blueprint_context", put_blueprint},
    {"characters_context", put_characters},
    {"story_context", put_arc},
    {"chapter_ids", put_ids},
    {"context", put_all},
};

static bool put_variable(struct sf_str name, const struct story_request *r, struct sf_buf *out)
{
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
        if (sf_str_is(name, variables[i].name)) {
            variables[i].put(r, out);
            return true;
        }
    }
    return false;
}

void story_prompt_render(struct sf_str text, const struct story_request *request,
                         struct sf_buf *out)
{
    while (text.n > 0) {
        size_t at = sf_str_find(text, SF_STR("${"));
        sf_buf_add(out, text.p, at);
        text.p += at;
        text.n -= at;
        size_t end = sf_str_find(text, SF_STR("}"));
        if (text.n == 0) {
            return;
        }
        bool known =
            end < text.n && put_variable((struct sf_str){text.p + 2, end - 2}, request, out);
        size_t step = known ? end + 1 : 2;
        if (!known) {
            sf_buf_add(out, text.p, step);
        }
        text.p += step;
        text.n -= step;
    }
}
