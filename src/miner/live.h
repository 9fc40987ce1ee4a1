/* SPDX-License-Identifier: MIT */
#ifndef SF_MINER_LIVE_H
#define SF_MINER_LIVE_H

#include "generator/chain.h"

/* The requests that workers are at, with what becomes of each generator asked, for who looks on. A
 * table of fixed size, written to by workers in well under a microsecond; nobody is told: who wants
 * changes asks for what is newer than what it saw. Every function takes NULL and does nothing. */
struct live;

#define LIVE_MAX 512 /* more at once are left out */
#define LIVE_NONE (-1)

SF_MUST_USE enum sf_err live_open(struct live **out);
void live_close(struct live *l);

/* What is known before the first generator is asked; texts are copied, cut where they are long. */
struct live_start {
    int64_t id;
    const char *task, *origin; /* static strings */
    const char *caller;        /* hotkey or address */
    const char *only;          /* "" all */
    struct sf_time received, deadline;
};

/* A place in the table, LIVE_NONE when it is full. */
int live_begin(struct live *l, const struct live_start *s);
void live_trail(struct live *l, int place, const struct gen_trail *trail);
/* Where the tokens written so far are counted, for gen_call.tokens; NULL for LIVE_NONE. */
_Atomic int64_t *live_tokens(struct live *l, int place);
/* The request is answered; the place is given to another one, later. `trail` NULL: none. */
void live_end(struct live *l, int place, int status, const struct gen_trail *trail);

/* As contracted for /api/events: {"id","task","origin","caller","started","deadline_s","queued_s",
 * "hops":[{"name","kind","state","reason","s"}],"tokens","done","status"}. `chain` are the hops of
 * the walk's chain: those not reached stand as "waiting" behind the others. Borrowed. */
typedef void (*live_fn)(void *arg, const json_t *request);

/* Calls `fn` for each request that changed since the state `since` (0: all that are not done, no
 * others) outside of any lock, and returns the state for the next call. */
uint64_t live_changes(struct live *l, uint64_t since, const struct gen_hop_status *chain, size_t n,
                      live_fn fn, void *arg);

#endif
