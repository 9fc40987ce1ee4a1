/* SPDX-License-Identifier: MIT */
#include "engine/child/composing.h"

#include "story/slot.h"

#include <string.h>

enum { GROUP_TITLE = 1, GROUP_TEXT };

/* Who a chapter is about; everybody in at least one, nobody in more than eight. */
static const signed char focus[STORY_CHAPTERS][3] = {
    {0, 3, -1}, {0, 1, -1}, {1, 0, -1}, {1, 4, -1}, {3, 0, -1}, {2, 1, -1},
    {2, 1, 4},  {4, 0, -1}, {0, 3, -1}, {1, 4, -1}, {2, 0, -1}, {0, 1, 3},
};

/* Whom a chapter's description speaks of beside the hero (0: nobody). */
static const unsigned char told_of[STORY_CHAPTERS] = {0, 0, 1, 1, 3, 2, 2, 4, 0, 1, 2, 0};

static const enum cue_id acts[4] = {CUE_ACT1, CUE_ACT2A, CUE_ACT2B, CUE_ACT3};
static const char *const act_names[4] = {"act1", "act2a", "act2b", "act3"};

const signed char *composer_focus(int chapter)
{
    return focus[chapter - 1];
}

static void computed_chapter(struct composer *c, int id)
{
    char path[64];
    snprintf(path, sizeof path, "/chapters/%d/id", id - 1);
    composer_put_value(c, path, json_integer(id));
    static const char *const keys[] = {"title", "description"};
    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "/chapters/%d/%s", id - 1, keys[i]);
        if (!json_at(c->output, path))
            composer_put_value(c, path, json_null());
    }
    snprintf(path, sizeof path, "/chapters/%d/storyProgress", id - 1);
    composer_put_value(c, path, json_real(story_progress[id - 1]));
    snprintf(path, sizeof path, "/chapters/%d/characterFocus", id - 1);
    json_t *list = json_array();
    for (size_t i = 0; i < 3 && focus[id - 1][i] >= 0; i++)
        json_array_append_new(list, json_string(story_character_ids[focus[id - 1][i]]));
    composer_put_value(c, path, list);
}

static void skeleton(struct composer *c)
{
    static const char *const keys[] = {"title", "description"};
    char path[64];
    for (size_t i = 0; i < 2; i++)
        if (!json_object_get(c->output, keys[i]))
            json_object_set_new(c->output, keys[i], json_null());
    for (int id = 1; id <= STORY_CHAPTERS; id++)
        computed_chapter(c, id);
    for (int a = 0; a < 4; a++) {
        snprintf(path, sizeof path, "/arcs/%s/chapters", act_names[a]);
        composer_put_value(c, path, json_pack("[i,i,i]", 3 * a + 1, 3 * a + 2, 3 * a + 3));
        snprintf(path, sizeof path, "/arcs/%s/description", act_names[a]);
        if (!json_at(c->output, path))
            composer_put_value(c, path, json_null());
    }
}

static void put_themes(struct composer *c)
{
    static const struct vars none;
    struct sf_str words[WORDS_MAX], chosen[4] = {{0}};
    size_t n = 0;
    const json_t *given = json_get_array(c->o.request->blueprint, "themes");
    for (size_t i = 0; i < json_array_size(given) && n < 4; i++) {
        const char *z = json_string_value(json_array_get(given, i));
        struct sf_str s = sf_str_trim(sf_str(z));
        bool fits = s.n > 0 && s.n <= 40 && composer_suits(c, s);
        for (size_t k = 0; k < n; k++)
            fits &= !(chosen[k].n == s.n && memcmp(chosen[k].p, s.p, s.n) == 0);
        if (fits)
            chosen[n++] = s;
    }
    struct pick p = {.cue = CUE_THEMES,
                     .items = words,
                     .vars = &c->vars,
                     .neutral = &none,
                     .wanted = 6,
                     .n_items = wordlist(c->lang, WORDS_THEME, NULL, words)};
    if (n < 3)
        composer_pick(c, &p, 1);
    for (size_t i = 0; i < 6 && n < 3; i++) {
        struct sf_str s = words[p.chosen[i]];
        bool known = false;
        for (size_t k = 0; k < n; k++)
            known |= chosen[k].n == s.n && memcmp(chosen[k].p, s.p, s.n) == 0;
        if (!known)
            chosen[n++] = s;
    }
    composer_put(c, "/themes/primary", chosen[0]);
    for (size_t i = 1; i < n; i++) {
        char path[64];
        snprintf(path, sizeof path, "/themes/secondary/%zu", i - 1);
        composer_put(c, path, chosen[i]);
    }
}

