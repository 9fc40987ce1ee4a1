/* SPDX-License-Identifier: MIT */
#ifndef SF_GENERATOR_CHAIN_INTERNAL_H
#define SF_GENERATOR_CHAIN_INTERNAL_H

#include "generator/account.h"
#include "generator/chain.h"
#include "generator/replay_events.h"
#include "generator/watch.h"
#include "story/validate.h"

#include <pthread.h>

/* What the files of the chain share: chain.c opens, closes and walks; chain_admit.c says who may be
 * asked and keeps the books; chain_attempt.c makes one call; chain_hop.c asks one hop as often as
 * the table allows; chain_hedge.c races two; chain_probe.c looks after who is out;
 * chain_status.c tells. */

#define CHAIN_SAMPLES 64
/* Under so little time nobody is asked again. */
#define CHAIN_USEFUL_MS 500
/* Threads of all races together: beyond that a request walks without hedging. */
#define CHAIN_THREADS_MAX 64

struct prober {
    struct gen_chain *chain;
    struct hop *hop;
    pthread_t thread;
    bool runs;
    unsigned looks; /* of the chain's, seen */
    bool last_ok;   /* what the last free look said */
    bool doubted;   /* calls hung although it said yes: only its return from a no counts */
};

struct hop {
    struct gen_chain_hop given;
    struct account *account;
    struct breaker breaker;
    double worth;  /* -1 none */
    bool fans_out; /* asks for several chapters with as many requests */
    uint64_t answers, failures;
    char last_error[256];
    enum sf_err last_code;
    int64_t last_error_wall_ns;
    struct gen_usage usage;
    sf_ms latencies[CHAIN_SAMPLES]; /* of answers */
    size_t n_latencies;             /* ever */
    bool outcomes[CHAIN_SAMPLES];
    size_t n_outcomes; /* ever */
    /* What a free look last said: a kind may call itself ready without knowing, and is then only
     * believed when it was found there, or has answered. */
    enum { LOOK_NONE, LOOK_DUE, LOOK_GOOD, LOOK_BAD } looked;
    char look_reason[256];
    struct prober prober;
};

struct gen_chain {
    struct gen_chain_options options;
    /* Of all below but `watch`, `n` and `hops[].given`; of the latter it guards the context and the
     * reason while there is no context. */
    pthread_mutex_t lock;
    pthread_cond_t changed; /* closing, or a thread of a race ended */
    struct watch *watch;
    size_t n;
    bool closing;
    unsigned looks;         /* gen_chain_look: a change of it wakes the probers */
    struct gen_chain *heir; /* what is spent here counts there too; NULL nobody */
    size_t threads;         /* of races */
    size_t order[GEN_CHAIN_MAX];
    struct hop hops[GEN_CHAIN_MAX];
    struct account accounts[GEN_CHAIN_MAX];
};

/* ---- chain_admit.c: may it be asked, and what became of it ------------------------------------
 */

/* The right to make one call. */
struct ticket {
    bool breaker_probe, account_probe;
    struct budget_hold hold;
};

/* Whether it has a context, which then stays: to be asked before the context is used. `why` (may be
 * NULL): why it has none. */
bool hop_is_open(struct gen_chain *c, struct hop *h, char why[256]);
/* May `hop` be asked now, were a request for `only` (NULL: for anybody) to come?
 * Takes nothing. `why` (may be NULL) is told. */
bool hop_can_be_asked(struct gen_chain *c, struct hop *h, const char *only, char why[256]);
/* The same, and takes the right to one call. `bench_ms`: only a rate limit is in the way, for so
 * long (else 0). */
bool hop_admit(struct gen_chain *c, struct hop *h, const struct gen_call *call, struct ticket *t,
               char why[256], sf_ms *bench_ms);
/* The outcome of the call of a ticket. */
struct hop_outcome {
    enum sf_err code;
    sf_ms retry_after_ms;
    const char *reason;
    double cost_usd; /* of this call */
};
void hop_note(struct gen_chain *c, struct hop *h, struct ticket *t, const struct hop_outcome *o);
/* What a call spent since it was told last. */
void hop_spend(struct gen_chain *c, struct hop *h, struct ticket *t, const struct gen_usage *more);
/* How long its answers usually take; 0 unknown. */
sf_ms hop_usual_ms(struct gen_chain *c, struct hop *h);
/* A request is done with the hop: its place in the statistics. */
void hop_count(struct gen_chain *c, struct hop *h, const struct gen_step *step);

/* ---- chain_attempt.c: one call of a generator -------------------------------------------------
 */

/* A hop at work for one request. The deadline of `call` is the hop's. */
struct hop_run {
    struct gen_chain *chain;
    struct hop *hop;
    struct gen_call call;
    struct sf_time walk_started;
    size_t behind;                /* hops that could be asked instead */
    struct ticket ticket;         /* for the next call */
    struct gen_step *step;        /* filled */
    struct gen_result result;     /* on SF_OK: owned by whoever runs */
    json_t *partial;              /* what an invalid answer had */
    struct story_report *reports; /* two: what it lacked, and a scratch */
};

/* Asks for the whole answer, or with a partial one for what is missing; validates. SF_EINCOMPLETE
 * leaves a partial answer when there is any. Writes its line of the step. */
enum sf_err hop_attempt(struct hop_run *r, struct sf_errbuf *eb);

/* ---- chain_hop.c ------------------------------------------------------------------------------
 */

/* Fills the step's names. */
void hop_introduce(const struct hop *h, struct gen_step *step);
/* Admission for a request; false: the step says why it is passed over. */
bool hop_begin(struct hop_run *r);
/* Asks as often as the table allows. Result, step and statistics are filled. */
enum sf_err hop_work(struct hop_run *r);
void hop_log_step(const struct gen_step *step);

/* ---- chain.c: the walk ------------------------------------------------------------------------
 */

struct walk {
    struct gen_chain *chain;
    const struct gen_call *call; /* the caller's */
    struct gen_trail *trail;
    struct sf_time started;
    size_t order[GEN_CHAIN_MAX];
    size_t n, next;
    struct replay *replay; /* NULL: nobody listens */
};

/* SF_OK, or the caller's reason to stop. */
enum sf_err walk_caller_gone(const struct walk *w);
/* The next hop that may be asked, admitted; those passed over get their steps. False: nobody. */
bool walk_next(struct walk *w, struct hop_run *r);
/* The trail is other than before. */
void walk_tell_trail(const struct walk *w);
/* An event on its way to the listener. */
void walk_event(void *walk, const struct gen_event *event);

/* ---- chain_hedge.c ----------------------------------------------------------------------------
 */

/* Walks with hedging. SF_EUNAVAILABLE: nobody answered; SF_ENOMEM: nobody was asked. `result` as by
 * gen_chain_generate. */
enum sf_err walk_race(struct walk *w, struct gen_result *result);

/* ---- chain_probe.c ----------------------------------------------------------------------------
 */

SF_MUST_USE enum sf_err probers_start(struct gen_chain *c);
void probers_join(struct gen_chain *c); /* after `closing` was set and told */

/* ---- chain_status.c ---------------------------------------------------------------------------
 */

sf_ms latency_at(const struct hop *h, unsigned percent); /* 0 none yet; locked */
void usage_add(struct gen_usage *sum, const struct gen_usage *more);

#endif
