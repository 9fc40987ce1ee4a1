/* SPDX-License-Identifier: MIT */
#include "engine/child/composing.h"

#include "base/utf8.h"
#include "story/slot.h"

#include <string.h>

/* Text that can stand in this language's prompts: Chinese ones take anything, English ones nothing
 * that is mostly Chinese. */
bool composer_suits(const struct composer *c, struct sf_str s)
{
    s = sf_str_trim(s);
    if (s.n == 0 || !sf_utf8_is_valid(s))
        return false;
    if (c->lang == CUE_ZH)
        return true;
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] >= 0xE3)
            return false;
    return true;
}

/* One line of at most `max` characters, cut at a sentence end where there is one. */
static void set_line(struct composer *c, const char *name, struct sf_str s, size_t max)
{
    char out[VAR_ROOM];
    size_t n = 0;
    s = sf_utf8_head(sf_str_trim(s), max);
    for (size_t i = 0; i < s.n && n + 1 < sizeof out; i++) {
        unsigned char ch = (unsigned char)s.p[i];
        if (ch < 32 || ch == '{' || ch == '}' || ch == '<' || ch == '>' || ch == '|')
            ch = ' ';
        if (ch != ' ' || (n > 0 && out[n - 1] != ' '))
            out[n++] = (char)ch;
    }
    vars_set(&c->vars, name, (struct sf_str){out, n});
}

static bool set_from(struct composer *c, const char *name, const json_t *object, const char *key,
                     size_t max)
{
    struct sf_str s = json_get_str(object, key);
    if (!composer_suits(c, s))
        return false;
    set_line(c, name, s, max);
    return true;
}

/* "Write a story about X" -> "X". */
static struct sf_str bare_topic(struct sf_str s)
{
    static const char *const leads[] = {"write",        "tell",   "create", "generate",
                                        "a story",      "please", "story",  "make",
                                        "an adventure", "a tale", "give"};
    bool leads_in = false;
    for (size_t i = 0; i < sizeof leads / sizeof *leads; i++) {
        size_t n = strlen(leads[i]);
        leads_in |= s.n > n && sf_str_is_nocase((struct sf_str){s.p, n}, leads[i]);
    }
    size_t at = sf_str_find(s, SF_STR(" about "));
    if (leads_in && at < s.n && at < 60)
        s = (struct sf_str){s.p + at + 7, s.n - at - 7};
    s = sf_str_trim(s);
    while (s.n > 0 && strchr(".!?", s.p[s.n - 1]))
        s.n--;
    return s;
}

static void read_topic(struct composer *c)
{
    struct sf_str s = sf_str(c->o.request->user_input);
    if (c->lang == CUE_ZH || composer_suits(c, s)) {
        set_line(c, "topic", c->lang == CUE_EN ? bare_topic(s) : s, 180);
        return;
    }
    struct sf_buf b;
    sf_buf_init(&b, 400);
    wordlist_topics(s, 4, &b);
    if (b.n == 0) {
        struct sf_str title = json_get_str(c->o.request->blueprint, "title");
        wordlist_topics(title, 3, &b);
    }
    if (b.err == SF_OK)
        set_line(c, "topic", sf_buf_str(&b), 180);
    sf_buf_fini(&b);
}

static const json_t *find_person(const json_t *list, size_t i)
{
    for (size_t k = 0; k < json_array_size(list) && k < 16; k++) {
        const json_t *p = json_array_get(list, k);
        const char *id = json_get_string(p, "id");
        if (id && strcmp(id, story_character_ids[i]) == 0)
            return p;
    }
    return NULL;
}

static bool in_list(enum cue_language lang, enum wordlist_id id, struct sf_str name)
{
    struct sf_str words[WORDS_MAX];
    size_t n = wordlist(lang, id, NULL, words);
    bool found = false;
    for (size_t i = 0; i < n && !found; i++)
        found = lang == CUE_ZH ? sf_str_find(name, words[i]) < name.n
                               : words[i].n == name.n && memcmp(words[i].p, name.p, name.n) == 0;
    return found;
}

static bool seems_woman(const struct composer *c, const struct person *p, const json_t *who)
{
    struct sf_str name = sf_str(c->lang == CUE_ZH ? p->full : p->first);
    if (in_list(c->lang, WORDS_GIVEN_F, name))
        return true;
    if (in_list(c->lang, WORDS_GIVEN_M, name))
        return false;
    struct sf_str text = json_get_str(who, "background");
    size_t she = sf_str_find(text, SF_STR(" she ")), her = sf_str_find(text, SF_STR(" her "));
    size_t he = sf_str_find(text, SF_STR(" he ")), his = sf_str_find(text, SF_STR(" his "));
    if (c->lang == CUE_ZH) {
        she = her = sf_str_find(text, SF_STR("\xE5\xA5\xB9"));
        he = his = sf_str_find(text, SF_STR("\xE4\xBB\x96"));
    }
    return (she < her ? she : her) < (he < his ? he : his);
}

