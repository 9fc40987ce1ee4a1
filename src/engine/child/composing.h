/* SPDX-License-Identifier: MIT */
#ifndef SF_ENGINE_CHILD_COMPOSING_H
#define SF_ENGINE_CHILD_COMPOSING_H

/* What the composer's own files share: the request being written, its slots and its cast. */

#include "engine/child/child_cues.h"
#include "engine/child/composer.h"
#include "engine/child/wordlist.h"
#include "json/json.h"

enum { VARS_MAX = 48, VAR_ROOM = 420, SLOT_PARTS = CUE_PARTS };
#define CLAIM_NONE SIZE_MAX

/* Names and values for the braces of cues. */
struct vars {
    struct {
        const char *name;
        char value[VAR_ROOM];
    } v[VARS_MAX];
    size_t n;
};
void vars_set(struct vars *v, const char *name, struct sf_str value);
const char *vars_get(const struct vars *v, const char *name);
/* Appends `tmpl` with its braces filled; false when a variable is unknown or empty. */
bool vars_expand(const struct vars *v, const char *tmpl, struct sf_buf *out);

/* As much of `s` as fits, whole characters, with a NUL. */
void text_copy(char *out, size_t room, struct sf_str s);

struct person {
    char full[80], first[48];
    char archetype[64];
    bool woman;
    bool given; /* from the request's context */
};

enum slot_form { FORM_TITLE, FORM_SENTENCE, FORM_TEXT, FORM_CONTENT, FORM_CHOICE };

struct composer;
struct slot {
    char path[64];
    enum slot_form form;
    enum cue_id cue;
    struct vars vars;       /* the request's, then its own */
    unsigned min, aim, max; /* of the whole text, in characters */
    unsigned group;         /* texts of one group must differ; 0 none */
    uint32_t banned;        /* token classes banned besides the form's */
    bool any_names;         /* no guard over capitalised words */
    /* Called when the text is final, may add slots. */
    void (*done)(struct composer *c, struct slot *s);
    void *user;

    /* Result: the final text. */
    char *text;
    bool replaced; /* written by the program */

    /* While it is written: */
    struct job job;
    bool submitted, finished;
    unsigned tries, part, n_parts;
    char opening[160];
    struct sf_buf so_far; /* of FORM_CONTENT: accepted parts */
    int part_from;        /* positions of the sequence at the part's start */
    unsigned opening_at;  /* where in the list of openings this slot begins */
    struct kv_seq *held;  /* of the last text; of one that is asked again: its question */
    llama_token tail;
    llama_token *history; /* of the accepted parts */
    size_t n_history;
    struct name_guard guard; /* names of this text alone; none: the request's */
    struct slot *fork_of;    /* continue behind this slot's sequence (it holds) */
    struct sf_time asked;    /* of the last submission */
    size_t claim;            /* its text's place in the group texts; CLAIM_NONE */
    bool repaired;           /* asked once more than its tries allow */
    char *draft;             /* a fit but weak text, while a better one is asked for */
    double draft_weakness;
};

struct composer {
    struct scheduler *sched;
    const struct engine_model *m;
    struct composer_order o;
    enum cue_language lang;
    const struct cue_book *book;
    struct sampler rng;
    struct job_owner owner;
    struct ngram_set shared;
    struct name_guard names;
    struct job_prefix prefix, neutral;
    json_t *output;
    struct vars vars;
    struct person cast[STORY_CAST];
    struct sf_time started, prefill_told, looked;
    int64_t prefilled; /* tokens, as told */
    atomic_bool canceled;
    bool hurried, late, failed;
    struct work_entry work;
    double factor;      /* of text lengths, 1 is usual; it is made of the next two */
    double scale;       /* of the usual aims: less than 1 when time is short */
    double stretch;     /* how far aims go on to their most, 0 to 1, when there is time */
    struct sf_buf told; /* a sequential order's texts so far, a line each */

    struct slot **slots; /* of the wave under way */
    size_t n_slots, slots_room;
    unsigned n_asked, n_retried, n_replaced, n_rewritten, n_improved;
    char (*group_texts)[VAR_ROOM]; /* accepted texts with their group number in front */
    unsigned *group_of;
    size_t n_group_texts, group_room;
    unsigned part_used[CUE_PARTS]; /* where the next opening is dealt from */
};

/* What a text of usually so many characters shall have, `most` when there is time for it. */
unsigned composer_aim(const struct composer *c, unsigned usual, unsigned most);
/* Of a text that is one sentence, and more of them when there is time. */
enum slot_form composer_line_form(const struct composer *c);

/* ---- composing_wave.c: many slots at once ---- */
struct slot *slot_new(struct composer *c, enum slot_form form, enum cue_id cue, const char *path,
                      ...) SF_PRINTF(4, 5);
void slot_bounds(struct slot *s, unsigned min, unsigned aim, unsigned max);
/* Writes all slots made since the last run (and those that they add); sets them in the output.
 * Slots live until composer_clear_slots. False when the request is canceled or late beyond repair.
 */
