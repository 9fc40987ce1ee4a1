/* SPDX-License-Identifier: MIT */
#include "engine/child/composing.h"

#include "base/mem.h"
#include "base/utf8.h"
#include "engine/child/stop_rule.h"

#include <string.h>

enum {
    TRIES = 3,          /* of a slot before the program writes it */
    LAST_PART = 180,    /* characters that the last part of a chapter has about */
    PARTS_MAX = 9,      /* of a chapter, when the planned ones come out short */
    LOOK_MS = 200,      /* between two looks at what is left to do */
    TELL_MS = 200,      /* between two events of prefill */
    RESERVE_MS = 350,   /* before the deadline: for what the program has to write */
    CHOICE_CELLS = 200, /* for the choices that are asked behind a chapter's text */
};
static const uint32_t english_bans = TOK_MARKUP | TOK_DIGIT | TOK_COLON | TOK_FOREIGN | TOK_HAN |
                                     TOK_NEWLINE | TOK_CAPS | TOK_META | TOK_PERSON | TOK_CONTROL;
static const uint32_t chinese_bans = TOK_MARKUP | TOK_DIGIT | TOK_COLON | TOK_FOREIGN | TOK_LATIN |
                                     TOK_NEWLINE | TOK_SPACE | TOK_META | TOK_CONTROL;

struct slot *slot_new(struct composer *c, enum slot_form form, enum cue_id cue, const char *path,
                      ...)
{
    struct slot *s = sf_alloc(sizeof *s);
    if (!s) {
        c->failed = true;
        return NULL;
    }
    if (c->n_slots == c->slots_room) {
        size_t room = c->slots_room ? 2 * c->slots_room : 64;
        struct slot **p = sf_realloc(c->slots, room * sizeof(struct slot *));
        if (!p) {
            free(s);
            c->failed = true;
            return NULL;
        }
        c->slots = p;
        c->slots_room = room;
    }
    va_list ap;
    va_start(ap, path);
    vsnprintf(s->path, sizeof s->path, path, ap);
    va_end(ap);
    s->form = form;
    s->cue = cue;
    s->vars = c->vars;
    s->n_parts = form == FORM_CONTENT ? CUE_PARTS : 1;
    s->opening_at = (unsigned)(sampler_next(&c->rng) % 64);
    s->tail = -1;
    s->claim = CLAIM_NONE;
    sf_buf_init(&s->so_far, 64U << 10);
    job_init(&s->job, &c->owner);
    c->slots[c->n_slots++] = s;
    return s;
}

void slot_bounds(struct slot *s, unsigned min, unsigned aim, unsigned max)
{
    if (!s)
        return;
    s->min = min;
    s->aim = aim;
    s->max = max;
}

void composer_clear_slots(struct composer *c)
{
    for (size_t i = 0; i < c->n_slots; i++) {
        struct slot *s = c->slots[i];
        scheduler_release(c->sched, s->held);
        job_fini(&s->job);
        sf_buf_fini(&s->so_far);
        free(s->text);
        free(s->draft);
        free(s->history);
        name_guard_fini(&s->guard);
        free(s);
    }
    c->n_slots = 0;
}

/* ---- output and events ----------------------------------------------------------------------- */

static void emit(struct composer *c, enum composer_event_kind kind, const char *path,
                 struct sf_str text)
{
    if (c->o.on_event)
        c->o.on_event(c->o.event_arg,
                      &(struct composer_event){.kind = kind, .path = path, .text = text});
}

static bool is_under(const char *path, const char *root)
{
    size_t n = strlen(root);
    return strncmp(path, root, n) == 0 && (path[n] == '\0' || path[n] == '/' || n == 0);
}

bool composer_wants(const struct composer *c, const char *path)
{
    size_t n = json_array_size(c->o.wanted);
    bool wanted = n == 0;
    for (size_t i = 0; i < n && !wanted; i++) {
        const char *w = json_string_value(json_array_get(c->o.wanted, i));
        wanted = w && (is_under(path, w) || is_under(w, path));
    }
    return wanted;
}

void composer_put_value(struct composer *c, const char *path, json_t *value_own)
{
    if (!value_own || json_set_at_new(c->output, path, value_own) != SF_OK)
        c->failed = true;
}

void composer_put(struct composer *c, const char *path, struct sf_str text)
{
    if (!composer_wants(c, path))
        return;
    emit(c, COMPOSER_SLOT_STARTED, path, SF_STR(""));
    emit(c, COMPOSER_SLOT_TEXT, path, text);
    emit(c, COMPOSER_SLOT_DONE, path, text);
    composer_put_value(c, path, json_stringn(text.p, text.n));
}

