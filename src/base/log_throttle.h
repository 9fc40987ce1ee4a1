/* SPDX-License-Identifier: MIT */
#ifndef SF_BASE_LOG_THROTTLE_H
#define SF_BASE_LOG_THROTTLE_H

#include "base/log.h"

#include <stdatomic.h>

/* Keeps an event that others can bring about from filling the log: the first five of a minute pass,
 * and the next one that passes says how many did not. Static storage, zeroed; thread-safe. */
#define LOG_THROTTLE_PER_MINUTE 5

struct log_throttle {
    _Atomic int64_t minute; /* number of the current one */
    _Atomic uint64_t n;     /* events in it */
    _Atomic uint64_t left_out;
};

/* Whether this one is to be logged; *left_out gets how many before it were not. With the log at
 * debug all are. */
bool log_throttle_pass(struct log_throttle *t, uint64_t *left_out);

#endif
