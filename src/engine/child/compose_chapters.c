/* SPDX-License-Identifier: MIT */
#include "engine/child/composing.h"

#include "base/utf8.h"
#include "story/slot.h"

#include <string.h>

enum { GROUP_TITLE = 1, GROUP_CHOICE = 100, CHOICES = 3 };

static const struct choice_kind {
    enum cue_id cue;
    const char *mood; /* tag in the list of moods */
    const char *resource;
    int feeling; /* towards the other one: sign of the change */
    int price;
} kinds[4] = {
    {CUE_CHOICE_BOLD, "bold", "resource_energy", 1, -1},
    {CUE_CHOICE_CAREFUL, "careful", "resource_time", -1, -1},
    {CUE_CHOICE_KIND, "kind", "resource_supplies", 1, -1},
    {CUE_CHOICE_CUNNING, "cunning", "resource_gold", -1, 1},
};

/* What the request's arc says of a chapter; NULL: nothing. */
static const json_t *arc_chapter(const struct composer *c, int id)
{
    const json_t *list = json_get_array(c->o.request->story_arc, "chapters");
    for (size_t i = 0; i < json_array_size(list) && i < 64; i++) {
        int64_t there = 0;
        const json_t *ch = json_array_get(list, i);
        if (json_get_int(ch, "id", &there) && there == id)
            return ch;
    }
    return NULL;
}

static size_t person_of(const char *id)
{
    for (size_t i = 0; id && i < STORY_CAST; i++)
        if (strcmp(id, story_character_ids[i]) == 0)
            return i;
    return STORY_CAST;
}

/* The two people of a chapter: from the arc's focus, else from our own plan; never twice the same.
 */
static void pick_people(const struct composer *c, int id, size_t *a, size_t *b)
{
    const json_t *ids = json_get_array(arc_chapter(c, id), "characterFocus");
    const signed char *own = composer_focus(id);
    *a = person_of(json_string_value(json_array_get(ids, 0)));
    *b = person_of(json_string_value(json_array_get(ids, 1)));
    if (*a == STORY_CAST)
        *a = (size_t)own[0];
    if (*b == STORY_CAST || *b == *a)
        *b = (size_t)own[1] != *a ? (size_t)own[1] : (size_t)own[0];
    if (*b == *a)
        *b = *a == 0 ? 1 : 0;
}

static void set_people(struct composer *c, struct slot *s, int id)
{
    size_t a, b;
    pick_people(c, id, &a, &b);
    struct vars v = {.n = 0};
    vars_set(&s->vars, "a", sf_str(c->cast[a].first));
    vars_set(&s->vars, "b", sf_str(c->cast[b].first));
    person_vars(&v, &c->cast[a], c->lang);
    vars_set(&s->vars, "a_his", sf_str(vars_get(&v, "his")));
    vars_set(&s->vars, "a_him", sf_str(vars_get(&v, "him")));
    char capital[8];
    text_copy(capital, sizeof capital, sf_str(vars_get(&v, "he")));
    if (capital[0] >= 'a' && capital[0] <= 'z')
        capital[0] = (char)(capital[0] - 32);
    vars_set(&s->vars, "a_He", sf_str(capital));
    person_vars(&v, &c->cast[b], c->lang);
    vars_set(&s->vars, "b_his", sf_str(vars_get(&v, "his")));
    vars_set(&s->vars, "b_he", sf_str(vars_get(&v, "he")));
}

/* What happens in the chapter, for its questions: the arc's description, else our own plan's. */
static void set_description(struct composer *c, struct slot *s, int id)
{
    struct sf_str given = sf_str_trim(json_get_str(arc_chapter(c, id), "description"));
    struct sf_buf b;
    sf_buf_init(&b, VAR_ROOM);
    if (given.n > 0 && composer_suits(c, given)) {
        vars_set(&s->vars, "description", sf_utf8_head(given, c->lang == CUE_ZH ? 100 : 260));
    } else {
        (void)vars_expand(&c->vars, c->book->cues[CUE_BEAT_1 + id - 1].fallback, &b);
        vars_set(&s->vars, "description", sf_buf_str(&b));
    }
    sf_buf_fini(&b);
}

static size_t index_of(const struct composer *c, int id)
{
    size_t i = 0;
    while (i < c->o.request->n_chapter_ids && c->o.request->chapter_ids[i] != id)
        i++;
    return i;
}

static int chapter_of(const struct slot *s)
{
    uint64_t id = 1;
    (void)!sf_scan_u64(sf_str(vars_get(&s->vars, "chapter")), STORY_CHAPTERS, &id);
    return (int)id;
}

static void set_chapter(struct composer *c, struct slot *s, int id)
{
    char number[12];
    snprintf(number, sizeof number, "%d", id);
    vars_set(&s->vars, "chapter", sf_str(number));
    set_people(c, s, id);
    set_description(c, s, id);
}

/* Three of the four kinds; which one is left out turns with the chapter. */
static const struct choice_kind *kind_of(int id, int choice)
{
    return &kinds[(id + choice + (choice >= (id % 3) ? 1 : 0)) % 4];
}

