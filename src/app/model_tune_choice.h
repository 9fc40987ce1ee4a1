/* SPDX-License-Identifier: MIT */
#ifndef SF_APP_MODEL_TUNE_CHOICE_H
#define SF_APP_MODEL_TUNE_CHOICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* From what the layouts of a model measured to the one that is kept: pure functions of the rows. */
#define TUNE_ROWS 5
#define TUNE_ROUNDS_MAX 9

/* One round of one layout: the same answers as every other layout's in that round. */
struct tune_sample {
    int64_t characters, ms; /* of text, and what it took */
    int slots;              /* texts that were asked for */
    int mended;             /* of them: asked for again, or taken from the stock */
    bool valid;             /* what a validator takes */
};
struct tune_row {
    char type[24];                               /* "as it is", "Q8_0", "Q4_0, output Q4_0" */
    int64_t bytes;                               /* 0: not written */
    struct tune_sample samples[TUNE_ROUNDS_MAX]; /* a row that is out has fewer than rows[0] */
    size_t n_samples;
    bool out;    /* not measured any more */
    bool failed; /* could not be written, or did not answer: never kept */
    bool kept;
    double gain;  /* times as fast as rows[0] in the same rounds; 0 not measured */
    char why[64]; /* it is not kept, when one would have thought so; "" */
};

/* After a round of the quick form: out goes what is slower than the file as it is, and of the rest
 * the slower half. rows[0] is the file as it is and stays. Returns how many candidates are left. */
size_t tune_choice_halve(struct tune_row *rows, size_t n);

/* The row to keep, marked as such; 0: the file as it is. Of those that got furthest the fastest
 * that is worth it (by a tenth), whose answers are all valid, with no more mended texts than
 * rows[0] had in the same rounds and a tenth of its slots; else the next one. Fills gain and why.
 */
size_t tune_choice_make(struct tune_row *rows, size_t n);

/* Characters a second of the answers of all its rounds together; 0 not measured. */
double tune_choice_speed(const struct tune_row *row);

#endif
