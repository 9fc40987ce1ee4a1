/* SPDX-License-Identifier: MIT */
#ifndef SF_MINER_MINER_H
#define SF_MINER_MINER_H

#include "conf/conf.h"

/* Loads the configuration anew on SIGHUP, with `model` (NULL none) in the place of
 * generator.local.model_name; NULL keeps the old one, and why is in `eb` and the log. */
struct miner_reload {
    const struct conf *(*load)(void *arg, const char *model, struct sf_errbuf *eb);
    void *arg;
    /* Reads it as `load` does without a model, and logs nothing; `found` (may be NULL) gets what
     * there is to say of it. Any thread. NULL: it cannot be used, and why is in `eb`. */
    const struct conf *(*examine)(void *arg, struct conf_diagnostics *found, struct sf_errbuf *eb);
};

struct wallet_unlock;
struct miner_options {
    const struct conf *conf;
    struct miner_reload reload;
    const struct wallet_unlock *unlock; /* for an encrypted hotkey; asked before anything starts */
};

/* Runs the miner until SIGTERM or SIGINT: both listeners, workers, generators, and unless `offline`
 * the keeper of its place on the network. Signals must not be blocked by the caller. SF_OK after an
 * orderly end. */
SF_MUST_USE enum sf_err miner_run(const struct miner_options *o, struct sf_errbuf *eb);

#endif
