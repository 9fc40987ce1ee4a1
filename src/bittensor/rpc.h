/* SPDX-License-Identifier: MIT */
#ifndef SF_BITTENSOR_RPC_H
#define SF_BITTENSOR_RPC_H

#include "base/clock.h"
#include "json/json.h"

#include <stdatomic.h>

/* JSON-RPC 2.0 to a chain's nodes: over one WebSocket that stays open (ws://, wss://) or by POST
 * (http://, https://), as each endpoint's address says. Calls are made one at a time, on the
 * calling thread; any thread may call, the others wait. */
struct rpc;

#define RPC_ENDPOINTS_MAX 8
#define RPC_ANSWER_MAX (16U << 20)

struct rpc_options {
    const char *const *endpoints; /* in the order to try; copied */
    size_t n_endpoints;           /* 1 to RPC_ENDPOINTS_MAX */
    sf_ms attempt_ms;             /* the longest that one endpoint may take; 0: 20 s */
    sf_ms rest_min_ms;            /* an endpoint that failed rests so long, twice that after the
                                     next failure, … */
    sf_ms rest_max_ms;            /* … up to this; 0 and 0: 1 s, 60 s */
    const atomic_bool *cancel;    /* ends waits; may be NULL */
};

SF_MUST_USE enum sf_err rpc_open(const struct rpc_options *o, struct rpc **out,
                                 struct sf_errbuf *eb);
void rpc_close(struct rpc *r); /* no call may be under way */

/* What a node says instead of a result. */
struct rpc_error {
    int64_t code;
    char message[160];
    char data[160]; /* printed as JSON unless it is a string */
};

struct rpc_call {
    const char *method;
    json_t *params_own; /* an array; NULL counts as out of memory */
    struct sf_time deadline;
    struct rpc_error *error; /* filled with SF_ENEGATIVE; may be NULL */
};

/* Asks one endpoint after the other until one answers: from the one that answered last, leaving out
 * those that rest; when all rest it waits for the first that is up again. Caller owns *result.
 * SF_ENEGATIVE: the node refused (see `error`); else no endpoint answered: SF_ETRANSIENT, SF_ERATE,
 * SF_EDEADLINE, SF_ELIMIT (answer over RPC_ANSWER_MAX), SF_ECANCELED, SF_ENOMEM; the text names the
 * last endpoint's cause. The call may have reached a node all the same. */
SF_MUST_USE enum sf_err rpc_call(struct rpc *r, const struct rpc_call *call, json_t **result,
                                 struct sf_errbuf *eb);

/* The endpoint that answered last; changes tell that another node is asked. Borrowed. */
const char *rpc_endpoint(struct rpc *r);
/* The endpoint that answered last is not to be asked for `rest_ms`: what it said makes no sense. */
void rpc_bench(struct rpc *r, sf_ms rest_ms);

/* "0x…" to bytes, appended; SF_EPARSE when it is no such text. */
SF_MUST_USE enum sf_err rpc_hex(const json_t *value, struct sf_buf *out, struct sf_errbuf *eb);
/* Bytes to a JSON text "0x…"; NULL: out of memory. */
json_t *rpc_hex_new(const void *bytes, size_t n);

#endif
