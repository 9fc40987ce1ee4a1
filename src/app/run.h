/* SPDX-License-Identifier: MIT */
#ifndef SF_APP_RUN_H
#define SF_APP_RUN_H

#include "app/app.h"

/* One task through the chain without a network, as generate and story do it. */
struct run_options {
    sf_ms deadline_ms, target_ms;
    uint64_t seed;
    struct progress *progress; /* drawn while it goes on */
    const atomic_bool *cancel; /* may be NULL */
};

struct run_result {
    struct gen_result result; /* fini with gen_result_fini */
    struct gen_trail trail;
    sf_ms took_ms;
    int64_t id; /* in the journal; 0 when none is kept */
};

SF_MUST_USE enum sf_err run_task(struct app *a, const struct story_request *request,
                                 const struct run_options *o, struct run_result *out,
                                 struct sf_errbuf *eb);

/* The hops of a trail, a line each, for people. */
void run_print_trail(const struct gen_trail *trail, FILE *out);

#endif