/* The first name of an English name is its first word that is no title. */
static void set_first(struct composer *c, struct person *p)
{
    static const char *const titles[] = {
        "the",         "dr.",         "dr",        "mr.",      "mrs.",      "ms.",
        "miss",        "captain",     "professor", "sir",      "lady",      "lord",
        "old",         "young",       "king",      "queen",    "prince",    "princess",
        "emperor",     "empress",     "count",     "countess", "duke",      "duchess",
        "baron",       "baroness",    "governor",  "mayor",    "president", "minister",
        "chancellor",  "judge",       "general",   "colonel",  "major",     "commander",
        "admiral",     "lieutenant",  "sergeant",  "officer",  "inspector", "detective",
        "agent",       "chief",       "elder",     "doctor",   "madame",    "monsieur",
        "master",      "father",      "mother",    "brother",  "sister",    "saint",
        "grandfather", "grandmother", "uncle",     "aunt",     "little"};
    struct sf_str rest = sf_str(p->full), word = rest;
    if (c->lang == CUE_ZH) {
        text_copy(p->first, sizeof p->first, sf_str(p->full));
        return;
    }
    while (sf_str_next(&rest, ' ', &word)) {
        bool title = word.n == 0;
        for (size_t i = 0; i < sizeof titles / sizeof *titles && !title; i++)
            title = sf_str_is_nocase(word, titles[i]);
        if (!title)
            break;
    }
    text_copy(p->first, sizeof p->first, word);
}

static void read_cast(struct composer *c)
{
    const json_t *list = json_get_array(c->o.request->characters, "characters");
    for (size_t i = 0; i < STORY_CAST; i++) {
        const json_t *who = find_person(list, i);
        struct person *p = &c->cast[i];
        struct sf_str name = sf_str_trim(json_get_str(who, "name"));
        if (!composer_suits(c, name) || sf_utf8_count(name) > 40 || name.n >= sizeof p->full)
            continue;
        bool plain = true;
        for (size_t k = 0; k < name.n; k++)
            plain &= !strchr("{}<>|[]\"\n#*", name.p[k]);
        if (!plain)
            continue;
        text_copy(p->full, sizeof p->full, name);
        set_first(c, p);
        p->given = true;
        p->woman = seems_woman(c, p, who);
        struct sf_str kind = json_get_str(who, "archetype");
        if (composer_suits(c, kind) && kind.n < sizeof p->archetype)
            text_copy(p->archetype, sizeof p->archetype, kind);
    }
}

static uint64_t story_hash(const struct composer *c)
{
    uint64_t h = 0xCBF29CE484222325u;
    const char *const texts[] = {c->o.request->user_input, vars_get(&c->vars, "title")};
    for (size_t i = 0; i < 2; i++)
        for (const char *p = texts[i]; p && *p; p++)
            h = (h ^ (unsigned char)*p) * 0x100000001B3u;
    return h;
}

void composer_read_context(struct composer *c)
{
    const struct story_request *r = c->o.request;
    bool ask_chinese = sf_utf8_is_mostly_cjk(sf_str(r->user_input));
    c->lang = ask_chinese && c->o.chinese ? CUE_ZH : CUE_EN;
    c->book = &cue_books[c->lang];
    size_t wide = c->lang == CUE_ZH ? 2 : 1;
    read_topic(c);
    if (r->task != STORY_BLUEPRINT) {
        if (!set_from(c, "title", r->blueprint, "title", 60))
            (void)set_from(c, "title", r->story_arc, "title", 60);
        (void)set_from(c, "genre", r->blueprint, "genre", 40);
        (void)set_from(c, "setting", r->blueprint, "setting", 220 / wide);
        (void)set_from(c, "conflict", r->blueprint, "core_conflict", 180 / wide);
        read_cast(c);
    }
}

/* "顾星河" and "方星河", or of one family: readers, and small models, take one for the other. */
static bool is_like_han(const char *a, const char *b)
{
    struct sf_str s = sf_str(a), t = sf_str(b);
    size_t head = sf_utf8_head(s, 1).n;
    if (head == sf_utf8_head(t, 1).n && memcmp(a, b, head) == 0)
        return true;
    for (size_t at = head, n; at < s.n; at += n) {
        n = sf_utf8_head((struct sf_str){a + at, s.n - at}, 1).n;
        if (sf_str_find(t, (struct sf_str){a + at, n}) < t.n)
            return true;
    }
    return false;
}

