/* SPDX-License-Identifier: MIT */
#ifndef SF_ENGINE_ENGINE_H
#define SF_ENGINE_ENGINE_H

#include "base/clock.h"
#include "story/task.h"

#include <stdatomic.h>
#include <sys/types.h>

/* The parent's side of one storyfi-engine: starts it, loads its model, hands requests over,
 * watches, and starts it again when it dies or falls silent. One thread of its own reads and
 * supervises. */
struct engine;

/* A model path that begins so is no file: random weights in a known shape (child/synthetic.h). */
#define ENGINE_SYNTHETIC "synthetic:"

/* Where a model goes and how much room it gets. */
#define ENGINE_GPUS_MAX 16
struct engine_size {
    char device[16];                                 /* "auto" "cpu" "cuda" "cuda:N" */
    int64_t n_gpu_layers, context_tokens, sequences; /* -1 / 0: the child decides */
    bool kv_q8;                                      /* keys and values in 8 bits */
    int64_t split[ENGINE_GPUS_MAX]; /* layers of each GPU, in the driver's order; all 0: the
                                       library decides */
    int64_t needs_bytes;            /* as planned; 0 unknown */
    char text[400];                 /* for people */
};

struct engine_options {
    const char *engine_path; /* the helper program */
    const char *lib_dir;     /* where libllama's variants lie; "" as linked */
    const char *model_path;
    /* The first that loads is taken; one whose memory is not to be had makes way for the next, one
     * whose device is not there for the next on another. After the last one, after a file that the
     * library does not take, and after three loads in a row that ended otherwise comes a long
     * pause, which another file in its place cuts short (engine_ladder.h). */
    const struct engine_size *sizes;
    size_t n_sizes;
    int64_t threads;                  /* 0: the child decides */
    int flash_attention;              /* -1 auto, 0, 1 */
    double temperature, top_p;        /* 0.8 and 0.95 are what the texts are tuned for */
    int64_t prefix_cache_bytes;       /* of the KV cache, kept for prompts; 0: the child decides */
    sf_ms stall_ms;                   /* no event for so long while work is under way: killed */
    sf_ms hello_ms;                   /* from start to the first message */
    sf_ms load_ms;                    /* from start until the model is loaded */
    sf_ms probe_ms;                   /* idle for so long: asked for a sign of life */
    sf_ms backoff_ms, backoff_max_ms; /* pause before a restart: doubles */
    sf_ms give_up_ms;                 /* the long pause */
    const char *const *environment;   /* "NAME=value", NULL at the end; nothing else is inherited */
};
struct engine_options engine_options_default(void);

enum engine_state { ENGINE_STARTING, ENGINE_LOADING, ENGINE_READY, ENGINE_WAITING, ENGINE_CLOSED };

struct engine_status {
    enum engine_state state;
    char reason[256]; /* why it is not ready: cause and remedy */
    int loading_permille;
    pid_t pid; /* 0 none */
    uint64_t restarts;
    int64_t memory_bytes;
    bool flash_attention;     /* of the model that is loaded */
    double tokens_per_second; /* of the last answers; 0 unknown */
    char model_name[128];
    char cpu_variant[64];
    struct engine_size size; /* that is loaded, or tried */
    size_t size_no;          /* of them, from 0; > 0: those before did not load ... */
    char smaller_why[256];   /* ... for this reason */
};

/* Copies the options, opens the helper (so that an upgrade in between changes nothing) and starts
 * it in the background. SF_EUNAVAILABLE when helper or model file are not there; the text says the
 * remedy. */
SF_MUST_USE enum sf_err engine_open(const struct engine_options *o, struct engine **out,
                                    struct sf_errbuf *eb);
/* Requests under way end with SF_ECANCELED, the child with its socket. NULL is fine. */
void engine_close(struct engine *e);

void engine_get_status(struct engine *e, struct engine_status *out);
/* Waits until it is ready, or fails to get there for so long. */
SF_MUST_USE enum sf_err engine_wait_ready(struct engine *e, struct sf_time until,
                                          struct sf_errbuf *eb);

struct engine_order {
    const struct story_request *request;
    const char *const *wanted;
    size_t n_wanted;
    const json_t *partial;
    const char *prompt;
    struct sf_time deadline, target;
    uint64_t seed;
    const char *const *languages; /* the model knows: "en", "zh" */
    size_t n_languages;
    bool instruct, small;
    bool sequential; /* one text after the other: slow, to compare with */
    /* Each message of the child about this request, on the calling thread; may be NULL. */
    void (*on_message)(void *arg, const json_t *message);
    void *arg;
    const atomic_bool *cancel;
};

/* Writes one answer; blocks until it is there, the child fails, the deadline passes or it is
 * canceled. *out is the "result" message ("output", "usage"), owned by the caller. Thread-safe.
 * SF_ECRASH: the child died or was killed meanwhile. */
SF_MUST_USE enum sf_err engine_generate(struct engine *e, const struct engine_order *order,
                                        json_t **out, struct sf_errbuf *eb);

#endif
