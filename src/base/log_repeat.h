/* SPDX-License-Identifier: MIT */
#ifndef SF_BASE_LOG_REPEAT_H
#define SF_BASE_LOG_REPEAT_H

#include "base/log.h"

/* Keeps an event that happens over and over from filling the log. An event is its area and its
 * message up to the first ": " (behind that stands what differs); fields and level do not count.
 * The first five of a minute pass, the minute being its own; the others are counted. Of a table of
 * fixed size: what finds no place in it passes. Thread-safe; the lock is a leaf. */
#define LOG_REPEAT_PER_MINUTE 5
#define LOG_REPEAT_EVENTS 128

/* Whether this one is to be written; *left_out gets how many before it were not. */
bool log_repeat_pass(enum log_level level, enum log_area area, const char *message,
                     uint64_t *left_out);

struct log_repeated {
    enum log_level level;
    enum log_area area;
    char message[96]; /* of the event */
    uint64_t left_out;
};
/* Takes out one event whose minute is over (any, with `all`) and whose repetitions were not told
 * of; false when there is none. */
bool log_repeat_take(bool all, struct log_repeated *out);

#endif
