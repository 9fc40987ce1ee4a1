/* SPDX-License-Identifier: MIT */
#ifndef SF_GENERATOR_WATCH_H
#define SF_GENERATOR_WATCH_H

#include "generator/generator.h"

/* One thread that cancels calls which make no progress, write too slowly, are past their deadline
 * or whose caller canceled: generators poll a flag of ours, and need no clock of their own. */
struct watch;

struct watch_rules {
    sf_ms patience_ms;            /* without any event */
    double min_tokens_per_second; /* by GEN_EVENT_TOKENS, behind the first token; 0 never */
    sf_ms window_ms;              /* over so long */
};

enum watch_verdict { WATCH_FINE, WATCH_STALLED, WATCH_SLOW, WATCH_LATE };

#define WATCH_SAMPLES 10

/* A call under watch, on the stack of whoever makes it. */
struct watched {
    struct watched *next;
    const struct gen_call *outer;
    struct watch_rules rules;
    _Atomic int64_t last_event_ms;
    _Atomic int64_t tokens;
    atomic_bool cancel; /* what the generator polls */
    /* The watch's own, under its lock: tokens at each tenth of the window. */
    int64_t samples[WATCH_SAMPLES], sampled_ms;
    int n_samples;
    enum watch_verdict verdict;
};

SF_MUST_USE enum sf_err watch_open(struct watch **out);
void watch_close(struct watch *w);

/* Starts watching a call: `inner` (a copy of `outer`) gets the cancel flag and an event sink that
 * notes progress and passes on. */
void watch_begin(struct watch *w, struct watched *item, const struct gen_call *outer,
                 const struct watch_rules *rules, struct gen_call *inner);
/* Ends it, and says why it was canceled if the watch did that. */
enum watch_verdict watch_end(struct watch *w, struct watched *item);

#endif