bool composer_claim(struct composer *c, unsigned group, struct sf_str text)
{
    if (group == 0)
        return true;
    struct sf_str head = text;
    while (head.n >= VAR_ROOM)
        head = sf_utf8_head(head, sf_utf8_count(head) - 1);
    for (size_t i = 0; i < c->n_group_texts; i++)
        if (c->group_of[i] == group && text_similarity(sf_str(c->group_texts[i]), head) > 0.62)
            return false;
    if (c->n_group_texts == c->group_room) {
        size_t room = c->group_room ? 2 * c->group_room : 32;
        char(*texts)[VAR_ROOM] = sf_realloc(c->group_texts, room * sizeof *texts);
        if (texts)
            c->group_texts = texts;
        unsigned *of = sf_realloc(c->group_of, room * sizeof *of);
        if (of)
            c->group_of = of;
        if (!texts || !of)
            return true;
        c->group_room = room;
    }
    memcpy(c->group_texts[c->n_group_texts], head.p, head.n);
    c->group_texts[c->n_group_texts][head.n] = '\0';
    c->group_of[c->n_group_texts++] = group;
    return true;
}

/* ---- asking ---------------------------------------------------------------------------------- */

static void set_form(struct composer *c, struct slot *s, unsigned min, unsigned aim, unsigned max)
{
    struct job *j = &s->job;
    bool zh = c->lang == CUE_ZH;
    j->sampling = (struct sampler_params){
        .temperature = s->tries == 0 ? 0.62f : 0.8f,
        .min_p = 0.07f,
        .top_p = c->m->top_p,
        .repeat_penalty = s->form == FORM_CONTENT ? 0.9f : 0.7f,
        .banned = zh ? chinese_bans : english_bans,
        .ngram = s->form == FORM_CONTENT ? 4 : 3,
    };
    if (s->form != FORM_CONTENT)
        j->sampling.banned |= TOK_QUOTE;
    j->sampling.banned |= s->banned;
    j->names = c->o.small && !zh && s->form != FORM_TITLE && !s->any_names
                   ? (s->guard.n > 0 ? &s->guard : &c->names)
                   : NULL;
    j->shared = s->form == FORM_TITLE ? NULL : &c->shared;
    j->stop_min = min;
    j->stop_aim = aim;
    j->stop_max = max;
    j->max_tokens = zh ? max : max / 3 + 10;
    j->end_classes = 0;
    j->end_late = TOK_NEWLINE | TOK_END;
    j->min_chars = min;
    j->min_sentence = 0;
    if (!zh && s->form == FORM_CONTENT)
        j->min_sentence = 26;
    else if (!zh && s->form != FORM_TITLE) /* not "A runaway heir must." */
        j->min_sentence = (unsigned)strlen(s->opening) + 14;
    j->stop = s->form == FORM_SENTENCE || s->form == FORM_CHOICE ? stop_sentence : stop_text;
    if (s->form == FORM_CHOICE) { /* a short command: one clause */
        j->end_late |= TOK_COMMA | TOK_STOP;
        j->sampling.temperature -= 0.1f;
    }
    if (s->form == FORM_TITLE) {
        j->end_classes =
            TOK_QUOTE | TOK_NEWLINE | TOK_END | TOK_STOP | TOK_COLON | TOK_COMMA | TOK_MARKUP;
        j->end_late = 0;
        j->min_chars = 0;
        j->sampling.temperature += s->tries == 0 ? 0.15f : 0.3f;
        j->stop = stop_words;
        j->max_tokens = zh ? 14 : 12;
    }
    j->sampling.temperature *= c->m->warmth;
    j->extra_cells = 0;
    j->hold = s->form == FORM_CONTENT || (!s->fork_of && s->tries + 1 < TRIES);
    j->seed = sampler_next(&c->rng);
}

static void choose_opening(struct slot *s, const char *const *list, size_t room)
{
    size_t n = 0;
    while (n < room && list[n])
        n++;
    struct sf_buf b;
    sf_buf_init(&b, sizeof s->opening - 1);
    unsigned first = s->opening_at + (s->form == FORM_CONTENT ? 0 : s->tries);
    for (size_t k = 0; k < n; k++) { /* one whose variables are all known */
        sf_buf_clear(&b);
        if (vars_expand(&s->vars, list[(first + k) % n], &b))
            break;
    }
    text_copy(s->opening, sizeof s->opening, b.err ? SF_STR("") : sf_buf_str(&b));
    sf_buf_fini(&b);
}

