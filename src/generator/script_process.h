/* SPDX-License-Identifier: MIT */
#ifndef SF_GENERATOR_SCRIPT_PROCESS_H
#define SF_GENERATOR_SCRIPT_PROCESS_H

#include "base/buf.h"
#include "base/clock.h"

#include <stdatomic.h>

/* One run of a program: input to stdin, stdout collected up to a cap, the end of stderr kept. */
struct script_run {
    char *const *argv; /* argv[0] is looked up in no path: it has a slash */
    char *const *environment;
    struct sf_str input;
    struct sf_time deadline;
    const atomic_bool *cancel;
    void (*on_progress)(void *arg, size_t bytes); /* called all the while it runs */
    void *progress_arg;
    /* results */
    struct sf_buf output;
    struct sf_buf stderr_tail; /* the last 4 KiB */
    int exit_status, signal;
};

/* Readies the result buffers; the other members are set before. */
void script_run_init(struct script_run *r, size_t max_output_bytes);
void script_run_fini(struct script_run *r);

/* Runs it to its end. SF_EDEADLINE, SF_ECANCELED, SF_ELIMIT (too much output), SF_EUNAVAILABLE
 * (does not start). The whole process group is dead when this returns. */
SF_MUST_USE enum sf_err script_run(struct script_run *r, struct sf_errbuf *eb);

#endif
