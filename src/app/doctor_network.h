/* SPDX-License-Identifier: MIT */
#ifndef SF_APP_DOCTOR_NETWORK_H
#define SF_APP_DOCTOR_NETWORK_H

#include "app/axon_address.h"
#include "app/doctor.h"
#include "bittensor/ss58.h"

/* Parts of doctor_network that judge what was seen, apart from seeing it: for its tests. */

/* The time of the last finalized block against our clock, in ms since the epoch. A block is
 * finalized about half a minute after it was made, so only large differences say something. */
void doctor_judge_block_time(struct doctor_report *r, int64_t block_ms, int64_t now_ms);

/* How a validator's way to the announced address went, tried from this machine. */
struct doctor_reach {
    char where[AXON_TEXT_MAX];
    enum { REACH_SILENT, REACH_REFUSED, REACH_NO_WAY, REACH_OPEN } tcp;
    bool own_address; /* the announced address is one of this machine's own */
    bool miner_runs;  /* ours listens here */
    /* of the signed ping, with REACH_OPEN: */
    int status;                 /* 0: no answer that is HTTP */
    char axon_hotkey[SS58_MAX]; /* as the answer says; "" it does not */
    char message[160];
};
void doctor_judge_reach(struct doctor_report *r, const struct doctor_reach *x, const char *hotkey);

#endif