static void part_bounds(const struct slot *s, unsigned *min, unsigned *aim, unsigned *max)
{
    unsigned done = (unsigned)sf_utf8_count(sf_buf_str(&s->so_far));
    unsigned left = s->part + 1 < s->n_parts ? s->n_parts - s->part : 1;
    unsigned want = s->aim > done ? (s->aim - done) / left : 60;
    *aim = want < 60 ? 60 : want;
    *min = *aim * 3 / 5;
    *max = *aim * 2;
    unsigned room = s->max > done + 4 ? s->max - done - 4 : 1;
    *max = *max > room ? room : *max;
    if (left == 1 && done < s->min && *min < s->min - done)
        *min = s->min - done;
    if (*aim < *min)
        *aim = *min;
}

/* Hands the slot's next text (or its next part) to the scheduler. */
static void submit(struct composer *c, struct slot *s)
{
    struct job *j = &s->job;
    struct sf_buf q;
    unsigned min = s->min, aim = s->aim, max = s->max;
    const struct cue *cue = &c->book->cues[s->cue];
    sf_buf_init(&q, 16U << 10);
    if (s->form == FORM_CONTENT) {
        unsigned row = s->part == 0                ? 0
                       : s->part + 1 >= s->n_parts ? CUE_PARTS - 1
                                                   : 1 + (s->part - 1) % (CUE_PARTS - 2);
        s->opening_at = c->part_used[row]++; /* dealt: chapters begin differently */
        choose_opening(s, c->book->parts[row], CUE_PART_OPENINGS);
        part_bounds(s, &min, &aim, &max);
    } else {
        choose_opening(s, cue->openings, CUE_OPENINGS);
    }
    job_fini(j);
    job_init(j, &c->owner);
    set_form(c, s, min, aim, max);
    j->user = s;
    atomic_store(&j->hurry, c->hurried);
    (void)vars_expand(&s->vars, cue->question, &q);
    enum sf_err err;
    if (s->n_history > 0 && (j->past = sf_alloc((s->n_history + 64) * sizeof *j->past))) {
        memcpy(j->past, s->history, s->n_history * sizeof *j->past);
        j->n_past = j->n_history = s->n_history;
        j->past_room = s->n_history + 64;
    }
    if (s->form == FORM_CONTENT && s->held) {
        j->base = s->held;
        j->continue_base = true;
        j->base_pos = s->part_from;
        s->held = NULL;
        if (s->tail >= 0 && (j->prompt = sf_alloc(4096 * sizeof *j->prompt)))
            j->prompt[j->n_prompt++] = s->tail;
        err = composer_append_tokens(c, j, "\n\n", false);
        if (!err && *s->opening)
            err = composer_append_tokens(c, j, s->opening, true);
    } else if (s->held) { /* the question again, which is in the cache; another opening */
        j->base = s->held;
        j->continue_base = true;
        j->base_pos = s->part_from;
        s->held = NULL;
        err = composer_build_follow_up(c, j, s->tail, "", s->opening);
    } else if (s->fork_of) {
        j->base = s->fork_of->held;
        j->base_pos = s->fork_of->part_from;
        err = composer_build_follow_up(c, j, s->fork_of->tail, sf_buf_z(&q), s->opening);
    } else {
        /* A chapter's title comes from its description alone, else the story's title is repeated.
         */
        j->prefix = s->cue == CUE_CHAPTER_TITLE ? &c->neutral : &c->prefix;
        err = composer_build_prompt(c, j, sf_buf_z(&q), s->opening);
    }
    if (s->form == FORM_CONTENT) {
        unsigned left = s->n_parts > s->part ? s->n_parts - s->part : 1;
        j->extra_cells =
            (size_t)(left - 1) * ((c->lang == CUE_ZH ? aim : aim / 4) + 15) + CHOICE_CELLS;
    }
    sf_buf_fini(&q);
    if (err) {
        c->failed = true;
        s->finished = true;
        return;
    }
    s->submitted = true;
    s->asked = sf_now();
    scheduler_submit(c->sched, j);
}

/* ---- taking answers -------------------------------------------------------------------------- */

