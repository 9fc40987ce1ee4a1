/* SPDX-License-Identifier: MIT */
#include "engine/child/composing.h"

#include "base/mem.h"
#include "story/slot.h"

#include <string.h>

enum { GROUP_TEXT = 1 };

/* Who says what about whom; two others each. */
static const struct relation {
    int from, to;
    enum cue_id cue;
} relations[] = {
    {0, 1, CUE_RELATION_LIKES},  {0, 2, CUE_RELATION_FEARS},  {1, 0, CUE_RELATION_LIKES},
    {1, 4, CUE_RELATION_DOUBTS}, {2, 0, CUE_RELATION_FEARS},  {2, 3, CUE_RELATION_OWES},
    {3, 0, CUE_RELATION_GUIDES}, {3, 2, CUE_RELATION_DOUBTS}, {4, 0, CUE_RELATION_OWES},
    {4, 2, CUE_RELATION_FEARS},
};

static void skeleton(struct composer *c)
{
    static const char *const keys[] = {
        "id",         "name",   "archetype",          "background",
        "motivation", "skills", "personality_traits", "relationships"};
    char path[64];
    for (size_t i = 0; i < STORY_CAST; i++)
        for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
            snprintf(path, sizeof path, "/characters/%zu/%s", i, keys[k]);
            if (!json_at(c->output, path))
                composer_put_value(c, path,
                                   k == 0 ? json_string(story_character_ids[i]) : json_null());
        }
}

/* A name that the request gives the hero: "... named Ines Falk". */
static void name_from_request(struct composer *c)
{
    static const char *const leads[] = {" named ", " called "};
    struct sf_str s = sf_str(vars_get(&c->vars, "topic"));
    for (size_t i = 0; i < 2 && c->lang == CUE_EN; i++) {
        size_t at = sf_str_find(s, sf_str(leads[i]));
        if (at >= s.n)
            continue;
        struct sf_str rest = {s.p + at + strlen(leads[i]), s.n - at - strlen(leads[i])};
        size_t n = 0, words = 0;
        while (n < rest.n && rest.p[n] >= 'A' && rest.p[n] <= 'Z' && words < 2) {
            while (n < rest.n && ((rest.p[n] | 32) >= 'a' && (rest.p[n] | 32) <= 'z'))
                n++;
            words++;
            if (n + 1 < rest.n && rest.p[n] == ' ' && rest.p[n + 1] >= 'A' &&
                rest.p[n + 1] <= 'Z' && words < 2)
                n++;
        }
        if (n < 3 || n > 39)
            continue;
        struct person *p = &c->cast[0];
        text_copy(p->full, sizeof p->full, (struct sf_str){rest.p, n});
        struct sf_str first = rest, word;
        first.n = n;
        if (sf_str_next(&first, ' ', &word))
            text_copy(p->first, sizeof p->first, word);
        p->given = true;
        return;
    }
}

/* The blueprint's conflict may say what kind of person the hero is. */
static bool archetype_from_conflict(struct composer *c)
{
    struct sf_str kinds[WORDS_MAX];
    size_t n = wordlist(c->lang, WORDS_ARCHETYPE, story_character_ids[0], kinds);
    struct sf_str conflict = sf_str(vars_get(&c->vars, "conflict"));
    for (size_t i = 0; i < n; i++)
        for (size_t at = 0; at + kinds[i].n <= conflict.n; at++) {
            struct sf_str here = {conflict.p + at, kinds[i].n};
            char kind[64];
            text_copy(kind, sizeof kind, kinds[i]);
            if (!sf_str_is_nocase(here, kind))
                continue;
            snprintf(c->cast[0].archetype, sizeof c->cast[0].archetype, "%s", kind);
            return true;
        }
    return false;
}

/* Given names and archetypes of all five, ranked in one wave; surnames are drawn. */
static void choose_cast(struct composer *c)
{
    enum { N = STORY_CAST };
    static const struct vars none;
    static const struct vars *const nobody = &none;
    struct sf_str lists[2 * N][WORDS_MAX], surnames[WORDS_MAX];
    struct pick *picks = sf_alloc(2 * N * sizeof *picks);
    struct vars v[N];
    size_t n_surnames = wordlist(c->lang, WORDS_SURNAME, NULL, surnames);
    if (!picks) {
        c->failed = true;
        return;
    }
    for (size_t i = 0; i < N; i++) {
        struct person *p = &c->cast[i];
        if (!p->given) /* hero and friend are told apart by "he" and "she" */
            p->woman = i == 1 ? !c->cast[0].woman : sampler_next(&c->rng) & 1;
        v[i] = c->vars;
        vars_set(&v[i], "role", sf_str(c->book->roles[i][p->woman]));
        vars_set(&v[i], "name", sf_str(c->book->someone));
        struct pick *name = &picks[i], *kind = &picks[N + i];
        name->cue = p->woman ? CUE_NAME_F : CUE_NAME_M;
        name->n_items = wordlist(c->lang, p->woman ? WORDS_GIVEN_F : WORDS_GIVEN_M, NULL, lists[i]);
        name->items = lists[i];
        name->wanted = 8;
        kind->cue = CUE_ARCHETYPE;
        kind->n_items = wordlist(c->lang, WORDS_ARCHETYPE, story_character_ids[i], lists[N + i]);
        kind->items = lists[N + i];
        kind->wanted = 1;
        name->vars = kind->vars = &v[i];
        name->neutral = kind->neutral = nobody;
    }
    composer_pick(c, picks, 2 * N);
    bool kind_known = archetype_from_conflict(c);
    for (size_t i = 0; i < N; i++) {
        struct person *p = &c->cast[i];
        struct pick *name = &picks[i], *kind = &picks[N + i];
        if (i > 0 || !kind_known)
            text_copy(p->archetype, sizeof p->archetype, kind->items[kind->chosen[0]]);
        for (unsigned k = 0; k < name->wanted && !p->given; k++) {
            composer_name_person(c, i, name->items[name->chosen[k]],
                                 surnames[sampler_next(&c->rng) % n_surnames]);
            if (!composer_name_taken(c, i))
                break;
        }
    }
    free(picks);
}

