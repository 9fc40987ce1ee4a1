/* SPDX-License-Identifier: MIT */
#ifndef SF_APP_HOPS_H
#define SF_APP_HOPS_H

#include "conf/conf.h"
#include "generator/chain.h"

/* The hops of the chain as the configuration orders them: `only`, or `mode` first and then
 * `fallback` (by default whatever else is configured: local, vllm, custom, api), each opened with
 * its options. */
SF_MUST_USE enum sf_err hops_open(const struct conf *conf, const char *only,
                                  struct gen_chain_hop hops[static GEN_CHAIN_MAX], size_t *n,
                                  struct sf_errbuf *eb);
/* The same list with nothing opened: every ctx is NULL. For looking at it. */
SF_MUST_USE enum sf_err hops_list(const struct conf *conf, const char *only,
                                  struct gen_chain_hop hops[static GEN_CHAIN_MAX], size_t *n,
                                  struct sf_errbuf *eb);
/* Tries once more to open the one of `hop`'s name: true, and its context is the caller's, or false
 * and `reason` says why not. */
bool hops_reopen(const struct conf *conf, const char *only, struct gen_chain_hop *hop);
void hops_close(struct gen_chain_hop *hops, size_t n);

#endif
