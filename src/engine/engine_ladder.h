/* SPDX-License-Identifier: MIT */
#ifndef SF_ENGINE_ENGINE_LADDER_H
#define SF_ENGINE_ENGINE_LADDER_H

#include "engine/engine.h"

/* What is tried after a child that ended before its model was loaded: pure functions. */
enum engine_end {
    ENGINE_END_ROOM,   /* out of memory: the library said so, or it was killed for it */
    ENGINE_END_DEVICE, /* what the size names is not on this machine */
    ENGINE_END_FILE,   /* the library does not take the file: another try changes nothing */
    ENGINE_END_OTHER,  /* anything else: a crash, silence, a wrong version */
};

/* `err` is how the parent saw it end; `status` what waitpid told, -1 when the parent killed it. A
 * SIGKILL that is not the parent's counts as the kernel's for memory: it sends no other while a
 * model loads, and programs that watch over memory send the same. */
enum engine_end engine_end_of(enum sf_err err, int status);

/* Which of `n` sizes is tried next, and when. */
struct engine_step {
    size_t size_no;
    enum engine_pause {
        ENGINE_PAUSE_NONE,    /* at once: a smaller size, or one on another device */
        ENGINE_PAUSE_BACKOFF, /* the same again, after the usual pause */
        ENGINE_PAUSE_LONG,    /* nothing promises better: after the long pause, from the first on */
    } pause;
};

/* `no` is the size that did not load; `failed` how many loads in a row ended as ENGINE_END_OTHER,
 * this one included: the third takes the long pause, so that a model that ends its child is no loop
 * of loading. */
struct engine_step engine_step_after(const struct engine_size *sizes, size_t n, size_t no,
                                     enum engine_end end, unsigned failed);

#endif
