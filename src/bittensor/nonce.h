/* SPDX-License-Identifier: MIT */
#ifndef SF_BITTENSOR_NONCE_H
#define SF_BITTENSOR_NONCE_H

#include "base/err.h"
#include "base/str.h"

/* The nonces of authenticated requests, so that none is taken twice. Keyed by caller, whatever the
 * route or uuid; bounded in callers and in nonces of each. Always true: a nonce that was taken is
 * refused for as long as it would be inside the window. */
struct nonce_table;

struct nonce_options {
    int64_t slack_ns;      /* a nonce may be this old, plus the request's timeout */
    int64_t timeout_cap_s; /* of that timeout at most this counts: it is not signed */
    int64_t future_ns;     /* and this far in the future */
    size_t max_callers;    /* more push out those silent longest; they, and whoever is new, need a
                              nonce later than that silence then */
    size_t max_per_caller; /* more push out the oldest, and what is older than that is refused */
};
struct nonce_options nonce_options_default(void);

/* Nonces not after the moment of opening are refused: what was taken before a restart is not known.
 */
SF_MUST_USE enum sf_err nonce_table_open(const struct nonce_options *o, struct nonce_table **out);
void nonce_table_close(struct nonce_table *t);

/* Window only, remembers nothing: the cheap check before the signature. SF_EREPLAY says which. */
SF_MUST_USE enum sf_err nonce_check_window(const struct nonce_table *t, uint64_t nonce,
                                           double timeout_seconds, struct sf_errbuf *eb);

/* After the signature: checks window and reuse and remembers, in one step. SF_EREPLAY: refused,
 * table unchanged. SF_EBUSY: out of memory, unchanged. Thread-safe. */
SF_MUST_USE enum sf_err nonce_take(struct nonce_table *t, const uint8_t caller[static 32],
                                   uint64_t nonce, double timeout_seconds, struct sf_errbuf *eb);

#endif
