/* SPDX-License-Identifier: MIT */
#ifndef SF_GENERATOR_VLLM_SPAWN_H
#define SF_GENERATOR_VLLM_SPAWN_H

#include "generator/generator.h"

/* `vllm serve`, started and supervised here: begun anew with a growing pause when it dies, ended
 * with its whole process group at close, and never left behind, also when this process is killed:
 * see vllm_keeper.h. */
struct vllm_spawn;

struct vllm_spawn_options {
    const char *command; /* program; without a '/' it is looked up in the environment's PATH */
    const char *model;   /* name or folder for `vllm serve` */
    int64_t port;        /* on 127.0.0.1; 0: a free one */
    int64_t tensor_parallel_size;
    double gpu_memory_utilization;
    int64_t max_model_len;                /* 0 the model's own */
    const char *quantization;             /* "" none */
    const char *dtype;                    /* "" or "auto": vLLM decides */
    const char *const *environment;       /* NULL-terminated "NAME=value"; nothing else is passed */
    sf_ms start_timeout_ms;               /* a start not ready by then is ended and begun anew */
    sf_ms backoff_min_ms, backoff_max_ms; /* pause before a new start; doubles */
    sf_ms health_interval_ms;             /* of looks at /health; five times it once ready */
    sf_ms stop_ms;                        /* between SIGTERM and SIGKILL */
};
/* 30 minutes (a first start downloads the model), 2 s to 5 minutes, 2 s, 10 s; the rest zero. */
struct vllm_spawn_options vllm_spawn_options_default(void);

/* Copies the options and starts; does not wait until it is ready. SF_ENOTFOUND: no such command
 * (the text says how to get it); SF_EUNAVAILABLE: no free port, no process. */
SF_MUST_USE enum sf_err vllm_spawn_open(const struct vllm_spawn_options *o, struct vllm_spawn **out,
                                        struct sf_errbuf *eb);
/* Ends vLLM and waits for its end, at most stop_ms and a moment. NULL ok. */
void vllm_spawn_close(struct vllm_spawn *s);

/* GEN_STARTING (also while it starts again), GEN_READY (GET /health said 200; a 503 after that, or
 * six looks without an answer, begin it anew), GEN_DOWN (in the
 * pause after a death, with how it ended, its last line and what to do). Thread-safe, never blocks.
 */
void vllm_spawn_health(struct vllm_spawn *s, struct gen_health *out);

/* "http://127.0.0.1:PORT/v1", the same for the handle's life. Borrowed. */
const char *vllm_spawn_base_url(const struct vllm_spawn *s);

/* How often it was started so far. Thread-safe. */
unsigned vllm_spawn_starts(struct vllm_spawn *s);

#endif