/* A line of the prompts of all texts to come, which are not under way yet. */
static void tell(struct composer *c, struct sf_str text)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] != '\n')
            sf_buf_putc(&c->told, text.p[i]);
        else if (i > 0 && text.p[i - 1] != '\n')
            sf_buf_putc(&c->told, ' ');
    sf_buf_putc(&c->told, '\n');
    if (composer_build_prefix(c, false) != SF_OK)
        c->failed = true;
}

static void finish_slot(struct composer *c, struct slot *s, struct sf_str text, bool emit_text)
{
    s->finished = true;
    s->text = sf_strndup(text.p, text.n);
    if (!s->text) {
        c->failed = true;
        return;
    }
    if (emit_text)
        emit(c, COMPOSER_SLOT_TEXT, s->path, text);
    emit(c, COMPOSER_SLOT_DONE, s->path, text);
    composer_put_value(c, s->path, json_stringn(text.p, text.n));
    if (c->o.sequential)
        tell(c, text);
    if (s->done)
        s->done(c, s);
}

/* The program's own text for a slot that stays bad, within the slot's bounds. */
static void replace_slot(struct composer *c, struct slot *s)
{
    struct sf_buf b;
    sf_buf_init(&b, 16U << 10);
    s->replaced = true;
    c->n_replaced++;
    size_t already = s->so_far.n;
    composer_fallback(c, s, &b);
    struct sf_str text = sf_buf_str(&b);
    if (b.err || text.n == 0 || text.n < already) {
        c->failed = true;
        s->finished = true;
    } else if (s->form == FORM_CONTENT) {
        emit(c, COMPOSER_SLOT_TEXT, s->path, (struct sf_str){text.p + already, text.n - already});
        finish_slot(c, s, text, false);
    } else {
        (void)composer_claim(c, s->group, text);
        finish_slot(c, s, text, true);
    }
    sf_buf_fini(&b);
}

/* Where in the sequence the accepted text of a job ends; its last token may still be to feed. */
static void keep_position(struct composer *c, struct slot *s, size_t cut_bytes)
{
    struct job *j = &s->job;
    size_t bytes = 0, k = 0, n = j->n_past - j->n_history;
    const llama_token *past = j->past + j->n_history;
    while (k < n && bytes < cut_bytes)
        bytes += model_piece(c->m, past[k++]).n;
    if (k == 0)
        k = 1;
    /* All but the last token of what is kept are in the cache; the last is fed again. */
    s->part_from = j->text_pos + (int)k - 1;
    s->tail = past[k - 1];
    size_t all = j->n_history + k;
    llama_token *h = sf_realloc(s->history, all * sizeof *h);
    if (h) {
        memcpy(h, j->past, all * sizeof *h);
        s->history = h;
        s->n_history = all;
    }
}

/* Where the question of a text that is asked again ends: its last token is fed once more. */
static void keep_question(struct slot *s)
{
    struct job *j = &s->job;
    if (!j->seq || j->n_prompt <= j->n_opening)
        return;
    s->held = j->seq;
    j->seq = NULL;
    s->part_from = j->text_pos - 1;
    s->tail = j->prompt[j->n_prompt - j->n_opening - 1];
}

static void take_part(struct composer *c, struct slot *s, const char *text)
{
    struct job *j = &s->job;
    struct sf_str raw = sf_buf_str(&j->text);
    if (j->doubt_at > 0 && s->tries + 1 < TRIES)
        raw.n = j->doubt_at;
    size_t whole = text_ends_sentence(raw) ? raw.n : text_last_sentence(raw);
    keep_position(c, s, whole > 0 ? whole : raw.n);
    size_t before = s->so_far.n;
    if (s->part > 0)
        sf_buf_puts(&s->so_far, "\n\n");
    sf_buf_puts(&s->so_far, text);
    emit(c, COMPOSER_SLOT_TEXT, s->path,
         (struct sf_str){s->so_far.p + before, s->so_far.n - before});
    ngram_set_add(&c->shared, j->past + j->n_history, j->n_past - j->n_history);
    s->part++;
    s->tries = 0;
    unsigned n = (unsigned)sf_utf8_count(sf_buf_str(&s->so_far));
    /* The last part closes the chapter: what is missing comes before it. */
    if (s->part + 1 == s->n_parts && n + LAST_PART < s->min && s->n_parts < PARTS_MAX)
        s->n_parts++;
    bool enough = n >= s->min && (c->hurried || s->part >= s->n_parts || n >= s->aim + 200);
    if (!enough && s->part >= s->n_parts && s->n_parts < PARTS_MAX)
        s->n_parts++;
    if (enough)
        finish_slot(c, s, sf_buf_str(&s->so_far), false);
    else if (s->part >= s->n_parts)
        replace_slot(c, s);
    else
        submit(c, s);
}

