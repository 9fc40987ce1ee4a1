/* SPDX-License-Identifier: MIT */
#ifndef SF_APP_SPEEDS_H
#define SF_APP_SPEEDS_H

#include "app/model_catalogue.h"
#include "app/model_plan.h"

/* How fast models wrote on this machine, kept in <state_dir>/speeds.json: tokens of whole answers a
 * second, as their requests saw them. From them is told what a model that never ran here may do. */
enum speed_place {
    SPEED_NOWHERE, /* layers here and there: nothing to compare with */
    SPEED_CPU,
    SPEED_GPU, /* the whole model on one */
};
struct speed {
    char file[200]; /* base name; FILE.tuned.gguf counts as FILE.gguf */
    enum speed_place place;
    int64_t bytes; /* of the file */
    double tokens_per_second;
    int64_t answers; /* that it is the mean of: the newest count most */
};
#define SPEEDS_MAX 64
struct speeds {
    struct speed v[SPEEDS_MAX]; /* the newest last */
    size_t n;
};

/* What is kept; nothing when there is none or it cannot be read. */
void speeds_read(const struct conf *conf, struct speeds *out);
/* Adds answers to what is kept. SF_EIO, SF_ENOMEM; SF_EINVAL: a figure that makes no sense. */
SF_MUST_USE enum sf_err speeds_add(const struct conf *conf, const struct speed *more,
                                   struct sf_errbuf *eb);

/* What is expected of a file of so many bytes at a place. Measured: of that file itself. Estimated:
 * what the measured model nearest in size does at the same place, by the bytes that a token reads
 * (of a mixture of experts a share, which the catalogue tells). On a GPU a model must be within
 * eight times the size: small ones are held up by other things than their weights. */
enum speed_source { SPEED_UNKNOWN, SPEED_MEASURED, SPEED_ESTIMATED };
struct speed_expected {
    enum speed_source source;
    double tokens_per_second;
    const struct speed *from; /* in `s`; NULL when unknown */
};
struct speed_expected speeds_expect(const struct speeds *s, const struct model_catalogue *c,
                                    const struct speed *wanted);

enum speed_place speed_place_of(enum plan_kind kind);

#endif
