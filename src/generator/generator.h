/* SPDX-License-Identifier: MIT */
#ifndef SF_GENERATOR_GENERATOR_H
#define SF_GENERATOR_GENERATOR_H

#include "base/clock.h"
#include "story/task.h"

#include <stdatomic.h>

/* What happens while an answer is written. slot_text events concatenate to the answer's texts. */
enum gen_event_kind {
    GEN_EVENT_QUEUED,       /* position */
    GEN_EVENT_PREFILL,      /* done, total tokens */
    GEN_EVENT_LOADING,      /* done, total (model load, 0..1000) */
    GEN_EVENT_SLOT_STARTED, /* path */
    GEN_EVENT_SLOT_TEXT,    /* path, text: bytes to append at path */
    GEN_EVENT_SLOT_DONE,    /* path, text: the slot's whole final text */
    GEN_EVENT_USAGE,        /* usage: of this call so far, also of one that fails later */
    GEN_EVENT_HEARTBEAT,    /* progress without text: tokens advanced, bytes received */
    GEN_EVENT_TOKENS,       /* done: tokens written in this call so far; the speed floor reads it */
    GEN_EVENT_HOP_STARTED,  /* from the chain: text is the generator's name; what another one had
                               written is void */
};

/* What a call cost. Cumulative within one call of `generate`. */
struct gen_usage {
    int64_t prompt_tokens, cached_tokens, generated_tokens;
    double tokens_per_second; /* generated, while decoding; 0 unknown */
    int64_t requests;         /* paid requests sent to a provider, canceled ones included */
    double cost_usd;          /* by the catalogue or api.price; 0 unknown or free */
};

struct gen_event {
    enum gen_event_kind kind;
    const char *path; /* JSON pointer of a slot, or NULL */
    struct sf_str text;
    int64_t done, total;
    const struct gen_usage *usage;
};

typedef void (*gen_event_fn)(void *arg, const struct gen_event *event);

struct gen_trail; /* generator/chain.h */

/* One call of a generator. Everything is borrowed for the call. */
struct gen_call {
    const struct story_request *request;
    const char *const *wanted; /* JSON pointers still missing; n_wanted 0 means the whole answer */
    size_t n_wanted;
    const json_t *partial;   /* what is already there when n_wanted > 0, else NULL */
    const char *prompt;      /* rendered user template, or NULL for the built-in */
    struct sf_time deadline; /* absolute: nothing is of use after it */
    struct sf_time target;   /* plan to be done by then (<= deadline) */
    uint64_t seed;
    const char *only;      /* hops of this kind, or of this name, alone; NULL: all */
    int relays;            /* `storyfi serve`s that passed this request on already */
    gen_event_fn on_event; /* may be NULL; called on the calling thread only */
    void *event_arg;
    const atomic_bool *cancel; /* polled at least every 50 ms; NULL never */
    /* Of the chain, for who looks on: the trail each time a hop is asked or done, on the calling
     * thread; a step without outcome and reason is being asked. May be NULL. */
    void (*on_trail)(void *arg, const struct gen_trail *trail);
    void *trail_arg;
    _Atomic int64_t *tokens; /* gets the tokens written so far; may be NULL */
};

struct gen_result {
    json_t *output; /* output_data as the generator gave it, not yet validated; owned */
    struct gen_usage usage;
    char name[128];     /* model or script name for model_info.name */
    char version[64];   /* "" = null */
    char provider[64];  /* "" = null */
    json_t *parameters; /* object for model_info.parameters, or NULL; owned */
};
void gen_result_fini(struct gen_result *r);

enum gen_state { GEN_STARTING, GEN_READY, GEN_DEGRADED, GEN_DOWN };
struct gen_health {
    enum gen_state state;
    int starting_permille; /* while GEN_STARTING: how far, 0 unknown */
    char reason[256];      /* cause and remedy when not ready */
};

struct generator;
struct gen_checks; /* generator/check.h */

/* One kind of generator: one static const of these and one line in registry.c. */
struct generator_type {
    const char *kind;         /* "local" "vllm" "custom" "api": model_info.mode */
    const char *target_label; /* what `target` is, for the start's lines; NULL: "Model" */
    double multiplier;
    /* Opens an instance from the room's own options struct (kind-specific, see the kind's header).
     * Must not block on loading: start it and say GEN_STARTING. */
    enum sf_err (*open)(const void *options, void **ctx, struct sf_errbuf *eb);
    /* Writes one answer; blocks until done, failed, canceled or past the deadline. Thread-safe:
     * several calls may be under way. On failure `result` is untouched; what was spent is told by
     * GEN_EVENT_USAGE. Retries, breakers and budgets are the chain's: a kind asks once, except that
     * it walks its target's ladder of abilities (providers.md), which is no retry. */
    enum sf_err (*generate)(void *ctx, const struct gen_call *call, struct gen_result *result,
                            struct sf_errbuf *eb);
    void (*health)(void *ctx, struct gen_health *out); /* never blocks */
    /* How it is set up, for people and their programs (a local model's plan). Never blocks; the
     * caller owns it. The function NULL, or its answer: nothing to say. */
    json_t *(*facts)(void *ctx);
    /* A free look whether the target works: never a paid generation. May block 5 s. SF_OK: it can
     * be asked again. NULL: health says all there is. */
    enum sf_err (*probe)(void *ctx, struct sf_errbuf *eb);
    /* What `storyfi doctor` finds out about this target alone; may block 30 s. NULL: nothing. */
    void (*check)(void *ctx, struct gen_checks *out);
    void (*close)(void *ctx); /* ends calls under way, frees; NULL ctx ok */
};

/* An opened instance. `name` is shown to people ("local", "custom", later names of lists). */
struct generator {
    const struct generator_type *type;
    void *ctx;
    char name[64];
    char target[256]; /* what it points to: model file, script path */
};

/* Whether a call for `only` (gen_call.only) may go to it: by kind ("custom"), by name ("poet"), or
 * as one of the ways of a name ("poet" takes "poet.endpoint" too). NULL takes all. */
bool generator_is(const struct generator *g, const char *only);

#endif
