/* SPDX-License-Identifier: MIT */
#ifndef SF_ENGINE_CHILD_SCHEDULER_H
#define SF_ENGINE_CHILD_SCHEDULER_H

#include "base/buf.h"
#include "base/clock.h"
#include "engine/child/rank_cache.h"
#include "engine/child/sampler.h"

#include <pthread.h>
#include <stdatomic.h>

/* The scheduler's thread is the only one that touches the llama context. It decodes the texts of
 * all requests together (continuous batching): one token per text and step, prompts in what room is
 * left. A text is a job; requests hand in jobs and wait for any of them to end. */

struct scheduler;
struct kv_seq; /* a sequence of the cache, held by a job after its end until released */

/* Tokens that many jobs begin with; computed once and kept in the prefix cache. Immutable. */
struct job_prefix {
    llama_token *tokens;
    size_t n;
};

/* One request: who waits for its jobs. */
struct job_owner {
    pthread_mutex_t lock;
    pthread_cond_t ended;
    struct job *done; /* ended jobs, newest first */
    atomic_bool cancel;
    /* Statistics, written by the scheduler under `lock`. */
    int64_t prompt_tokens, cached_tokens, generated_tokens;
    int64_t fed_tokens; /* prompt tokens decoded; with the cached ones what is prefilled */
};

void job_owner_init(struct job_owner *o);
void job_owner_fini(struct job_owner *o);

enum job_end {
    JOB_END_STOP,     /* the stop rule said so */
    JOB_END_TOKEN,    /* an end token was drawn */
    JOB_END_LENGTH,   /* max_tokens */
    JOB_END_CANCELED, /* the owner was canceled */
    JOB_END_FAILED,   /* no room in the cache, or the library failed */
};

/* One text (or one look at the next token's logits). The submitter owns the memory and must keep it
 * until the job was taken back from its owner's list. */
struct job {
    struct job_owner *owner;
    const struct job_prefix *prefix; /* or NULL */
    struct kv_seq *base;             /* go on behind this held sequence: a fork of it ... */
    bool continue_base;              /* ... or the sequence itself (its hold moves to this job), */
    int base_pos;                    /* cut to so many positions first; < 0: whole */
    llama_token *prompt;             /* behind prefix or base; may be 0 tokens only with a base */
    size_t n_prompt;
    size_t n_opening;   /* the last tokens of the prompt that belong to the text */
    size_t extra_cells; /* reserved for what will be forked or continued from this */
    bool hold;          /* keep `seq` after the end, unless it failed */
    struct sampler_params sampling;
    uint32_t end_classes; /* such tokens end the text and are not part of it ... */
    uint32_t end_late;    /* ... these only from min_chars on, banned before */
    unsigned min_chars, max_tokens;
    unsigned min_sentence;               /* no sentence shorter than so many bytes; 0: any */
    bool (*stop)(const struct job *job); /* asked after each token */
    const struct ngram_set *shared;      /* not to be repeated; owned by the request */
    const struct name_guard *names;      /* owned by the request; NULL: no guard */
    uint64_t seed;
    /* Ranking instead of text: log-probabilities of these tokens behind the prompt. */
    const llama_token *rank;
    float *rank_out;
    size_t n_rank;
    /* For the submitter. */
    void *user;
    unsigned stop_min, stop_aim, stop_max; /* for stop rules, in characters */

    /* Results. */
    struct sf_buf text; /* what was generated; starts with what the submitter put in */
    size_t n_chars;     /* code points of `text` */
    llama_token *past;  /* earlier parts' tokens, opening and generated tokens */
    size_t n_history;   /* how many are of earlier parts */
    size_t n_past, past_room;
    enum job_end end;
    struct kv_seq *seq;
    int text_pos;      /* the position of past[n_history] in `seq` */
    llama_token tail;  /* the last token of the text, where it is not in the cache yet; -1 */
    size_t doubt_at;   /* bytes of `text` before the model wanted a name that is banned; 0: never */
    bool in_quote;     /* a double quote is open at the end of the text */
    atomic_bool hurry; /* set by the submitter: end at the first chance */

    /* The scheduler's. */
    struct job *next;
    struct sampler sampler;
    size_t n_fed; /* prompt tokens already decoded */
    llama_token next_token;
    int row; /* of the logits in this step, -1 none */
    bool started;
};

/* Everything zero, then the buffers. */
void job_init(struct job *j, struct job_owner *owner);
void job_fini(struct job *j); /* not while submitted; releases nothing of the cache */

struct scheduler_stats {
    int64_t tokens;           /* decoded so far, prompts included */
    int queue;                /* jobs waiting */
    int active;               /* jobs decoding */
    double tokens_per_second; /* all tokens, while decoding; smoothed; 0 unknown */
};

typedef void (*scheduler_beat_fn)(void *arg, const struct scheduler_stats *stats);

/* `beat` is called about every second on the scheduler's thread, while requests are open. */
SF_MUST_USE enum sf_err scheduler_open(struct engine_model *m, scheduler_beat_fn beat, void *arg,
                                       struct scheduler **out);
void scheduler_close(struct scheduler *s); /* ends all jobs as canceled first; NULL ok */

void scheduler_request_begin(struct scheduler *s); /* counts open requests, for the beat */
void scheduler_request_end(struct scheduler *s);
void scheduler_submit(struct scheduler *s, struct job *j);
/* Gives up a held sequence (NULL ok). */
void scheduler_release(struct scheduler *s, struct kv_seq *seq);
void scheduler_wake(struct scheduler *s); /* after setting a cancel flag */
void scheduler_stats(struct scheduler *s, struct scheduler_stats *out);
/* Rankings of this model that all requests share; lives as long as the scheduler. */
struct rank_cache *scheduler_ranks(struct scheduler *s);

/* Takes one ended job, waiting until `until`; NULL when none ended by then. */
struct job *job_owner_wait(struct job_owner *o, struct sf_time until);

#endif
