/* SPDX-License-Identifier: MIT */
#include "engine/child/composing.h"

#include "base/mem.h"
#include "base/utf8.h"

#include <string.h>

enum { PROMPT_TOKENS = 4096, PREFIX_TOKENS = 3072, TOLD_BYTES = 6000 };

void text_copy(char *out, size_t room, struct sf_str s)
{
    while (s.n >= room)
        s = sf_utf8_head(s, sf_utf8_count(s) - 1);
    if (s.n > 0)
        memcpy(out, s.p, s.n);
    out[s.n] = '\0';
}

void vars_set(struct vars *v, const char *name, struct sf_str value)
{
    size_t i = 0;
    while (i < v->n && strcmp(v->v[i].name, name) != 0)
        i++;
    if (i == VARS_MAX)
        return;
    if (i == v->n)
        v->n++;
    v->v[i].name = name;
    text_copy(v->v[i].value, VAR_ROOM, value);
}

const char *vars_get(const struct vars *v, const char *name)
{
    for (size_t i = 0; i < v->n; i++)
        if (strcmp(v->v[i].name, name) == 0)
            return v->v[i].value;
    return "";
}

bool vars_expand(const struct vars *v, const char *tmpl, struct sf_buf *out)
{
    bool whole = true;
    while (*tmpl) {
        const char *open = strchr(tmpl, '{'), *close = open ? strchr(open, '}') : NULL;
        if (!close) {
            sf_buf_puts(out, tmpl);
            break;
        }
        sf_buf_add(out, tmpl, (size_t)(open - tmpl));
        char name[32];
        size_t n = (size_t)(close - open) - 1;
        n = n < sizeof name ? n : sizeof name - 1;
        memcpy(name, open + 1, n);
        name[n] = '\0';
        const char *value = vars_get(v, name);
        whole &= *value != '\0';
        sf_buf_puts(out, value);
        tmpl = close + 1;
    }
    return whole;
}

/* A line of the story is left out when one of its variables is empty. */
static void add_line(const struct composer *c, const char *line, struct sf_buf *out)
{
    size_t n = out->n;
    if (!vars_expand(&c->vars, line, out) && out->err == SF_OK) {
        out->n = n;
        if (out->p)
            out->p[n] = '\0';
    }
}

