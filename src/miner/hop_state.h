/* SPDX-License-Identifier: MIT */
#ifndef SF_MINER_HOP_STATE_H
#define SF_MINER_HOP_STATE_H

#include "app/app.h"

/* One word for how a generator is: "ready" "starting" "degraded" "down", or of one that is up but
 * out of use: "resting" (its breaker is open), "trial" (the next call decides), "benched" (a rate
 * limit), "refused" (until the configuration is loaded again), "account" (key, quota or budget). */
const char *hop_state_name(const struct gen_hop_status *s);
/* Why, "" when it is ready. Borrowed from `s`. */
const char *hop_state_reason(const struct gen_hop_status *s);

/* As /status shows it, "state" what the generator says of itself, "use" the one word; `figures` (of
 * the last day, by ledger_figures) may be NULL. NULL: out of memory. Caller owns. */
json_t *hop_state_json(const struct gen_hop_status *s, const json_t *figures);

/* Notes changes of the generators' states in journal and log. Main thread only. */
struct hop_states {
    size_t n;
    struct {
        char name[64];
        const char *state;
    } last[GEN_CHAIN_MAX];
    bool ready;        /* some generator can answer */
    char summary[256]; /* "answering: local", "no generator available: local: …" */
    struct sf_time next;
};
/* Looks at most twice a second. */
void hop_states_tick(struct hop_states *h, struct app *a);

#endif
