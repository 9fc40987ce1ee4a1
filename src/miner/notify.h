/* SPDX-License-Identifier: MIT */
#ifndef SF_MINER_NOTIFY_H
#define SF_MINER_NOTIFY_H

#include "base/clock.h"
#include "conf/conf.h"

/* What systemd is told over $NOTIFY_SOCKET: readiness, status, signs of life. Without the variable
 * nothing is sent. Main thread only.
 * source: sd_notify(3), sd_watchdog_enabled(3). */
struct notify {
    int fd; /* -1 none */
    bool ready;
    char status[256];
    sf_ms watchdog_ms; /* between two signs of life; 0 none wanted */
    struct sf_time next_sign, next_extend;
};

void notify_init(struct notify *n, const struct conf *conf);
/* READY=1 is sent once, when `ready` first holds; STATUS= when it changes; WATCHDOG=1 in time; and
 * while it is not ready for the first time, more time for the start. */
void notify_tick(struct notify *n, bool ready, const char *status);
void notify_stopping(struct notify *n);
void notify_fini(struct notify *n);

#endif
