/* SPDX-License-Identifier: MIT */
#ifndef SF_MINER_SERVE_H
#define SF_MINER_SERVE_H

#include "miner/miner.h"

/* `storyfi serve`: this machine's chain behind POST /generate and GET /health, by the contract of
 * custom generators. */
struct serve_options {
    const char *ip;
    uint16_t port;     /* 0 any free one */
    const char *token; /* callers show it as a bearer token; NULL: none, on loopback only */
};

/* Runs until SIGTERM or SIGINT. SF_ECONFIG: beyond loopback without a token. */
SF_MUST_USE enum sf_err serve_run(const struct conf *conf, const struct serve_options *o,
                                  const struct miner_reload *reload, struct sf_errbuf *eb);

#endif