bool composer_write(struct composer *c);
/* An ended job, or NULL after 50 ms; meanwhile keeps the deadline and tells of the prefill. */
struct job *composer_wait(struct composer *c);
void composer_clear_slots(struct composer *c);
bool composer_wants(const struct composer *c, const char *path);
/* A text chosen or computed by the program: set in the output, with its events. */
void composer_put(struct composer *c, const char *path, struct sf_str text);
void composer_put_value(struct composer *c, const char *path, json_t *value_own);
/* True when no text of the group is like this one; then it is remembered, as the last one. */
bool composer_claim(struct composer *c, unsigned group, struct sf_str text);

/* ---- composing_repair.c: weak texts ---- */
enum repair {
    REPAIR_TAKE,  /* this text is the slot's */
    REPAIR_DRAFT, /* the draft is */
    REPAIR_AGAIN, /* the text was kept as draft: ask once more */
};
/* What becomes of a fit text. */
enum repair composer_repair(struct composer *c, struct slot *s, struct sf_str text);
/* True when the slot may be asked once more than its tries allow: there is time, and other texts
 * are under way that take as long. */
bool composer_may_repair(const struct composer *c, const struct slot *s);

/* ---- composing_prompt.c ---- */
SF_MUST_USE enum sf_err composer_build_prefix(struct composer *c, bool neutral);
/* The job's prompt for a cue: question and opening (which also begins the job's text). */
SF_MUST_USE enum sf_err composer_build_prompt(struct composer *c, struct job *j,
                                              const char *question, const char *opening);
SF_MUST_USE enum sf_err composer_append_tokens(struct composer *c, struct job *j, const char *text,
                                               bool opening);
/* Goes on behind a held text: `lead` is told, then comes the opening of the slot's own text. */
SF_MUST_USE enum sf_err composer_build_follow_up(struct composer *c, struct job *j,
                                                 llama_token tail, const char *lead,
                                                 const char *opening);
/* The words with a capital in these texts are the names that may stand in a text. */
SF_MUST_USE enum sf_err composer_guard_names(const struct composer *c, struct name_guard *g,
                                             const char *const *texts, size_t n);
SF_MUST_USE enum sf_err composer_build_names(struct composer *c); /* the cast's, for all texts */
void name_guard_fini(struct name_guard *g);

/* ---- composing_pick.c: choosing from word lists ---- */
struct pick {
    enum cue_id cue;
    const struct vars *vars;
    const struct vars *neutral; /* for the same question about nobody: what does the story add? */
    const struct sf_str *items;
    size_t n_items;
    unsigned wanted;  /* how many to choose */
    size_t chosen[8]; /* indices, `wanted` of them */
    struct job job, base;
    const bool *avoid; /* items that others took; NULL: none */
    bool base_asked;   /* else its scores were known, or come from ... */
    const struct pick *base_of;
    llama_token tokens[WORDS_MAX];
    float scores[WORDS_MAX], base_scores[WORDS_MAX];
};
/* Ranks all the picks' items in one wave and draws from the best. Always fills `chosen`, by chance
 * alone where the model cannot be asked any more. */
void composer_pick(struct composer *c, struct pick *picks, size_t n);
/* The same for picks that take turns between two lists: what one took, the others avoid. */
void composer_pick_distinct(struct composer *c, struct pick *picks, size_t n,
                            bool (*taken)[WORDS_MAX]);

/* ---- composing_context.c: what the request says ---- */
void composer_read_context(struct composer *c);
void composer_invent_cast(struct composer *c); /* fills persons that the context lacks */
void composer_set_cast_vars(struct composer *c);
bool composer_suits(const struct composer *c,
                    struct sf_str s); /* may stand in this language's text */
/* True when another person has the name of person `i`, or its first letter. */
bool composer_name_taken(const struct composer *c, size_t i);
void composer_name_person(struct composer *c, size_t i, struct sf_str given, struct sf_str surname);
/* The pronoun class that is wrong where only these two (cast indices) are spoken of; 0: both right.
 */
uint32_t composer_wrong_pronouns(const struct composer *c, size_t a, size_t b);
/* {name} {he} {him} {his} {archetype} of a person. */
void person_vars(struct vars *v, const struct person *p, enum cue_language lang);

/* ---- the four tasks ---- */
bool compose_blueprint(struct composer *c);
bool compose_characters(struct composer *c);
bool compose_arc(struct composer *c);
bool compose_chapters(struct composer *c);
/* Whom a chapter (1-12) is about in our own plan: indices of the cast, -1 behind the last. */
const signed char *composer_focus(int chapter);

/* ---- composing_fallback.c: the program's own words, for a slot that stays bad ---- */
void composer_fallback(struct composer *c, struct slot *s, struct sf_buf *out);

/* ---- composing_title.c ---- */
/* Whether a reader would take it for a title: not a name alone, no clause that is cut off and, of a
 * small model, no word that it made up. */
bool composer_title_fits(const struct composer *c, const char *title);

/* ---- composing_mend.c ---- */
/* The cast's names as they are, where a small model writes them otherwise; appends to `out`. */
void composer_mend_names(const struct composer *c, struct sf_str text, struct sf_buf *out);

/* ---- clean_text.c ---- */
/* Makes a slot's raw text fit for readers: white space, cut at a sentence or clause end, closed
 * quotes, first letter. NULL when it is no good; caller frees. */
char *clean_text(enum slot_form form, enum cue_language lang, struct sf_str raw, unsigned min,
                 unsigned max);
/* 0..1: share of character pairs that two texts have in common. */
double text_similarity(struct sf_str a, struct sf_str b);

#endif
