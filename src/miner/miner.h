/* SPDX-License-Identifier: MIT */
#ifndef SF_MINER_MINER_H
#define SF_MINER_MINER_H

#include "conf/conf.h"

/* Loads the configuration anew on SIGHUP; NULL keeps the old one (the function has said why). */
typedef const struct conf *(*miner_reload_fn)(void *arg);

/* Runs the miner until SIGTERM or SIGINT: both listeners, workers, generators. Signals must not be
 * blocked by the caller. SF_OK after an orderly end. */
SF_MUST_USE enum sf_err miner_run(const struct conf *conf, miner_reload_fn reload, void *arg,
                                  struct sf_errbuf *eb);

#endif
