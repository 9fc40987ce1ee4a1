/* SPDX-License-Identifier: MIT */
#ifndef SF_GENERATOR_VLLM_KEEPER_H
#define SF_GENERATOR_VLLM_KEEPER_H

#include "base/clock.h"
#include "base/err.h"

#include <sys/types.h>

/* A program that cannot outlive this process, though it knows nothing of us. Between the two stands
 * a keeper, a fork of ours that leads a process group of its own and holds the read end of a
 * control pipe whose only write end is here. When that closes, by keeper_end or because this
 * process died, kill -9 included, the keeper sends the group SIGTERM and, stop_ms later, SIGKILL.
 * (PR_SET_PDEATHSIG would be lost on the program's workers, and fires when a thread ends.) When the
 * program ends by itself, its workers are killed with it. */
struct keeper {
    pid_t pid;   /* of the keeper: the group's id too; 0 none */
    int control; /* closing it asks for the end */
    int output;  /* the program's stdout and stderr, not blocking */
    int report;  /* how the program ended */
};

struct keeper_options {
    const char *path;
    char *const *argv;
    char *const *environment;
    sf_ms stop_ms;
};

/* SF_EUNAVAILABLE: no pipe, no process, or the program does not start (the text says why). */
SF_MUST_USE enum sf_err keeper_start(const struct keeper_options *o, struct keeper *k,
                                     struct sf_errbuf *eb);

/* Whether the program has ended; then its workers have been sent SIGKILL, the keeper is reaped, and
 * `how` says it in words ("exit status 1", "killed by signal 9 (Killed)"). Never blocks. */
bool keeper_has_ended(struct keeper *k, char *how, size_t n);

/* Asks for the end and waits for it, at most stop_ms and a second; then kills. Closes everything.
 * A keeper that never started or has ended: only closes. */
void keeper_end(struct keeper *k, sf_ms stop_ms);

#endif
