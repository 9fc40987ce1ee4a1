/* SPDX-License-Identifier: MIT */
#ifndef SF_APP_MODEL_PLAN_H
#define SF_APP_MODEL_PLAN_H

#include "base/buf.h"

/* Where a model goes on this machine: a pure function of a list of devices. Nothing here measures,
 * opens or allocates on a device. */
#define PLAN_MAX_DEVICES 16

struct plan_device {
    char name[64];
    bool gpu; /* else the machine's own memory */
    int64_t free_bytes, total_bytes;
    int compute_major, compute_minor; /* CUDA; 0 unknown */
};

struct plan_model {
    int64_t file_bytes;  /* the weights */
    int64_t block_bytes; /* of them in layers; 0: taken as nine tenths */
    int64_t layers;
    int64_t kv_bytes_per_token; /* 16 bits each */
    int64_t context_max;        /* that the model was made for; 0 unknown */
};

/* The owner's keys of generator.local. */
struct plan_wish {
    const char *device;       /* "auto" "cpu" "cuda" "cuda:N" */
    int64_t max_memory_bytes; /* a ceiling on each device; 0 none */
    int64_t n_gpu_layers;     /* -1 all that fit */
    int64_t context_tokens;   /* 0 chosen here; so for sequences */
    int64_t sequences;
    enum plan_kv {
        PLAN_KV_AUTO, /* 16 bits, 8 where those do not fit */
        PLAN_KV_16,   /* 8 bits need flash attention, which the owner forbids */
        PLAN_KV_8,
    } kv;
};

enum plan_kind {
    PLAN_NONE,    /* fits nowhere: `text` has the true bytes */
    PLAN_CPU,     /* in the machine's memory */
    PLAN_GPU,     /* whole on one GPU, and a copy on each further one that holds it */
    PLAN_SPLIT,   /* layers over several GPUs */
    PLAN_PARTIAL, /* some layers on GPUs, the rest in memory: slow */
};

struct plan_part {
    size_t device; /* in the list */
    int64_t layers;
    int64_t needs_bytes, usable_bytes;
    int64_t context_tokens, sequences; /* of a copy; of the whole when layers are split */
};

struct plan {
    enum plan_kind kind;
    struct plan_part parts[PLAN_MAX_DEVICES];
    size_t n_parts;
    int64_t gpu_layers; /* of one copy */
    int64_t context_tokens, sequences;
    bool kv_q8;                                   /* keys and values in 8 bits: they fit only so */
    int64_t weight_bytes, kv_bytes, buffer_bytes; /* of one copy, on all its devices together */
    int64_t needs_bytes;                          /* the sum of them */
    char text[400]; /* one sentence for people: the plan, or why there is none */
};

struct plan_wish plan_wish_default(void);

/* Makes the plan; PLAN_NONE is an answer, no error. `n` devices, at most PLAN_MAX_DEVICES. */
void plan_make(const struct plan_model *m, const struct plan_wish *wish,
               const struct plan_device *devices, size_t n, struct plan *out);

/* Runs wholly where it is fast: on GPUs, or on a CPU that reads its weights quickly enough.
 * `active` are the bytes of weights that one token reads. */
bool plan_is_quick(const struct plan *p, int64_t active_bytes, int cpus);

#endif