static void ask_choices(struct composer *c, struct slot *content)
{
    int id = chapter_of(content);
    bool zh = c->lang == CUE_ZH;
    for (int k = 0; k < CHOICES; k++) {
        struct slot *s = slot_new(c, FORM_CHOICE, kind_of(id, k)->cue,
                                  "/chapters/%zu/choices/%d/text", index_of(c, id), k);
        if (!s)
            return;
        s->group = GROUP_CHOICE + (unsigned)id;
        s->fork_of = content;
        slot_bounds(s, zh ? 6 : 15, 40, zh ? 50 : 90);
        set_chapter(c, s, id);
        const char *const other[] = {vars_get(&s->vars, "b")}; /* not the one who chooses */
        if (composer_guard_names(c, &s->guard, other, 1) != SF_OK)
            c->failed = true;
    }
}

/* nextChapter, and what a choice changes: computed, different within the chapter. */
static void put_consequences(struct composer *c, int id)
{
    size_t at = index_of(c, id), a, b;
    pick_people(c, id, &a, &b);
    size_t other = b == 0 ? a : b;
    char path[80], key[48], value[16];
    for (int k = 0; k < CHOICES; k++) {
        const struct choice_kind *kind = kind_of(id, k);
        int next = id + 1 + (k == CHOICES - 1 && id % 3 == 0 ? 1 : 0);
        snprintf(path, sizeof path, "/chapters/%zu/choices/%d/nextChapter", at, k);
        composer_put_value(c, path, json_integer(next > STORY_CHAPTERS ? STORY_CHAPTERS : next));
        struct sf_str moods[WORDS_MAX];
        size_t n = wordlist(c->lang, WORDS_MOOD, kind->mood, moods);
        json_t *changes = json_object();
        struct sf_str mood = moods[sampler_next(&c->rng) % n];
        json_object_set_new(changes, "mood", json_stringn(mood.p, mood.n));
        snprintf(key, sizeof key, "relationship_%s", story_character_ids[other]);
        int change = 5 * (1 + (int)(sampler_next(&c->rng) % 3)) * kind->feeling;
        snprintf(value, sizeof value, "%+d", change);
        json_object_set_new(changes, key, json_string(value));
        change = 5 * (1 + (int)(sampler_next(&c->rng) % 4)) * kind->price;
        snprintf(value, sizeof value, "%+d", change);
        json_object_set_new(changes, kind->resource, json_string(value));
        snprintf(path, sizeof path, "/chapters/%zu/choices/%d/consequences", at, k);
        composer_put_value(c, path, changes);
    }
}

static void add_chapter(struct composer *c, int id)
{
    size_t at = index_of(c, id);
    bool zh = c->lang == CUE_ZH;
    char path[64];
    snprintf(path, sizeof path, "/chapters/%zu/id", at);
    composer_put_value(c, path, json_integer(id));
    snprintf(path, sizeof path, "/chapters/%zu/title", at);
    struct sf_str title = sf_str_trim(json_get_str(arc_chapter(c, id), "title"));
    if (title.n > 0 && sf_utf8_count(title) <= 60 && composer_suits(c, title) &&
        composer_claim(c, GROUP_TITLE, title)) {
        composer_put(c, path, title);
    } else {
        composer_put_value(c, path, json_null());
        struct slot *t = slot_new(c, FORM_TITLE, CUE_CHAPTER_TITLE, "%s", path);
        if (!t)
            return;
        slot_bounds(t, zh ? 2 : 5, 20, zh ? 14 : 50);
        t->group = GROUP_TITLE;
        set_chapter(c, t, id);
    }
    struct slot *s = slot_new(c, FORM_CONTENT, CUE_CONTENT, "/chapters/%zu/content", at);
    if (!s)
        return;
    unsigned aim = composer_aim(c, zh ? 1060 : 1090, 2500);
    slot_bounds(s, 1010, aim < 1040 ? 1040 : aim, 2900);
    s->done = ask_choices;
    set_chapter(c, s, id);
    size_t a, b;
    pick_people(c, id, &a, &b);
    const char *const names[] = {c->cast[a].full, c->cast[b].full,
                                 vars_get(&s->vars, "description")};
    s->banned = composer_wrong_pronouns(c, a, b);
    if (composer_guard_names(c, &s->guard, names, 3) != SF_OK)
        c->failed = true;
}

bool compose_chapters(struct composer *c)
{
    const struct story_request *r = c->o.request;
    composer_invent_cast(c);
    composer_set_cast_vars(c);
    if (composer_build_names(c) != SF_OK || composer_build_prefix(c, false) != SF_OK)
        return false;
    for (size_t i = 0; i < r->n_chapter_ids; i++)
        add_chapter(c, r->chapter_ids[i]);
    if (!composer_write(c))
        return false;
    for (size_t i = 0; i < r->n_chapter_ids; i++)
        put_consequences(c, r->chapter_ids[i]);
    return !c->failed;
}
