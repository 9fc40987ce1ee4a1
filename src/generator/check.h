/* SPDX-License-Identifier: MIT */
#ifndef SF_GENERATOR_CHECK_H
#define SF_GENERATOR_CHECK_H

#include "base/err.h"

/* What `storyfi doctor` found out: one line per question asked. */
enum gen_verdict { GEN_CHECK_OK, GEN_CHECK_WARN, GEN_CHECK_FAIL };

struct gen_check {
    enum gen_verdict verdict;
    char what[64];    /* "key accepted" */
    char text[256];   /* what was found */
    char remedy[256]; /* "" when nothing is to be done */
};

#define GEN_CHECKS_MAX 32
struct gen_checks {
    struct gen_check list[GEN_CHECKS_MAX];
    size_t n;
};

/* Adds a line (the last one is overwritten when there is no room). */
void gen_checks_add(struct gen_checks *c, enum gen_verdict verdict, const char *what,
                    const char *remedy, const char *fmt, ...) SF_PRINTF(5, 6);

#endif
