/* SPDX-License-Identifier: MIT */
#ifndef SF_APP_MODEL_TUNE_H
#define SF_APP_MODEL_TUNE_H

#include "conf/conf.h"

#include <stdatomic.h>

/* The layout of a model's weights that this CPU reads fastest, found by trying: the file is written
 * in other types, each writes the same answers, and the fastest stays if it is worth it. It lies in
 * the models' folder as FILE.tuned.gguf, and is taken for the model from then on (models.h). */
#define TUNE_ROWS 5
struct tune_row {
    char type[24];           /* "as it is", "Q8_0", "Q4_0, output Q4_0" */
    int64_t bytes;           /* 0: not written */
    double chars_per_second; /* text of a whole answer, median; 0 not measured */
    bool kept;
};
struct tune_order {
    const char *name; /* NULL: the configured model */
    int rounds;
    /* What it does, of how many steps; may be NULL. */
    void (*on_stage)(void *arg, const char *what, int permille);
    void *arg;
    const atomic_bool *cancel; /* NULL never */
};

/* Blocks for minutes. rows[0] is the file as it is. SF_ENOTFOUND: no such model here; SF_EINVAL: it
 * runs on a GPU, where this is of no use; else what quantizing or the engine said. Nothing but a
 * file that is kept is left behind. */
SF_MUST_USE enum sf_err model_tune(const struct conf *conf, const struct tune_order *o,
                                   struct tune_row rows[static TUNE_ROWS], size_t *n,
                                   struct sf_errbuf *eb);

#endif