static bool has_word(const char *const words[static CUE_WORDS], const char *text,
                     const char *unless)
{
    for (size_t i = 0; i < CUE_WORDS && words[i]; i++)
        if (strstr(text, words[i]) && !strstr(unless, words[i]))
            return true;
    return false;
}

/* Words of the worked example, or that no story for everybody has; what the request says may come.
 */
static bool is_unfit(const struct composer *c, const char *text)
{
    bool chat = c->o.instruct && c->m->chat_head;
    return has_word(c->book->unfit_words, text, "") ||
           (!chat && has_word(c->book->example_words, text, c->o.request->user_input));
}

/* The text as a reader would see it, or NULL when it must be asked again. */
static char *judge(struct composer *c, struct slot *s)
{
    struct job *j = &s->job;
    unsigned min = s->min, max = s->max;
    if (j->end == JOB_END_FAILED || j->end == JOB_END_CANCELED)
        return NULL;
    if (s->form == FORM_CONTENT) {
        unsigned aim;
        part_bounds(s, &min, &aim, &max);
        min = min > 60 ? min * 2 / 3 : min;
    }
    /* Behind a place where only a banned name fitted, texts go astray: not that far, if it can be.
     */
    struct sf_str raw = sf_buf_str(&j->text);
    if (j->doubt_at > 0 && s->tries + 1 < TRIES && s->form != FORM_TITLE)
        raw.n = j->doubt_at;
    if (c->m->synthetic)
        return composer_claim(c, s->group, raw) ? sf_strndup(raw.p, raw.n) : NULL;
    struct sf_buf mended;
    sf_buf_init(&mended, 64U << 10);
    composer_mend_names(c, raw, &mended);
    char *text = mended.err ? NULL : clean_text(s->form, c->lang, sf_buf_str(&mended), min, max);
    sf_buf_fini(&mended);
    size_t opening = sf_str_trim(sf_str(s->opening)).n;
    if (text && s->form != FORM_TITLE && strlen(text) < opening + 8) {
        free(text);
        return NULL;
    }
    bool fits = s->form != FORM_TITLE || text == NULL || composer_title_fits(c, text);
    if (text && (!fits || is_unfit(c, text) || !composer_claim(c, s->group, sf_str(text)))) {
        free(text);
        return NULL;
    }
    return text;
}

/* Whether others of its group must differ from a text of the slot's. */
static void hold_claim(struct composer *c, const struct slot *s, size_t claim, bool hold)
{
    if (claim != CLAIM_NONE)
        c->group_of[claim] = hold ? s->group : 0;
}

static bool may_retry(const struct composer *c, const struct slot *s)
{
    return s->tries < TRIES && !c->late && s->job.end != JOB_END_FAILED;
}

static void ask_again(struct composer *c, struct slot *s)
{
    s->repaired = true;
    c->n_rewritten++;
    submit(c, s);
}

/* A fit text that is not a part of a longer one. */
static void settle(struct composer *c, struct slot *s, const char *text)
{
    size_t before = s->claim;
    bool claimed = s->group > 0 && c->n_group_texts > 0;
    s->claim = claimed ? c->n_group_texts - 1 : CLAIM_NONE;
    if (s->form != FORM_TITLE)
        ngram_set_add(&c->shared, s->job.past, s->job.n_past);
    switch (composer_repair(c, s, sf_str(text))) {
    case REPAIR_AGAIN:
        s->tries = 1; /* another opening, and drawn more freely */
        ask_again(c, s);
        break;
    case REPAIR_DRAFT:
        hold_claim(c, s, s->claim, false);
        hold_claim(c, s, before, true);
        finish_slot(c, s, sf_str(s->draft), true);
        break;
    case REPAIR_TAKE:
        c->n_improved += s->repaired;
        finish_slot(c, s, sf_str(text), true);
        break;
    }
}

/* What follows a text that is unfit. */
static void retry(struct composer *c, struct slot *s)
{
    if (may_retry(c, s)) {
        c->n_retried++;
        if (s->form == FORM_CONTENT && s->part == 0) {
            scheduler_release(c->sched, s->held);
            s->held = NULL;
        }
        submit(c, s);
    } else if (s->job.end != JOB_END_FAILED && composer_may_repair(c, s)) {
        ask_again(c, s);
    } else {
        replace_slot(c, s);
    }
}