/* The chapter's title is asked when its description stands. */
static void ask_title(struct composer *c, struct slot *s)
{
    int id = (int)(s->cue - CUE_BEAT_1) + 1;
    char number[12];
    struct slot *t = slot_new(c, FORM_TITLE, CUE_CHAPTER_TITLE, "/chapters/%d/title", id - 1);
    if (!t)
        return;
    bool zh = c->lang == CUE_ZH;
    slot_bounds(t, zh ? 2 : 5, 20, zh ? 14 : 50);
    t->group = GROUP_TITLE;
    snprintf(number, sizeof number, "%d", id);
    vars_set(&t->vars, "chapter", sf_str(number));
    vars_set(&t->vars, "description", sf_str(s->text));
}

static void add_text(struct composer *c, enum cue_id cue, const char *path, bool one_sentence)
{
    bool zh = c->lang == CUE_ZH;
    struct slot *s = slot_new(c, one_sentence ? composer_line_form(c) : FORM_TEXT, cue, "%s", path);
    if (!s)
        return;
    s->group = GROUP_TEXT;
    unsigned aim = composer_aim(c, zh ? 50 : 115, zh ? 140 : 245);
    if (one_sentence)
        slot_bounds(s, zh ? 14 : 40, composer_aim(c, zh ? 40 : 60, 145), zh ? 120 : 190);
    else
        slot_bounds(s, zh ? 24 : 60, aim, zh ? 180 : 285);
    size_t other = 0;
    if (cue >= CUE_BEAT_1 && cue <= CUE_BEAT_12) {
        s->done = ask_title;
        other = told_of[cue - CUE_BEAT_1];
    }
    s->banned = composer_wrong_pronouns(c, 0, other);
}

static void add_texts(struct composer *c)
{
    char path[64];
    for (int i = 0; i < STORY_CHAPTERS; i++) {
        snprintf(path, sizeof path, "/chapters/%d/description", i);
        add_text(c, (enum cue_id)(CUE_BEAT_1 + i), path, false);
    }
    add_text(c, CUE_ARC_DESCRIPTION, "/description", false);
    for (int a = 0; a < 4; a++) {
        snprintf(path, sizeof path, "/arcs/%s/description", act_names[a]);
        add_text(c, acts[a], path, false);
    }
    add_text(c, CUE_HOOK_OPENING, "/hooks/opening", true);
    add_text(c, CUE_HOOK_MIDPOINT, "/hooks/midpoint", true);
    add_text(c, CUE_HOOK_CLIMAX, "/hooks/climax", true);
}

bool compose_arc(struct composer *c)
{
    skeleton(c);
    composer_invent_cast(c);
    composer_set_cast_vars(c);
    if (composer_build_names(c) != SF_OK || composer_build_prefix(c, false) != SF_OK)
        return false;
    const char *title = vars_get(&c->vars, "title");
    if (*title) {
        composer_put(c, "/title", sf_str(title));
        (void)composer_claim(c, GROUP_TITLE, sf_str(title));
    } else {
        struct slot *s = slot_new(c, FORM_TITLE, CUE_STORY_TITLE, "/title");
        slot_bounds(s, c->lang == CUE_ZH ? 2 : 5, 20, c->lang == CUE_ZH ? 16 : 60);
    }
    put_themes(c);
    add_texts(c);
    return composer_write(c);
}
