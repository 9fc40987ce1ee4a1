/* SPDX-License-Identifier: MIT */
#ifndef SF_MINER_CLOCK_WATCH_H
#define SF_MINER_CLOCK_WATCH_H

#include "base/clock.h"

#include <stdbool.h>

/* Notices that time did not go on as usual between two looks: the machine was suspended, this
 * process stopped, the clock set. Zeroed at the start. */
struct clock_watch {
    bool begun;
    int64_t wall_ms, monotonic_ms, boot_ms;
};

/* To be called several times a second. True, and it is in the log, when something has happened.
 * Deadlines, breakers and ages go by the monotonic clock and need no care; what was agreed on with
 * others (nonces, the metagraph, the address) is worth a new look. */
bool clock_watch_tick(struct clock_watch *w);

#endif