static void put_cast(struct composer *c)
{
    char path[64];
    for (size_t i = 0; i < STORY_CAST; i++) {
        snprintf(path, sizeof path, "/characters/%zu/name", i);
        composer_put(c, path, sf_str(c->cast[i].full));
        snprintf(path, sizeof path, "/characters/%zu/archetype", i);
        composer_put(c, path, sf_str(c->cast[i].archetype));
    }
}

static void add_texts(struct composer *c)
{
    bool zh = c->lang == CUE_ZH;
    for (size_t i = 0; i < STORY_CAST; i++) {
        struct slot *s = slot_new(c, FORM_TEXT, (enum cue_id)(CUE_BACKGROUND_PROTAGONIST + i),
                                  "/characters/%zu/background", i);
        slot_bounds(s, zh ? 52 : 80, composer_aim(c, zh ? 70 : 140, 250), 290);
        struct slot *t =
            slot_new(c, composer_line_form(c), (enum cue_id)(CUE_MOTIVATION_PROTAGONIST + i),
                     "/characters/%zu/motivation", i);
        slot_bounds(t, zh ? 12 : 35, composer_aim(c, zh ? 40 : 60, 145), zh ? 120 : 190);
        if (!s || !t)
            return;
        s->group = t->group = GROUP_TEXT;
        s->banned = t->banned = composer_wrong_pronouns(c, i, i);
        person_vars(&s->vars, &c->cast[i], c->lang);
        person_vars(&t->vars, &c->cast[i], c->lang);
    }
    for (size_t i = 0; i < sizeof relations / sizeof *relations; i++) {
        const struct relation *r = &relations[i];
        struct slot *s =
            slot_new(c, composer_line_form(c), r->cue, "/characters/%d/relationships/%s", r->from,
                     story_character_ids[r->to]);
        slot_bounds(s, zh ? 14 : 35, composer_aim(c, zh ? 40 : 60, 145), zh ? 120 : 190);
        if (!s)
            return;
        s->group = GROUP_TEXT;
        s->banned = composer_wrong_pronouns(c, (size_t)r->from, (size_t)r->to);
        person_vars(&s->vars, &c->cast[r->from], c->lang);
        vars_set(&s->vars, "other", sf_str(c->cast[r->to].first));
    }
}

static void choose_lists(struct composer *c)
{
    enum { N = 2 * STORY_CAST };
    struct sf_str skills[WORDS_MAX], traits[WORDS_MAX];
    size_t n_skills = wordlist(c->lang, WORDS_SKILL, NULL, skills);
    size_t n_traits = wordlist(c->lang, WORDS_TRAIT, NULL, traits);
    struct vars v[STORY_CAST], nobody = {.n = 0};
    vars_set(&nobody, "name", sf_str(c->book->someone));
    struct pick *picks = sf_alloc(N * sizeof *picks);
    if (!picks) {
        c->failed = true;
        return;
    }
    for (size_t i = 0; i < STORY_CAST; i++) {
        v[i] = c->vars;
        person_vars(&v[i], &c->cast[i], c->lang);
        picks[2 * i] = (struct pick){.cue = CUE_SKILLS,
                                     .items = skills,
                                     .n_items = n_skills,
                                     .vars = &v[i],
                                     .neutral = &nobody,
                                     .wanted = 3 + (unsigned)(sampler_next(&c->rng) % 2)};
        picks[2 * i + 1] = (struct pick){.cue = CUE_TRAITS,
                                         .items = traits,
                                         .n_items = n_traits,
                                         .vars = &v[i],
                                         .neutral = &nobody,
                                         .wanted = 3 + (unsigned)(sampler_next(&c->rng) % 2)};
    }
    bool taken[2][WORDS_MAX] = {{false}};
    for (size_t i = 0; i < N; i++)
        picks[i].avoid = taken[i % 2];
    composer_pick_distinct(c, picks, N, taken);
    char path[80];
    for (size_t i = 0; i < N; i++)
        for (unsigned k = 0; k < picks[i].wanted; k++) {
            snprintf(path, sizeof path, "/characters/%zu/%s/%u", i / 2,
                     i % 2 ? "personality_traits" : "skills", k);
            composer_put(c, path, picks[i].items[picks[i].chosen[k]]);
        }
    free(picks);
}

bool compose_characters(struct composer *c)
{
    skeleton(c);
    memset(c->cast, 0, sizeof c->cast);
    name_from_request(c);
    if (composer_build_prefix(c, false) != SF_OK)
        return false;
    choose_cast(c);
    composer_set_cast_vars(c);
    if (composer_build_names(c) != SF_OK || composer_build_prefix(c, false) != SF_OK)
        return false;
    put_cast(c);
    add_texts(c);
    if (!composer_write(c))
        return false;
    choose_lists(c);
    return !c->failed && !atomic_load(&c->canceled);
}
