/* SPDX-License-Identifier: MIT */
#ifndef SF_MINER_MINER_H
#define SF_MINER_MINER_H

#include "conf/conf.h"

/* Loads the configuration anew on SIGHUP; NULL keeps the old one (the function has said why). */
typedef const struct conf *(*miner_reload_fn)(void *arg);

struct wallet_unlock;
struct miner_options {
    const struct conf *conf;
    miner_reload_fn reload;
    void *reload_arg;
    const struct wallet_unlock *unlock; /* for an encrypted hotkey; asked before anything starts */
};

/* Runs the miner until SIGTERM or SIGINT: both listeners, workers, generators, and unless `offline`
 * the keeper of its place on the network. Signals must not be blocked by the caller. SF_OK after an
 * orderly end. */
SF_MUST_USE enum sf_err miner_run(const struct miner_options *o, struct sf_errbuf *eb);

#endif
