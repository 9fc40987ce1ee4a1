/* SPDX-License-Identifier: MIT */
#ifndef SF_CMD_RUNNING_MINER_H
#define SF_CMD_RUNNING_MINER_H

#include "app/miner_address.h"
#include "app/run.h"
#include "cmd/args.h"

/* A miner that runs on this machine and writes for `generate` and `story` too, behind every
 * validator: its model is loaded already, and a second one would take its memory. */
struct running_miner {
    const struct conf *conf; /* borrowed: says where it is */
    int64_t pid;
};

/* `conf` is borrowed by `out`. Looks for one at admin.ip and admin.port, for at most 300 ms. False:
 * work alone; when there is one that does not do (another configuration, not ready, no generator
 * that is `only`), stderr says so.
 */
bool running_miner_find(const struct args *a, const struct conf *conf, const char *only,
                        struct running_miner *out);

/* Whether one runs there at all, whatever its configuration; silent. */
bool running_miner_is_there(const struct conf *conf);

/* Asks it for one task; while it is busy with validators, again each second until the deadline.
 * `run` comes empty; its result is owned by the caller on SF_OK, its trail stays with the miner: id
 * is the request's number there, also on errors (0 unknown). SF_EDEADLINE; SF_EUNAVAILABLE: why. */
SF_MUST_USE enum sf_err running_miner_ask(const struct running_miner *m,
                                          const struct story_request *request, const char *only,
                                          const struct run_options *o, struct run_result *run,
                                          struct sf_errbuf *eb);

#endif
