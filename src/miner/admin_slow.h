/* SPDX-License-Identifier: MIT */
#ifndef SF_MINER_ADMIN_SLOW_H
#define SF_MINER_ADMIN_SLOW_H

#include "miner/admin_route.h"

/* Two threads for what the admin listener's HTTP threads must not do themselves: whatever waits for
 * the disk. A bounded queue is in front of them. */
struct admin_slow;

/* SF_ENOMEM. */
SF_MUST_USE enum sf_err admin_slow_open(struct admin_slow **out);

/* Queues a request for `handle`. False: many are waiting, or it was stopped; nothing was answered.
 */
bool admin_slow_put(struct admin_slow *s, admin_handler handle, struct admin *a,
                    struct http_exchange *x, const struct http_request *r);

/* What waits is answered 503, what is at work is waited for; from here on nothing is taken. */
void admin_slow_stop(struct admin_slow *s);
/* After admin_slow_stop and the listener's end. NULL: nothing. */
void admin_slow_close(struct admin_slow *s);

#endif
