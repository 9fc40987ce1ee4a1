/* SPDX-License-Identifier: MIT */
#ifndef SF_APP_MODEL_TUNE_H
#define SF_APP_MODEL_TUNE_H

#include "app/model_tune_choice.h"
#include "conf/conf.h"

#include <stdatomic.h>

/* The layout of a model's weights that this CPU reads fastest, found by trying: the file is written
 * in other types, each writes the same answers, and the fastest stays if it is worth it and writes
 * as well (model_tune_choice.h). It lies in the models' folder as FILE.tuned.gguf, and is taken for
 * the model from then on (models.h); FILE.tuned.json says what was found.
 *
 * Speed is characters of text a second of the engine's CPU time, so that another program at work
 * does not decide.
 *
 * The long form: `rounds` times `characters` and `story_arc` of each layout in turn.
 * The quick form: one answer a round, `blueprint`, `characters`, `story_arc`; after each round the
 * slower half of the candidates is out, and all that are slower than the file as it is; the third
 * begins only when it is likely to end within TUNE_QUICK_MS of measuring. */
#define TUNE_QUICK_MS 30000

struct tune_order {
    const char *name; /* of a model, or the path of its file; NULL: the configured model */
    int rounds;       /* of the long form, 1 … TUNE_ROUNDS_MAX */
    bool quick;
    /* What it does, of how many steps; may be NULL. */
    void (*on_stage)(void *arg, const char *what, int permille);
    void *arg;
    const atomic_bool *cancel; /* NULL never */
};

/* Blocks for minutes, the quick form for about half of one. rows[0] is the file as it is. A
 * candidate that cannot be written or does not answer is out, with why. SF_ENOTFOUND: no such model
 * here; SF_EINVAL: it runs on a GPU, where this is of no use; SF_EBUSY: another process tunes in
 * this folder; SF_EIO: no room; SF_ECANCELED; else what quantizing or the engine said. Nothing but
 * a file that is kept and the record is left behind; on an error what was there before is. */
SF_MUST_USE enum sf_err model_tune(const struct conf *conf, const struct tune_order *o,
                                   struct tune_row rows[static TUNE_ROWS], size_t *n,
                                   struct sf_errbuf *eb);

#endif