static void take(struct composer *c, struct slot *s)
{
    struct job *j = &s->job;
    if (s->draft)
        hold_claim(c, s, s->claim, false);
    char *text = judge(c, s);
    if (s->form == FORM_CONTENT) {
        s->held = j->seq;
        j->seq = NULL;
    } else if (!text) {
        keep_question(s);
    }
    scheduler_release(c->sched, j->seq);
    j->seq = NULL;
    if (text && s->form == FORM_CONTENT) {
        take_part(c, s, text);
    } else if (text) {
        settle(c, s, text);
    } else if (s->draft) {
        hold_claim(c, s, s->claim, true);
        finish_slot(c, s, sf_str(s->draft), true);
    } else {
        s->tries++;
        retry(c, s);
    }
    free(text);
}

/* ---- the wave -------------------------------------------------------------------------------- */

static void hurry_all(struct composer *c)
{
    c->hurried = true;
    for (size_t i = 0; i < c->n_slots; i++)
        atomic_store(&c->slots[i]->job.hurry, true);
}

/* What comes behind the texts (choices, lists) takes its time too: texts end before the target. */
static bool is_time_to_hurry(struct composer *c)
{
    struct scheduler_stats stats;
    sf_ms until = sf_until(c->o.target);
    if (until <= 0)
        return true;
    if (sf_between(c->looked, sf_now()) < LOOK_MS)
        return false;
    c->looked = sf_now();
    scheduler_stats(c->sched, &stats);
    return stats.tokens_per_second > 0 &&
           work_book_rest(c->o.book, &c->work) / stats.tokens_per_second * 1000 > (double)until;
}

static void watch_clock(struct composer *c)
{
    if (!c->hurried && is_time_to_hurry(c))
        hurry_all(c);
    if (!c->late && sf_until(c->o.deadline) <= RESERVE_MS) {
        c->late = true;
        atomic_store(&c->owner.cancel, true);
        scheduler_wake(c->sched);
    }
}

static void tell_prefill(struct composer *c)
{
    struct composer_event e = {.kind = COMPOSER_PREFILL};
    pthread_mutex_lock(&c->owner.lock);
    e.total = c->owner.prompt_tokens;
    e.done = c->owner.cached_tokens + c->owner.fed_tokens;
    pthread_mutex_unlock(&c->owner.lock);
    e.done = e.done > e.total ? e.total : e.done;
    if (e.done == c->prefilled || !c->o.on_event || sf_between(c->prefill_told, sf_now()) < TELL_MS)
        return;
    c->prefilled = e.done;
    c->prefill_told = sf_now();
    c->o.on_event(c->o.event_arg, &e);
}

struct job *composer_wait(struct composer *c)
{
    watch_clock(c);
    struct job *j = job_owner_wait(&c->owner, sf_after(sf_now(), 50));
    tell_prefill(c);
    return j;
}

static void start_slots(struct composer *c, size_t *next, size_t *pending)
{
    for (; *next < c->n_slots && !(c->o.sequential && *pending > 0); (*next)++) {
        struct slot *s = c->slots[*next];
        if (s->submitted || s->finished)
            continue;
        if (!composer_wants(c, s->path)) {
            const json_t *there = c->o.partial ? json_at(c->output, s->path) : NULL;
            s->finished = true;
            s->text = sf_strdup(json_is_string(there) ? json_string_value(there) : "");
            if (s->done)
                s->done(c, s);
            continue;
        }
        c->n_asked++;
        emit(c, COMPOSER_SLOT_STARTED, s->path, SF_STR(""));
        if (c->late || (s->fork_of && !s->fork_of->held)) {
            replace_slot(c, s);
            continue;
        }
        submit(c, s);
        *pending += s->submitted && !s->finished;
    }
}

bool composer_write(struct composer *c)
{
    size_t next = 0, pending = 0;
    while (next < c->n_slots && c->slots[next]->finished)
        next++;
    start_slots(c, &next, &pending);
    while (pending > 0) {
        struct job *j = composer_wait(c);
        if (!j)
            continue;
        struct slot *s = j->user;
        if (atomic_load(&c->canceled)) {
            s->finished = true;
            scheduler_release(c->sched, j->seq);
            j->seq = NULL;
        } else {
            take(c, s);
        }
        if (s->finished)
            pending--;
        start_slots(c, &next, &pending);
    }
    return !atomic_load(&c->canceled) && !c->failed;
}