bool composer_name_taken(const struct composer *c, size_t i)
{
    const struct person *p = &c->cast[i];
    for (size_t k = 0; k < STORY_CAST; k++) {
        const struct person *q = &c->cast[k];
        bool alike =
            strcmp(q->first, p->first) == 0 || strcmp(q->full, p->full) == 0 ||
            (c->lang == CUE_EN ? q->first[0] == p->first[0] : is_like_han(q->full, p->full));
        if (k != i && q->full[0] && alike)
            return true;
    }
    return false;
}

void composer_name_person(struct composer *c, size_t i, struct sf_str given, struct sf_str surname)
{
    struct person *p = &c->cast[i];
    bool zh = c->lang == CUE_ZH;
    struct sf_buf b;
    sf_buf_init(&b, sizeof p->full - 1);
    sf_buf_add_str(&b, zh ? surname : given);
    if (!zh)
        sf_buf_putc(&b, ' ');
    sf_buf_add_str(&b, zh ? given : surname);
    text_copy(p->full, sizeof p->full, sf_buf_str(&b));
    text_copy(p->first, sizeof p->first, zh ? sf_buf_str(&b) : given);
    sf_buf_fini(&b);
}

/* By the story itself, not by the seed: arc and chapters of the same stub context shall agree. */
void composer_invent_cast(struct composer *c)
{
    struct sampler rng = {.state = story_hash(c)};
    struct sf_str given[WORDS_MAX], surnames[WORDS_MAX], kinds[WORDS_MAX];
    size_t n_surnames = wordlist(c->lang, WORDS_SURNAME, NULL, surnames);
    for (size_t i = 0; i < STORY_CAST; i++) {
        struct person *p = &c->cast[i];
        size_t n_kinds = wordlist(c->lang, WORDS_ARCHETYPE, story_character_ids[i], kinds);
        struct sf_str kind = kinds[sampler_next(&rng) % n_kinds];
        if (!p->archetype[0])
            text_copy(p->archetype, sizeof p->archetype, kind);
        bool woman = i == 1 ? !c->cast[0].woman : sampler_next(&rng) & 1;
        size_t n = wordlist(c->lang, woman ? WORDS_GIVEN_F : WORDS_GIVEN_M, NULL, given);
        for (int tries = 0; !p->given && tries < 40; tries++) {
            p->woman = woman;
            composer_name_person(c, i, given[sampler_next(&rng) % n],
                                 surnames[sampler_next(&rng) % n_surnames]);
            if (!composer_name_taken(c, i))
                break;
        }
    }
}

uint32_t composer_wrong_pronouns(const struct composer *c, size_t a, size_t b)
{
    if (c->lang != CUE_EN || c->cast[a].woman != c->cast[b].woman)
        return 0;
    return c->cast[a].woman ? TOK_HE : TOK_SHE;
}

void person_vars(struct vars *v, const struct person *p, enum cue_language lang)
{
    vars_set(v, "name", sf_str(p->first));
    bool zh = lang == CUE_ZH;
    vars_set(v, "he", sf_str(zh ? (p->woman ? "她" : "他") : p->woman ? "she" : "he"));
    vars_set(v, "him", sf_str(zh ? (p->woman ? "她" : "他") : p->woman ? "her" : "him"));
    vars_set(v, "his", sf_str(zh ? (p->woman ? "她的" : "他的") : p->woman ? "her" : "his"));
    char kind[96];
    snprintf(kind, sizeof kind, "%s", p->archetype);
    if (!zh) {
        bool vowel = kind[0] && strchr("AEIOUaeiou", kind[0]);
        snprintf(kind, sizeof kind, "%s %s", vowel ? "an" : "a", p->archetype);
        size_t at = vowel ? 3 : 2;
        if (kind[at] >= 'A' && kind[at] <= 'Z')
            kind[at] = (char)(kind[at] + 32);
    }
    vars_set(v, "archetype", sf_str(kind));
}

void composer_set_cast_vars(struct composer *c)
{
    static const char *const keys[STORY_CAST][3] = {{"hero", "hero_full", "hero_role"},
                                                    {"ally", "ally_full", "ally_role"},
                                                    {"rival", "rival_full", "rival_role"},
                                                    {"mentor", "mentor_full", "mentor_role"},
                                                    {"wildcard", "wildcard_full", "wildcard_role"}};
    for (size_t i = 0; i < STORY_CAST; i++) {
        vars_set(&c->vars, keys[i][0], sf_str(c->cast[i].first));
        vars_set(&c->vars, keys[i][1], sf_str(c->cast[i].full));
        vars_set(&c->vars, keys[i][2], sf_str(c->book->roles[i][c->cast[i].woman]));
    }
    person_vars(&c->vars, &c->cast[0], c->lang);
}
