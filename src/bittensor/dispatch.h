/* SPDX-License-Identifier: MIT */
#ifndef SF_BITTENSOR_DISPATCH_H
#define SF_BITTENSOR_DISPATCH_H

#include "bittensor/metadata.h"
#include "bittensor/rpc.h"

/* What the chain says against a transaction, in words and with what to do about it.
 * source: opentensor/subtensor@14bc6f9 common/src/transaction_error.rs, pallets/subtensor/src/
 * macros/errors.rs; polkadot-sdk client/rpc-api/src/author/error.rs, transaction_validity.rs. */
enum dispatch_next {
    DISPATCH_OVER,    /* asking again gives the same answer until somebody does something */
    DISPATCH_RENEW,   /* make it again from fresh values: nonce, era or runtime have changed */
    DISPATCH_WAIT,    /* later */
    DISPATCH_IS_THERE /* the node has it already: as good as accepted */
};

/* The pool's refusal of author_submitExtrinsic. Fills `eb` and returns the code: SF_ENEGATIVE not
 * registered, SF_ERATE, SF_EINVAL what was asked for, SF_ESHAPE, SF_ETRANSIENT. */
SF_MUST_USE enum sf_err dispatch_pool_error(const struct rpc_error *e, enum dispatch_next *next,
                                            struct sf_errbuf *eb);

/* The runtime's own error by its name in the metadata ("ServingRateLimitExceeded"). */
SF_MUST_USE enum sf_err dispatch_named_error(struct sf_str pallet, struct sf_str name,
                                             enum dispatch_next *next, struct sf_errbuf *eb);

/* What became of the `index`-th transaction of a block, by that block's System.Events. */
enum dispatch_outcome { DISPATCH_UNKNOWN, DISPATCH_SUCCESS, DISPATCH_FAILED };
struct dispatch_result {
    enum dispatch_outcome outcome;
    struct sf_str pallet, name; /* of the error, borrowed from the metadata; "" not a pallet's */
    uint8_t kind;               /* number of the DispatchError when it is not a pallet's */
};
/* SF_EPARSE when the events are not understood. */
SF_MUST_USE enum sf_err dispatch_read_events(const struct metadata *m, struct sf_str events,
                                             uint32_t index, struct dispatch_result *out,
                                             struct sf_errbuf *eb);

#endif
