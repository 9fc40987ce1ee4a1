/* SPDX-License-Identifier: MIT */
#include "engine/child/composing.h"

#include "base/utf8.h"
#include "story/slot.h"

#include <string.h>

enum { GROUP_TITLE = 1, GROUP_TEXT };

/* The hero has no name yet: "a restless dreamer" in questions and at a sentence's start. */
static void set_hero(struct composer *c)
{
    struct person *p = &c->cast[0];
    struct sf_str kinds[WORDS_MAX];
    size_t n = wordlist(c->lang, WORDS_ARCHETYPE, story_character_ids[0], kinds);
    text_copy(p->archetype, sizeof p->archetype, kinds[sampler_next(&c->rng) % n]);
    p->woman = sampler_next(&c->rng) & 1;
    struct vars v = {.n = 0};
    person_vars(&v, p, c->lang);
    char hero[96];
    snprintf(hero, sizeof hero, "%s%s", c->lang == CUE_ZH ? "一位" : "", vars_get(&v, "archetype"));
    if (hero[0] >= 'a' && hero[0] <= 'z')
        hero[0] = (char)(hero[0] - 32);
    vars_set(&c->vars, "hero", sf_str(hero));
    vars_set(&c->vars, "him", sf_str(vars_get(&v, "him")));
    vars_set(&c->vars, "his", sf_str(vars_get(&v, "his")));
    struct sf_str places[WORDS_MAX];
    n = wordlist(c->lang, WORDS_PLACE, NULL, places);
    struct sf_str place = places[sampler_next(&c->rng) % n];
    /* A request that names a place or a person of its own needs none of ours. */
    bool named = false;
    const char *topic = vars_get(&c->vars, "topic");
    for (const char *q = topic; *q; q++)
        named |= q > topic && q[-1] == ' ' && *q >= 'A' && *q <= 'Z';
    if (!named)
        vars_set(&c->vars, "place", place);
}

static void put_lines(struct composer *c, const char *path, const struct pick *p)
{
    char item[64];
    for (unsigned i = 0; i < p->wanted; i++) {
        snprintf(item, sizeof item, "%s/%u", path, i);
        composer_put(c, item, p->items[p->chosen[i]]);
    }
}

/* "fantasy" -> "Fantasy". */
static void put_capital(struct composer *c, const char *path, struct sf_str s)
{
    char text[96];
    size_t n = s.n < sizeof text ? s.n : sizeof text - 1;
    memcpy(text, s.p, n);
    if (n > 0 && text[0] >= 'a' && text[0] <= 'z')
        text[0] = (char)(text[0] - 32);
    composer_put(c, path, (struct sf_str){text, n});
}

static void skeleton(struct composer *c)
{
    static const char *const keys[] = {"title",  "genre", "setting",        "core_conflict",
                                       "themes", "tone",  "target_audience"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (!json_object_get(c->output, keys[i]))
            json_object_set_new(c->output, keys[i], json_null());
}

static void keep_var(struct composer *c, struct slot *s)
{
    vars_set(&c->vars, s->user, sf_str(s->text));
}

/* What is chosen from lists, all in one wave: genre, themes, tone, readers. */
static bool pick_lists(struct composer *c)
{
    static const struct vars none;
    static const struct {
        enum cue_id cue;
        enum wordlist_id words;
    } kinds[4] = {{CUE_GENRE, WORDS_GENRE},
                  {CUE_THEMES, WORDS_THEME},
                  {CUE_TONE, WORDS_TONE},
                  {CUE_AUDIENCE, WORDS_AUDIENCE}};
    struct sf_str words[4][WORDS_MAX];
    struct pick p[4];
    for (size_t i = 0; i < 4; i++)
        p[i] = (struct pick){.cue = kinds[i].cue,
                             .wanted = 1,
                             .vars = &c->vars,
                             .neutral = &none,
                             .items = words[i],
                             .n_items = wordlist(c->lang, kinds[i].words, NULL, words[i])};
    p[1].wanted = 3 + (unsigned)(sampler_next(&c->rng) & 1);
    composer_pick(c, p, 4);
    vars_set(&c->vars, "genre", words[0][p[0].chosen[0]]);
    put_capital(c, "/genre", words[0][p[0].chosen[0]]);
    put_lines(c, "/themes", &p[1]);
    put_capital(c, "/tone", words[2][p[2].chosen[0]]);
    put_capital(c, "/target_audience", words[3][p[3].chosen[0]]);
    return !c->failed;
}

bool compose_blueprint(struct composer *c)
{
    bool zh = c->lang == CUE_ZH;
    skeleton(c);
    set_hero(c);
    if (composer_build_names(c) != SF_OK || composer_build_prefix(c, false) != SF_OK)
        return false;
    if (!pick_lists(c) || composer_build_prefix(c, false) != SF_OK)
        return false;
    struct slot *setting = slot_new(c, FORM_TEXT, CUE_SETTING, "/setting");
    slot_bounds(setting, zh ? 55 : 110, composer_aim(c, zh ? 80 : 170, 250), 290);
    struct slot *conflict = slot_new(c, FORM_TEXT, CUE_CONFLICT, "/core_conflict");
    slot_bounds(conflict, zh ? 32 : 60, composer_aim(c, zh ? 40 : 90, 165), 195);
    struct slot *title = slot_new(c, FORM_TITLE, CUE_STORY_TITLE, "/title");
    slot_bounds(title, zh ? 2 : 5, 20, zh ? 16 : 60);
    if (!setting || !conflict || !title)
        return false;
    static char title_key[] = "title", setting_key[] = "setting", conflict_key[] = "conflict";
    title->user = title_key;
    setting->user = setting_key;
    conflict->user = conflict_key;
    title->group = GROUP_TITLE;
    setting->group = conflict->group = GROUP_TEXT;
    title->done = setting->done = conflict->done = keep_var;
    return composer_write(c);
}