static void add_example(const struct composer *c, struct sf_buf *out)
{
    const struct cue_book *book = c->book;
    static const struct vars none;
    sf_buf_puts(out, book->example_story);
    struct vars v = none;
    const char *const keys[] = {"hero", "name", "a", "his", "him", "he"};
    const char *const zh[] = {"薇拉", "薇拉", "薇拉", "她的", "她", "她"};
    const char *const en[] = {"Wilma", "Wilma", "Wilma", "her", "her", "she"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        vars_set(&v, keys[i], sf_str(c->lang == CUE_ZH ? zh[i] : en[i]));
    vars_set(&v, "other", sf_str(c->lang == CUE_ZH ? "老贝林" : "Old Berrin"));
    vars_set(&v, "b", sf_str(c->lang == CUE_ZH ? "老贝林" : "Old Berrin"));
    vars_set(&v, "description", sf_str(book->cues[CUE_BEAT_1].example));
    for (size_t i = 0; i < CUE_COUNT; i++) {
        const struct cue *cue = &book->cues[i];
        bool of_chapter = strstr(cue->question, "{description}") != NULL;
        if (!cue->example || (of_chapter && i != CUE_CHAPTER_TITLE))
            continue;
        sf_buf_puts(out, book->question_mark);
        (void)vars_expand(&v, cue->question, out);
        sf_buf_puts(out, book->answer_mark);
        sf_buf_puts(out, cue->example);
    }
    sf_buf_puts(out, "\n\n");
}

/* The lines of a template that speak of the answer's form are not for the composer. */
static void add_template(const char *prompt, struct sf_buf *out)
{
    struct sf_str rest = sf_str(prompt), line;
    while (sf_str_next(&rest, '\n', &line)) {
        bool form = sf_str_find(line, SF_STR("JSON")) < line.n ||
                    sf_str_find(line, SF_STR("json")) < line.n ||
                    sf_str_find(line, SF_STR("\":")) < line.n ||
                    sf_str_find(line, SF_STR("```")) < line.n;
        line = sf_str_trim(line);
        if (form || line.n == 0 || out->n + line.n > 4000)
            continue;
        sf_buf_add_str(out, line);
        sf_buf_putc(out, '\n');
    }
}

/* The newest of the answer's texts, as far as there is room. */
static void add_told(const struct composer *c, struct sf_buf *out)
{
    size_t room = c->m->n_ctx < TOLD_BYTES ? (size_t)c->m->n_ctx : TOLD_BYTES;
    struct sf_str told = sf_buf_str(&c->told), line;
    while (told.n > room && sf_str_next(&told, '\n', &line))
        ;
    if (told.n > 0) {
        sf_buf_puts(out, c->book->line_told);
        sf_buf_add_str(out, told);
    }
}

static void story_lines(struct composer *c, struct sf_buf *out)
{
    const struct cue_book *b = c->book;
    if (c->o.prompt && *c->o.prompt) {
        add_template(c->o.prompt, out);
        return;
    }
    const char *const lines[] = {b->line_story,   b->line_topic,    b->line_genre,
                                 b->line_setting, b->line_conflict, b->line_cast};
    /* Small models copy what they are told: for the chapters' own texts less is better. */
    bool few = c->o.small && c->o.request->task == STORY_CHAPTERS_TASK;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        if (!few || i == 0 || i == 2 || i == 5)
            add_line(c, lines[i], out);
}

enum sf_err composer_build_prefix(struct composer *c, bool neutral)
{
    const struct engine_model *m = c->m;
    struct job_prefix *p = neutral ? &c->neutral : &c->prefix;
    bool chat = c->o.instruct && m->chat_head;
    struct sf_buf b;
    sf_buf_init(&b, 64U << 10);
    free(p->tokens);
    p->n = 0;
    p->tokens = sf_alloc(PREFIX_TOKENS * sizeof *p->tokens);
    enum sf_err err = p->tokens ? SF_OK : SF_ENOMEM;
    if (!err && llama_vocab_get_add_bos(m->vocab) && llama_vocab_bos(m->vocab) >= 0)
        p->tokens[p->n++] = llama_vocab_bos(m->vocab);
    if (!err && chat)
        err = model_tokenize(m, sf_str(m->chat_head), true, p->tokens, PREFIX_TOKENS, &p->n);
    if (!err && chat)
        err = model_tokenize(m, sf_str(c->book->system), false, p->tokens, PREFIX_TOKENS, &p->n);
    if (!err && chat)
        err = model_tokenize(m, sf_str(m->chat_mid), true, p->tokens, PREFIX_TOKENS, &p->n);
    if (!chat)
        add_example(c, &b);
    if (!neutral) {
        story_lines(c, &b);
        add_told(c, &b);
    }
    if (!err)
        err = model_tokenize(m, sf_buf_str(&b), false, p->tokens, PREFIX_TOKENS, &p->n);
    if (!err && b.err)
        err = b.err;
    sf_buf_fini(&b);
    return err;
}

static enum sf_err add_tokens(struct composer *c, struct job *j, const char *text, bool special,
                              bool opening)
{
    if (!j->prompt && !(j->prompt = sf_alloc(PROMPT_TOKENS * sizeof *j->prompt)))
        return SF_ENOMEM;
    size_t before = j->n_prompt;
    enum sf_err err =
        model_tokenize(c->m, sf_str(text), special, j->prompt, PROMPT_TOKENS, &j->n_prompt);
    if (err || !opening)
        return err;
    size_t n = j->n_prompt - before;
    if (j->past_room < j->n_past + n) {
        llama_token *p = sf_realloc(j->past, (j->n_past + n + 64) * sizeof *p);
        if (!p)
            return SF_ENOMEM;
        j->past = p;
        j->past_room = j->n_past + n + 64;
    }
    memcpy(j->past + j->n_past, j->prompt + before, n * sizeof *j->past);
    j->n_past += n;
    j->n_opening += n;
    sf_buf_puts(&j->text, text);
    j->n_chars += sf_utf8_count(sf_str(text));
    for (const char *q = text; *q; q++)
        if (*q == '"')
            j->in_quote = !j->in_quote;
    return j->text.err;
}

enum sf_err composer_append_tokens(struct composer *c, struct job *j, const char *text,
                                   bool opening)
{
    return add_tokens(c, j, text, false, opening);
}

enum sf_err composer_build_prompt(struct composer *c, struct job *j, const char *question,
                                  const char *opening)
{
    bool chat = c->o.instruct && c->m->chat_head;
    j->n_prompt = j->n_opening = 0;
    j->n_past = j->n_history;
    j->n_chars = 0;
    j->in_quote = false;
    sf_buf_clear(&j->text);
    enum sf_err err = SF_OK;
    if (!chat)
        err = add_tokens(c, j, c->book->question_mark, false, false);
    if (!err)
        err = add_tokens(c, j, question, false, false);
    if (!err)
        err = chat ? add_tokens(c, j, c->m->chat_tail, true, false)
                   : add_tokens(c, j, c->book->answer_mark, false, false);
    if (!err && *opening)
        err = add_tokens(c, j, opening, false, true);
    return err;
}

enum sf_err composer_build_follow_up(struct composer *c, struct job *j, llama_token tail,
                                     const char *lead, const char *opening)
{
    j->prompt = sf_alloc(PROMPT_TOKENS * sizeof *j->prompt);
    if (!j->prompt)
        return SF_ENOMEM;
    if (tail >= 0)
        j->prompt[j->n_prompt++] = tail;
    enum sf_err err = add_tokens(c, j, lead, false, false);
    if (!err)
        err = add_tokens(c, j, opening, false, true);
    return err;
}

/* All words of names and of the title and setting that are written with a capital. */
static enum sf_err guard_word(const struct composer *c, struct name_guard *g, struct sf_str word)
{
    char spaced[64];
    if (word.n == 0 || word.n + 2 > sizeof spaced || g->n >= 60)
        return SF_OK;
    spaced[0] = ' ';
    memcpy(spaced + 1, word.p, word.n);
    size_t n = g->n_tokens;
    enum sf_err err =
        model_tokenize(c->m, (struct sf_str){spaced, word.n + 1}, false, g->tokens, 512, &n);
    if (err || n == g->n_tokens || n - g->n_tokens > 12)
        return err == SF_ELIMIT ? SF_OK : err;
    g->lengths[g->n++] = (uint8_t)(n - g->n_tokens);
    g->n_tokens = n;
    return SF_OK;
}

static enum sf_err guard_words(const struct composer *c, struct name_guard *g, const char *text)
{
    struct sf_str rest = sf_str(text), word;
    enum sf_err err = SF_OK;
    while (!err && sf_str_next(&rest, ' ', &word)) {
        size_t n = 0;
        while (n < word.n && ((word.p[n] | 32) >= 'a' && (word.p[n] | 32) <= 'z'))
            n++;
        if (n > 1 && word.p[0] >= 'A' && word.p[0] <= 'Z')
            err = guard_word(c, g, (struct sf_str){word.p, n});
    }
    return err;
}

void name_guard_fini(struct name_guard *g)
{
    free(g->tokens), g->tokens = NULL;
    free(g->lengths), g->lengths = NULL;
    g->n = g->n_tokens = 0;
}

enum sf_err composer_guard_names(const struct composer *c, struct name_guard *g,
                                 const char *const *texts, size_t n)
{
    name_guard_fini(g);
    g->tokens = sf_alloc(512 * sizeof *g->tokens);
    g->lengths = sf_alloc(64);
    enum sf_err err = g->tokens && g->lengths ? SF_OK : SF_ENOMEM;
    for (size_t i = 0; i < n && !err; i++)
        err = guard_words(c, g, texts[i]);
    return err;
}

enum sf_err composer_build_names(struct composer *c)
{
    const char *const texts[] = {c->cast[0].full,
                                 c->cast[1].full,
                                 c->cast[2].full,
                                 c->cast[3].full,
                                 c->cast[4].full,
                                 vars_get(&c->vars, "place"),
                                 vars_get(&c->vars, "topic"),
                                 vars_get(&c->vars, "title"),
                                 vars_get(&c->vars, "setting")};
    return composer_guard_names(c, &c->names, texts, sizeof texts / sizeof *texts);
}
