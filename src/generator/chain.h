/* SPDX-License-Identifier: MIT */
#ifndef SF_GENERATOR_CHAIN_H
#define SF_GENERATOR_CHAIN_H

#include "generator/breaker.h"
#include "generator/generator.h"

/* The generators in the owner's order, walked anew for every request under one deadline. */
struct gen_chain;

#define GEN_CHAIN_MAX 16

struct gen_chain_hop;
struct gen_chain_options {
    sf_ms progress_ms;            /* a hop without any event for so long is canceled */
    sf_ms reserve_ms;             /* left for each hop behind the current one */
    double min_tokens_per_second; /* over min_tokens_window_ms; 0 never */
    sf_ms min_tokens_window_ms;
    sf_ms jitter_min_ms, jitter_max_ms; /* before the one retry of a temporary failure */
    sf_ms account_open_ms;              /* a refused account is out for so long */
    sf_ms rate_bench_ms;                /* a rate limit without a delay; doubles */
    sf_ms probe_interval_ms;            /* 0: nobody probes (one-shot commands) */
    sf_ms hedge_after_ms;               /* 0 off */
    struct breaker_options breaker;
    /* Tries once more to open a hop that could not be opened, at each probe interval; the hop is a
     * copy of the one given. True: its context is the chain's from now on. False: `reason` says
     * why not. On a thread of the chain, until the chain is closed. NULL: it stays out. */
    bool (*reopen)(void *arg, struct gen_chain_hop *hop);
    void *reopen_arg;
};
/* The numbers of the retry table; nobody probes unless asked to. */
struct gen_chain_options gen_chain_options_default(void);

/* A hop that cannot even be opened stays in the chain with its reason (type set, ctx NULL), until
 * `reopen` opens it. */
struct gen_chain_hop {
    struct generator generator;
    char reason[256];   /* why ctx is NULL */
    char account[96];   /* hops of one provider account share its breaker and budget; "" none */
    struct gen_limits { /* of the account; 0 no limit */
        int64_t requests_per_hour;
        double cost_per_day;
    } limits;
    sf_ms progress_ms; /* 0: the chain's */
};

/* Takes over the generators' contexts: gen_chain_close closes them. At most GEN_CHAIN_MAX hops. */
SF_MUST_USE enum sf_err gen_chain_open(const struct gen_chain_options *o,
                                       const struct gen_chain_hop *hops_own, size_t n,
                                       struct gen_chain **out, struct sf_errbuf *eb);
void gen_chain_close(struct gen_chain *c);

enum gen_step_outcome { GEN_STEP_OK, GEN_STEP_FAILED, GEN_STEP_SKIPPED };
#define GEN_ATTEMPTS_MAX 4
/* One call of a generator. */
struct gen_attempt {
    enum sf_err code;
    char reason[256];
    sf_ms started_ms, took_ms; /* started: since the walk began */
    bool repair;               /* asked only for what was missing */
    struct gen_usage usage;    /* also of a failed or canceled one */
};
/* What became of one hop: what a trail is made of. */
struct gen_step {
    char name[64];
    char kind[16];
    char account[96];
    enum gen_step_outcome outcome;
    enum sf_err code;
    char reason[256];
    sf_ms started_ms, took_ms;
    bool hedged; /* started while an earlier hop was still at work */
    int attempts;
    struct gen_attempt list[GEN_ATTEMPTS_MAX];
};
struct gen_trail {
    struct gen_step steps[GEN_CHAIN_MAX];
    size_t n;
    const struct generator *answered; /* borrowed from the chain; NULL nobody */
};

/* Walks the chain: each hop gets what remains less a reserve for those behind it that can be asked.
 * A hop is asked again only as the table of errors says (base/err.h); an answer is repaired and
 * validated, and what is missing is asked for once more from the same hop (only the missing parts),
 * else the next hop starts. With hedge_after_ms a late hop goes on while the next one starts, the
 * first valid answer wins, the other is canceled.
 * On SF_OK `result` is owned by the caller and deep-valid, and its usage is that of all attempts of
 * the hop that answered. Errors: SF_EDEADLINE, SF_ECANCELED, SF_EUNAVAILABLE (all failed; the text
 * lists why). Events come on the calling thread only: HOP_STARTED voids all that came before,
 * SLOT_STARTED what came for its path; what is left in the end is exactly the answer's texts.
 * Thread-safe; blocks, on the calling thread. */
SF_MUST_USE enum sf_err gen_chain_generate(struct gen_chain *c, const struct gen_call *call,
                                           struct gen_result *result, struct gen_trail *trail,
                                           struct sf_errbuf *eb);

/* The first hop that was asked or passed over before another one answered; NULL when the first one
 * answered, or nobody did. For the line that names both. */
const struct gen_step *gen_trail_first_failure(const struct gen_trail *trail);

/* Counts spending of an account that happened at `wall_ns` (before this process began: from the
 * journal), for the limits. Calls made by this chain count themselves. */
void gen_chain_charge(struct gen_chain *c, const char *account, int64_t wall_ns, int64_t requests,
                      double cost_usd);

/* Takes over what the accounts of `from` have spent, also from now on: what calls still under way
 * there spend counts here too. `from` must be closed before `c` is. Takes the lock of `from` and,
 * under it, that of `c`: the one place where two are held. */
void gen_chain_inherit(struct gen_chain *c, struct gen_chain *from);

/* Mode `auto`: what an answer of the hop is expected to be worth (multiplier times the share of
 * valid answers in time). Hops with a worth are walked highest first. */
void gen_chain_set_worth(struct gen_chain *c, const char *name, double worth);

enum gen_gate {
    GEN_GATE_CLOSED,    /* the breaker lets calls through */
    GEN_GATE_HALF_OPEN, /* the next call decides, or is under way */
    GEN_GATE_OPEN,
    GEN_GATE_BENCHED, /* by a rate limit */
    GEN_GATE_RELOAD,  /* until the configuration is loaded again */
};

/* State of every hop, as configured. Returns their number. */
struct gen_hop_status {
    const struct generator *generator; /* borrowed */
    struct gen_health health;
    char last_error[256];
    bool breaker_open; /* a call would be refused now, by the breaker */
    bool can_answer;   /* ready, and neither breaker, account nor budget in the way */
    enum gen_gate gate;
    uint64_t answers, failures;
    sf_ms gate_left_ms;       /* of open and benched; -1 until a reload */
    const char *account;      /* borrowed; "" none */
    char account_reason[256]; /* why the whole account is out; "" it is not */
    sf_ms account_left_ms;
    sf_ms latency_p50_ms, latency_p95_ms; /* of the last 64 answers; 0 none yet */
    double success_share;                 /* of the last 64 requests; -1 none yet */
    int64_t last_error_wall_ns;           /* 0 none */
    struct gen_usage usage;               /* sums since the chain opened */
    double worth;                         /* by gen_chain_set_worth; -1 none */
    enum sf_err last_code;
};
size_t gen_chain_status(struct gen_chain *c, struct gen_hop_status out[static GEN_CHAIN_MAX]);

/* What the first opened hop of a kind says of itself (generator.h); NULL nothing. Caller owns. */
json_t *gen_chain_facts(struct gen_chain *c, const char *kind);

/* Looks at every hop that is out now, not at its next turn: something was put right. */
void gen_chain_look(struct gen_chain *c);

/* Whether some hop can really answer now. */
bool gen_chain_is_ready(struct gen_chain *c);

#endif
