/* SPDX-License-Identifier: MIT */
#include "miner/clock_watch.h"

#include "base/log.h"

#define STOPPED_MS 5000   /* a busy machine may be late by less */
#define SUSPENDED_MS 1000 /* slept through by the monotonic clock */
#define SET_MS 1000       /* NTP moves a clock by less at a time, unless it sets it */

/* One line, when `ms` is worth it. */
static bool say(bool happened, const char *what, int64_t ms)
{
    if (happened) {
        log_event(LOG_WARN, LOG_MAIN, what, LOG_F("seconds", (double)ms / 1000));
    }
    return happened;
}

bool clock_watch_tick(struct clock_watch *w)
{
    struct clock_watch now = {.begun = true,
                              .wall_ms = sf_wall_ns() / 1000000,
                              .monotonic_ms = sf_now().ms,
                              .boot_ms = sf_boot_ms()};
    bool any = false;
    if (w->begun) {
        int64_t ran = now.monotonic_ms - w->monotonic_ms;
        int64_t slept = now.boot_ms - w->boot_ms - ran;
        int64_t set = now.wall_ms - w->wall_ms - ran - slept;
        any = say(slept > SUSPENDED_MS, "the machine was suspended", slept);
        any = say(ran > STOPPED_MS, "the program was stopped for a while", ran) || any;
        any = say(set > SET_MS || set < -SET_MS, "the clock was set", set) || any;
    }
    *w = now;
    return any;
}
